package mapping

import (
	"slices"
	"strings"
	"testing"

	"leadload/converter"
)

func TestFields(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		t.Fatal(err)
	}
	got := m.Fields()
	var names []string
	byName := map[string]FieldInfo{}
	for _, f := range got {
		names = append(names, f.Name)
		byName[f.Name] = f
	}
	want := []string{"LeadDetails.EmailAddress", "LeadDetails.Phone", "LeadDetails.FirstName", "LeadDetails.mx_City", "Opportunity.OpportunityEventCode", "Opportunity.OpportunityNote",
		"Opportunity.OpportunityDateTime", "Fields.mx_Custom_1", "Fields.Status", "Fields.mx_Custom_6", "Fields.mx_Custom_9"}
	if !slices.Equal(names, want) {
		t.Fatalf("got %q, want %q", names, want)
	}
	if f := byName["LeadDetails.EmailAddress"]; f.Schema != "EmailAddress" || f.Kind != LeadField || !f.Required || f.Type != "email" || !slices.Equal(f.Columns, []string{"Email"}) || f.Line != 10 || f.Column != 3 || f.Member {
		t.Errorf("EmailAddress: %+v", f)
	}
	if f := byName["Opportunity.OpportunityEventCode"]; !f.HasConstant || f.Constant != "12000" || !f.Member || !f.Required {
		t.Errorf("OpportunityEventCode: %+v", f)
	}
	if f := byName["Fields.mx_Custom_1"]; !slices.Equal(f.Columns, []string{"Contact", "Product"}) || f.Kind != OpportunityField || f.Required || f.Member {
		t.Errorf("mx_Custom_1: %+v", f)
	}
	if f := byName["Fields.Status"]; !slices.Equal(f.Outcomes, []string{"Won", "Lost", "Open"}) {
		t.Errorf("Status: %+v", f)
	}
	if f := byName["Fields.mx_Custom_6"]; f.Type != "number" || f.Outcomes != nil {
		t.Errorf("mx_Custom_6: %+v", f)
	}
	if f := byName["Fields.mx_Custom_9"]; !f.HasConstant || !slices.Equal(f.Outcomes, []string{"migrated"}) || len(f.Columns) > 0 {
		t.Errorf("mx_Custom_9: %+v", f)
	}

	m, err = Parse("sales.yaml", []byte(salesMapping))
	if err != nil {
		t.Fatal(err)
	}
	got = m.Fields()
	last := got[len(got)-1]
	if last.Name != "lead" || last.Schema != "EmailAddress" || last.Kind != LeadField || !last.Required {
		t.Errorf("lead: %+v", last)
	}
	for _, f := range got[:len(got)-1] {
		if f.Kind != ActivityField || f.Member == (f.Name == "SalesActivity.mx_Custom_5") {
			t.Errorf("%+v", f)
		}
	}
}

func TestProblemAtAField(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		t.Fatal(err)
	}
	p := m.Problem("Fields.mx_Custom_6", "online.unknown-field", "the account has no field mx_Custom_6", "did you mean mx_Custom_8?")
	if p.File != "deals.yaml" || p.Line != 21 || p.Column != 5 || p.Code != "online.unknown-field" || !strings.HasSuffix(p.Excerpt, "^") {
		t.Errorf("got %+v", p)
	}
	if p := m.Problem("nothing", "c", "m", ""); p.Line != 1 || p.Column != 1 {
		t.Errorf("an unknown field: %+v", p)
	}
}

func TestTimestamps(t *testing.T) {
	p := mustCompile(t, fields+`    mx_Custom_1: {column: A, type: datetime, format: [dd/MM/yyyy HH:mm, yyyy-MM-dd]}
    mx_Custom_2: {column: B, type: datetime, timezone: {column: Z}, format: dd/MM/yyyy HH:mm}
    mx_Custom_3: {column: A, type: date, format: dd/MM/yyyy}
    mx_Custom_4: {expr: 'A', type: datetime}
`, "Email", "A", "B", "Z")
	got := p.Timestamps()
	if len(got) != 2 {
		t.Fatalf("got %+v", got)
	}
	a, b := got[0], got[1]
	if a.Name != "Fields.mx_Custom_1" || a.Column != "A" || a.Index != 1 || a.Zone != "Asia/Kolkata" || a.ZoneIndex != -1 || len(a.Formats) != 2 || b.ZoneIndex != 3 {
		t.Errorf("got %+v %+v", a, b)
	}
	for _, c := range []struct {
		at                 Timestamp
		row                []string
		local, utc         string
		ok, ambiguous, set bool
	}{
		{a, []string{"", " 31/12/2025 23:30"}, "2025-12-31 23:30:00 +05:30", "2025-12-31 18:00:00", true, false, true},
		{a, []string{"", "03/04/2025 23:30"}, "2025-04-03 23:30:00 +05:30", "2025-04-03 18:00:00", true, true, false},
		{a, []string{"", "2025-04-03"}, "2025-04-03 00:00:00 +05:30", "2025-04-02 18:30:00", true, false, false},
		{b, []string{"", "", "03/04/2025 12:00", "Europe/London"}, "2025-04-03 12:00:00 +01:00", "2025-04-03 11:00:00", true, true, false},
		{b, []string{"", "", "03/04/2025 12:00", ""}, "2025-04-03 12:00:00 +05:30", "2025-04-03 06:30:00", true, true, false},
		{b, []string{"", "", "03/04/2025 12:00", "Mars"}, "", "", false, true, false},
		{a, []string{"", ""}, "", "", false, false, false},
		{a, []string{""}, "", "", false, false, false},
		{a, []string{"", "soon"}, "", "", false, false, false},
		{a, []string{"", "\xff"}, "", "", false, false, false},
	} {
		local, utc, ok := c.at.Sample(cellsOf(c.row...))
		if local != c.local || utc != c.utc || ok != c.ok {
			t.Errorf("%q: got %q %q %v, want %q %q %v", c.row, local, utc, ok, c.local, c.utc, c.ok)
		}
		ambiguous, decided := c.at.AmbiguousDayMonth(cellsOf(c.row...))
		if ambiguous != c.ambiguous || decided != c.set {
			t.Errorf("%q: ambiguous %v, decided %v", c.row, ambiguous, decided)
		}
	}
	if ambiguous, _ := a.AmbiguousDayMonth([]converter.Cell{{}, {Kind: converter.DateCell, Text: "45000"}}); ambiguous {
		t.Error("a spreadsheet's own date is ambiguous")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"EmailAddress", "Phone", "mx_Custom_1", "mx_Custom_11", "Deal ID"}
	for s, want := range map[string]string{
		"emailaddress": "EmailAddress", "Email Address": "EmailAddress", "EmialAddress": "EmailAddress", "phon": "Phone", "mx_custom_1": "mx_Custom_1",
		"mxCustom11": "mx_Custom_11", "DealID": "Deal ID", "Deal-Id": "Deal ID", "nothing of that": "", "": "", "x": "", strings.Repeat("y", 200): "",
	} {
		if got := Nearest(s, names); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	if d := distance("ab", "ba"); d != 1 {
		t.Errorf("a swap of neighbours costs %d", d)
	}
}
