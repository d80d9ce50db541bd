package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

func TestFaultyColumns(t *testing.T) {
	header := []string{"Deal ID", "Email", "Amount", `odd "name"; column`, "First", "Last", "Stage"}
	f := newFaultFinder(header, []string{"Deal ID"}, []Field{
		{Names: []string{"Opportunity.Fields.mx_Custom_6", "mx_Custom_6"}, Columns: []string{"Amount"}},
		{Names: []string{"Opportunity.Fields.Status", "Status"}, Columns: []string{"Stage", "gone"}},
	})
	for _, c := range []struct {
		name, msg string
		result    ledger.Result
		want      []int
	}{
		{"one", `column "Email": "x" is not an e-mail address`, ledger.ResultInvalid, []int{1}},
		{"two", `column "Email": the cell is empty; column "Amount": "1,2" is not a number`, ledger.ResultInvalid, []int{1, 2}},
		{"one twice", `column "Email": too long; column "Email": no @`, ledger.ResultInvalid, []int{1}},
		{"joined", `column "First + Last": longer than 50`, ledger.ResultInvalid, []int{4, 5}},
		{"a name with quotes", `column "odd \"name\"; column": bad`, ledger.ResultInvalid, []int{3}},
		{"a cell that speaks of columns", `column "Email": "; column \"Amount\": " is no address`, ledger.ResultInvalid, []int{1}},
		{"a column of another file", `column "Gone": bad`, ledger.ResultInvalid, nil},
		{"words of somebody else", `the column "Email": is odd`, ledger.ResultInvalid, nil},
		{"a quote that never ends", `column "Email`, ledger.ResultInvalid, nil},
		{"the account names a field", `MXInvalidOptionValueException: Invalid value "Goldd" for mx_Custom_6.`, ledger.ResultRejected, []int{2}},
		{"a changed row", "sent before with other values: Opportunity.Fields.Status, Opportunity.Fields.mx_Custom_6 changed", ledger.ResultChanged, []int{6, 2}},
		{"repeated", `the key "D-1" is that of row 2 already`, ledger.ResultRepeated, []int{0}},
		{"in doubt", "the answer was lost: mx_Custom_6", ledger.ResultInDoubt, nil},
		{"the row as a whole", "the row has 3 cells, the header has 7", ledger.ResultInvalid, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := f.find(&ledger.Row{Result: c.result, Error: c.msg}); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// failedDeals are rows of n columns whose error is about column at.
func failedDeals(n, at, rows int) *job {
	header := make([]string, n)
	for i := range header {
		header[i] = fmt.Sprintf("Column %d", i+1)
	}
	in := fakeInput{header: header, n: rows, row: func(i int) source.Row {
		cells := make([]converter.Cell, n)
		for k := range cells {
			cells[k] = converter.Cell{Kind: converter.TextCell, Text: fmt.Sprintf("value %d of %d", k+1, i+2)}
		}
		return source.Row{Number: i + 2, Origin: i + 2, Cells: cells}
	}}
	l := fakeLedger{n: rows, row: func(i int) ledger.Row {
		return ledger.Row{Number: i + 2, Origin: i + 2, Fingerprint: print(in.row(i).Cells), Key: fmt.Sprintf("D-%d", i), Result: ledger.ResultInvalid, Code: "email.form",
			Error: fmt.Sprintf("column %q: %q is not an e-mail address: there is no @", header[at], in.row(i).Cells[at].Text), Hint: "write one address of the form name@example.com"}
	}}
	return jobOf(l, in)
}

// TestFaultyCellIsSeen: the error and the cell that it is about stand within
// the width of a laptop's screen, the cell is filled, and a note says why.
func TestFaultyCellIsSeen(t *testing.T) {
	for _, c := range []struct{ columns, at int }{{1, 0}, {7, 2}, {7, 6}, {40, 0}, {40, 39}, {200, 150}} {
		t.Run(fmt.Sprintf("%d of %d", c.at+1, c.columns), func(t *testing.T) {
			path := save(t, failedDeals(c.columns, c.at, 3))
			f, err := excelize.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			head := rowsOf(t, path, "Failed")[0]
			place := slices.Index(head, fmt.Sprintf("Column %d", c.at+1))
			pixels := 0.0
			for i := range place + 1 {
				name, _ := excelize.ColumnNumberToName(i + 1)
				w, err := f.GetColWidth("Failed", name)
				if err != nil {
					t.Fatal(err)
				}
				pixels += w*7 + 5
			}
			if pixels > screen {
				t.Errorf("the faulty column ends at pixel %.0f", pixels)
			}
			at, _ := excelize.CoordinatesToCellName(place+1, 3)
			id, err := f.GetCellStyle("Failed", at)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := f.GetStyle(id); err != nil || len(s.Fill.Color) != 1 || s.Fill.Color[0] != faultGround {
				t.Errorf("%s is filled with %v", at, s.Fill)
			}
			beside, _ := excelize.CoordinatesToCellName(place+2, 3)
			if id, err := f.GetCellStyle("Failed", beside); err != nil {
				t.Fatal(err)
			} else if s, err := f.GetStyle(id); err != nil || len(s.Fill.Color) > 0 {
				t.Errorf("%s is filled too", beside)
			}
			notes, err := f.GetComments("Failed")
			if err != nil || len(notes) != 3 || notes[1].Cell != at || !strings.Contains(notes[1].Paragraph[0].Text, "there is no @\n→ write one") {
				t.Errorf("notes %+v, %v", notes, err)
			}
			// The columns may stand in another order; the sheet says the same.
			if back, rows := read(t, path, source.Options{Sheet: "Failed"}); len(rows) != 3 || len(back.Header()) != c.columns || rows[1].Cells[slices.Index(back.Header(), fmt.Sprintf("Column %d", c.at+1))].Text != fmt.Sprintf("value %d of 3", c.at+1) {
				t.Errorf("%d rows of %d columns", len(rows), len(back.Header()))
			}
		})
	}
}

func TestNotesAreBounded(t *testing.T) {
	path := save(t, failedDeals(3, 1, maxNotes+20))
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	notes, err := f.GetComments("Failed")
	if err != nil || len(notes) != maxNotes {
		t.Errorf("%d notes, %v", len(notes), err)
	}
	at := fmt.Sprintf("G%d", maxNotes+10)
	if id, err := f.GetCellStyle("Failed", at); err != nil {
		t.Fatal(err)
	} else if s, err := f.GetStyle(id); err != nil || len(s.Fill.Color) != 1 {
		t.Errorf("%s beyond the last note is not filled", at)
	}
}

// TestFaultyDate: a cell at fault keeps its kind and its format.
func TestFaultyDate(t *testing.T) {
	cells := []converter.Cell{{Kind: converter.DateCell, Text: "46000.5", Format: "dd/mm/yyyy hh:mm"}, {Kind: converter.EmptyCell}}
	row := ledger.Row{Number: 2, Origin: 2, Fingerprint: print(cells), Result: ledger.ResultInvalid, Error: `column "When": too early; column "Who": the cell is empty`}
	name := save(t, jobOf(ledgerOf(row), inputOf([]string{"When", "Who"}, cells)))
	f, err := excelize.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, format := range map[string]string{"F2": "dd/mm/yyyy hh:mm", "G2": ""} {
		id, err := f.GetCellStyle("Failed", at)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.GetStyle(id)
		if err != nil || len(s.Fill.Color) != 1 || format != "" && (s.CustomNumFmt == nil || *s.CustomNumFmt != format) {
			t.Errorf("%s: %+v, %v", at, s, err)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text string
		wide int
		want int
	}{
		{"", 10, 1}, {"one", 10, 1}, {"one two three", 7, 2}, {"one two three", 8, 2}, {"aaaa bbbb cccc", 6, 3}, {"abcdefghijklm", 5, 3}, {"x\ny", 5, 2}, {"ab abcdefghijklm", 5, 4}, {"x", 0, 1},
	} {
		if got := lines(c.text, c.wide); got != c.want {
			t.Errorf("%q in %d: %d lines, want %d", c.text, c.wide, got, c.want)
		}
	}
}
