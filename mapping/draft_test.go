package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
)

var draftHeader = []string{"Deal ID", "Email", "Mobile", "Contact", "City", "Remarks", "Created at", "Product", "Stage", "Amount", "Close date", "Sales rep email"}

func draftRows(dates ...string) [][]converter.Cell {
	var rows [][]converter.Cell
	for i, d := range dates {
		n := fmt.Sprint(i)
		rows = append(rows, cellsOf("D-"+n, "asha"+n+"@example.com", "987654321"+n, "Asha Rao", "Pune", "call back", d, "Home loan", []string{"Closed Won", "Closed Lost", "New"}[i%3], "1,20,000.50", "2025-12-1"+n, "rep@example.org"))
	}
	return rows
}

// filled puts something into the places that a draft leaves open.
func filled(text string) string {
	text = strings.ReplaceAll(text, "OpportunityEventCode: "+fillIn, "OpportunityEventCode: 12000")
	text = strings.ReplaceAll(text, "timezone: "+fillIn, "timezone: Asia/Kolkata")
	return strings.ReplaceAll(text, fillIn, "Email")
}

func TestDraftLoadsItsOwnFile(t *testing.T) {
	rows := draftRows("03/12/2025 23:30", "04/12/2025 10:00", "05/11/2025 09:15", "06/10/2025 09:15")
	for _, o := range []DraftOptions{{}, {Target: OpportunityAsync}, {Target: SalesActivity}, {Timezone: "Europe/London", EventCode: 12005, HeaderRow: 2, Sheet: "Deals: 2025", Delimiter: ";", Encoding: "windows-1252", Schema: "leadload.schema.json"}} {
		text, notes := Draft("deals.csv", draftHeader, rows, o)
		p := mustCompile(t, filled(string(text)), draftHeader...)
		r := p.Runner()
		var rec Record
		for i, row := range rows {
			r.Map(row, &rec)
			if len(rec.Problems) > 0 {
				t.Errorf("%+v: row %d: %+v\n%s", o, i, rec.Problems, text)
			}
		}
		if len(notes) == 0 {
			t.Errorf("%+v: no notes", o)
		}
		if again, _ := Draft("deals.csv", draftHeader, rows, o); string(again) != string(text) {
			t.Errorf("the same file gives another draft:\n%s\n%s", text, again)
		}
	}
}

func TestDraftIsRefusedUntilFilledIn(t *testing.T) {
	text, notes := Draft("deals.csv", draftHeader, draftRows("31/12/2025 23:30"), DraftOptions{})
	_, err := Parse("deals.yaml", text)
	var p Problems
	if !errors.As(err, &p) || len(p) != 1 || p[0].Code != "mapping.fill-in" {
		t.Fatalf("got %v\n%s", err, text)
	}
	if !slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, "OpportunityEventCode") }) {
		t.Errorf("the notes do not ask for the event code: %q", notes)
	}
	if text, _ = Draft("deals.csv", draftHeader, draftRows("31/12/2025 23:30"), DraftOptions{EventCode: 12000}); strings.Contains(string(text), fillIn+"\n") {
		t.Errorf("something is left to fill in:\n%s", text)
	}
	if _, err := Parse("deals.yaml", text); err != nil {
		t.Errorf("a draft with all that is needed is refused: %v\n%s", err, text)
	}
}

