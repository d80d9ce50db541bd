package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"leadload/converter"
)

// d is a date cell with a serial of the 1900 system.
func d(serial string) converter.Cell {
	return converter.Cell{Kind: converter.DateCell, Text: serial, Format: "dd/mm/yyyy"}
}

// column makes rows of one column each: texts, and cells as they are.
func column(values ...any) [][]converter.Cell {
	var out [][]converter.Cell
	for _, v := range values {
		switch v := v.(type) {
		case string:
			out = append(out, cellsOf(v))
		case converter.Cell:
			out = append(out, []converter.Cell{v})
		}
	}
	return out
}

// seenBy maps rows with two runners, as a check does, and returns the
// warnings of both.
func seenBy(t *testing.T, p *Program, rows [][]converter.Cell) []string {
	t.Helper()
	a, b := p.Runner(), p.Judge()
	var rec Record
	for i, row := range rows {
		r := a
		if i%2 == 1 {
			r = b
		}
		r.Map(row, &rec)
		a.Again(row, &rec) // counts nothing
	}
	a.Seen().Join(b.Seen())
	return a.Seen().Warnings()
}

func TestColumnsThatMayBeMisread(t *testing.T) {
	const (
		days      = "day and month exchanged"
		mixed     = "another country"
		thousands = "whole number of thousands"
		late      = "more than a year after"
	)
	dmy := "{column: A, type: datetime, format: dd/MM/yyyy}"
	mdy := "{column: A, type: datetime, format: MM/dd/yyyy}"
	cases := []struct {
		name  string
		field string
		rows  [][]converter.Cell
		want  []string // parts of the warnings, in order
	}{
		// Days and months.
		{"all early", dmy, column("03/04/2025", "05/06/2025"), []string{days}},
		{"all early, month first", mdy, column("03/04/2025", "05/06/2025"), []string{days}},
		{"all early, a day alone", "{column: A, type: date, format: dd/MM/yyyy}", column("03/04/1990", "09/10/1993"), []string{days}},
		{"all early, joined", "{join: [A], type: datetime, format: dd/MM/yyyy}", column("03/04/2025", "05/06/2025"), []string{days}},
		{"all early, by an expression", "{expr: 'A + \" 10:00\"', type: datetime, format: dd/MM/yyyy HH:mm}", column("03/04/2025", "05/06/2025"), []string{days}},
		{"one late", dmy, column("03/04/2025", "13/06/2025"), nil},
		{"one late, the day alone", "{column: A, type: date, format: dd/MM/yyyy}", column("03/04/2025", "13/06/2025"), nil},
		{"day equals month", dmy, column("04/04/2025", "05/05/2025"), nil},
		{"month by name", "{column: A, type: datetime, format: dd MMM yyyy}", column("03 Apr 2025"), nil},
		{"year first", "{column: A, type: datetime, format: yyyy-MM-dd}", column("2025-03-04"), nil},
		{"with its weekday", "{column: A, type: datetime, format: EEE dd/MM/yyyy}", column("Thu 03/04/2025"), nil},
		{"faulty days say nothing", dmy, column("03/04/2025", "31/31/2025"), []string{days}},
		{"nothing", dmy, column("", ""), nil},
		// Texts beside date cells: 45902 is 2025-09-02, 45870 is 2025-08-01, 45900 is 2025-08-31, 45885 is 2025-08-16.
		{"late texts, early cells", dmy, column("15/01/2025", "31/12/2024", d("45902"), d("45870")), []string{mixed}},
		{"late texts, early cells, month first", mdy, column("01/15/2025", "12/31/2024", d("45902")), []string{mixed}},
		{"late texts, early cells, a day alone", "{column: A, type: date, format: dd/MM/yyyy}", column("15/01/2025", d("45902")), []string{mixed}},
		{"one early text", dmy, column("15/01/2025", "12/01/2025", d("45902")), nil},
		{"an early text with day equal to month", dmy, column("15/01/2025", "05/05/2025", d("45902")), nil},
		{"one late cell", dmy, column("15/01/2025", d("45902"), d("45900")), nil},
		{"cells alone", dmy, column(d("45902"), d("45870")), nil},
		{"cells that cannot be exchanged", dmy, column("15/01/2025", d("45878")), []string{mixed}}, // 9 August
		{"a cell of the 8th of August", dmy, column("15/01/2025", d("45877")), nil},
		{"texts with the year first", "{column: A, type: datetime}", column("2025-01-15", d("45902")), nil},
		// Decimal signs.
		{"three decimals", "{column: A, type: number}", column("1.200", "12.500", "3.750", "950"), []string{thousands}},
		{"three decimals, an integer", "{column: A, type: integer}", column("1.000", "12.000"), []string{thousands}},
		{"three decimals, with a currency and a sign", "{column: A, type: number}", column("€ 1.200", "-12.500", "(3.750)", "+1.100"), []string{thousands}},
		{"three decimals, joined", "{join: [A], type: number}", column("1.200"), []string{thousands}},
		{"three decimals, by an expression", "{expr: 'trim(A)', type: number}", column("1.200"), []string{thousands}},
		{"three decimals under a comma", `{column: A, type: number, decimal: ","}`, column("1,234", "12,500"), []string{thousands}},
		{"two decimals decide", "{column: A, type: number}", column("1.200", "12.50"), nil},
		{"four digits in front decide", "{column: A, type: number}", column("1.200", "1200.500"), nil},
		{"a zero in front decides", "{column: A, type: number}", column("1.200", "0.500"), nil},
		{"grouping decides", "{column: A, type: number}", column("1.200", "1,200.500"), nil},
		{"grouping alone decides", "{column: A, type: number}", column("1.200", "1,200"), nil},
		{"grouping under a point", "{column: A, type: number}", column("1,200", "12,500"), nil},
		{"whole numbers", "{column: A, type: number}", column("1200", "950"), nil},
		{"number cells", "{column: A, type: number}", column(converter.Cell{Kind: converter.NumberCell, Text: "1.125"}), nil},
		{"a number that an expression made", "{expr: 'float(A) / 8', type: number}", column("9"), nil},
		{"texts", "{column: A}", column("1.200"), nil},
		// Words of amounts, words for nothing, floats.
		{"debits and credits", "{column: A, type: number, words: true}", column("1,200.00 Cr", "45,000.00 Dr"), []string{"without a sign"}},
		{"debits alone", "{column: A, type: number, words: true}", column("1,200.00 Dr", "45,000.00 Dr"), nil},
		{"words of three decimals", "{column: A, type: number, words: true}", column("1.250 Lakh"), nil},
		{"NULL", "A", column("x", "NULL", "nan", "Null"), []string{`2 cells hold "NULL" or`}},
		{"NULL, changed", "{column: A, case: upper}", column("x", "None"), []string{`1 cell holds "None"`}},
		{"backslash N", "A", column("\\N"), []string{`1 cell holds "\\N"`}},
		{"NULL that values lists", "{column: A, values: {NULL: nothing}}", column("NULL"), nil},
		{"floats", "A", column("12.0", "7.0", "x"), []string{"such as 12.0"}},
		{"versions", "A", column("12.0", "7.1"), nil},
		// Times beyond the zone data.
		{"far ahead", "{column: A, type: datetime}", column("2025-01-15", "2041-02-03"), []string{late}},
		{"far ahead with an offset", "{column: A, type: datetime}", column("2041-02-03T10:00Z"), nil},
		{"far ahead in UTC", "{column: A, type: datetime, timezone: UTC}", column("2041-02-03"), nil},
		{"far ahead, a day alone", "{column: A, type: date}", column("2041-02-03"), nil},
		{"far ahead in a date cell", dmy, column(d("55000")), []string{late}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			p := mustCompile(t, "version: 1\ntarget: opportunity\nsearch_by: EmailAddress\ntimezone: Asia/Kolkata\nLeadDetails: {EmailAddress: {expr: '\"a@example.com\"'}}\n"+
				"Opportunity: {OpportunityEventCode: 1, Fields: {Status: {value: Open}, mx_Custom_9: "+tc.field+"}}\n", "A")
			got := seenBy(t, p, tc.rows)
			if len(got) != len(tc.want) {
				t.Fatalf("warnings %q, want %q", got, tc.want)
			}
			for i, w := range tc.want {
				if !strings.Contains(got[i], w) || !strings.Contains(got[i], "A") {
					t.Errorf("warning %q, want one about column A with %q", got[i], w)
				}
			}
		})
	}
}

