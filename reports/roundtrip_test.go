package reports

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/source"
)

// passes reads a file as a list of rows that outlive the pass.
func read(t *testing.T, path string, o source.Options) (*source.File, []*source.Row) {
	t.Helper()
	f, err := source.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	var rows []*source.Row
	for r, err := range f.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r.Clone())
	}
	return f, rows
}

// fromRows gives the ledger's rows for a file's, all of them rejected.
func fromRows(rows []*source.Row) fakeLedger {
	out := make([]ledger.Row, len(rows))
	for i, r := range rows {
		out[i] = ledger.Row{Number: r.Number, Line: r.Line, Origin: r.Origin, Fingerprint: r.Fingerprint(), Result: ledger.ResultRejected,
			Error: "no", Hint: "mend", Key: r.Cells[0].Text}
	}
	return ledgerOf(out...)
}

// inputWorkbook is a workbook as people have them: text and numbers that look
// like each other, dates in several formats, a formula, an error.
func inputWorkbook(t *testing.T) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	set := func(at string, v any, format string) {
		if err := f.SetCellValue("Sheet1", at, v); err != nil {
			t.Fatal(err)
		}
		if format == "" {
			return
		}
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetCellStyle("Sheet1", at, at, id); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range []string{"Deal ID", "Mobile", "Created at", "Day", "Amount", "Paid", "Remarks"} {
		at, err := excelize.CoordinatesToCellName(i+1, 3)
		if err != nil {
			t.Fatal(err)
		}
		set(at, h, "")
	}
	set("A4", "00123", "")
	set("B4", 919876543210, "0")
	set("C4", 46000.395833333336, "dd/mm/yyyy hh:mm")
	set("D4", 46001, "d-mmm-yy")
	set("E4", 1234.5, "#,##0.00")
	set("F4", true, "")
	set("G4", "=not a formula", "")
	// Row 5 is blank.
	set("A6", 124, "")
	set("B6", "+91-9876543210", "")
	set("C6", "31/12/2025 09:30", "")
	set("D6", 46001.5, "yyyy-mm-dd")
	set("E6", 1.234, "")
	set("F6", false, "")
	set("G6", " padded\nlines ", "")
	set("A7", 123456789012345, "")
	set("C7", 0.5, "hh:mm")
	set("E7", -0.1, "")
	set("G7", "_x0041_ <&> 😀", "")
	path := filepath.Join(t.TempDir(), "deals.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRoundTripWorkbook: the Failed sheet of a results workbook reads as the
// input did. What differs is said here: a whole number and a truth are text.
func TestRoundTripWorkbook(t *testing.T) {
	f, rows := read(t, inputWorkbook(t), source.Options{})
	if len(rows) != 3 {
		t.Fatalf("%d rows in the input", len(rows))
	}
	j := jobOf(fromRows(rows), nil)
	j.input = f
	path := save(t, j)
	back, again := read(t, path, source.Options{Sheet: "Failed"})
	if !slices.Equal(back.Header(), f.Header()) {
		t.Fatalf("header %q, want %q", back.Header(), f.Header())
	}
	if !back.Info().Results {
		t.Error("not known as a results workbook")
	}
	if len(again) != len(rows) {
		t.Fatalf("%d rows, want %d", len(again), len(rows))
	}
	kinds := map[converter.Kind]int{}
	for i, r := range rows {
		if again[i].Origin != r.Number {
			t.Errorf("row %d says that it came from row %d", r.Number, again[i].Origin)
		}
		if len(again[i].Faults) > 0 {
			t.Errorf("row %d: %v", r.Number, again[i].Faults)
		}
		for k, want := range r.Cells {
			kinds[want.Kind]++
			if want.Kind == converter.BoolCell || want.Kind == converter.NumberCell && !strings.Contains(want.Text, ".") {
				want.Kind = converter.TextCell
			}
			if got := again[i].Cells[k]; got != want {
				t.Errorf("row %d, %s: %+v, want %+v", r.Number, f.Header()[k], got, want)
			}
		}
	}
	if kinds[converter.DateCell] < 4 || kinds[converter.NumberCell] < 5 || kinds[converter.BoolCell] != 2 {
		t.Errorf("the input has not what is to be tested: %v", kinds)
	}

	// The results of the results still name the first file's rows.
	j = jobOf(fromRows(again), nil)
	j.input = back
	_, third := read(t, save(t, j), source.Options{Sheet: "All rows"})
	for i, r := range rows {
		if third[i].Origin != r.Number {
			t.Errorf("after two rounds row %d is row %d", r.Number, third[i].Origin)
		}
		if third[i].Fingerprint() != again[i].Fingerprint() {
			t.Errorf("row %d is not the same after the second round", r.Number)
		}
	}
}

// TestRoundTripFaults: an error cell is still one after the round trip, so
// that it cannot slip into the account as text.
func TestRoundTripFaults(t *testing.T) {
	cells := append(texts("a"), converter.Cell{Kind: converter.FaultCell, Text: "#N/A"}, converter.Cell{Kind: converter.FaultCell, Text: source.NeverCalculated})
	in := inputOf([]string{"A", "B", "C"}, cells)
	row := ledger.Row{Number: 2, Origin: 2, Result: ledger.ResultInvalid, Fingerprint: print(cells)}
	_, rows := read(t, save(t, jobOf(ledgerOf(row), in)), source.Options{Sheet: "Failed"})
	for i, c := range rows[0].Cells[1:] {
		if c.Kind != converter.FaultCell {
			t.Errorf("%q came back as %+v", cells[i+1].Text, c)
		}
	}
}

func TestRoundTripCSV(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "deals.csv")
	const text = "Deal ID;=Mobile;Remarks\n00123;+91-9876543210;\"two\nlines\"\n\n00124;-12.50;'quoted'\n00125;=1+1;@x\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, rows := read(t, path, source.Options{})
	for _, ext := range []string{".csv", ".xlsx"} {
		j := jobOf(fromRows(rows), nil)
		j.input = f
		name, err := j.write(context.Background(), filepath.Join(dir, "results"+ext))
		if err != nil {
			t.Fatal(err)
		}
		o := source.Options{}
		if ext == ".xlsx" {
			o.Sheet = "All rows"
		}
		back, again := read(t, name, o)
		if !slices.Equal(back.Header(), f.Header()) {
			t.Errorf("%s: header %q, want %q", ext, back.Header(), f.Header())
		}
		if len(again) != len(rows) {
			t.Fatalf("%s: %d rows, want %d", ext, len(again), len(rows))
		}
		for i, r := range rows {
			if again[i].Fingerprint() != r.Fingerprint() || again[i].Origin != r.Number {
				t.Errorf("%s: row %d is %+v, want %+v", ext, r.Number, again[i], r)
			}
		}
	}
}

// TestThroughTheLedger makes a report from a real ledger and a real file.
func TestThroughTheLedger(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "deals.csv")
	if err := os.WriteFile(path, []byte("Deal ID,Email\nD-1,a@example.com\nD-2,b@example.com\nD-3,c@example.com\nD-4,nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account, err := l.Enroll(ctx, "127.0.0.1", []string{"127.0.0.1"})
	check(err)
	scope, err := l.Scope(ctx, account, "opportunity:12000")
	check(err)
	started := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	id, err := l.Begin(ctx, ledger.Run{Account: account, Command: "import", Input: "deals.csv", Target: "opportunity", Limit: "25/5s", Who: "asha@pc", Started: started})
	check(err)
	f, rows := read(t, path, source.Options{})
	var entries []ledger.Entry
	var d ledger.Digester
	for _, r := range rows {
		e := ledger.Entry{Number: r.Number, Line: r.Line, Origin: r.Origin, Fingerprint: r.Fingerprint(), HasKey: true,
			Identity: ledger.HashIdentity(r.Cells[0].Text), KeyText: r.Cells[0].Text,
			Digest: d.Digest(1, func(int) (string, string) { return "LeadDetails.EmailAddress", r.Cells[1].Text })}
		if r.Cells[1].Text == "nobody" {
			e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, "email.form", `Email: "nobody" is no address`, "correct it"
		}
		entries = append(entries, e)
	}
	lease, err := l.Lease(ctx, account, ledger.Holder{})
	check(err)
	planner := ledger.Planner{Store: l, Lease: lease, Run: id, Scope: scope}
	check(planner.Plan(ctx, entries))
	for i, o := range []ledger.Outcome{
		{State: ledger.Loaded, ID: "opp-1", LeadID: "lead-1"},
		{State: ledger.InDoubt, Code: "call.timeout", Msg: "no answer came", Hint: "run leadload settle", Candidates: []string{"opp-8", "opp-9"}},
	} {
		o.Record = entries[i].Record
		check(l.Intend(ctx, lease, ledger.Sending, ledger.Intent{Record: o.Record, At: started.Add(time.Second)}))
		check(l.Settle(ctx, lease, o))
	}
	check(l.End(ctx, ledger.Run{ID: id, Ended: started.Add(10 * time.Second), Calls: 2, Limit: "25/5s", Exit: 4}))
	runs, err := l.Runs(ctx, ledger.RunQuery{ID: id})
	check(err)
	tally, err := l.Tally(ctx, id)
	check(err)

	r := Report{Ledger: l, Run: runs[0], Totals: tally.Counts(), Input: f}
	name, err := Write(ctx, r, filepath.Join(dir, "deals-results.xlsx"))
	check(err)
	var got []string
	for _, row := range rowsOf(t, name, "All rows")[1:] {
		got = append(got, strings.Join(row, "|"))
	}
	want := []string{
		"2|D-1|loaded|||D-1|a@example.com|opp-1|lead-1|1|2026-11-22 04:30:01",
		"3|D-2|in doubt|no answer came|run leadload settle|D-2|b@example.com|||1|2026-11-22 04:30:01",
		"4|D-3|not sent|||D-3|c@example.com",
		`5|D-4|invalid|Email: "nobody" is no address|correct it|D-4|nobody`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("All rows holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if doubt := rowsOf(t, name, "In doubt"); len(doubt) != 2 || doubt[0][before] != "Could be" || doubt[1][before] != "opp-8\nopp-9" {
		t.Errorf("In doubt holds %q", doubt)
	}
	var b strings.Builder
	check(WriteCSV(ctx, r, &b))
	if n := strings.Count(b.String(), "\n"); n != 5 {
		t.Errorf("the CSV has %d lines:\n%s", n, b.String())
	}
	s, err := Summarize(ctx, r, name)
	check(err)
	if s.Totals.Sum() != 4 || s.Totals.Counts[ledger.ResultInDoubt] != 1 || len(s.Errors) != 2 || s.Duration != 10 || s.CallsPerS != 0.2 || s.ExitCode != 4 {
		t.Errorf("%+v", s)
	}
	if want := "loaded 1 · updated 0 · already 0 · duplicate 0 · pending 0 · rejected 0 · invalid 1 · changed 0 · in doubt 1 · not sent 1 · skipped 0 of 4 rows → deals-results.xlsx"; s.Line != want {
		t.Errorf("%s, want %s", s.Line, want)
	}
}
