package mapping

import (
	"encoding/json"
	"testing"
)

func TestUpdateBodies(t *testing.T) {
	for _, c := range []struct {
		name   string
		part   Part
		fields []Field
		want   string
	}{
		{"fields", OfOpportunity, []Field{{"Fields.Status", "Won"}, {"Fields.mx_Custom_6", "12.50"}},
			`{"ProspectOpportunityId":"o-1","Fields":[{"SchemaName":"Status","Value":"Won"},{"SchemaName":"mx_Custom_6","Value":"12.50"}]}`},
		{"the note alone", OfOpportunity, []Field{{"Opportunity.OpportunityNote", `he said "yes"`}}, `{"ProspectOpportunityId":"o-1","OpportunityNote":"he said \"yes\""}`},
		{"note and field", OfOpportunity, []Field{{"Opportunity.OpportunityNote", ""}, {"Fields.Status", "Lost"}},
			`{"ProspectOpportunityId":"o-1","OpportunityNote":"","Fields":[{"SchemaName":"Status","Value":"Lost"}]}`},
		{"a lead", OfLead, []Field{{"LeadDetails.Phone", "+91-9876543210"}, {"LeadDetails.mx_City", ""}},
			`[{"Attribute":"Phone","Value":"+91-9876543210"},{"Attribute":"mx_City","Value":""}]`},
		{"a sale", OfSale, []Field{{"SalesActivity.Revenue", "-12.5"}, {"SalesActivity.mx_Custom_5", "007"}}, `{"Id":"o-1","ProspectId":"l-1","Revenue":-12.5,"mx_Custom_5":"007"}`},
		{"a whole amount", OfSale, []Field{{"SalesActivity.Revenue", "11"}}, `{"Id":"o-1","ProspectId":"l-1","Revenue":11}`},
		{"a sale's amount that is no number", OfSale, []Field{{"SalesActivity.Revenue", "1e3"}}, `{"Id":"o-1","ProspectId":"l-1","Revenue":"1e3"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(c.part.Update(nil, "o-1", "l-1", c.fields))
			if got != c.want || !json.Valid([]byte(got)) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

const changing = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: Deal
on_change: update
search_by: EmailAddress
LeadDetails:
  EmailAddress: Email
  Phone: {column: Mobile, type: phone, region: IN}
  Source: {value: import, on_change: ignore}
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Note
  OpportunityDateTime: {column: At, format: yyyy-MM-dd HH:mm}
  OverwriteFields: true
  Fields:
    Status: Stage
`

func TestChangeOf(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(changing))
	if err != nil {
		t.Fatal(err)
	}
	if !m.Updates {
		t.Error("on_change: update is not read")
	}
	for field, want := range map[string]Change{
		"Fields.Status":                    {Part: OfOpportunity},
		"Opportunity.OpportunityNote":      {Part: OfOpportunity},
		"LeadDetails.Phone":                {Part: OfLead},
		"LeadDetails.Source":               {Ignored: true},
		"LeadDetails.EmailAddress":         {Why: anotherLead, Blocks: true},
		"LeadDetails.SearchBy":             {Ignored: true},
		"Opportunity.OverwriteFields":      {Ignored: true},
		"Opportunity.OpportunityDateTime":  {Why: opportunityKeys[2].unchanged},
		"Opportunity.OpportunityEventCode": {Why: opportunityKeys[0].unchanged},
		"Fields.mx_Custom_77":              {Ignored: true},
	} {
		if got := m.ChangeOf(field); got != want {
			t.Errorf("%s: %+v, want %+v", field, got, want)
		}
	}
	sale, err := Parse("sales.yaml", []byte("version: 1\ntarget: sales-activity\nkey: No\nlead: {find_by: EmailAddress, column: Email}\nSalesActivity:\n  Status: Stage\n  Revenue: Amount\n"))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]Change{
		"lead":                  {Why: anotherLead, Blocks: true},
		"SalesActivity.Status":  {Why: salesKeys[2].unchanged},
		"SalesActivity.Revenue": {Part: OfSale},
	} {
		if got := sale.ChangeOf(field); got != want {
			t.Errorf("%s: %+v, want %+v", field, got, want)
		}
	}
	if sale.Updates {
		t.Error("a mapping that says nothing updates")
	}
}
