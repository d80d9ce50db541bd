package loader

import (
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/target"
	"leadload/loader/words"
	"leadload/mapping"
)

// file goes through the file twice: to count what there is to read, and to compare.
func (v *verifier) file() error {
	m := v.job.Mapping
	program, err := Compile(m, v.job.File, v.job.Input)
	if err != nil {
		return err
	}
	v.job.File.Need(program.Reads())
	of := target.For(m.Target)
	var readable bool
	if v.reader, readable = of.(target.Reader); !readable {
		return fault.New("usage", "compare the records in the account by hand", "records of target %s cannot be read back", m.Target)
	}
	scope := of.Scope(m)
	v.code, v.sales = scope.Code, scope.Code == 0 && !m.TypeVaries()
	v.leads = v.job.Leads
	left := v.compared(m)
	in, err := v.led.Find(v.ctx, v.o.Account.Names(), scope.String())
	if err != nil {
		return err
	}
	// Rows that an earlier mapping named otherwise are the same rows.
	earlier, err := plan.NewEarlier(v.ctx, v.led, in, m, v.job.File)
	if err != nil {
		return err
	}
	pass := func() *plan.Check {
		return &plan.Check{File: v.job.File, Mapping: m, Program: program, Rows: v.job.Rows, Store: v.led, Scope: in, Earlier: earlier}
	}
	v.live.phase.Store(Planning)
	if err := v.count(pass(), left); err != nil {
		return err
	}
	v.live.phase.Store(Reading)
	second := pass()
	second.Values, second.Cells = true, true
	seen, err := second.Run(v.ctx, v.take)
	if err != nil {
		return err
	}
	if seen.Chosen == 0 && seen.Rows > 0 {
		return noRows(v.job.Input)
	}
	if err := v.flush(); err != nil {
		return err
	}
	return v.removed(in)
}

// compared chooses the fields that are compared, and says what is left out.
func (v *verifier) compared(m *mapping.Mapping) (left []string) {
	leads := false
	v.compare = map[string]bool{}
	for _, f := range m.Fields() {
		ignored := m.ChangeOf(f.Name).Ignored
		v.compare[f.Name] = !ignored
		switch {
		case ignored:
			left = append(left, f.Schema+" is not compared: the mapping says on_change: ignore")
		case f.Kind == mapping.LeadField || strings.HasPrefix(f.Name, leadPrefix):
			leads = true
		case v.reader.Shows(f.Name):
			v.fields = append(v.fields, f.Name)
		case f.Schema == "OpportunityEventCode" || f.Schema == "ProspectId":
		default:
			left = append(left, f.Schema+" is not compared: no call brings it back")
		}
	}
	if leads && !v.leads {
		left = append(left, "attributes of leads are not compared; add --leads to compare them, one call a lead")
	}
	return left
}

const leadPrefix = "LeadDetails."

// count goes through the file once and tells what reading costs.
func (v *verifier) count(pass *plan.Check, left []string) error {
	var records []int64
	leads := map[string]struct{}{}
	n, rows := 0, int64(0)
	count := func() error {
		traces, err := v.led.Traces(v.ctx, records)
		for _, t := range traces {
			leads[strings.ToLower(t.Lead)] = struct{}{}
		}
		records = records[:0]
		return err
	}
	seen, err := pass.Run(v.ctx, func(row *plan.Row) error {
		if row.Known != nil {
			v.seen.Add(row.Known.ID)
		}
		if inAccount(row) {
			if n++; v.sales || v.leads {
				if records = append(records, row.Known.ID); len(records) == readChunk {
					if err := count(); err != nil {
						return err
					}
				}
			}
		}
		rows++
		v.live.total.Store(rows)
		return nil
	})
	if err == nil {
		err = count()
	}
	switch {
	case err != nil:
		return err
	case seen.Rows == 0:
		return fault.New("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", v.job.Input)
	}
	v.live.total.Store(int64(n))
	v.cost(n, len(leads), left)
	return nil
}

// cost tells what reading n records of so many leads costs.
func (v *verifier) cost(n, leads int, left []string) {
	v.res.Notes = append(v.res.Notes, left...)
	if v.job.OnCost == nil {
		return
	}
	calls := int64(0)
	if n > 0 && v.reader != nil {
		calls = int64(v.reader.ReadCalls(n, leads, v.lacks))
	}
	if v.leads {
		calls += int64(leads)
	}
	v.job.OnCost(ReadCost{Records: int64(n), Calls: calls, Time: v.pacer.Earliest(calls), Limit: v.pacer.State().Limit.String(), Left: left})
}

// inAccount reports whether the ledger has an id for a row, as far as is known.
func inAccount(row *plan.Row) bool {
	return row.Known != nil && !row.Unfit && row.Verdict != ledger.Invalid && row.Verdict != ledger.Skipped && row.Verdict != ledger.Repeated &&
		row.Known.State().Ended() && row.Known.Remote != ""
}

// take puts a row into the chunk at hand.
func (v *verifier) take(row *plan.Row) error {
	r := verifyRow{VerifiedRow: VerifiedRow{Row: row.Origin, Key: strings.Clone(row.KeyText), Cells: slices.Clone(row.Cells)}, code: v.code}
	if r.Row == 0 {
		r.Row = row.Number
	}
	switch {
	case row.Verdict == ledger.Skipped || row.Verdict == ledger.Repeated:
		r.Result, r.Note = words.VerifySkipped, row.Msg
	case row.Verdict == ledger.Invalid || row.Unfit:
		r.Result, r.Note = words.NotLoaded, row.Msg
	case inAccount(row):
		r.record, r.ID = row.Known.ID, row.Known.Remote
		r.values, r.names, r.prints = row.Values, row.Known.Names, slices.Clone(row.Known.Prints)
		if r.code == 0 {
			r.code = eventCode(row.Values)
		}
	default:
		r.Result, r.Note = words.NotLoaded, notLoaded(row.Known)
	}
	return v.add(r)
}

// notLoaded says why a row has no record in the account.
func notLoaded(known *ledger.Record) string {
	if known == nil {
		return "never sent"
	}
	switch known.State() {
	case ledger.Pending:
		return "in the account's queue; leadload settle asks for it"
	case ledger.Rejected:
		return "the account refused it in an earlier run"
	case ledger.Ready:
		return "never sent"
	case ledger.Loaded, ledger.Duplicate:
		return "loaded, but the ledger has no id for it"
	}
	return "in doubt; leadload settle looks it up"
}

// eventCode returns the opportunity type that a row names; 0 where it names none.
func eventCode(values []mapping.Field) int {
	for _, f := range values {
		if strings.HasSuffix(f.Name, ".OpportunityEventCode") {
			return target.ParseScope(":" + f.Value).Code
		}
	}
	return 0
}

// removed tells which rows of earlier runs of the file it no longer has. A part
// of a file cannot say.
func (v *verifier) removed(scope int64) error {
	if !v.job.whole() || scope == 0 {
		return nil
	}
	found, err := removedFrom(v.ctx, v.led, scope, &v.job.Job, func(run *ledger.Run) bool { return run.Account == v.acct }, v.seen.Has)
	if err != nil {
		return err
	}
	if v.res.Removed = found.counts(); v.res.Removed.Rows == 0 {
		return nil
	}
	for part := range slices.Chunk(slices.Collect(found.gone.All()), 1000) {
		rows, err := v.led.Named(v.ctx, part)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := v.job.Sink.Removed(row); err != nil {
				return err
			}
		}
	}
	return nil
}
