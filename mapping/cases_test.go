package mapping

import (
	"errors"
	"strings"
	"testing"
)

const dealCases = `# what deals.yaml is expected to make
cases:
  - name: a won deal
    row: {Deal ID: D-7, Email: asha@example.com, Contact: Asha, Product: Loan, Stage: Closed Won, Amount: "1,20,000.50", Created at: 31/12/2025 23:30}
    body:
      LeadDetails:
        - {Attribute: SearchBy, Value: EmailAddress}      # their order means nothing
        - {Attribute: EmailAddress, Value: asha@example.com}
        - {Attribute: FirstName, Value: Asha}
      Opportunity:
        OpportunityEventCode: 12000
        OpportunityDateTime: 2025-12-31 18:00:00
        Fields:
          - {SchemaName: mx_Custom_1, Value: Asha - Loan}
          - {SchemaName: Status, Value: Won}
          - {SchemaName: mx_Custom_6, Value: 120000.50}
          - {SchemaName: mx_Custom_9, Value: migrated}
    lead: EmailAddress=asha@example.com
    key: D-7
  - name: as JSON
    row: {Deal ID: 007, Email: a@b.com}
    body: {"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@b.com"},{"Attribute":"SearchBy","Value":"EmailAddress"}],"Opportunity":{"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"-"},{"SchemaName":"Status","Value":"Open"},{"SchemaName":"mx_Custom_9","Value":"migrated"}]}}
    key: 007
  - name: parts of it
    row: {Deal ID: D-8, Email: a@b.com, Amount: {number: 12.5}, Created at: {date: 46022.5, format: dd/mm/yyyy hh:mm}, Remarks: }
    fields: {Fields.mx_Custom_6: 12.5, Opportunity.OpportunityDateTime: "2025-12-31 06:30:00", Opportunity.OpportunityNote: }
  - row: {Stage: Test}
    skipped: true
  - row: {Deal ID: D-9, Email: nobody, Amount: {error: "#N/A"}}
    problems: [Email, Fields.mx_Custom_6]
`

func TestRunCases(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		t.Fatal(err)
	}
	results, err := RunCases(m, "cases.yaml", []byte(dealCases))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 5 {
		t.Fatalf("got %d results, want 5", len(results))
	}
	for _, r := range results {
		if len(r.Failures) > 0 {
			t.Errorf("%s (line %d): %q", r.Name, r.Line, r.Failures)
		}
	}
	if results[0].Name != "a won deal" || results[0].Line != 3 || results[3].Name != "case 4" {
		t.Errorf("names and lines: %+v", results)
	}
}

func TestCasesThatFail(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		t.Fatal(err)
	}
	const row = "cases:\n  - row: {Deal ID: D-7, Email: a@b.com, Stage: Closed Won}\n"
	const body = `    body: {LeadDetails: [{Attribute: EmailAddress, Value: a@b.com}, {Attribute: SearchBy, Value: EmailAddress}], Opportunity: {OpportunityEventCode: 12000, Fields: [{SchemaName: mx_Custom_1, Value: "-"}, {SchemaName: Status, Value: Won}, {SchemaName: mx_Custom_9, Value: migrated}]}}` + "\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", row + body, nil},
		{"another value", row + strings.Replace(body, "Value: Won", "Value: Lost", 1), []string{`Opportunity.Fields.Status.Value: got "Won", want "Lost"`}},
		{"a value too many", row + strings.Replace(body, "{SchemaName: Status, Value: Won}, ", "", 1), []string{`Opportunity.Fields.Status: got "Won", want nothing`}},
		{"a value too few", row + strings.Replace(body, "{SchemaName: Status", "{SchemaName: mx_Custom_6, Value: 5}, {SchemaName: Status", 1), []string{`Opportunity.Fields.mx_Custom_6: got nothing, want "5"`}},
		{"a member too many", row + strings.Replace(body, "OpportunityEventCode: 12000, ", "", 1), []string{`Opportunity.OpportunityEventCode: got 12000, want nothing`}},
		{"a member too few", row + strings.Replace(body, "OpportunityEventCode: 12000, ", "OpportunityEventCode: 12000, OpportunityNote: x, ", 1), []string{`Opportunity.OpportunityNote: got nothing, want "x"`}},
		{"a text for a number", row + strings.Replace(body, "12000", `"12000"`, 1), []string{`Opportunity.OpportunityEventCode: got 12000, want "12000"`}},
		{"a list for a group", row + "    body: {LeadDetails: {a: b}, Opportunity: [a]}\n", []string{"LeadDetails: got ", "Opportunity: got "}},
		{"a part", row + "    fields: {Fields.Status: Lost, Fields.mx_Custom_6: 5, Fields.mx_Custom_9: }\n", []string{`Fields.Status: got "Won", want "Lost"`, `Fields.mx_Custom_6: got nothing, want "5"`, `Fields.mx_Custom_9: got "migrated", want nothing`}},
		{"a row that is not skipped", row + "    skipped: true\n", []string{"not skipped"}},
		{"a row that is skipped", "cases:\n  - row: {Stage: Test}\n" + body, []string{"the row is skipped"}},
		{"a problem that does not come", row + "    problems: [Email]\n", []string{"no problem with Email"}},
		{"a problem that nobody expects", "cases:\n  - row: {Deal ID: D-7, Email: nobody, Stage: Closed Won}\n" + body, []string{`problem with Email: "nobody"`}},
		{"another lead", row + "    lead: EmailAddress=x@y.com\n    key: D-8\n", []string{`lead: got "EmailAddress=a@b.com"`, `key: got "D-7", want "D-8"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			results, err := RunCases(m, "cases.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got := results[0].Failures
			if len(got) != len(c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
			for i, w := range c.want {
				if !strings.Contains(got[i], w) {
					t.Errorf("got %q, want %q", got[i], w)
				}
			}
		})
	}
}

func TestFaultsOfATestFile(t *testing.T) {
	m, err := Parse("deals.yaml", []byte(dealsMapping))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text string
		line       int
		code, msg  string
	}{
		{"an empty file", "", 1, "yaml.empty", "test file is empty"},
		{"no cases", "cases: []\n", 1, "cases.shape", "no cases"},
		{"another key", "case:\n  - row: {Email: a}\n    skipped: true\n", 1, "mapping.unknown-key", `"case"`},
		{"a case without a row", "- body: {a: b}\n", 1, "cases.shape", "no row"},
		{"a case without an outcome", "- row: {Email: a}\n", 1, "cases.shape", "what it expects"},
		{"a misspelt key", "- row: {Email: a}\n  boddy: {a: b}\n", 2, "mapping.unknown-key", `"boddy"`},
		{"an unknown column", "- row: {Emial: a}\n  skipped: true\n", 1, "cases.column", `"Emial"`},
		{"a cell that is a list", "- row: {Email: [a]}\n  skipped: true\n", 1, "cases.shape", "not a list"},
		{"an odd cell", "- row: {Email: {numbr: 5}}\n  skipped: true\n", 1, "cases.shape", "a cell is"},
		{"a text for a case", "- hello\n", 1, "mapping.shape", "group of keys"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := RunCases(m, "cases.yaml", []byte(c.text))
			var p Problems
			if !errors.As(err, &p) {
				t.Fatalf("got %v", err)
			}
			if p[0].File != "cases.yaml" || p[0].Line != c.line || p[0].Code != c.code || !strings.Contains(p[0].Msg, c.msg) {
				t.Errorf("got %+v", p)
			}
		})
	}
}
