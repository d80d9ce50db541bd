package mapping

import (
	"strings"
	"testing"

	"leadload/converter"
)

// Saying required beside default says nothing new, and contradicts nothing.
func TestRequiredWithDefaultIsFilled(t *testing.T) {
	m, err := Parse("m.yaml", []byte(`version: 1
target: opportunity
timezone: Asia/Kolkata
search_by: EmailAddress
LeadDetails:
  EmailAddress: Email
Opportunity:
  OpportunityEventCode: 12000
  Fields:
    Status: {column: Stage, values: {Done: Won}, default: Open, required: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile([]string{"Email", "Stage"})
	if err != nil {
		t.Fatal(err)
	}
	var rec Record
	p.Runner().Map([]converter.Cell{{Kind: converter.TextCell, Text: "asha@example.com"}, {}}, &rec)
	if len(rec.Problems) > 0 || !strings.Contains(string(rec.Body), `{"SchemaName":"Status","Value":"Open"}`) {
		t.Errorf("problems %v, body %s", rec.Problems, rec.Body)
	}
}
