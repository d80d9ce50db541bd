package reports

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
	"leadload/loader/words"
)

// keptLedger is a fake that keeps a value of every row.
type keptLedger struct{ fakeLedger }

func (l keptLedger) Kept(ctx context.Context, run int64) iter.Seq2[ledger.Kept, error] {
	return func(yield func(ledger.Kept, error) bool) {
		for i := range l.n {
			if !yield(ledger.Kept{Run: run, Row: l.row(i).Number, Field: "Status", Had: "Lost", Has: "Won", Result: ledger.ResultUpdated}, nil) {
				return
			}
		}
	}
}

// TestTablesArePrintedAlike: whichever command made it, a sheet of rows is
// printed across as many pages as can be read, each with the header and the
// columns that stay in sight, also where the rows go on on a further sheet.
func TestTablesArePrintedAlike(t *testing.T) {
	defer func(n int) { sheetRows = n }(sheetRows)
	sheetRows = 3
	var rows []ledger.Row
	for i := range 5 {
		rows = append(rows, ledger.Row{Number: i + 2, Origin: i + 2, Key: fmt.Sprint("D", i), Result: ledger.ResultUpdated, ID: "x"})
	}
	l := ledgerOf(rows...)
	j := jobOf(l, nil)
	j.rows = keptLedger{l}
	run := save(t, j)

	wide := make([]string, 60)
	for i := range wide {
		wide[i] = fmt.Sprint("Column ", i)
	}
	f, err := NewFindings(filepath.Join(t.TempDir(), "deals-verify.xlsx"), io.Discard,
		FindingSheet{Title: "Differences", Header: []string{"Row", "Key", "Result", "Field"}},
		FindingSheet{Title: "All rows", Header: []string{"Row", "Key", "Result"}, Own: wide, Main: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 4 {
		for sheet := range 2 {
			if err := f.Add(sheet, []string{fmt.Sprint(i + 2), "D", "differs"}, &words.Result{Tone: words.Odd}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	read, err := f.Finish(context.Background(), FindingSummary{Title: "Verify", Made: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		path, sheet, titles string
		pages               int
	}{
		{run, "All rows", "$A:$C", 1},
		{run, "Changes", "$A:$B", 1},
		{run, "Changes (2)", "$A:$B", 1},
		{read, "Differences", "$A:$C", 1},
		{read, "Differences (2)", "$A:$C", 1},
		{read, "All rows", "$A:$C", 3},
		{read, "All rows (2)", "$A:$C", 3},
	} {
		x, err := excelize.OpenFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		page, err := x.GetPageLayout(c.sheet)
		if err != nil {
			t.Fatal(err)
		}
		if *page.Orientation != "landscape" || *page.Size != 9 || *page.FitToWidth != c.pages || *page.FitToHeight != 0 {
			t.Errorf("%s: printed %s on paper %d, %d pages wide and %d high, want landscape on 9 (A4), %d wide and 0 high",
				c.sheet, *page.Orientation, *page.Size, *page.FitToWidth, *page.FitToHeight, c.pages)
		}
		want := fmt.Sprintf("'%s'!%s,'%[1]s'!$1:$1", c.sheet, c.titles)
		got := ""
		for _, d := range x.GetDefinedName() {
			if d.Name == "_xlnm.Print_Titles" && d.Scope == c.sheet {
				got = d.RefersTo
			}
		}
		if got != want {
			t.Errorf("%s: each page repeats %q, want %q", c.sheet, got, want)
		}
		x.Close()
	}
}
