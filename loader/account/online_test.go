package account

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadload/converter"
	"leadload/loader/leadsquared"
	"leadload/loader/target"
	"leadload/mapping"
)

const onlineMapping = `version: 1
target: opportunity
search_by: EmailAddress
LeadDetails:
  EmailAddress: Email
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    mx_Custom_1: Name
    mx_Custom_2: Stage
    mx_Custom_3: {value: migrated}
    Status: {value: Open}
`

func parseMapping(t *testing.T, text string) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOnlineMappingFaults(t *testing.T) {
	good := leadsquared.Field{SchemaName: "mx_Custom_1", DisplayName: "Name", DataType: "String"}
	three := leadsquared.Field{SchemaName: "mx_Custom_3", DisplayName: "Origin", DataType: "String"}
	two := leadsquared.Field{SchemaName: "mx_Custom_2", DisplayName: "Stage", DataType: "Dropdown", Options: []string{"New"}}
	change := func(f leadsquared.Field, with func(*leadsquared.Field)) leadsquared.Field { with(&f); return f }
	for _, c := range []struct {
		name   string
		fields []leadsquared.Field
		want   string // part of the only problem; "" is none
		code   string
	}{
		{"all is known", []leadsquared.Field{good, two, three}, "", ""},
		{"nothing was said about the type", nil, "", ""},
		{"an unknown schema name", []leadsquared.Field{good, two}, `no opportunity field "mx_Custom_3"`, "online.field"},
		{"a read-only field", []leadsquared.Field{change(good, func(f *leadsquared.Field) { f.ReadOnly = true }), two, three}, "does not let mx_Custom_1", "online.read-only"},
		{"a mandatory field that is not mapped", []leadsquared.Field{good, two, three, {SchemaName: "mx_Custom_9", DisplayName: "Branch", Mandatory: true}}, "mx_Custom_9 (Branch), which is not mapped", "online.mandatory"},
		{"a mandatory field that nobody can write", []leadsquared.Field{good, two, three, {SchemaName: "mx_Custom_9", Mandatory: true, ReadOnly: true}}, "", ""},
		{"a constant that is no option", []leadsquared.Field{good, two, change(three, func(f *leadsquared.Field) { f.DataType, f.Options = "Dropdown", []string{"Migrated"} })}, `"migrated" is not among`, "online.option"},
		{"a dropdown that takes other words", []leadsquared.Field{good, two, change(three, func(f *leadsquared.Field) { f.DataType, f.Options = "DropdownWithOthers", []string{"Migrated"} })}, "", ""},
		{"a constant that is no number", []leadsquared.Field{good, two, change(three, func(f *leadsquared.Field) { f.DataType = "Number" })}, `"migrated" is none`, "online.type"},
		{"a constant that is too long", []leadsquared.Field{good, two, change(three, func(f *leadsquared.Field) { f.MaxLength = 7 })}, "takes 7 characters, and this text has 8", "online.length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewOnline(parseMapping(t, onlineMapping), &Metadata{Fields: target.Fields{Opportunity: c.fields}})
			var probs mapping.Problems
			switch {
			case c.want == "":
				if err != nil {
					t.Fatalf("got %v, want no problem", err)
				}
			case !errors.As(err, &probs) || len(probs) != 1:
				t.Fatalf("got %v, want one problem", err)
			case !strings.Contains(probs[0].Msg, c.want) || probs[0].Code != c.code || probs[0].Hint == "" || probs[0].Line == 0:
				t.Fatalf("got %+v, want %q with code %s, a hint and a place", probs[0], c.want, c.code)
			}
		})
	}
}