func TestGuesses(t *testing.T) {
	rows := draftRows("03/12/2025 23:30", "04/12/2025 10:00", "05/11/2025 09:15")
	text, notes := Draft("deals.csv", draftHeader, rows, DraftOptions{Fields: []DraftField{
		{OpportunityField, "mx_Custom_6", "amount", "Number"}, {OpportunityField, "mx_Custom_7", "Product", "String"}, {LeadField, "mx_Town", "City", "String"}, {ActivityField, "mx_Custom_9", "Product", "String"},
	}})
	for _, want := range []string{
		"\nkey: Deal ID ", "\nsearch_by: EmailAddress ", "\n  EmailAddress: {column: Email, type: email} ", "\n  Phone: {column: Mobile, type: phone, region: IN}", "\n  FirstName: Contact ", "\n  mx_Town: City ",
		"\n  OpportunityNote: Remarks ", "OpportunityDateTime: {column: Created at, type: datetime, format: dd/MM/yyyy HH:mm}\n", "AMBIGUOUS", "MM/dd/yyyy HH:mm",
		"Status: {column: Stage, values: {Closed Won: Won, Closed Lost: Lost, New: Open}}\n", "\n    mx_Custom_6: {column: Amount, type: number}  ", "\n    mx_Custom_7: Product ",
		"# mx_Custom_N: {column: Close date, type: date, format: yyyy-MM-dd}", "\n    Owner: Sales rep email ", "# mx_Custom_1: {join: [Contact, Product], separator: ' - '}", "\ntimezone: Asia/Kolkata ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the draft lacks %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	if !slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, "order of day and month") }) {
		t.Errorf("the notes do not warn of the dates: %q", notes)
	}
	text, _ = Draft("deals.csv", draftHeader, draftRows("03/12/2025 23:30", "24/12/2025 10:00"), DraftOptions{})
	if strings.Contains(string(text), "AMBIGUOUS") {
		t.Errorf("a decided order is ambiguous:\n%s", text)
	}
}

func TestGuessOneColumn(t *testing.T) {
	date := func(serials ...string) []converter.Cell {
		var out []converter.Cell
		for _, s := range serials {
			out = append(out, converter.Cell{Kind: converter.DateCell, Text: s, Format: "dd/mm/yyyy"})
		}
		return out
	}
	for _, c := range []struct {
		header string
		cells  []converter.Cell
		role   role
		more   string
	}{
		{"E-Mail", cellsOf("a@b.com", "c@d.org"), roleEmail, ""},
		{"Kontakt", cellsOf("a@b.com", "c@d.org"), roleEmail, ""},
		{"email", nil, roleEmail, ""},
		{"Owner Email", cellsOf("a@b.com"), roleOwnerEmail, ""},
		{"Sales Rep", cellsOf("Ravi"), roleOwner, ""},
		{"Whatsapp", cellsOf("9876543210"), roleMobile, "IN"},
		{"Phone", cellsOf("+44 20 7946 0958"), rolePhone, ""},
		{"Contact No", cellsOf("9876543210"), rolePhone, "IN"},
		{"rufnummer", cellsOf("+91 98765 43210", "+91-9876543211"), rolePhone, ""},
		{"LeadID", cellsOf("ab-cd"), roleLeadID, ""},
		{"Created", cellsOf("2025-12-31 10:00"), roleCreated, "yyyy-MM-dd HH:mm"},
		{"Bis", cellsOf("31.12.2025", "01.01.2026"), roleDate, "dd.MM.yyyy"},
		{"Mixed", cellsOf("31/12/2025 10:00", "30/12/2025", "29/12/2025"), roleDate, "dd/MM/yyyy,dd/MM/yyyy HH:mm"},
		{"American", cellsOf("12/31/2025", "01/02/2026"), roleDate, "MM/dd/yyyy"},
		{"Named", cellsOf("5-Jan-2025", "31-Dec-2025"), roleDate, ""},
		{"Serial", date("46022", "46023.5"), roleDate, ""},
		{"Lead Stage", cellsOf("New", "Won"), roleStatus, ""},
		{"Deal Value", cellsOf("₹1,20,000", "500"), roleAmount, "."},
		{"Wert value", cellsOf("1.234,50", "500,00"), roleAmount, ","},
		{"Pincode", cellsOf("411001"), roleZip, ""},
		{"Zip", cellsOf("01234"), roleZip, ""},
		{"First Name", cellsOf("Asha"), roleFirstName, ""},
		{"LAST_NAME", cellsOf("Rao"), roleLastName, ""},
		{"customerName", cellsOf("Asha"), roleName, ""},
		{"Organisation", cellsOf("X"), roleCompany, ""},
		{"Invoice No", cellsOf("I-1", "I-2"), roleKey, ""},
		{"Ref", cellsOf("same", "same"), roleNone, ""},
		{"Code", cellsOf("20250101", "20250102"), roleKey, ""},
		{"Something", cellsOf("x"), roleNone, ""},
		{"", nil, roleNone, ""},
		{"Notes", cellsOf("#N/A"), roleNote, ""},
	} {
		t.Run(c.header, func(t *testing.T) {
			var rows [][]converter.Cell
			for _, cell := range c.cells {
				rows = append(rows, []converter.Cell{cell})
			}
			g := look(0, c.header, rows)
			g.guess()
			if g.role != c.role {
				t.Fatalf("got %q (%s), want %q", g.role, g.why, c.role)
			}
			more := ""
			switch {
			case g.dates != nil:
				formats := slices.Clone(g.dates.formats)
				slices.Sort(formats)
				more = strings.Join(formats, ",")
			case g.role == rolePhone || g.role == roleMobile:
				more = g.region
			case g.role == roleAmount:
				more = string(rune(g.number.decimal))
			}
			if c.more != "" && more != c.more {
				t.Errorf("got %q, want %q", more, c.more)
			}
		})
	}
}

