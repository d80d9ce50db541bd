package bulk

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/send"
	"leadload/loader/target"
	"leadload/loader/update"
)

// updates changes opportunities.
type updates struct{ *Lane }

// items looks at the records again that were looked at too long ago.
func (u updates) items(ctx context.Context, rows []*send.Row) (list []item, others []*send.Row, err error) {
	var old []*ledger.Payload
	for _, j := range rows {
		if u.Updater.Stale(j.Payload.Edit) {
			old = append(old, &j.Payload)
		}
	}
	if len(old) > 0 {
		u.Line.Later()
		if err := u.Updater.Look(ctx, old); err != nil {
			return nil, rows, err
		}
		if err := u.Line.Now(ctx); err != nil {
			return nil, rows, err
		}
	}
	for _, j := range rows {
		object, fits := u.Updater.AmongMany(j.Payload.Edit)
		if !fits {
			others = append(others, j)
			continue
		}
		list = append(list, item{Row: j, object: object})
	}
	return list, others, nil
}

func (u updates) make(ctx context.Context, slot leadsquared.Slot, list []item) ([]leadsquared.BulkRow, leadsquared.BulkForm, leadsquared.Outcome) {
	return u.Line.Client.BulkUpdateOpportunities(ctx, slot, array(list), len(list))
}

// array joins the objects of a call.
func array(list []item) []byte {
	objects := make([][]byte, len(list))
	for i := range list {
		objects[i] = list[i].object
	}
	return append(append([]byte{'['}, bytes.Join(objects, []byte{','})...), ']')
}

func (u updates) tried(j *send.Row, tried bool) { update.Tried(j.Payload.Edit, tried) }

func (u updates) outcome(it *item, out leadsquared.Outcome) ledger.Outcome {
	if out.Verdict == leadsquared.Rejected {
		return update.Refused(it.Record, it.Payload.Edit, out.Refusal(), send.Outcome(it.Record, it.Op, out))
	}
	return u.Updater.Wrote(it.Record, it.Payload.Edit)
}

// names reports that an answer names the record that a row changes.
func (u updates) names(it *item, r leadsquared.BulkRow) bool {
	return r.ID == "" || strings.EqualFold(r.ID, it.Payload.Edit.ID)
}

func (u updates) question(list []item, rows []leadsquared.BulkRow) target.ReadQuestion {
	q := target.ReadQuestion{Code: list[0].Payload.Edit.Code}
	for i := range list {
		e := list[i].Payload.Edit
		q.Wanted = append(q.Wanted, target.Wanted{ID: e.ID, Lead: e.LeadID})
		for _, f := range update.Due(e) {
			if !slices.Contains(q.Fields, f) {
				q.Fields = append(q.Fields, f)
			}
		}
	}
	return q
}

// sure wants a word of success: the id is one that the call named itself.
func (u updates) sure(r leadsquared.BulkRow) bool { return r.Done || r.ID == "" }

// shows reports whether a record has the values by now. One that has not may show them later.
func (u updates) shows(it *item, _ leadsquared.BulkRow, b target.Back) (is, other bool) {
	return update.Shows(it.Payload.Edit, b), false
}

// untouched looks which of the values the account has: a change that is made twice
// does no harm, but it is not made without need.
func (u updates) untouched(ctx context.Context, b *batch, list []item) ([]*send.Row, error) {
	edits := make([]*ledger.Payload, len(list))
	for i := range list {
		edits[i] = &list[i].Payload
	}
	if err := u.Updater.Look(ctx, edits); err != nil {
		return nil, err
	}
	again := []*send.Row{}
	var over, ready []ledger.Outcome
	var ended []*send.Row // those that over is about
	for i := range list {
		it := &list[i]
		if o, done := update.Looked(it.Record, it.Payload.Edit); done {
			over, ended = append(over, o), append(ended, it.Row)
			continue
		}
		again = append(again, it.Row)
		ready = append(ready, ledger.Outcome{Record: it.Record, Op: it.Op, State: ledger.Ready, Edit: it.Payload.Edit})
	}
	if err := u.settle(ready); err != nil {
		return nil, err
	}
	for _, j := range again {
		update.Tried(j.Payload.Edit, false)
	}
	for i, j := range ended {
		b.end(j, over[i])
	}
	return again, nil
}
