package mapping

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"leadload/converter"
)

// cellsOf makes text cells, an empty text being an empty cell.
func cellsOf(texts ...string) []converter.Cell {
	out := make([]converter.Cell, len(texts))
	for i, s := range texts {
		if s != "" {
			out[i] = converter.Cell{Kind: converter.TextCell, Text: s}
		}
	}
	return out
}

func mustCompile(t *testing.T, text string, header ...string) *Program {
	t.Helper()
	m, err := Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	p, err := m.Compile(header)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	return p
}

func mapOne(p *Program, cells []converter.Cell) *Record {
	rec := &Record{}
	p.Runner().Map(cells, rec)
	return rec
}

// The first mapping of the README.
const dealsMapping = `version: 1
target: opportunity
timezone: Asia/Kolkata
key: Deal ID
search_by: EmailAddress
input: {sheet: Deals, header_row: 1}
skip_when: 'Stage == "Test"'

LeadDetails:
  EmailAddress: {column: Email, type: email, required: true}
  Phone:        {column: Mobile, type: phone, region: IN}
  FirstName:    Contact             # short form: just the column
  mx_City:      City
Opportunity:
  OpportunityEventCode: 12000
  OpportunityNote: Remarks
  OpportunityDateTime: {column: Created at, type: datetime, format: dd/MM/yyyy HH:mm}
  Fields:
    mx_Custom_1: {expr: 'Contact + " - " + Product'}
    Status:      {column: Stage, values: {Closed Won: Won, Closed Lost: Lost}, default: Open}
    mx_Custom_6: {column: Amount, type: number}
    mx_Custom_9: {value: migrated}
`

var dealsHeader = []string{"Deal ID", "Email", "Mobile", "Contact", "City", "Remarks", "Created at", "Product", "Stage", "Amount"}

// The second mapping of the README.
const salesMapping = `version: 1
target: sales-activity
timezone: Asia/Kolkata
lead: {find_by: EmailAddress, column: Email}
SalesActivity:
  ProductSku: SKU
  Status: {column: Status, values: {Delivered: Won}, default: Open}
  Revenue: {column: Amount, type: number}
  SalesOwnerEmail: Sales rep
  SalesDate: {column: Sold at, type: datetime, format: [dd/MM/yyyy HH:mm, dd/MM/yyyy]}
  mx_Custom_5: Invoice No
`

var salesHeader = []string{"Email", "SKU", "Status", "Amount", "Sales rep", "Sold at", "Invoice No"}

