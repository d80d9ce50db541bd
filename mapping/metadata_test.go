package mapping

import (
	"slices"
	"strings"
	"testing"
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
