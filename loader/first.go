package loader

import (
	"context"
	"fmt"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/mapping"
)

// planBatch is how many rows the first pass writes in one transaction. The
// first ones are smaller, so that writing begins while reading has just begun.
const planBatch, firstPlanBatch = 512, 64

// firstPass maps and checks every row and writes the plan. Reading and
// mapping go on while the ledger writes the batch before.
func (r *run) firstPass(ctx context.Context) error {
	if err := r.led.ForgetLeads(ctx, r.acct, r.o.LeadAge); err != nil {
		return err
	}
	// Two batches take turns: one is filled while the other is written.
	free := make(chan []ledger.Entry, 2)
	free <- make([]ledger.Entry, 0, planBatch)
	free <- make([]ledger.Entry, 0, planBatch)
	full := make(chan []ledger.Entry)
	written := make(chan error, 1)
	go func() {
		var first error
		for batch := range full {
			if first == nil {
				first = r.led.Plan(ctx, r.id, r.scope, batch)
			}
			free <- batch
		}
		written <- first
	}()
	batch, size := <-free, firstPlanBatch
	hand := func() {
		full <- batch
		batch, size = (<-free)[:0], min(2*size, planBatch)
	}
	ex := newExaminer(r.job.Mapping, r.program.Runner())
	r.seen = ex.runner.Seen()
	var readErr error
	for row, err := range r.job.File.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			readErr = err
			break
		}
		if r.led.Broken() != nil {
			break // said by Plan
		}
		r.rows.Add(1)
		r.live.total.Store(r.rows.Load())
		if row.Hidden {
			r.hidden++
		}
		var e ledger.Entry
		if r.job.Rows.Has(row.Number) {
			r.chosen++
			e = ex.entry(row)
		} else {
			e = bareEntry(row)
			e.Verdict, e.Code, e.Msg, e.Hint = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows", "leave --rows out to load it"
		}
		if batch = append(batch, e); len(batch) == size {
			hand()
		}
	}
	if len(batch) > 0 {
		full <- batch
	}
	close(full)
	if err := <-written; err != nil {
		return err
	}
	if readErr == nil && r.rows.Load() == 0 {
		return fault.Misuse("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", r.job.Input)
	}
	if readErr == nil && r.chosen == 0 {
		return noRows(r.job.Input)
	}
	return readErr
}

// noRows says that --rows leaves nothing.
func noRows(input string) error {
	return fault.Misuse("usage", "name rows as the spreadsheet counts them, the header being row 1 of most files", "%s has none of the rows that --rows names", input)
}

// hiddenNote says that rows were read which a spreadsheet does not show; "" for none.
func hiddenNote(n int64) []string {
	if n == 0 {
		return nil
	}
	return []string{fault.Plural(n, "hidden row is", "hidden rows are") + " read like the others"}
}

// examiner turns rows into entries of the plan. It serves one goroutine.
type examiner struct {
	m        *mapping.Mapping
	runner   *mapping.Runner
	rec      mapping.Record
	digester ledger.Digester
	numbers  map[string]bool // fields whose values are numbers
	online   *account.Online // the account's metadata; nil for none
	// brief leaves out what only a row that was loaded before is compared by.
	brief bool
	again bool // the row at hand was examined before
}

func newExaminer(m *mapping.Mapping, r *mapping.Runner) *examiner {
	ex := &examiner{m: m, runner: r, numbers: map[string]bool{}}
	for _, f := range m.Fields() {
		if f.Type == "number" || f.Type == "integer" {
			ex.numbers[f.Name] = true
		}
	}
	return ex
}

func bareEntry(row *source.Row) ledger.Entry {
	return ledger.Entry{Number: row.Number, Line: row.Line, Origin: row.Origin, Fingerprint: row.Fingerprint()}
}

// entry examines one row. The mapped row stays in ex.rec until the next call.
func (ex *examiner) entry(row *source.Row) ledger.Entry {
	e := bareEntry(row)
	if len(row.Faults) > 0 {
		unusable(&e, row.Faults)
		return e
	}
	ex.examine(&e, row.Cells)
	return e
}

// unusable marks a row that could not be read whole.
func unusable(e *ledger.Entry, faults []*source.Error) {
	var msgs, hints []string
	for _, f := range faults {
		msgs = appendNew(msgs, inColumn(f.Column, f.Msg))
		hints = appendNew(hints, f.Hint)
	}
	e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, faults[0].Code, strings.Join(msgs, "; "), strings.Join(hints, "; ")
}

// examine maps a row's cells and fills in what they say about it.
func (ex *examiner) examine(e *ledger.Entry, cells []converter.Cell) {
	if ex.again {
		ex.runner.Again(cells, &ex.rec)
	} else {
		ex.runner.Map(cells, &ex.rec)
	}
	rec := &ex.rec
	e.KeyText = rec.KeyText
	if rec.Skipped {
		e.Verdict, e.Code, e.Msg = ledger.Skipped, "row.skipped", "skip_when of the mapping holds for this row"
		return
	}
	if ex.online != nil {
		ex.online.Row(e.Number, rec)
	}
	if len(rec.Problems) > 0 {
		var msgs, hints []string
		for _, p := range rec.Problems {
			msgs = appendNew(msgs, inColumn(p.Column, p.Msg))
			hints = appendNew(hints, p.Hint)
		}
		e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, rec.Problems[0].Code, strings.Join(msgs, "; "), strings.Join(hints, "; ")
		return
	}
	ex.identify(e)
}

// identify fills in what names the row: its key, or without one what it says.
func (ex *examiner) identify(e *ledger.Entry) {
	rec := &ex.rec
	lead := ""
	if ex.m.Lead.FindBy != "" {
		// The lead is looked up, so its id is not in the body; what it is found by is part of what the row says.
		lead = rec.Lead
		e.WantField, e.WantValue = rec.LeadField, target.LeadName(rec.LeadField, strings.Clone(rec.LeadValue))
	} else if ex.m.LeadMustExist {
		e.WantField, e.WantValue = rec.LeadField, target.LeadName(rec.LeadField, strings.Clone(rec.LeadValue))
	}
	e.HasKey = len(ex.m.Key) > 0
	if ex.brief {
		return
	}
	n := len(rec.Fields)
	extra := 0
	if lead != "" {
		extra = 1
	}
	e.Digest = ex.digester.Digest(n+extra, func(i int) (string, string) {
		if i == n {
			return "lead", lead
		}
		f := rec.Fields[i]
		if lead == "" && rec.LeadField != "" && strings.HasPrefix(f.Name, "LeadDetails.") && f.Name[len("LeadDetails."):] == rec.LeadField {
			return f.Name, rec.Lead // the same lead written differently is the same lead
		}
		if ex.numbers[f.Name] {
			// CSV has 1200.50 where a spreadsheet stores 1200.5: one number, one row.
			return f.Name, shortest(f.Value)
		}
		return f.Name, f.Value
	})
	if e.HasKey {
		e.Identity = ledger.HashIdentity(rec.Key)
	} else {
		e.Identity = e.Digest.Body
	}
}

// shortest drops zeros that end a decimal fraction.
func shortest(number string) string {
	if !strings.Contains(number, ".") {
		return number
	}
	return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
}

func inColumn(column, msg string) string {
	if column == "" {
		return msg
	}
	return fmt.Sprintf("column %q: %s", column, msg)
}

func appendNew(list []string, s string) []string {
	if s == "" {
		return list
	}
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}