func TestWordsThatOnlyTheDefaultCatches(t *testing.T) {
	const head = "version: 1\ntarget: opportunity\nsearch_by: EmailAddress\nLeadDetails: {EmailAddress: {expr: '\"a@example.com\"'}}\nOpportunity: {OpportunityEventCode: 1, Fields: {"
	p := mustCompile(t, head+"Status: {column: A, values: {Closed Won: Won, Closed-Lost: Lost, Open: Won}, default: Open}}}\n", "A")
	r := p.Runner()
	sent := func(text string) string {
		var rec Record
		r.Map(cellsOf(text), &rec)
		for _, f := range rec.Fields {
			if f.Name == "Fields.Status" {
				return f.Value
			}
		}
		return fmt.Sprint(rec.Problems)
	}
	for _, tc := range []struct{ text, want string }{
		{"Closed Won", "Won"}, {"closed  won", "Won"}, {"Won", "Won"}, {"won", "Won"}, {" WON ", "Won"}, {"Lost", "Lost"}, {"lost", "Lost"},
		{"Open", "Won"}, // the list comes first
		{"Lost.", "Open"}, {"Clsed Won", "Open"}, {"Clsed Won", "Open"}, {"Closed–Lost", "Open"}, {"", "Open"},
	} {
		if got := sent(tc.text); got != tc.want {
			t.Errorf("%q is sent as %q, want %q", tc.text, got, tc.want)
		}
	}
	want := []string{`column "A": the default "Open" stands in for 4 cells with a word that values does not list: "Clsed Won" (2), "Closed–Lost" (1), "Lost." (1); list each word with what it means`}
	if got := r.Seen().Warnings(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}

	// Without a default the three words are known too, and others are faults.
	p = mustCompile(t, head+"Status: {column: A, values: {Closed Won: Won}}}}\n", "A")
	r = p.Runner()
	if got := sent("lost"); got != "Lost" {
		t.Errorf("lost is sent as %q", got)
	}
	if got := sent("Lost."); !strings.Contains(got, "value.unknown") {
		t.Errorf("Lost. is sent as %q", got)
	}
	if got := r.Seen().Warnings(); got != nil {
		t.Errorf("warnings %q", got)
	}

	// Other fields have no words of their own; very many words are counted.
	p = mustCompile(t, head+"Status: {value: Open}, mx_Custom_2: {column: A, values: {Hot: H}, default: C}}}\n", "A")
	r = p.Runner()
	for i := range 1000 {
		sent(fmt.Sprintf("word %d", i%500))
	}
	sent("Won")
	got := r.Seen().Warnings()
	if len(got) != 1 || !strings.Contains(got[0], `"C" stands in for 1001 cells`) || !strings.Contains(got[0], "cells with other words") {
		t.Errorf("warnings %q", got)
	}
}