func TestOnlineRowFaults(t *testing.T) {
	field := func(name, typ string, more func(*leadsquared.Field)) leadsquared.Field {
		f := leadsquared.Field{SchemaName: name, DisplayName: name, DataType: typ}
		if more != nil {
			more(&f)
		}
		return f
	}
	must := func(f *leadsquared.Field) { f.Mandatory = true }
	for _, c := range []struct {
		name, value string
		field       leadsquared.Field
		code        string // "" is none
	}{
		{"an option", "New", field("mx_Custom_2", "Dropdown", func(f *leadsquared.Field) { f.Options = []string{"New"} }), ""},
		{"an option in other letters", "new", field("mx_Custom_2", "Dropdown", func(f *leadsquared.Field) { f.Options = []string{"New"} }), "online.option"},
		{"a dropdown without options is not checked", "x", field("mx_Custom_2", "Dropdown", nil), ""},
		{"several options", "A;B", field("mx_Custom_2", "MultiSelect", func(f *leadsquared.Field) { f.Options = []string{"A", "B"} }), ""},
		{"one of several is none", "A;C", field("mx_Custom_2", "MultiSelect", func(f *leadsquared.Field) { f.Options = []string{"A", "B"} }), "online.option"},
		{"a number", "-12.50", field("mx_Custom_2", "Number", nil), ""},
		{"a number with an exponent", "1e5", field("mx_Custom_2", "Number", nil), "online.type"},
		{"a number with nothing before the point", ".5", field("mx_Custom_2", "Number", nil), "online.type"},
		{"a day", "2025-02-28", field("mx_Custom_2", "Date", nil), ""},
		{"a day that is none", "2025-02-30", field("mx_Custom_2", "Date", nil), "online.type"},
		{"a time", "2025-02-28 10:00:00", field("mx_Custom_2", "DateTime", nil), ""},
		{"a time with a fraction", "2025-02-28 10:00:00.000", field("mx_Custom_2", "DateTime", nil), "online.type"},
		{"yes", "Yes", field("mx_Custom_2", "Boolean", nil), ""},
		{"neither yes nor no", "maybe", field("mx_Custom_2", "Boolean", nil), "online.type"},
		{"a user by id", "7b0c5f5e-1f0a-4a54-9c1e-3d5a2b6c7d8e", field("mx_Custom_2", "ActiveUsers", nil), ""},
		{"a user by e-mail", "ravi@example.com", field("mx_Custom_2", "ActiveUsers", nil), ""},
		{"a user by name", "Ravi Kumar", field("mx_Custom_2", "ActiveUsers", nil), "online.owner"},
		{"a text of the greatest length, counted in letters", "नमस्ते", field("mx_Custom_2", "String", func(f *leadsquared.Field) { f.MaxLength = 6 }), ""},
		{"a text that is too long", "abcdefg", field("mx_Custom_2", "String", func(f *leadsquared.Field) { f.MaxLength = 6 }), "online.length"},
		{"a mandatory field that is filled", "x", field("mx_Custom_2", "String", must), ""},
		{"a mandatory field that is empty", "", field("mx_Custom_2", "String", must), "online.mandatory"},
		{"a type that we do not know", "x", field("mx_Custom_2", "Geo", nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := parseMapping(t, onlineMapping)
			o, err := NewOnline(m, &Metadata{Fields: target.Fields{Opportunity: []leadsquared.Field{field("mx_Custom_1", "String", nil), field("mx_Custom_3", "String", nil), c.field}}})
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.Compile([]string{"Email", "Name", "Stage"})
			if err != nil {
				t.Fatal(err)
			}
			var rec mapping.Record
			o = o.Fork()
			r := p.Runner()
			for n := 1; n <= 2; n++ { // what one row had is forgotten in the next
				cells := []converter.Cell{{Kind: converter.TextCell, Text: "asha@example.com"}, {Kind: converter.TextCell, Text: "x"}, {}}
				if c.value != "" {
					cells[2] = converter.Cell{Kind: converter.TextCell, Text: c.value}
				}
				r.Map(cells, &rec)
				o.Row(n, &rec)
				switch {
				case c.code == "" && len(rec.Problems) != 0:
					t.Fatalf("got %+v, want no problem", rec.Problems)
				case c.code != "" && (len(rec.Problems) != 1 || rec.Problems[0].Code != c.code || rec.Problems[0].Column != "Stage" || rec.Problems[0].Hint == ""):
					t.Fatalf("got %+v, want one problem %s of the column Stage with a hint", rec.Problems, c.code)
				case c.code != "" && len(rec.Body) != 0:
					t.Fatal("a faulty row has a body")
				}
			}
		})
	}
}

func TestMetadataIsKeptForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "metadata", "x.json")
		if readMetadata(path) != nil {
			t.Fatal("a file that is not there was read")
		}
		md := &Metadata{Version: metadataVersion, Fetched: time.Now(), Fields: target.Fields{HasProducts: true, Lead: []leadsquared.Field{{SchemaName: "mx_City", Options: []string{"Pune"}}}}}
		if err := WriteCache(path, md); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil || os.PathSeparator == '/' && st.Mode().Perm() != 0o600 {
			t.Fatalf("mode %v, %v: want 0600", st.Mode(), err)
		}
		got := readMetadata(path)
		if got == nil || !got.Cached || !got.HasProducts || len(got.Lead) != 1 || got.Lead[0].Options[0] != "Pune" {
			t.Fatalf("read %+v, want what was written", got)
		}
		time.Sleep(metadataAge - time.Second)
		if readMetadata(path) == nil {
			t.Error("a second before a day is over it is gone")
		}
		time.Sleep(2 * time.Second)
		if readMetadata(path) != nil {
			t.Error("after a day it is still taken")
		}
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if readMetadata(path) != nil {
			t.Error("a damaged file was taken")
		}
	})
}
