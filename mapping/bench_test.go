package mapping

import (
	"fmt"
	"testing"

	"leadload/converter"
)

func benchProgram(b *testing.B, text string, header []string) *Program {
	b.Helper()
	m, err := Parse("bench.yaml", []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	p, err := m.Compile(header)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

const benchMapping = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: Deal ID
search_by: EmailAddress
LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
  FirstName: First name
  LastName: Last name
  mx_City: City
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Remarks
  OpportunityDateTime: {column: Created at, format: dd/MM/yyyy HH:mm}
  Fields:
    mx_Custom_1: Deal name
    Status: {column: Stage, values: {Closed Won: Won, Closed Lost: Lost}, default: Open}
    mx_Custom_2: {column: Amount, type: number}
    mx_Custom_3: Product
    mx_Custom_4: {column: Close date, type: date, format: dd/MM/yyyy}
    mx_Custom_5: Deal ID
    mx_Custom_6: Branch
    mx_Custom_7: {column: Quantity, type: integer}
    mx_Custom_8: Region
    mx_Custom_9: {value: migrated}
`

var benchHeader = []string{"Deal ID", "Email", "First name", "Last name", "City", "Remarks", "Created at", "Deal name", "Stage", "Amount", "Product", "Close date", "Branch", "Quantity", "Region"}

func benchRows(n int) [][]converter.Cell {
	rows := make([][]converter.Cell, n)
	for i := range rows {
		texts := []string{
			fmt.Sprintf("D-%06d", i), fmt.Sprintf("asha.%d@example.com", i), "Asha", "Rao", "Pune", "call back after the festival", "31/12/2025 23:30",
			fmt.Sprintf("Home loan %d", i), []string{"Closed Won", "closed lost", "Negotiation"}[i%3], "1,20,000.50", "Home loan", "15/01/2026", "MG Road", "3", "West",
		}
		for _, s := range texts {
			rows[i] = append(rows[i], converter.Cell{Kind: converter.TextCell, Text: s})
		}
	}
	return rows
}

// BenchmarkMap maps rows of 15 columns into capture bodies.
//
// The profile's story: more than half of a row was once spent on building the
// hint for a word that values does not list although a default stands in
// for it, which is why a field with values remembers its words; then a quarter
// went into copying cells, which is why clean ones are pointed to. What is left
// is half the converter's (numbers, timestamps), and its four allocations are
// the three texts that conversions make and the one that holds key and lead.
func BenchmarkMap(b *testing.B) {
	p := benchProgram(b, benchMapping, benchHeader)
	rows := benchRows(256)
	r := p.Runner()
	var rec Record
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r.Map(rows[n%len(rows)], &rec)
		n++
		if len(rec.Problems) > 0 {
			b.Fatal(rec.Problems)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkMapExpressions adds an expression, a join and skip_when.
func BenchmarkMapExpressions(b *testing.B) {
	p := benchProgram(b, "skip_when: 'Stage == \"Test\"'\n"+benchMapping+`    mx_Custom_10: {expr: 'City + " - " + Product'}
    mx_Custom_11: {join: [First name, Last name]}
`, benchHeader)
	rows := benchRows(256)
	r := p.Runner()
	var rec Record
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r.Map(rows[n%len(rows)], &rec)
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