func TestBodies(t *testing.T) {
	const lead = `{"LeadDetails":[{"Attribute":"EmailAddress","Value":"a@b.com"},{"Attribute":"SearchBy","Value":"EmailAddress"}],"Opportunity":`
	simple := func(opportunity string) string {
		return top + "search_by: EmailAddress\n" + details + "Opportunity: {OpportunityEventCode: 12000, " + opportunity + "}\n"
	}
	one := func(field string) string { return simple("Fields: {mx_Custom_1: " + field + "}") }
	single := func(value string) string {
		return lead + `{"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":` + value + `}]}}`
	}
	none := lead + `{"OpportunityEventCode":12000}}`
	for _, c := range []struct {
		name   string
		text   string
		header []string
		row    []string
		want   string
	}{
		{"the first example", dealsMapping, dealsHeader,
			[]string{"D-7", " Asha@Example.com", "98765 43210", "Asha", "Pune", "said \"yes\"\nand <b>", "31/12/2025 23:30", "Loan", "closed won", "₹1,20,000.50"},
			`{"LeadDetails":[{"Attribute":"EmailAddress","Value":"Asha@Example.com"},{"Attribute":"Phone","Value":"+91-9876543210"},{"Attribute":"FirstName","Value":"Asha"},{"Attribute":"mx_City","Value":"Pune"},{"Attribute":"SearchBy","Value":"EmailAddress"}],` +
				`"Opportunity":{"OpportunityEventCode":12000,"OpportunityNote":"said \"yes\"\nand <b>","OpportunityDateTime":"2025-12-31 18:00:00",` +
				`"Fields":[{"SchemaName":"mx_Custom_1","Value":"Asha - Loan"},{"SchemaName":"Status","Value":"Won"},{"SchemaName":"mx_Custom_6","Value":"120000.50"},{"SchemaName":"mx_Custom_9","Value":"migrated"}]}}`},
		{"the first example, mostly empty", dealsMapping, dealsHeader, []string{"D-8", "b@c.org"},
			`{"LeadDetails":[{"Attribute":"EmailAddress","Value":"b@c.org"},{"Attribute":"SearchBy","Value":"EmailAddress"}],` +
				`"Opportunity":{"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"-"},{"SchemaName":"Status","Value":"Open"},{"SchemaName":"mx_Custom_9","Value":"migrated"}]}}`},
		{"the second example", salesMapping, salesHeader, []string{"a@b.com", "P-1", "Delivered", "1,200.00", "rep@example.com", "31/12/2025 23:30", "007"},
			`{"ProductSku":"P-1","Status":"Won","Revenue":1200.00,"SalesOwnerEmail":"rep@example.com","SalesDate":"2025-12-31 18:00:00","mx_Custom_5":"007"}`},
		{"the second example with the other format", salesMapping, salesHeader, []string{"a@b.com", "", "whatever", "-5", "", "01/01/2026", ""},
			`{"Status":"Open","Revenue":-5,"SalesDate":"2025-12-31 18:30:00"}`},
		{"a sales activity by the lead's id", "version: 1\ntarget: sales-activity\nSalesActivity: {Status: S, ProspectId: L, mx_Custom_12: A, mx_Custom_5: B}\n", []string{"S", "L", "A", "B"}, []string{"WON", "AB-1", "x", "y"},
			`{"ProspectId":"AB-1","Status":"Won","mx_Custom_12":"x","mx_Custom_5":"y"}`},

		{"a lead by its id", top + "search_by: prospectid\nLeadDetails: {ProspectId: L}\n" + code, []string{"L"}, []string{"AB-1"},
			`{"LeadDetails":[{"Attribute":"ProspectID","Value":"AB-1"},{"Attribute":"__UseUserDefinedGuid__","Value":"true"},{"Attribute":"SearchBy","Value":"ProspectId"}],"Opportunity":{"OpportunityEventCode":12000}}`},
		{"all switches", simple("OverwriteFields: true, UpdateEmptyFields: false, DoNotPostDuplicateActivity: true, DoNotChangeOwner: false"), []string{"Email"}, []string{"a@b.com"},
			lead + `{"OpportunityEventCode":12000,"OverwriteFields":true,"UpdateEmptyFields":false,"DoNotPostDuplicateActivity":true,"DoNotChangeOwner":false}}`},
		{"switches after fields", simple("DoNotChangeOwner: true, Fields: {mx_Custom_1: A}"), []string{"Email", "A"}, []string{"a@b.com", "x"},
			lead + `{"OpportunityEventCode":12000,"Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}],"DoNotChangeOwner":true}}`},
		{"an event code of each row", top + details + "Opportunity: {OpportunityEventCode: {column: Code}}\n", []string{"Email", "Code"}, []string{"a@b.com", "12,001"},
			lead + `{"OpportunityEventCode":12001}}`},
		{"an event code with a default", top + details + "Opportunity: {OpportunityEventCode: {column: Code, default: 12009}}\n", []string{"Email", "Code"}, []string{"a@b.com", ""},
			lead + `{"OpportunityEventCode":12009}}`},
		{"members in the vendor's order", top + details + "Opportunity:\n  Fields: {mx_Custom_1: A}\n  OpportunityNote: A\n  OpportunityEventCode: 12000\n", []string{"Email", "A"}, []string{"a@b.com", "x"},
			lead + `{"OpportunityEventCode":12000,"OpportunityNote":"x","Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`},
		{"an empty owner is left out", simple("Fields: {Owner: O}"), []string{"Email", "O"}, []string{"a@b.com", "  "}, none},

		{"leading zeros stay", one("A"), []string{"Email", "A"}, []string{"a@b.com", "0012"}, single(`"0012"`)},
		{"an empty field is left out", one("A"), []string{"Email", "A"}, []string{"a@b.com", ""}, none},
		{"an empty field is sent", one("{column: A, empty: send}"), []string{"Email", "A"}, []string{"a@b.com", ""}, single(`""`)},
		{"an empty constant is sent", one("{value: '', empty: send}"), []string{"Email"}, []string{"a@b.com"}, single(`""`)},
		{"a default", one("{column: A, default: none}"), []string{"Email", "A"}, []string{"a@b.com", " "}, single(`"none"`)},
		{"a default for an unlisted word", one("{column: A, values: {x: y}, default: other}"), []string{"Email", "A"}, []string{"a@b.com", "z"}, single(`"other"`)},
		{"a listed word without regard to case and spaces", one("{column: A, values: {In  Progress: y}}"), []string{"Email", "A"}, []string{"a@b.com", " in progress"}, single(`"y"`)},
		{"upper case", one("{column: A, case: upper}"), []string{"Email", "A"}, []string{"a@b.com", "wörter"}, single(`"WÖRTER"`)},
		{"cut", one("{column: A, max_length: 3, truncate: true}"), []string{"Email", "A"}, []string{"a@b.com", "आपका"}, ""},
		{"a join leaves empty cells out", one("{join: [A, B, C], separator: ', '}"), []string{"Email", "A", "B", "C"}, []string{"a@b.com", "x", "", "z"}, single(`"x, z"`)},
		{"a join of nothing", one("{join: [A, B], default: none}"), []string{"Email", "A", "B"}, []string{"a@b.com", "", " "}, single(`"none"`)},
		{"a join with a type", one("{join: [D, T], type: datetime, format: dd/MM/yyyy HH:mm}"), []string{"Email", "D", "T"}, []string{"a@b.com", "31/12/2025", "23:30"}, single(`"2025-12-31 18:00:00"`)},
		{"a join without a separator", one("{join: [A, B], separator: ''}"), []string{"Email", "A", "B"}, []string{"a@b.com", "x", "y"}, single(`"xy"`)},
		{"a zone of its own", one("{column: A, type: datetime, format: dd/MM/yyyy HH:mm, timezone: America/New_York}"), []string{"Email", "A"}, []string{"a@b.com", "01/07/2025 12:00"}, single(`"2025-07-01 16:00:00"`)},
		{"a zone from a column", one("{column: A, type: datetime, format: dd/MM/yyyy HH:mm, timezone: {column: Z}}"), []string{"Email", "A", "Z"}, []string{"a@b.com", "01/07/2025 12:00", "Europe/London"}, single(`"2025-07-01 11:00:00"`)},
		{"an empty zone falls back", one("{column: A, type: datetime, format: dd/MM/yyyy HH:mm, timezone: {column: Z}}"), []string{"Email", "A", "Z"}, []string{"a@b.com", "01/07/2025 12:00", ""}, single(`"2025-07-01 06:30:00"`)},
		{"the earlier of two hours", one("{column: A, type: datetime, format: dd/MM/yyyy HH:mm, timezone: Europe/Berlin, dst: earlier}"), []string{"Email", "A"}, []string{"a@b.com", "26/10/2025 02:30"}, single(`"2025-10-26 00:30:00"`)},
		{"the later of two hours", one("{column: A, type: datetime, format: dd/MM/yyyy HH:mm, timezone: Europe/Berlin, dst: later}"), []string{"Email", "A"}, []string{"a@b.com", "26/10/2025 02:30"}, single(`"2025-10-26 01:30:00"`)},
		{"decimals of the file", strings.Replace(one("{column: A, type: number}"), "timezone", "input: {decimal: ','}\ntimezone", 1), []string{"Email", "A"}, []string{"a@b.com", "1.234,50"}, single(`"1234.50"`)},
		{"decimals of the field", strings.Replace(one("{column: A, type: number, decimal: .}"), "timezone", "input: {decimal: ','}\ntimezone", 1), []string{"Email", "A"}, []string{"a@b.com", "1,234.50"}, single(`"1234.50"`)},
		{"a boolean", one("{column: A, type: boolean}"), []string{"Email", "A"}, []string{"a@b.com", "Yes"}, single(`"true"`)},
		{"a date is not shifted", one("{column: A, type: date, format: dd/MM/yyyy}"), []string{"Email", "A"}, []string{"a@b.com", "01/01/2026"}, single(`"2026-01-01"`)},
		{"a column whose name is a number", one("7"), []string{"Email", "7"}, []string{"a@b.com", "x"}, single(`"x"`)},
		{"a column that is used twice", simple("OpportunityNote: A, Fields: {mx_Custom_1: A}"), []string{"Email", "A"}, []string{"a@b.com", "x"},
			lead + `{"OpportunityEventCode":12000,"OpportunityNote":"x","Fields":[{"SchemaName":"mx_Custom_1","Value":"x"}]}}`},

		{"an expression with row", one(`{expr: 'row["Deal name"] + "/" + upper(A)'}`), []string{"Email", "Deal name", "A"}, []string{"a@b.com", "x", "y"}, single(`"x/Y"`)},
		{"an expression with a choice", one(`{expr: 'A == "" ? "none" : A'}`), []string{"Email", "A"}, []string{"a@b.com", ""}, single(`"none"`)},
		{"an expression of nothing", one(`{expr: 'A', default: d}`), []string{"Email", "A"}, []string{"a@b.com", ""}, single(`"d"`)},
		{"an expression that gives a whole number", one(`{expr: 'len(A)'}`), []string{"Email", "A"}, []string{"a@b.com", "four"}, single(`"4"`)},
		{"an expression that gives decimals", one(`{expr: 'float(A) + 0.2'}`), []string{"Email", "A"}, []string{"a@b.com", "0.1"}, single(`"0.3"`)},
		{"an expression that is true", one(`{expr: 'A in ["x", "y"]'}`), []string{"Email", "A"}, []string{"a@b.com", "x"}, single(`"true"`)},
		{"an expression with let", one(`{expr: 'let s = trim(A); s + s'}`), []string{"Email", "A"}, []string{"a@b.com", "x"}, single(`"xx"`)},
		{"an expression over a column named like a function", one(`{expr: 'date + count'}`), []string{"Email", "date", "count"}, []string{"a@b.com", "x", "y"}, single(`"xy"`)},
		{"an expression over a column named like a word of the language", one(`{expr: 'row["in"] + row["row"]'}`), []string{"Email", "in", "row"}, []string{"a@b.com", "x", "y"}, single(`"xy"`)},
		{"texts in expressions keep their zeros", one(`{expr: 'A + "-" + B'}`), []string{"Email", "A", "B"}, []string{"a@b.com", "007", "1.10"}, single(`"007-1.10"`)},
		{"an expression with a type", one(`{expr: 'A + ".5"', type: number}`), []string{"Email", "A"}, []string{"a@b.com", "1,000"}, single(`"1000.5"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustCompile(t, c.text, c.header...)
			rec := mapOne(p, cellsOf(c.row...))
			if len(rec.Problems) > 0 {
				t.Fatalf("problems: %+v", rec.Problems)
			}
			if c.want != "" && string(rec.Body) != c.want {
				t.Errorf("got\n%s\nwant\n%s", rec.Body, c.want)
			}
			checkRecord(t, p, rec)
		})
	}
}

// checkRecord asserts what holds for every record without problems.
func checkRecord(t *testing.T, p *Program, rec *Record) {
	t.Helper()
	if !json.Valid(rec.Body) {
		t.Fatalf("the body is no JSON: %s", rec.Body)
	}
	if got := valuesOfBody(t, rec.Body); !slices.Equal(got, rec.Fields) {
		t.Errorf("the body holds\n%v\nand Fields say\n%v", got, rec.Fields)
	}
	if rec.Lead == "" || rec.LeadField == "" || rec.LeadValue == "" {
		t.Errorf("no lead: %q %q %q", rec.Lead, rec.LeadField, rec.LeadValue)
	}
	if !strings.HasPrefix(rec.Lead, rec.LeadField+"=") {
		t.Errorf("lead %q is not of field %q", rec.Lead, rec.LeadField)
	}
}

// valuesOfBody reads a body in its own order, by another way than it was written.
func valuesOfBody(t *testing.T, body []byte) []Field {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var out []Field
	var path []string
	token := func() json.Token {
		tk, err := d.Token()
		if err != nil {
			t.Fatalf("reading the body: %v\n%s", err, body)
		}
		return tk
	}
	text := func(tk json.Token) string {
		switch x := tk.(type) {
		case string:
			return x
		case json.Number:
			return x.String()
		case bool:
			if x {
				return "true"
			}
			return "false"
		}
		t.Fatalf("unexpected %v in the body", tk)
		return ""
	}
	var value func(tk json.Token)
	object := func() {
		name := ""
		for d.More() {
			key := token().(string)
			tk := token()
			switch key {
			case "Attribute", "SchemaName":
				name = text(tk)
				continue
			case "Value":
				out = append(out, Field{path[len(path)-1] + "." + name, text(tk)})
				continue
			}
			path = append(path, key)
			value(tk)
			path = path[:len(path)-1]
		}
		token()
	}
	value = func(tk json.Token) {
		switch tk {
		case json.Delim('{'):
			object()
		case json.Delim('['):
			for d.More() {
				if token() != json.Delim('{') {
					t.Fatalf("a list holds no objects: %s", body)
				}
				object()
			}
			token()
		default:
			group := "SalesActivity"
			if len(path) > 1 {
				group = path[len(path)-2]
			}
			out = append(out, Field{group + "." + path[len(path)-1], text(tk)})
		}
	}
	value(token())
	return out
}

func TestFaultsOfARow(t *testing.T) {
	one := func(field string) string {
		return top + details + "Opportunity: {OpportunityEventCode: 12000, Fields: {mx_Custom_1: " + field + "}}\n"
	}
	text := func(s string) converter.Cell { return converter.Cell{Kind: converter.TextCell, Text: s} }
	mail := text("a@b.com")
	for _, c := range []struct {
		name   string
		text   string
		header []string
		cells  []converter.Cell
		want   []RowProblem // Msg and Hint are parts
	}{
		{"an empty lead", top + details + code, []string{"Email"}, cellsOf(" "), []RowProblem{{"Email", "LeadDetails.EmailAddress", "row.required", `the column "Email" is empty`, "fill it in"}}},
		{"a row without cells", top + details + code, []string{"Email"}, nil, []RowProblem{{"Email", "LeadDetails.EmailAddress", "row.required", "", ""}}},
		{"an e-mail that is none", top + details + code, []string{"Email"}, cellsOf("asha@"), []RowProblem{{"Email", "LeadDetails.EmailAddress", "email.syntax", "asha@", ""}}},
		{"all faults at once", dealsMapping, dealsHeader, cellsOf("", "asha@", "12", "", "", "", "31/13/2025", "", "", "12x"), []RowProblem{
			{"Deal ID", "key", "key.empty", "Deal ID", ""},
			{"Email", "LeadDetails.EmailAddress", "email.syntax", "", ""},
			{"Mobile", "LeadDetails.Phone", "phone.invalid", "", ""},
			{"Created at", "Opportunity.OpportunityDateTime", "datetime.format", "", ""},
			{"Amount", "Fields.mx_Custom_6", "number.format", "", ""}}},
		{"a key in scientific notation", top + "key: ID\n" + details + code, []string{"ID", "Email"}, cellsOf("9.19877E+12", "a@b.com"), []RowProblem{{"ID", "key", "text.scientific", "9.19877E+12", ""}}},
		{"a key in any scientific notation", top + "key: ID\n" + details + code, []string{"ID", "Email"}, cellsOf("9.19877e12", "a@b.com"), []RowProblem{{"ID", "key", "text.scientific", "9.19877e12", ""}}},
		{"a faulty cell is told once", "skip_when: 'A == \"x\"'\nkey: A\n" + one("A"), []string{"Email", "A"}, []converter.Cell{mail, {Kind: converter.FaultCell, Text: "#N/A"}}, []RowProblem{{"A", "skip_when", "cell.fault", "#N/A", ""}}},
		{"a required field", one("{column: A, required: true}"), []string{"Email", "A"}, cellsOf("a@b.com", ""), []RowProblem{{"A", "Fields.mx_Custom_1", "row.required", "Fields.mx_Custom_1 needs a value", ""}}},
		{"an empty field that is refused", one("{column: A, empty: reject}"), []string{"Email", "A"}, cellsOf("a@b.com", ""), []RowProblem{{"A", "Fields.mx_Custom_1", "row.required", "", ""}}},
		{"an unlisted word", one("{column: A, values: {x: y}}"), []string{"Email", "A"}, cellsOf("a@b.com", "z"), []RowProblem{{"A", "Fields.mx_Custom_1", "value.unknown", `"z"`, ""}}},
		{"a default does not hide other faults", one("{column: A, values: {x: y}, default: d}"), []string{"Email", "A"}, []converter.Cell{mail, {Kind: converter.FaultCell, Text: "#REF!"}}, []RowProblem{{"A", "Fields.mx_Custom_1", "cell.fault", "#REF!", ""}}},
		{"a text too long", one("{column: A, max_length: 3}"), []string{"Email", "A"}, cellsOf("a@b.com", "four"), []RowProblem{{"A", "Fields.mx_Custom_1", "text.long", "", ""}}},
		{"a status that is none", top + details + "Opportunity: {OpportunityEventCode: 1, Fields: {Status: S}}\n", []string{"Email", "S"}, cellsOf("a@b.com", "Negotiation"), []RowProblem{{"S", "Fields.Status", "status.unknown", `Open, Won or Lost, not "Negotiation"`, "values"}}},
		{"no status", salesMapping[:strings.Index(salesMapping, "  ProductSku")] + "  Status: Status\n", []string{"Email", "Status"}, cellsOf("a@b.com", ""), []RowProblem{{"Status", "SalesActivity.Status", "row.required", "", "default"}}},
		{"no lead to find", salesMapping, salesHeader, cellsOf("", "P", "Won"), []RowProblem{{"Email", "lead", "row.required", "", ""}}},
		{"no lead id", "version: 1\ntarget: sales-activity\nSalesActivity: {Status: S, ProspectId: L}\n", []string{"S", "L"}, cellsOf("Won", ""), []RowProblem{{"L", "SalesActivity.ProspectId", "row.required", "", ""}}},
		{"a phone without digits", top + "LeadDetails: {Phone: P}\n" + code, []string{"P"}, cellsOf("none"), []RowProblem{{"P", "LeadDetails.Phone", "lead.empty", `"none"`, ""}}},
		{"an event code that is none", top + details + "Opportunity: {OpportunityEventCode: {column: C}}\n", []string{"Email", "C"}, cellsOf("a@b.com", "-5"), []RowProblem{{"C", "Opportunity.OpportunityEventCode", "event-code.range", "-5", ""}}},
		{"an event code beyond all", top + details + "Opportunity: {OpportunityEventCode: {column: C}}\n", []string{"Email", "C"}, cellsOf("a@b.com", "99999999999"), []RowProblem{{"C", "Opportunity.OpportunityEventCode", "event-code.range", "", ""}}},
		{"an event code that is missing", top + details + "Opportunity: {OpportunityEventCode: {column: C}}\n", []string{"Email", "C"}, cellsOf("a@b.com", ""), []RowProblem{{"C", "Opportunity.OpportunityEventCode", "row.required", "", ""}}},
		{"a zone that is not", one("{column: A, type: datetime, timezone: {column: Z}}"), []string{"Email", "A", "Z"}, cellsOf("a@b.com", "2025-01-01 00:00", "Mars"), []RowProblem{{"Z", "Fields.mx_Custom_1", "timezone.unknown", "Mars", ""}}},
		{"no zone at all", strings.Replace(one("{column: A, type: datetime, timezone: {column: Z}}"), "timezone: Asia/Kolkata\n", "", 1), []string{"Email", "A", "Z"}, cellsOf("a@b.com", "2025-01-01 00:00", ""), []RowProblem{{"Z", "Fields.mx_Custom_1", "timezone.empty", "empty", ""}}},
		{"an expression that fails", one(`{expr: 'string(int(A))'}`), []string{"Email", "A"}, cellsOf("a@b.com", "x"), []RowProblem{{"A", "Fields.mx_Custom_1", "expr.failed", "the expression fails", ""}}},
		{"an expression that divides by zero", one(`{expr: '1 / float(A)'}`), []string{"Email", "A"}, cellsOf("a@b.com", "0"), []RowProblem{{"A", "Fields.mx_Custom_1", "expr.failed", "divides by zero", ""}}},
		{"an expression beyond its memory", one(`{expr: 'string(len(map(1..1000000, # + len(A))))'}`), []string{"Email", "A"}, cellsOf("a@b.com", "0"), []RowProblem{{"A", "Fields.mx_Custom_1", "expr.failed", "memory", ""}}},
		{"an expression over a faulty cell", one(`{expr: 'A'}`), []string{"Email", "A"}, []converter.Cell{mail, {Kind: converter.FaultCell, Text: "#N/A"}}, []RowProblem{{"A", "Fields.mx_Custom_1", "cell.fault", "#N/A", ""}}},
		{"a cell that is not UTF-8", one("A"), []string{"Email", "A"}, cellsOf("a@b.com", "\xff"), []RowProblem{{"A", "Fields.mx_Custom_1", "text.lost", "", ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustCompile(t, c.text, c.header...)
			rec := mapOne(p, c.cells)
			if len(rec.Problems) != len(c.want) {
				t.Fatalf("got %d problems, want %d: %+v", len(rec.Problems), len(c.want), rec.Problems)
			}
			for i, w := range c.want {
				g := rec.Problems[i]
				if g.Column != w.Column || g.Field != w.Field || g.Code != w.Code || !strings.Contains(g.Msg, w.Msg) || !strings.Contains(g.Hint, w.Hint) {
					t.Errorf("got %+v, want %+v", g, w)
				}
				if g.Msg == "" || strings.HasSuffix(g.Msg, ".") {
					t.Errorf("the message %q is empty or ends in a full stop", g.Msg)
				}
			}
			if len(rec.Body) != 0 {
				t.Errorf("a faulty row has the body %s", rec.Body)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	two := top + "key: [A, B]\n" + details + "Opportunity: {OpportunityEventCode: 1, OpportunityNote: A, Fields: {mx_Custom_1: B, mx_Custom_2: {column: A, case: upper}}}\n"
	for _, c := range []struct {
		name, text string
		row        []converter.Cell
		key, shown string
		fields     []string
	}{
		{"no key", top + details + "Opportunity: {OpportunityEventCode: 1, OpportunityNote: A}\n", cellsOf("a@b.com", "x", "y"), "", "", nil},
		{"two columns", two, cellsOf("a@b.com", " 007 ", "y z"), "007\x1fy z", "007 · y z", []string{"Opportunity.OpportunityNote", "Fields.mx_Custom_1"}},
		{"a number is the same as its text", two, []converter.Cell{{Kind: converter.TextCell, Text: "a@b.com"}, {Kind: converter.NumberCell, Text: "7"}, {Kind: converter.TextCell, Text: "y"}}, "7\x1fy", "7 · y", []string{"Opportunity.OpportunityNote", "Fields.mx_Custom_1"}},
		{"one column is not sent", top + "key: [A, B]\n" + details + "Opportunity: {OpportunityEventCode: 1, OpportunityNote: A}\n", cellsOf("a@b.com", "x", "y"), "x\x1fy", "x · y", nil},
		{"a key that is changed on its way", top + "key: A\n" + details + "Opportunity: {OpportunityEventCode: 1, OpportunityNote: {column: A, max_length: 2, truncate: true}, Fields: {mx_Custom_1: {column: A, values: {x: y}}, mx_Custom_2: {expr: A}, mx_Custom_3: {join: A}, mx_Custom_4: {column: A, default: z}, Status: {column: B}}}\n", cellsOf("a@b.com", "x", "Won"), "x", "x", nil},
		{"the lead's own attribute is no proof", top + "key: A\nsearch_by: EmailAddress\nLeadDetails: {EmailAddress: Email, mx_No: A}\n" + code, cellsOf("a@b.com", "x"), "x", "x", nil},
		{"an id that is longer than plain digits allow", top + "key: A\n" + details + "Opportunity: {OpportunityEventCode: 1, Fields: {mx_Custom_1: {column: A, type: integer}}}\n", cellsOf("a@b.com", "5"), "5", "5", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mapOne(mustCompile(t, c.text, "Email", "A", "B"), c.row)
			if len(rec.Problems) > 0 {
				t.Fatal(rec.Problems)
			}
			if rec.Key != c.key || rec.KeyText != c.shown || !slices.Equal(rec.KeyFields, c.fields) {
				t.Errorf("got %q %q %q, want %q %q %q", rec.Key, rec.KeyText, rec.KeyFields, c.key, c.shown, c.fields)
			}
			for _, name := range rec.KeyFields {
				if !slices.ContainsFunc(rec.Fields, func(f Field) bool { return f.Name == name }) {
					t.Errorf("%s is not among the fields", name)
				}
			}
		})
	}
}

func TestLeads(t *testing.T) {
	phone := top + "LeadDetails: {Phone: {column: X, type: phone, region: IN}}\n" + code
	for _, c := range []struct {
		name, text, cell   string
		lead, field, value string
		attribute          string // where it differs
	}{
		{"an e-mail in any case", top + "LeadDetails: {EmailAddress: X}\n" + code, " Asha@Example.COM ", "EmailAddress=asha@example.com", "EmailAddress", "Asha@Example.COM", ""},
		{"a phone with spaces", phone, "98765 43210", "Phone=919876543210", "Phone", "919876543210", "+91-9876543210"},
		{"a phone with its country", phone, "+91-9876543210", "Phone=919876543210", "Phone", "919876543210", "+91-9876543210"},
		{"a phone as text", top + "LeadDetails: {Phone: X}\n" + code, "+91 98765-43210", "Phone=919876543210", "Phone", "919876543210", "+91 98765-43210"},
		{"an id in any case", top + "search_by: ProspectID\nLeadDetails: {ProspectID: X}\n" + code, "AB-12-cd", "ProspectId=ab-12-cd", "ProspectId", "AB-12-cd", ""},
		{"a field of the account's own", top + "search_by: mx_Account\nLeadDetails: {mx_Account: X}\n" + code, "Ac 7", "mx_Account=ac 7", "mx_Account", "Ac 7", ""},
		{"the rule of a sales activity", "version: 1\ntarget: sales-activity\nlead: {find_by: Phone, column: X, type: phone, region: IN}\nSalesActivity: {Status: {value: Open}}\n", "09876543210", "Phone=919876543210", "Phone", "919876543210", "+91-9876543210"},
		{"the id of a sales activity", "version: 1\ntarget: sales-activity\nSalesActivity: {Status: {value: Open}, ProspectId: X}\n", "AB-12", "ProspectId=ab-12", "ProspectId", "AB-12", ""},
		{"letters beyond ASCII", top + "LeadDetails: {EmailAddress: {column: X, type: text}}\n" + code, "ÄB@x.de", "EmailAddress=äb@x.de", "EmailAddress", "ÄB@x.de", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := mapOne(mustCompile(t, c.text, "X"), cellsOf(c.cell))
			if len(rec.Problems) > 0 {
				t.Fatal(rec.Problems)
			}
			if rec.Lead != c.lead || rec.LeadField != c.field || rec.LeadValue != c.value {
				t.Errorf("got %q %q %q, want %q %q %q", rec.Lead, rec.LeadField, rec.LeadValue, c.lead, c.field, c.value)
			}
			if want := orElse(c.attribute, c.value); rec.LeadText != want {
				t.Errorf("as an attribute it is %q, want %q", rec.LeadText, want)
			}
		})
	}
}

func TestSkippedRowsSayNothingButTheirKey(t *testing.T) {
	p := mustCompile(t, dealsMapping, dealsHeader...)
	rec := mapOne(p, cellsOf("D-1", "not an address", "", "", "", "", "", "", "Test"))
	if !rec.Skipped || len(rec.Problems) > 0 || len(rec.Body) > 0 || rec.KeyText != "D-1" {
		t.Errorf("got %+v", rec)
	}
	rec = mapOne(p, cellsOf("", "", "", "", "", "", "", "", "Test"))
	if !rec.Skipped || len(rec.Problems) > 0 || rec.KeyText != "" {
		t.Errorf("a skipped row without a key: got %+v", rec)
	}
}

func TestUnusedColumns(t *testing.T) {
	p := mustCompile(t, top+"key: ID\nignore: [Old, New]\nskip_when: 'X == \"\"'\n"+details+`Opportunity: {OpportunityEventCode: 1, OpportunityNote: {join: [J]}, Fields: {mx_Custom_1: {expr: 'row["E E"]'}, mx_Custom_2: {column: D, type: datetime, timezone: {column: Z}}}}`,
		"ID", "Email", "Left", "J", "E E", "D", "Z", "X", "Old", "New", "Old", "")
	if want := []string{"Left", "column L"}; !slices.Equal(p.Unused(), want) {
		t.Errorf("got %q, want %q", p.Unused(), want)
	}
}

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a phone as text", top + "search_by: Phone\nLeadDetails: {Phone: A}\n" + code, "type: phone"},
		{"an id that is not searched by", top + "search_by: Phone\nLeadDetails: {Phone: {column: A, type: phone}, ProspectID: A}\n" + code, "ProspectID"},
		{"a lead found by phone as written", "version: 1\ntarget: sales-activity\nlead: {find_by: Phone, column: A}\nSalesActivity: {Status: A}\n", "as written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustCompile(t, c.text, "A")
			if w := p.Warnings(); len(w) != 1 || !strings.Contains(w[0], c.want) {
				t.Errorf("got %q, want one with %q", w, c.want)
			}
		})
	}
	for _, lead := range []string{details, "LeadDetails: {EmailAddress: Email, mx_City: Email, FirstName: Email}\n"} {
		if w := mustCompile(t, top+"search_by: EmailAddress\n"+lead+code, "Email").Warnings(); len(w) != 0 {
			t.Errorf("a mapping without fault has warnings: %q", w)
		}
	}
}

func TestEqualRowsHaveEqualBodies(t *testing.T) {
	p := mustCompile(t, dealsMapping, dealsHeader...)
	row := cellsOf("D-7", "a@b.com", "9876543210", "Asha", "Pune", "x", "31/12/2025 23:30", "Loan", "Closed Won", "5")
	other := cellsOf("D-8", "c@d.com", "", "", "", "", "", "", "", "")
	r := p.Runner()
	var rec Record
	r.Map(row, &rec)
	first, key, lead := string(rec.Body), rec.Key, rec.Lead
	r.Map(other, &rec)
	if string(rec.Body) == first {
		t.Fatal("another row has the same body")
	}
	r.Map(row, &rec)
	if string(rec.Body) != first || rec.Key != key || rec.Lead != lead {
		t.Errorf("the same row differs:\n%s\n%s", first, rec.Body)
	}
	if again := mapOne(p, row); string(again.Body) != first {
		t.Errorf("another runner differs:\n%s\n%s", first, again.Body)
	}
}

func TestARunnerKeepsNothingOfARowsMemory(t *testing.T) {
	// A source hands out texts whose memory the next row overwrites.
	p := mustCompile(t, strings.Replace(dealsMapping, "key: Deal ID", "key: [Deal ID, Product]", 1), dealsHeader...)
	r := p.Runner()
	var rec Record
	buffer := []byte("D-7Closed Wonasha@example.comLoan")
	view := unsafeString(buffer)
	cells := cellsOf("", "", "", "", "", "", "", "", "", "")
	cells[0] = converter.Cell{Kind: converter.TextCell, Text: view[:3]}
	cells[8] = converter.Cell{Kind: converter.TextCell, Text: view[3:13]}
	cells[1] = converter.Cell{Kind: converter.TextCell, Text: view[13:29]}
	cells[7] = converter.Cell{Kind: converter.TextCell, Text: view[29:]}
	r.Map(cells, &rec)
	key, lead, shown, body := rec.Key, rec.Lead, rec.KeyText, string(rec.Body)
	value := rec.LeadValue
	copy(buffer, strings.Repeat("x", len(buffer)))
	if key != "D-7\x1fLoan" || shown != "D-7 · Loan" || lead != "EmailAddress=asha@example.com" || value != "asha@example.com" {
		t.Errorf("texts of the record changed: %q %q %q %q", key, shown, lead, value)
	}
	copy(buffer, "D-7Closed Wonasha@example.comLoan")
	r.Map(cells, &rec)
	if string(rec.Body) != body {
		t.Errorf("what was remembered of a row changed:\n%s\n%s", body, rec.Body)
	}
}

func TestPlainTextIsWhatTheConverterGives(t *testing.T) {
	// The fast way round the converter must never differ from it.
	p := mustCompile(t, top+details+"Opportunity: {OpportunityEventCode: 1, OpportunityNote: A}\n", "Email", "A")
	conv, err := converter.New(converter.Spec{Type: converter.Text})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"x", "E5", "e+5", "NaN", "Inf", "TRUE", "x#N/A", "abc\tdef", "a  b", "z\u00a0z", "1e5", "9.19877E+12", "#N/A", "#", "-", "+5", "0012", "é", "a\u200bb", "A\u0301", "a\nb"} {
		cell := converter.Cell{Kind: converter.TextCell, Text: s}
		clean, err := converter.Clean(cell)
		want := ""
		if err == nil {
			want, err = conv.Convert(clean, nil)
		}
		rec := mapOne(p, []converter.Cell{{Kind: converter.TextCell, Text: "a@b.com"}, cell})
		got := ""
		for _, f := range rec.Fields {
			if f.Name == "Opportunity.OpportunityNote" {
				got = f.Value
			}
		}
		if got != want || (err != nil) != (len(rec.Problems) > 0) {
			t.Errorf("%q: got %q %v, the converter gives %q %v", s, got, rec.Problems, want, err)
		}
	}
}

func TestOddRowsNeverPanic(t *testing.T) {
	texts := []string{"", " ", "x", "a@b.com", "9876543210", "31/12/2025 23:30", "Test", "Closed Won", "1,200.50", "#N/A", "1e9", "\xff\xfe", "\x00", "\u202e", strings.Repeat("ü", 300), "=1+1", "{{", "\"\\", "\u2028", "-0", "NaN", "0x1F", "46022.979"}
	formats := []string{"", "dd/mm/yyyy", "[h]:mm", "0.00"}
	random := rand.New(rand.NewPCG(7, 11))
	programs := []*Program{
		mustCompile(t, dealsMapping, dealsHeader...), mustCompile(t, salesMapping, salesHeader...),
		mustCompile(t, "version: 1\ntarget: sales-activity\nkey: K\nlead: {find_by: EmailAddress, column: E}\nSalesActivity: {Status: {value: Open}, Revenue: R}\n", "K", "E", "R"),
		mustCompile(t, "version: 1\ntarget: opportunity\nkey: K\nsearch_by: Phone\nlead_must_exist: true\nLeadDetails: {Phone: P}\nOpportunity: {OpportunityEventCode: 12000, Fields: {Status: {value: Open}}}\n", "K", "P"),
		mustCompile(t, benchMapping+"    mx_Custom_10: {expr: 'City[0:3] + string(len(Product))'}\n    mx_Custom_11: {join: [First name, Last name], case: title, max_length: 5, truncate: true}\n    mx_Custom_12: {column: Created at, type: datetime, timezone: {column: Region}}\n", benchHeader...),
	}
	good, faulty := 0, 0
	for _, p := range programs {
		r, judge := p.Runner(), p.Judge()
		var rec Record
		for range 400 {
			cells := make([]converter.Cell, random.IntN(len(p.header)+3))
			for i := range cells {
				cells[i] = converter.Cell{Kind: converter.Kind(random.IntN(7)), Text: texts[random.IntN(len(texts))], Format: formats[random.IntN(len(formats))]}
			}
			r.Map(cells, &rec)
			checkJudge(t, judge, cells, &rec)
			switch {
			case rec.Skipped:
			case len(rec.Problems) > 0:
				faulty++
				for _, q := range rec.Problems {
					if q.Code == "" || q.Msg == "" {
						t.Fatalf("a problem without words: %+v", q)
					}
				}
			default:
				good++
				checkRecord(t, p, &rec)
			}
		}
	}
	if good == 0 || faulty == 0 {
		t.Errorf("%d good and %d faulty rows: the test tests nothing", good, faulty)
	}
}

func TestMapAllocatesLittle(t *testing.T) {
	p := mustCompile(t, benchMapping, benchHeader...)
	rows := benchRows(16)
	r := p.Runner()
	var rec Record
	for _, row := range rows {
		r.Map(row, &rec)
	}
	i := 0
	if n := testing.AllocsPerRun(200, func() { r.Map(rows[i%len(rows)], &rec); i++ }); n > 6 {
		t.Errorf("%v allocations a row, want at most 6", n)
	}
}

func TestRunnersSideBySide(t *testing.T) {
	p := mustCompile(t, benchMapping+"    mx_Custom_10: {expr: 'City + Product'}\n    mx_Custom_11: {column: Created at, type: datetime, format: dd/MM/yyyy HH:mm, timezone: {column: Zone}}\n", append(slices.Clone(benchHeader), "Zone")...)
	rows := benchRows(64)
	for i := range rows {
		rows[i] = append(rows[i], converter.Cell{Kind: converter.TextCell, Text: []string{"Asia/Kolkata", "Europe/London", "America/New_York"}[i%3]})
	}
	want := make([]string, len(rows))
	r := p.Runner()
	var rec Record
	for i, row := range rows {
		r.Map(row, &rec)
		want[i] = string(rec.Body)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			r := p.Runner()
			var rec Record
			for i, row := range rows {
				r.Map(row, &rec)
				if string(rec.Body) != want[i] {
					t.Errorf("row %d differs", i)
				}
			}
		})
	}
	group.Wait()
}

func TestIsCleanLooksAtEveryByte(t *testing.T) {
	for length := 1; length <= 19; length++ {
		for at := range length {
			for c := range 256 {
				b := []byte(strings.Repeat("x", length))
				b[at] = byte(c)
				want := c > ' ' && c < 0x7f || c == ' ' && at > 0 && at < length-1
				if got := isClean(string(b)); got != want {
					t.Fatalf("%q is clean: %v", b, got)
				}
			}
		}
	}
}

// TestColumnLetters: a column is named by its letter in the spreadsheet, where
// the table need not begin in column A.
func TestColumnLetters(t *testing.T) {
	m, err := Parse("m.yaml", []byte(top+"search_by: EmailAddress\n"+details+"Opportunity: {OpportunityEventCode: 1, OpportunityNote: Name}\n"))
	if err != nil {
		t.Fatal(err)
	}
	header, letters := []string{"Email", "Name", "", "Name"}, []string{"C", "D", "E", "AA"}
	if _, err = m.Compile(header, letters...); err == nil || !strings.Contains(err.Error(), `several columns named "Name": D and AA`) {
		t.Errorf("%v", err)
	}
	header[3] = "City"
	p, err := m.Compile(header, letters...)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(p.Unused(), ","); got != "column E,City" {
		t.Errorf("unused: %s", got)
	}
	if p, err = m.Compile(header); err != nil || strings.Join(p.Unused(), ",") != "column C,City" {
		t.Errorf("without letters: %v, %v", p.Unused(), err)
	}
	_, notes := Draft("f.xlsx", header, nil, DraftOptions{Letters: letters})
	if !strings.Contains(strings.Join(notes, "\n"), "column E has no name") {
		t.Errorf("notes %q", notes)
	}
}

func TestEmptyNamesWhatARowLeavesOut(t *testing.T) {
	const fields = "Fields: {mx_Custom_1: A, mx_Custom_2: B, mx_Custom_3: {column: B, default: z}, mx_Custom_4: {value: w}, Owner: B}}\n"
	opportunity := "Opportunity: {OpportunityEventCode: 1, OpportunityNote: B, " + fields
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"custom fields without a value", top + details + opportunity, []string{"mx_Custom_2"}},
		{"a key that the record carries", top + "key: A\n" + details + opportunity, nil},
		{"attributes of the lead", top + "search_by: EmailAddress\nLeadDetails: {EmailAddress: Email, mx_No: B}\n" + code, nil},
	} {
		rec := mapOne(mustCompile(t, c.text, "Email", "A", "B"), cellsOf("a@b.com", "x", ""))
		if len(rec.Problems) > 0 || !slices.Equal(rec.Empty, c.want) {
			t.Errorf("%s: left out %q, want %q (problems %v)", c.name, rec.Empty, c.want, rec.Problems)
		}
	}
}
