package mapping

import (
	"encoding/json"
	"strings"
	"testing"

	"leadload/converter"
)

// TestEveryTargetIsWhole says what is missing of a target.
func TestEveryTargetIsWhole(t *testing.T) {
	seen := map[Target]bool{}
	for _, s := range specs {
		if seen[s.name] {
			t.Errorf("target %s is listed twice", s.name)
		}
		seen[s.name] = true
		if s.many == "" || s.parse == nil || s.draft == nil || len(s.groups) == 0 || len(s.layout) == 0 {
			t.Errorf("target %s lacks its words, keys, layout, parser or draft: %+v", s.name, s)
		}
		for _, name := range s.takes {
			if findKey(leadPolicies, name) == nil {
				t.Errorf("target %s takes %q, which is not among the lead policies", s.name, name)
			}
		}
		for _, k := range s.groups {
			if k.instead == "" || k.shape == shapeSettings && k.intro == "" {
				t.Errorf("target %s: its key %q lacks a hint for other targets or the words of its section", s.name, k.name)
			}
		}
		fields := false
		for _, g := range s.layout {
			fields = fields || g.label != ""
			if g.label != "" && g.kind == "" {
				t.Errorf("target %s: the account's metadata of group %s are not named", s.name, g.label)
			}
		}
		if !fields {
			t.Errorf("target %s: its layout has no fields", s.name)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown target was taken for a known one")
		}
	}()
	specOf("unheard-of")
}

// TestCreate puts the ids of leads into bodies.
func TestCreate(t *testing.T) {
	for _, c := range []struct {
		name, mapping string
		cells         []string
		lead          string
		want          string
	}{
		{"the lead is looked up", "lead: {find_by: EmailAddress, column: A}\nSalesActivity: {Status: {value: Won}, mx_Custom_5: B}", []string{"a@example.com", "x"}, "l-1", `{"ProspectId":"l-1","Status":"Won","mx_Custom_5":"x"}`},
		{"a cell that looks like the member", "lead: {find_by: EmailAddress, column: A}\nSalesActivity: {Status: {value: Won}, mx_Custom_5: B}", []string{"a@example.com", `"ProspectId"`}, "l-1", `{"ProspectId":"l-1","Status":"Won","mx_Custom_5":"\"ProspectId\""}`},
		{"an id that needs escapes", "lead: {find_by: EmailAddress, column: A}\nSalesActivity: {Status: {value: Won}, mx_Custom_5: B}", []string{"a@example.com", ""}, "l\"\n<1>", `{"ProspectId":"l\"\n<1>","Status":"Won"}`},
		{"the mapping has the id", "SalesActivity: {ProspectId: A, Status: {value: Won}, mx_Custom_5: B}", []string{"l-2", "x"}, "", `{"ProspectId":"l-2","Status":"Won","mx_Custom_5":"x"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Parse("m.yaml", []byte("version: 1\ntarget: sales-activity\n"+c.mapping+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			p, err := m.Compile([]string{"A", "B"})
			if err != nil {
				t.Fatal(err)
			}
			cells := make([]converter.Cell, len(c.cells))
			for i, text := range c.cells {
				if text != "" {
					cells[i] = converter.Cell{Kind: converter.TextCell, Text: text}
				}
			}
			var rec Record
			p.Runner().Map(cells, &rec)
			got := string(m.Target.Create(nil, rec.Body, c.lead))
			if got != c.want || !json.Valid([]byte(got)) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if with := string(m.Target.Create([]byte("before "), rec.Body, c.lead)); with != "before "+c.want {
				t.Errorf("behind other text: %s", with)
			}
		})
	}
	capture := `{"LeadDetails":[],"Opportunity":{}}`
	if got := string(Opportunity.Create(nil, []byte(capture), "l-1")); got != capture {
		t.Errorf("a capture finds its lead by itself, but its body became %s", got)
	}
}

// TestStoredNamesAreOfSales ties the names of a sale's members to the account's.
func TestStoredNamesAreOfSales(t *testing.T) {
	for target, want := range map[Target]string{Opportunity: "", OpportunityAsync: "", SalesActivity: "ProductSku=mx_Custom_1 Revenue=mx_Custom_2 SalesDate=mx_Custom_3 SalesOwner=mx_Custom_4 SalesOwnerEmail=mx_Custom_4"} {
		var got []string
		for _, name := range []string{"ProductSku", "Revenue", "SalesDate", "SalesOwner", "SalesOwnerEmail", "Status"} {
			if s, ok := target.Stored()[name]; ok {
				got = append(got, name+"="+s.Schema)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
	}
}
