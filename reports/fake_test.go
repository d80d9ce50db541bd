package reports

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"time"

	"leadload/converter"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

// fakeLedger stands in for the ledger's read side.
type fakeLedger struct {
	n    int
	row  func(i int) ledger.Row
	fail error // after the last row
}

func (f fakeLedger) Rows(ctx context.Context, run int64) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		for i := range f.n {
			if !yield(f.row(i), nil) {
				return
			}
		}
		if f.fail != nil {
			yield(ledger.Row{}, f.fail)
		}
	}
}

func (f fakeLedger) Errors(ctx context.Context, run int64, n int) ([]ledger.ErrorCount, error) {
	by := map[string]*ledger.ErrorCount{}
	for i := range f.n {
		r := f.row(i)
		if r.Code == "" {
			continue
		}
		if by[r.Code] == nil {
			by[r.Code] = &ledger.ErrorCount{Code: r.Code, Row: origin(&r), Example: r.Error, Hint: r.Hint}
		}
		by[r.Code].Count++
	}
	var out []ledger.ErrorCount
	for _, e := range by {
		out = append(out, *e)
	}
	sort.Slice(out, func(i, k int) bool {
		return out[i].Count > out[k].Count || (out[i].Count == out[k].Count && out[i].Code < out[k].Code)
	})
	return out[:min(n, len(out))], nil
}

// totals counts the rows of a fake.
func (f fakeLedger) totals() ledger.Counts {
	var t ledger.Counts
	for i := range f.n {
		t.Add(f.row(i).Result, 1)
	}
	return t
}

// ledgerOf makes a fake of the rows given.
func ledgerOf(rows ...ledger.Row) fakeLedger {
	return fakeLedger{n: len(rows), row: func(i int) ledger.Row { return rows[i] }}
}

// fakeInput stands in for a source file.
type fakeInput struct {
	header []string
	n      int
	row    func(i int) source.Row
	fail   error // after the last row
}

func (f fakeInput) Header() []string { return f.header }

func (f fakeInput) Rows() iter.Seq2[*source.Row, error] {
	return func(yield func(*source.Row, error) bool) {
		for i := range f.n {
			r := f.row(i)
			if !yield(&r, nil) {
				return
			}
		}
		if f.fail != nil {
			yield(nil, f.fail)
		}
	}
}

// inputOf makes a fake of rows of text, the first of which is row 2.
func inputOf(header []string, rows ...[]converter.Cell) fakeInput {
	return fakeInput{header: header, n: len(rows), row: func(i int) source.Row {
		return source.Row{Number: i + 2, Origin: i + 2, Cells: rows[i]}
	}}
}

// texts makes cells of text.
func texts(values ...string) []converter.Cell {
	out := make([]converter.Cell, len(values))
	for i, v := range values {
		out[i] = converter.Cell{Text: v, Kind: converter.TextCell}
		if v == "" {
			out[i].Kind = converter.EmptyCell
		}
	}
	return out
}

// print is the fingerprint of a row with these cells.
func print(cells []converter.Cell) uint64 {
	r := source.Row{Cells: cells}
	return r.Fingerprint()
}

// jobOf makes a job of the two, with a run that looks like one.
func jobOf(l fakeLedger, in input) *job {
	j := &job{rows: l, input: in}
	j.Run = ledger.Run{
		ID: 12, AccountName: "api-in21.leadsquared.com", Command: "import", Input: "deals.csv", Mapping: "deals.yaml",
		Target: "opportunity", Timezone: "Asia/Kolkata", Who: "asha@sales-pc", Version: "1.0.0", Limit: "25/5s",
		Started: time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC), Ended: time.Date(2026, 11, 22, 4, 31, 34, 0, time.UTC),
		Calls: 448, Throttled: 3, Exit: 4,
	}
	j.Totals = l.totals()
	j.Location, j.Zones = time.FixedZone("Asia/Kolkata", 19800), "2026f (built in)"
	return j
}

var dealHeader = []string{"Deal ID", "Contact", "Email", "Mobile", "City", "Product", "Stage", "Amount", "Created at", "Remarks"}