func TestDraftOfOddFiles(t *testing.T) {
	for name, header := range map[string][]string{
		"no columns":          nil,
		"names without sense": {"", " ", "x", "x", "a: b", "# c", "'q'", "\"q\"", "[l]", "{m}", "&a", "*a", "!t", "null", "true", "0123", "- d", "? q", "a\nb", "\u2028", "ü, ö", "%", "@", "`", "=1+1", "email\x00"},
		"one e-mail":          {"Email"},
		"two e-mails":         {"Email", "E mail"},
		"nothing of a lead":   {"Amount", "Date"},
	} {
		t.Run(name, func(t *testing.T) {
			row := make([]converter.Cell, len(header))
			for i := range row {
				row[i] = converter.Cell{Kind: converter.TextCell, Text: []string{"a@b.com", "x", "31/12/2025", "\xff", "5"}[i%5]}
			}
			for _, target := range []Target{Opportunity, SalesActivity} {
				text, _ := Draft("odd \n name.csv", header, [][]converter.Cell{row, nil}, DraftOptions{Target: target})
				m, err := Parse("draft.yaml", []byte(filled(string(text))))
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				usable := slices.Clone(header)
				if !slices.Contains(usable, "Email") {
					usable = append(usable, "Email") // what filled writes
				}
				if _, err := m.Compile(usable); err != nil {
					t.Errorf("%v\n%s", err, text)
				}
			}
		})
	}
}

func TestQuotedYAMLComesBack(t *testing.T) {
	for _, s := range []string{"plain", "Deal ID", "", " x", "x ", "a: b", "a:b", "#x", "x #y", "'", "\"", "it's", "[x", "x]", "{x", "a,b", "&a", "*a", "!a", "|", ">", "%", "@", "`", "null", "~", "true", "No", "-", "- x", "-x", "?", "? x", "<<", "=", "0123", "1.10", "é", "\n", "a\tb", "\u2028", "\u00a0", "\x01", "🦄", "\ufeffx", "a\\b", "---", "..."} {
		for _, text := range []string{"k: " + quotedYAML(s) + "\n", "k: {a: " + quotedYAML(s) + ", b: [" + quotedYAML(s) + "]}\n", quotedYAML(s) + ": v\n"} {
			c := newCollector("", text)
			root := parseYAML(c, "mapping", text)
			if root == nil || len(c.found) > 0 {
				t.Errorf("%q as %q is not read: %v", s, text, c.found)
				continue
			}
			var got []string
			switch v := root.entries[0].value; {
			case v.text == "v":
				got = []string{root.entries[0].key.text}
			case v.kind == mapNode:
				got = []string{v.get("a").text, v.get("b").items[0].text}
			default:
				got = []string{v.text}
			}
			for _, g := range got {
				if g != s {
					t.Errorf("%q as %q came back as %q", s, text, g)
				}
			}
		}
	}
}

// draftOf drafts a mapping for columns of one row after another.
func draftOf(header []string, rows [][]string, o DraftOptions) (text, notes string) {
	var sample [][]converter.Cell
	for _, r := range rows {
		sample = append(sample, cellsOf(r...))
	}
	b, n := Draft("deals.csv", header, sample, o)
	return string(b), strings.Join(n, "\n")
}