func TestSamples(t *testing.T) {
	p := mustCompile(t, fields+`    mx_Custom_1: {column: A, type: datetime, format: [dd/MM/yyyy HH:mm, yyyy-MM-dd]}
    mx_Custom_2: {column: B, type: datetime, timezone: {column: Z}, format: dd/MM/yyyy HH:mm}
    mx_Custom_3: {column: D, type: date, format: dd/MM/yyyy}
    mx_Custom_4: {join: [D, T], type: datetime, format: dd/MM/yyyy HH:mm}
    mx_Custom_5: {expr: 'D + " 12:00"', type: datetime, format: dd/MM/yyyy HH:mm}
`, "Email", "A", "B", "Z", "D", "T")
	s := p.Sampler()
	for _, row := range [][]string{
		{"", "", "", "", "", ""},
		{"", " 31/12/2025 23:30", "03/04/2025 12:00", "Europe/London", "03/04/1990", "10:15"},
		{"", "soon", "03/04/2025 12:00", "Mars", "", ""},
		{"", "\xff", "03/04/2025 12:00", "", "", ""},
		{"", "2025-04-03", "", "", "", ""},
		{"", "2025-04-04", "", "", "", ""},
		{"", "2025-04-05", "", "", "", ""},
		{""},
	} {
		s.Take(cellsOf(row...))
	}
	want := []Sample{
		{"Fields.mx_Custom_1", "A", "2025-12-31 23:30:00 +05:30", "2025-12-31 18:00:00", false},
		{"Fields.mx_Custom_2", "B", "2025-04-03 12:00:00 +01:00", "2025-04-03 11:00:00", false},
		{"Fields.mx_Custom_3", "D", "03/04/1990", "1990-04-03", true},
		{"Fields.mx_Custom_4", "D + T", "1990-04-03 10:15:00 +05:30", "1990-04-03 04:45:00", false},
		{"Fields.mx_Custom_5", "D", "1990-04-03 12:00:00 +05:30", "1990-04-03 06:30:00", false},
		{"Fields.mx_Custom_2", "B", "2025-04-03 12:00:00 +05:30", "2025-04-03 06:30:00", false},
		{"Fields.mx_Custom_1", "A", "2025-04-03 00:00:00 +05:30", "2025-04-02 18:30:00", false},
		{"Fields.mx_Custom_1", "A", "2025-04-04 00:00:00 +05:30", "2025-04-03 18:30:00", false},
	}
	if got := s.Samples(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestKeysThatAreNoKeys(t *testing.T) {
	p := mustCompile(t, "version: 1\ntarget: opportunity\nkey: A\nsearch_by: EmailAddress\nLeadDetails: {EmailAddress: B}\nOpportunity: {OpportunityEventCode: 1, Fields: {Status: {value: Open}, mx_Custom_5: A}}\n", "A", "B")
	for key, code := range map[string]string{
		"NULL": "text.null", "nan": "text.null", "None": "text.null", `\N`: "text.null", "undefined": "text.null", "7.0": "text.float", "1.5e7": "text.scientific",
		"Null": "", "D-1": "", "none": "", "nancy": "", "1E5": "", "undefined1": "", "1.0.0": "",
	} {
		for _, r := range []*Runner{p.Runner(), p.Judge()} {
			var rec Record
			r.Map(cellsOf(key, "a@example.com"), &rec)
			got := ""
			if len(rec.Problems) > 0 {
				got = rec.Problems[0].Code
			}
			if got != code || len(rec.Problems) > 1 {
				t.Errorf("key %s: %+v, want %q", key, rec.Problems, code)
			}
		}
	}
}

// TestVeryManyPatterns is about time: each pattern is held against all others.
func TestVeryManyPatterns(t *testing.T) {
	mapping := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("dd/MM/yyyy.%d", i))
		}
		return "version: 1\ntarget: opportunity\nsearch_by: EmailAddress\ntimezone: UTC\nLeadDetails: {EmailAddress: E}\nOpportunity: {OpportunityEventCode: 1, Fields: {Status: {value: Open}, mx_Custom_9: {column: A, type: datetime, format: [" + strings.Join(list, ", ") + "]}}}\n"
	}
	if _, err := Parse("m.yaml", []byte(mapping(maxFormats))); err != nil {
		t.Error(err)
	}
	_, err := Parse("m.yaml", []byte(mapping(5000)))
	if err == nil || !strings.Contains(err.Error(), "lists 5000 patterns; at most 24 are tried") {
		t.Errorf("got %.300v", err)
	}
}
