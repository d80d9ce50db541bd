package reports

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// TestLook leaves realistic workbooks in the folder that LEADLOAD_LOOK names,
// for somebody to open, print and look at.
func TestLook(t *testing.T) {
	dir := os.Getenv("LEADLOAD_LOOK")
	if dir == "" {
		t.Skip("LEADLOAD_LOOK names no folder")
	}
	keep := func(j *job, name string) {
		if _, err := j.write(context.Background(), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	l, in := deals(456)
	j := jobOf(l, in)
	j.Next = []string{"leadload import deals-results.xlsx --sheet Failed -m deals.yaml", "leadload settle"}
	j.Notes = []string{"The hidden sheet \"old\" was not read."}
	keep(j, "deals-results.xlsx")

	j = every()
	keep(j, "small.xlsx")
	for _, columns := range []int{7, 40} {
		j := failedDeals(columns, columns-2, 12)
		j.Next = []string{"leadload import deals-results.xlsx --sheet Failed -m deals.yaml"}
		keep(j, fmt.Sprintf("failed-%d.xlsx", columns))
	}

	// A check of a workbook, with everything long that can be long.
	long := strings.Repeat("a rather long sentence about what is wrong with the value of this cell, ", 4)
	l, in = deals(90)
	rows := l.row
	l.row = func(i int) ledger.Row {
		r := rows(i)
		if r.Result == ledger.ResultLoaded {
			r.Result, r.ID, r.LeadID, r.Attempts = ledger.ResultWouldSend, "", "", 0
		}
		if r.Result.NeedsPerson() {
			r.Code, r.Error, r.Hint = r.Code+".with.a.long.code", r.Error+": "+long, long
		}
		r.Fingerprint++
		return r
	}
	in.row = func(i int) source.Row {
		c := deal(i)
		c[8] = converter.Cell{Kind: converter.DateCell, Text: "46000.395833333336", Format: "dd/mm/yyyy hh:mm"}
		return source.Row{Number: i + 2, Origin: i + 2, Cells: c}
	}
	j = jobOf(l, in)
	j.Run.Command, j.Run.Calls, j.Run.Stop = "check", 0, "the limit of the day is used up; run the same command again tomorrow"
	j.Run.Input, j.Run.Sheet = "/home/asha/customers/north/2026/quarter-4/opportunities from the old system, final (2).xlsx", "Deals of the fourth quarter"
	j.Next = []string{"leadload import '/home/asha/customers/north/2026/quarter-4/opportunities from the old system, final (2).xlsx' -m /home/asha/mappings/opportunities-2026.yaml --account /home/asha/accounts/production.yaml --sheet 'Deals of the fourth quarter'"}
	keep(j, "check.xlsx")
}
