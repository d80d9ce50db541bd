package leadsquared

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// plain turns a parsed value into what encoding/json makes of it; ok is false where a name
// comes twice, in whatever case.
func plain(v any) (out any, ok bool) {
	switch v := v.(type) {
	case object:
		m := map[string]any{}
		for _, n := range v.members {
			if n.other != nil {
				return nil, false
			}
			if m[n.name], ok = plain(n.value); !ok {
				return nil, false
			}
		}
		return m, true
	case []any:
		list := make([]any, len(v))
		for i := range v {
			if list[i], ok = plain(v[i]); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return v, true
}

// FuzzParse holds the parser against encoding/json.
func FuzzParse(f *testing.F) {
	seeds := []string{`{}`, ` [ ] `, `{"a" : [1 , 2.50e-3,-0] , "b":{"c":null,"d":true,"e":false}}`, `"\u00e9\ud83d\ude00\ud800\n\"\\"`, `12`, `""`, "\"\xff\"", `{"a":1,"A":2}`, `[[[[{"x":[{}]}]]]]`, successBody, "\xef\xbb\xbf{}", `{"":0}`}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := parseJSON(b)
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		if ok != json.Valid(b) {
			t.Fatalf("valid is %v", ok)
		}
		if !ok {
			return
		}
		simple, once := plain(got)
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if once && count(simple) == countNames(b) && !reflect.DeepEqual(simple, want) {
			t.Errorf("got  %#v\nwant %#v", simple, want)
		}
	})
}

// count and countNames give the members of all objects, kept and written.
func count(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			n += 1 + count(x)
		}
	case []any:
		for _, x := range v {
			n += count(x)
		}
	}
	return n
}

func countNames(b []byte) (n int) {
	inText := false
	for i := 0; i < len(b); i++ {
		switch {
		case inText && b[i] == '\\':
			i++
		case b[i] == '"':
			inText = !inText
		case b[i] == ':' && !inText:
			n++
		}
	}
	return n
}

func TestNamesGivenTwice(t *testing.T) {
	many := ""
	for i := range 2 * manyMembers {
		many += fmt.Sprintf(`"x%d":%d,`, i, i)
	}
	for _, pad := range []string{"", many} { // without and with an index
		v, ok := parseJSON([]byte(`{` + pad + `"A":null,"a":"","B":1,"b":"1","C":1,"c":2,"D":{},"d":{},"E":" x ","e":"x","f":"x"}`))
		o, _ := v.(object)
		if !ok || (o.index != nil) != (pad != "") {
			t.Fatal(v)
		}
		if o.text("a") != "" || o.text("B") != "1" || o.get("c") != nil || !o.torn("C") || !o.torn("d") || o.torn("e") || o.text("E") != "x" || o.text("none", "F") != "x" || !o.has("A") || o.has("z") {
			t.Errorf("%+v", o.members)
		}
		if pad != "" && (o.text("X7") != "7" || o.text("x47") != "47") {
			t.Error("members of a long object are lost")
		}
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	for n, want := range map[int]bool{1000: true, 20000: false} {
		if _, ok := parseJSON([]byte(strings.Repeat("[", n) + strings.Repeat("]", n))); ok != want {
			t.Errorf("%d levels: %v", n, ok)
		}
	}
}

func BenchmarkParseList(b *testing.B) {
	row := `{"ProspectID":"6f75b09d-0187-45d6-86dd-f848bd5a0aca","FirstName":"George","LastName":null,"Score":"-10",` + strings.Repeat(`"mx_Custom":"a value of some length",`, 1) + `"CreatedOn":"2017-11-30 07:40:18.000"}`
	body := []byte("[" + strings.Repeat(row+",", 999) + row + "]")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := parseJSON(body); !ok {
			b.Fatal("not JSON")
		}
	}
}
