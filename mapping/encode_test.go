package mapping

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
	"unsafe"
)

// unsafeString makes a text that shares its memory, as a source does.
func unsafeString(b []byte) string { return unsafe.String(&b[0], len(b)) }

func FuzzAppendJSON(f *testing.F) {
	seeds := []string{"", "plain", `"quotes" \ and /`, "\x00\x1f\x7f", "\n\r\t", "<b>&", "äöü €", "🦄", "\u2028\u2029", "\xff", "a\xc3", "\ufffd"}
	for _, s := range seeds {
		f.Add(s)
	}
	if len(seeds) < 10 {
		f.Fatal("the seeds are gone")
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := appendJSON([]byte("x"), s)[1:]
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%q became %s: %v", s, got, err)
		}
		if !utf8.Valid(got) {
			t.Fatalf("%q became %q, which is not UTF-8", s, got)
		}
		if utf8.ValidString(s) && back != s {
			t.Fatalf("%q became %s and that is %q", s, got, back)
		}
	})
}
