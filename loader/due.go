package loader

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/send"
	"leadload/loader/source"
	"leadload/loader/update"
)

// due goes through the file again and yields the rows that are due. Those that
// an earlier run was refused come last, so that they hold up no others when the
// account refuses them again.
func (r *run) due(ctx context.Context) iter.Seq2[*send.Row, error] {
	if len(r.refused) == 0 {
		return r.pass(ctx, false)
	}
	return func(yield func(*send.Row, error) bool) {
		for _, refused := range []bool{false, true} {
			for j, err := range r.pass(ctx, refused) {
				if !yield(j, err) || err != nil {
					return
				}
			}
		}
	}
}

// planned is a row of the plan and the row of the file that it is about.
type planned struct {
	ledger.Row
	row *source.Row
}

// beside goes through the file beside the plan. A file that is not what the plan
// was made of ends it with an error.
func (r *run) beside(ctx context.Context) iter.Seq2[planned, error] {
	return func(yield func(planned, error) bool) {
		plan, stop := iter.Pull2(r.led.Rows(ctx, r.id))
		defer stop()
		rows, stopRows := iter.Pull2(r.job.File.Rows())
		defer stopRows()
		for {
			p, err, ok := plan()
			if err != nil {
				yield(planned{}, err)
				return
			}
			row, rowErr, rowOK := rows()
			if !ok && !rowOK {
				return
			}
			if rowErr != nil {
				yield(planned{}, r.fileChanged(p.Number, rowErr))
				return
			}
			if ok != rowOK || p.Number != row.Number || p.Fingerprint != row.Fingerprint() {
				n := p.Number
				if !ok {
					n = row.Number
				}
				yield(planned{}, r.fileChanged(n, nil))
				return
			}
			if !yield(planned{p, row}, nil) {
				return
			}
		}
	}
}