// TestNearlyAKey: a column that names rows but for a few is the key, and the
// few are named.
func TestNearlyAKey(t *testing.T) {
	ids := func(odd map[int]string) (rows [][]string) {
		for i := range 40 {
			id := fmt.Sprintf("INV-%03d", i)
			if s, ok := odd[i]; ok {
				id = s
			}
			rows = append(rows, []string{id, fmt.Sprintf("a%d@example.com", i)})
		}
		return rows
	}
	for _, c := range []struct {
		name string
		odd  map[int]string
		key  bool
		note string
	}{
		{"all their own", nil, true, ""},
		{"one twice", map[int]string{7: "INV-003"}, true, "row 9 has the key of an earlier row"},
		{"a blank and a total", map[int]string{20: "", 39: "Total"}, true, "row 22 has no key"},
		{"two blanks", map[int]string{20: "", 30: ""}, true, "rows 22, 32 have no key"},
		{"too many", map[int]string{1: "INV-000", 2: "INV-000", 3: "INV-000"}, false, "no column names a row for good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, notes := draftOf([]string{"Invoice No", "Email"}, ids(c.odd), DraftOptions{})
			if strings.Contains(text, "\nkey: Invoice No") != c.key {
				t.Errorf("the key is wrong:\n%s", text)
			}
			if !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "refused until") {
				t.Errorf("notes:\n%s", notes)
			}
		})
	}
	_, notes := draftOf([]string{"Invoice No"}, ids(map[int]string{7: ""}), DraftOptions{Numbers: []int{5, 6, 7, 8, 9, 10, 11, 14}})
	if !strings.Contains(notes, "row 14 has no key") {
		t.Errorf("the row is not numbered as in the file:\n%s", notes)
	}
}

func TestOddAmounts(t *testing.T) {
	rows := [][]string{}
	for i := range 12 {
		amount := fmt.Sprintf("%d.50", 1000+i)
		switch i {
		case 4:
			amount = "TBD"
		case 9:
			amount = "on request"
		}
		rows = append(rows, []string{amount, amount})
	}
	text, notes := draftOf([]string{"Deal value", "Internal"}, rows, DraftOptions{Fields: []DraftField{{Kind: OpportunityField, Schema: "mx_Custom_6", Display: "Deal Value"}}})
	if !strings.Contains(text, "mx_Custom_6: {column: Deal value, type: number}") {
		t.Errorf("the amount is not one:\n%s", text)
	}
	if !strings.Contains(notes, `column "Deal value": rows 6, 11, such as "TBD", are not numbers`) || strings.Contains(notes, `column "Internal"`) {
		t.Errorf("notes:\n%s", notes)
	}
}

func TestStatusHidesNoWord(t *testing.T) {
	text, notes := draftOf([]string{"Stage"}, [][]string{{"Closed Won"}, {""}, {"New"}}, DraftOptions{})
	if strings.Contains(text, "default: Open") || !strings.Contains(text, "values: {Closed Won: Won, New: Open}") {
		t.Errorf("the draft hides words:\n%s", text)
	}
	if !strings.Contains(notes, `column "Stage": row 3 has none and is refused; fill it in, or add default: Open`) {
		t.Errorf("notes:\n%s", notes)
	}
}

// TestDatesOfExports: forms that spreadsheets and ERPs write.
func TestDatesOfExports(t *testing.T) {
	for form, cells := range map[string][]string{
		"dd-MMM-yy hh:mm a":   {"03-Nov-25 09:15 AM", "14-Dec-25 12:05 PM", "28-Feb-25 11:59 pm"},
		"dd-MMM-yyyy hh:mm a": {"03-Nov-2025 09:15 AM", "14-Dec-2025 12:05 PM"},
		"dd-MMM-yy HH:mm":     {"03-Nov-25 09:15", "14-Dec-25 23:05"},
		"dd MMM yyyy hh:mm a": {"03 Nov 2025 09:15 AM", "14 Dec 2025 12:05 PM"},
		"dd-MM-yyyy hh:mm a":  {"03-11-2025 09:15 AM", "24-12-2025 12:05 PM"},
		"dd-MM-yy":            {"03-11-25", "24-12-25"},
		"MMM d, yyyy h:mm a":  {"Nov 3, 2025 9:15 AM", "Dec 14, 2025 12:05 PM"},
	} {
		var rows [][]string
		for _, c := range cells {
			rows = append(rows, []string{c})
		}
		text, _ := draftOf([]string{"Created on"}, rows, DraftOptions{})
		if !strings.Contains(text, flowText(form)) {
			t.Errorf("%s is not found:\n%s", form, text)
		}
	}
}