// deal makes the i-th row of a realistic input.
func deal(i int) []converter.Cell {
	names := []string{"Asha Rao", "Vikram Singh", "María Núñez", "Chen Wei 陈伟", "Fatima Al-Zahra", "José Ångström"}
	cities := []string{"Bengaluru", "Pune", "Madrid", "Hyderabad", "Dubai", "Navi Mumbai"}
	cells := texts(fmt.Sprintf("D-%05d", i+1), names[i%6], fmt.Sprintf("lead%d@example.com", i/3),
		fmt.Sprintf("0%d", 9876500000+i), cities[i%6], []string{"Loan 24m", "Gold", "SIP"}[i%3],
		[]string{"Open", "Closed Won", "Closed Lost"}[i%3], fmt.Sprintf("%d.%02d", 1000+i*37, i%100),
		fmt.Sprintf("%02d/12/2025 %02d:%02d", i%28+1, i%24, i%60), "")
	if i%7 == 0 {
		cells[9] = converter.Cell{Text: "=HYPERLINK(\"http://example.com\") asked to call back", Kind: converter.TextCell}
	}
	return cells
}

// outcome makes the ledger's row for the i-th deal.
func outcome(i int) ledger.Row {
	guid := func(n int) string { return fmt.Sprintf("%08x-4d1c-11ee-8c5f-0a1b2c3d4e5f", 0x3fa00000+n) }
	r := ledger.Row{Number: i + 2, Origin: i + 2, Fingerprint: print(deal(i)), Key: fmt.Sprintf("D-%05d", i+1)}
	sent := func() {
		r.Attempts, r.SentAt = 1, time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC).Add(time.Duration(i)*200*time.Millisecond)
	}
	switch {
	case i%61 == 5:
		r.Result, r.Code = ledger.ResultInvalid, "datetime.format"
		r.Error = fmt.Sprintf("column \"Created at\": %q does not fit the format dd/MM/yyyy HH:mm", "31/02/2025 10:00")
		r.Hint = "correct the date in this cell, or add the file's own format to the mapping"
	case i%73 == 9:
		r.Result, r.Code = ledger.ResultRejected, "MXInvalidOptionValueException"
		r.Error, r.Hint = `the account says: Invalid value "Goldd" for mx_Custom_3`, "use one of the values that the field has in LeadSquared, or list this one under values in the mapping"
		sent()
	case i%97 == 20:
		r.Result, r.Code = ledger.ResultInDoubt, "call.timeout"
		r.Error, r.Hint = "no answer came within 60 s; the opportunity may have been made", "run leadload settle; it looks the row up before anything is sent again"
		r.Candidates = []string{guid(i), guid(i + 1)}
		sent()
	case i%113 == 30:
		r.Result, r.RequestID = ledger.ResultPending, guid(7*i)
		sent()
	case i%131 == 40:
		r.Result, r.Code = ledger.ResultRepeated, "row.repeated"
		r.Error, r.Hint = "the key D-00012 is already in row 13", "delete one of the two rows, or give this one a key of its own"
	case i%149 == 50:
		r.Result, r.Code = ledger.ResultChanged, "row.changed"
		r.Error, r.Hint = "loaded on 2026-11-02 with other values: Amount, Stage", "correct the record in LeadSquared; leadload never changes one"
	case i%10 == 3:
		r.Result, r.ID = ledger.ResultAlready, guid(i)
	case i%50 == 11:
		r.Result = ledger.ResultSkipped
	case i%40 == 2:
		r.Result, r.ID, r.LeadID = ledger.ResultDuplicate, guid(i), guid(1000000+i/3)
		sent()
	default:
		r.Result, r.ID, r.LeadID = ledger.ResultLoaded, guid(i), guid(1000000+i/3)
		sent()
	}
	return r
}

func deals(n int) (fakeLedger, fakeInput) {
	return fakeLedger{n: n, row: outcome}, fakeInput{header: dealHeader, n: n, row: func(i int) source.Row {
		return source.Row{Number: i + 2, Origin: i + 2, Cells: deal(i)}
	}}
}