// pass goes through the file beside the plan and yields the rows that are due:
// those that an earlier run was refused, or the others.
func (r *run) pass(ctx context.Context, refused bool) iter.Seq2[*send.Row, error] {
	return func(yield func(*send.Row, error) bool) {
		ex := plan.NewExaminer(r.job.Mapping, r.program.Runner())
		ex.Brief = true
		full := plan.NewExaminer(r.job.Mapping, r.program.Runner())
		earlier, err := plan.NewEarlier(ctx, r.led, r.scope, r.job.Mapping, r.job.File)
		if err != nil {
			yield(nil, err)
			return
		}
		for p, err := range r.beside(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if p.State != ledger.Ready || p.Verdict != ledger.Due && p.Verdict != ledger.Changing || r.refused[p.Number] != refused {
				continue
			}
			var j *send.Row
			if p.Verdict == ledger.Changing {
				j, err = r.changing(ctx, full, earlier, p.Record, p.row)
			} else {
				// What only the plan needs of a row, its hashes, was made in the first pass.
				j, err = r.sendable(ex, &p)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if j != nil && !yield(j, nil) {
				return
			}
		}
	}
}

// sendable maps a row of the plan.
func (r *run) sendable(ex *plan.Examiner, p *planned) (*send.Row, error) {
	if e := ex.Entry(p.row); e.Verdict != 0 { // the same row with the same mapping cannot turn out otherwise
		return nil, &fault.Fault{Code: "run.unsteady", Msg: fmt.Sprintf("row %d was mapped in two ways: %s", p.Number, e.Msg), Hint: "report this; nothing was sent from this row on"}
	}
	return send.RowOf(r.job.Mapping, p.Record, p.Number, &ex.Record), nil
}

// refill writes down what would be sent for rows in doubt of which the ledger has
// nothing, so that they can be looked for in the account.
func (r *run) refill(ctx context.Context) error {
	lost := map[int64]ledger.Operation{}
	for o, err := range ledger.AllOpen(ctx, r.led, ledger.Query{Account: r.acct, Run: r.id}) {
		if err != nil {
			return err
		}
		if o.Op == ledger.Create && o.State == ledger.InDoubt && o.Payload.Target == "" {
			lost[o.Record] = o
		}
	}
	if len(lost) == 0 {
		return nil
	}
	ex := plan.NewExaminer(r.job.Mapping, r.program.Runner())
	for p, err := range r.beside(ctx) {
		if err != nil {
			return err
		}
		was, ok := lost[p.Record]
		if !ok || p.Verdict != ledger.Due {
			continue
		}
		j, err := r.sendable(ex, &p)
		if err != nil {
			return err
		}
		o := ledger.Outcome{Record: p.Record, State: ledger.InDoubt, Code: p.Code, Msg: p.Error, Hint: ledger.DoubtHint, Candidates: was.Candidates, Payload: &j.Payload}
		if was.Code != "" {
			o.Code = was.Code
		}
		if err := r.led.Settle(ctx, r.lease, o); err != nil {
			return err
		}
	}
	return nil
}

// changing returns the update that a row asks for; nil where its record has
// nothing to be changed by now.
func (r *run) changing(ctx context.Context, ex *plan.Examiner, earlier *plan.Earlier, record int64, row *source.Row) (*send.Row, error) {
	e := ex.Entry(row)
	if e.Verdict != 0 {
		return nil, &fault.Fault{Code: "run.unsteady", Msg: fmt.Sprintf("row %d was mapped in two ways: %s", row.Number, e.Msg), Hint: "report this; nothing was sent from this row on"}
	}
	earlier.Row(&e, row)
	known := make([]ledger.Record, 1)
	if err := r.led.Recall(ctx, []int64{record}, known); err != nil {
		return nil, err
	}
	policy := update.Policy(r.job.Mapping, r.job.Update, r.job.Remake)
	if ledger.Decide(&e, &known[0], 0, &policy); e.Verdict != ledger.Changing || e.State != ledger.Ready {
		return nil, nil
	}
	j := send.RowOf(r.job.Mapping, record, row.Number, &ex.Record)
	j.Op = ledger.Update
	j.Payload = ledger.Payload{Target: j.Payload.Target, Lead: j.Payload.Lead, Edit: update.Of(r.job.Mapping, &known[0], &e, &ex.Record)}
	return j, nil
}

// window is how many calls are made on the strength of one look at the account:
// those that the limit allows while the look serves, with some time to spare,
// less those that still wait for their place when the look is made.
func (r *run) window() int {
	l := r.pacer.State().Limit
	if l.Calls == 0 || l.Window == 0 {
		return leadsquared.MaxIDs
	}
	within := int64(update.Served * 9 / 10)
	calls := int(within*int64(l.Calls)/int64(l.Window)) - r.o.Concurrency
	if r.bulk != nil {
		b := r.bulk.State().Limit
		calls = max(calls, 1) + leadsquared.MaxBulk*max(int(within*int64(b.Calls)/int64(b.Window))-r.bulkAtOnce(), 0)
	}
	return min(max(calls, 1), leadsquared.MaxIDs)
}

// looked looks at the records that are to be updated, as many at a time as are
// written while a look serves, and yields all rows in their order.
func (r *run) looked(ctx context.Context, u *update.Updater, rows iter.Seq2[*send.Row, error]) iter.Seq2[*send.Row, error] {
	return func(yield func(*send.Row, error) bool) {
		var held []*send.Row
		var edits []*ledger.Payload
		calls := 0
		hand := func() bool {
			if len(edits) > 0 {
				if err := u.Recollect(ctx, edits); err != nil {
					return yield(nil, err)
				}
			}
			if len(edits) > 0 && u.Together(edits[0].Target) {
				if err := u.Look(ctx, edits); err != nil {
					return yield(nil, err)
				}
			}
			for _, j := range held {
				if !yield(j, nil) {
					return false
				}
			}
			held, edits, calls = held[:0], edits[:0], 0
			return true
		}
		for j, err := range rows {
			if err != nil {
				if hand() {
					yield(nil, err)
				}
				return
			}
			held = append(held, j)
			cost := 1
			if j.Op == ledger.Update {
				edits = append(edits, &j.Payload)
				cost = update.Cost(j.Payload.Edit)
			}
			if calls += cost; calls >= r.window() && !hand() {
				return
			}
		}
		hand()
	}
}

// toldMoved is how many records are named whose values have moved.
const toldMoved = 5

// lookAgain tells which fields changed in the account while this run updated their
// records, or a run of the same file before it that was cut off. updated says
// whether this one had records to update.
func (r *run) lookAgain(ctx context.Context, u *update.Updater, updated bool) error {
	runs, err := r.cutOff(ctx)
	if err != nil || !updated && len(runs) == 1 {
		return err
	}
	n := 0
	var named []string
	var list []ledger.Kept
	keep := func() error {
		err := r.led.Keep(ctx, r.lease, list)
		list = list[:0]
		return err
	}
	err = u.LookAgain(ctx, r.job.Mapping.Target, r.job.Mapping.EventCode, runs, func(m update.Moved) error {
		if n++; n <= toldMoved {
			named = append(named, fmt.Sprintf("row %d, %s of %s", m.Row, m.Field, m.ID))
		}
		if list = append(list, m.Kept); len(list) == plan.Batch {
			return keep()
		}
		return nil
	})
	if err == nil && len(list) > 0 {
		err = keep()
	}
	if n > toldMoved {
		named = append(named, fmt.Sprintf("and %d more", n-toldMoved))
	}
	if n > 0 {
		r.o.Notify(fmt.Sprintf("%s in the account while the updates ran: %s. Somebody works on these records, or the account changes them itself; the sheet Changes has the values",
			fault.Plural(int64(n), "field has changed", "fields have changed"), strings.Join(named, "; ")))
	}
	return err
}

// cutOff returns this run and those of the same file right before it that did not
// come to their end, the newest first: nobody has looked again at what they wrote.
func (r *run) cutOff(ctx context.Context) ([]int64, error) {
	runs := []int64{r.id}
	if r.job.InputPath == "" {
		return runs, nil
	}
	const many = 100
	list, err := r.led.Runs(ctx, ledger.RunQuery{Newest: many})
	for _, x := range list {
		switch {
		case x.ID >= r.id || x.Account != r.acct || x.InputPath != r.job.InputPath || x.Command != "import":
		case !x.Ended.IsZero() && x.Stop == "":
			return runs, err
		default:
			runs = append(runs, x.ID)
		}
	}
	return runs, err
}

func (r *run) fileChanged(row int, err error) error {
	e := fault.New("file.changed", "run the same command again: rows already loaded are not sent twice", "%s changed while it was being loaded, at row %d; nothing was sent from there on", r.job.Input, row)
	e.Err = err
	return e
}