// TestFieldsByDisplayName: the account's own names decide, for the fields by
// which it finds leads too.
func TestFieldsByDisplayName(t *testing.T) {
	text, _ := draftOf([]string{"Reach him at", "Dial", "Sector", "Ticket size"}, [][]string{{"", "x", "IT", "5"}}, DraftOptions{Fields: []DraftField{
		{Kind: LeadField, Schema: "EmailAddress", Display: "Reach him at"}, {Kind: LeadField, Schema: "Phone", Display: "Dial"},
		{Kind: LeadField, Schema: "mx_Sector", Display: "sector"}, {Kind: OpportunityField, Schema: "mx_Custom_9", Display: "Ticket Size"},
	}})
	for _, want := range []string{"EmailAddress: {column: Reach him at, type: email}", "Phone: {column: Dial, type: phone", "mx_Sector: Sector", "mx_Custom_9: Ticket size"} {
		if !strings.Contains(text, want) {
			t.Errorf("the draft lacks %s:\n%s", want, text)
		}
	}
}

// TestDraftOfARegister drafts from a company's register: a customer that is a
// company, amounts in lakh, the day of the enquiry, stages of an order.
func TestDraftOfARegister(t *testing.T) {
	header := []string{"Enq No", "Enq Date", "Customer Name", "Contact Person", "E-mail ID", "Stage", "Value (Rs.)"}
	var rows [][]converter.Cell
	for i, amount := range []string{"1.16 Lakh", "₹ 75,000", "2 crore", "88750"} {
		rows = append(rows, cellsOf(fmt.Sprintf("E/%d", i+1), fmt.Sprintf("1%d/04/2025 09:15", i+3), "Nair Traders", "Meera Nair", fmt.Sprintf("b%d@example.com", i),
			[]string{"New", "Order Received", "Order Lost", "Order Processing"}[i], amount))
	}
	o := DraftOptions{EventCode: 12000, Fields: []DraftField{
		{OpportunityField, "mx_Custom_6", "Expected Deal Size", "Number"}, {OpportunityField, "mx_Custom_7", "Stage", "String"},
		{OpportunityField, "Status", "Status", "String"}, {LeadField, "mx_Custom_9", "Town", "String"},
	}}
	text, notes := Draft("register.xlsx", header, rows, o)
	for _, want := range []string{
		"\n  FirstName: Contact Person ", "\n  OpportunityDateTime: {column: Enq Date, type: datetime, format: dd/MM/yyyy HH:mm}\n",
		"values: {New: Open, Order Received: Won, Order Lost: Lost, Order Processing: Open}",
		"# mx_Custom_N: {column: Value (Rs.), type: number, words: true}\n",
		"\n    # the account's fields that no column has yet:\n    #   mx_Custom_6 \"Expected Deal Size\", mx_Custom_7 \"Stage\"\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the draft lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "Town") {
		t.Errorf("a lead's field stands below the opportunity's:\n%s", text)
	}
	if got := strings.Join(notes, "\n"); strings.Contains(got, "not a number") || strings.Contains(got, "not numbers") {
		t.Errorf("amounts in lakh are called wrong: %s", got)
	}
	// Cr behind an amount is crore or credit, which a person has to decide.
	rows[3][6].Text = "1,200.00 Cr"
	if text, notes = Draft("register.xlsx", header, rows, o); strings.Contains(string(text), "words: true") || len(notes) == 0 {
		t.Errorf("a credit is read without a word: %q\n%s", notes, text)
	}
}
