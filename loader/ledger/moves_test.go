package ledger

import (
	"strings"
	"testing"
)

func TestMoves(t *testing.T) {
	lower := func(s string) uint32 { return Print(strings.ToLower(s)) }
	for _, c := range []struct {
		name   string
		learn  string // a value of Stage at hand
		wrote  []Kept // by updates
		form   Form   // of the record
		column string
		values []string // of Name, Stage and City
		want   string
	}{
		{"nothing at hand", "", nil, Canonical, "", []string{"n", "Won", "x"}, "Stage → Won, City → x; why"},
		{"a value at hand", "open", nil, Canonical, "", []string{"n", "Won", "x"}, "Stage open → Won, City → x; why"},
		{"another value at hand", "Lost", nil, Canonical, "", []string{"n", "Won", "x"}, "Stage → Won, City → x; why"},
		{"what an update wrote", "", []Kept{{Field: "City", Has: "Pune"}, {Field: "Stage", Has: "Open"}}, Canonical, "", []string{"n", "Won", "x"}, "Stage Open → Won, City → x; why"},
		{"with its column", "open", nil, Canonical, "Step", []string{"n", "Won", "x"}, "Stage (Step) open → Won, City (Step) → x; why"},
		{"emptied", "open", nil, Canonical, "", []string{"n", "", "x"}, "Stage open → (empty), City → x; why"},
		{"long, in lines", "open", nil, Canonical, "", []string{"n", strings.Repeat("a\nb ", 30), "x"}, "Stage open → " + strings.Repeat("a b ", 10) + "…, City → x; why"},
		{"of an older ledger", "Open", nil, Raw, "", []string{"n", "Won", "x"}, "Stage Open → Won, City → x; why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Moves{Print: lower, Column: func(string) string { return c.column }}
			if c.learn != "" {
				m.Learn("Stage", c.learn)
			}
			d := Digester{Canonical: strings.ToLower}
			was := d.Digest(2, func(i int) (string, string) { return []string{"Name", "Stage"}[i], []string{"n", "Open"}[i] })
			known := Record{ID: 7, Names: was.Names, Prints: was.Prints, Form: c.form}
			if c.form == Raw {
				known.Prints = was.Raw
			}
			e := Entry{Number: 3, Record: 7, Verdict: Changed, Differs: []int{1, 2}, Msg: "loaded before as X with other values: Stage, City changed; why"}
			e.Digest.Names = []string{"Name", "Stage", "City"}
			m.Tell(&e, &known, c.values, c.wrote)
			if want := "loaded before as X with other values: " + c.want; e.Msg != want {
				t.Errorf("said %q, want %q", e.Msg, want)
			}
			if len(e.Moved) != 2 || e.Moved[0].Field != "Stage" || e.Moved[0].Has != c.values[1] || e.Moved[0].Row != 3 || e.Moved[0].Record != 7 || e.Moved[0].Result != ResultChanged {
				t.Errorf("kept %+v", e.Moved)
			}
		})
	}
}
