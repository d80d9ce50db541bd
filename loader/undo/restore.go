package undo

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"leadload/loader/compare"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/loader/update"
	"leadload/loader/words"
)

// lookAtValues reads the records whose values are to be put back.
func (u *Undoer) lookAtValues(ctx context.Context, items []*Item) error {
	var of []*Item
	var records []int64
	for _, it := range items {
		if it.Result != Open || !it.Restores() {
			continue
		}
		if len(it.Kept) == 0 {
			it.keep("the values that it had are no longer kept")
			it.Hint = "correct it in the account; --keep-values says how long an import keeps them"
			continue
		}
		of, records = append(of, it), append(records, it.Record)
	}
	if len(of) == 0 {
		return nil
	}
	known := make([]ledger.Record, len(of))
	if err := u.Ledger.Recall(ctx, records, known); err != nil {
		return err
	}
	list := make([]*ledger.Payload, len(of))
	for i, it := range of {
		it.payload = restoring(it, &known[i])
		list[i] = it.payload
	}
	if err := u.Updater.Recollect(ctx, list); err != nil {
		return err
	}
	for _, p := range list {
		for i := range p.Edit.Base {
			// A change in the very second of the run's own may be a person's, and must stay.
			p.Edit.Base[i].At = time.Time{}
		}
	}
	if err := u.Updater.Look(ctx, list); err != nil {
		return err
	}
	for _, it := range of {
		for i := range it.payload.Edit.Changes {
			c := &it.payload.Edit.Changes[i]
			switch {
			case it.Result != Open || c.Done:
			case it.payload.Edit.Gone:
				it.keep("it was deleted in the account")
			case compare.Finding(c.Finding) == compare.Conflict:
				it.keep("%s is %q in the account, which is not what the run wrote", c.Field, c.Had)
			case c.Why != "":
				it.fail(c.Field + ": " + c.Why)
			}
		}
	}
	return nil
}

// restoring returns the update that puts back what a run's update replaced. What
// was sent last is what the run wrote.
func restoring(it *Item, known *ledger.Record) *ledger.Payload {
	scope := target.ParseScope(it.Target)
	e := &ledger.Edit{ID: it.ID, LeadID: it.LeadID, Code: scope.Code, Key: it.Key, Back: true,
		Names: known.Names, Prints: append([]byte(nil), known.Prints...), Body: make([]byte, ledger.BodySize)}
	for _, k := range it.Kept {
		e.Changes = append(e.Changes, ledger.FieldChange{Field: k.Field, Part: string(partOf(scope.Kind, k.Field)), Value: leadsquared.AsSent(k.Had, k.Has), Sent: compare.Print(k.Has)})
		for i, n := range e.Names {
			if n == k.Field && 4*i+4 <= len(e.Prints) {
				binary.LittleEndian.PutUint32(e.Prints[4*i:], compare.Print(k.Had))
			}
		}
	}
	return &ledger.Payload{Target: scope.Kind, Edit: e}
}

// restore puts the values of one record back.
func (u *Undoer) restore(ctx context.Context, it *Item) error {
	if it.Change.Open() && slices.ContainsFunc(it.payload.Edit.Changes, func(c ledger.FieldChange) bool { return !c.Done }) {
		it.fail(notKnown) // a call that may still arrive is not made again
		return nil
	}
	o, err := u.Updater.Send(ctx, it.Record, it.payload)
	if o.State == 0 {
		return err
	}
	if o.State == ledger.Loaded && err == nil {
		err = u.cleared(ctx, it.payload.Edit, &o)
	}
	if serr := u.Ledger.Settle(context.WithoutCancel(ctx), u.Lease, update.Stands(o)); serr != nil || err != nil {
		return cmp.Or(err, serr)
	}
	switch o.State {
	case ledger.Loaded, ledger.Same:
		it.Result, it.Why = words.Restored, ""
	case ledger.Contested:
		it.keep("%s", o.Msg)
	case ledger.InDoubt:
		it.fail(o.Msg)
		it.Change = o.State
	default:
		it.fail(o.Msg)
		if o.Hint != "" && o.State == ledger.Withheld {
			it.Hint = o.Hint
		}
	}
	return nil
}

// cleared reads back whether empty values have cleared their fields, which is not
// documented, and makes the outcome say where they have not.
func (u *Undoer) cleared(ctx context.Context, e *ledger.Edit, o *ledger.Outcome) error {
	field, err := u.uncleared(ctx, e)
	if field != "" {
		o.State, o.Code, o.Msg = ledger.Withheld, "undo.empty", field+" was empty before, and the account does not take an empty value"
		o.Hint = "empty it in the account by hand"
	}
	return err
}

// uncleared returns the first field that was emptied and still has a value when
// reads must show it; "" when there is none.
func (u *Undoer) uncleared(ctx context.Context, e *ledger.Edit) (string, error) {
	check := ledger.Payload{Target: kindOf(e), Edit: &ledger.Edit{ID: e.ID, LeadID: e.LeadID, Code: e.Code}}
	for _, c := range e.Changes {
		if c.Wrote && c.Value == "" {
			check.Edit.Changes = append(check.Edit.Changes, ledger.FieldChange{Field: c.Field, Part: c.Part, Sent: c.Sent})
		}
	}
	if len(check.Edit.Changes) == 0 {
		return "", nil
	}
	began := time.Now()
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		if err := u.Updater.Look(ctx, []*ledger.Payload{&check}); err != nil {
			return "", err
		}
		open := ""
		for _, c := range check.Edit.Changes {
			if !c.Done && open == "" {
				open = c.Field
			}
		}
		if open == "" {
			return "", nil
		}
		if time.Since(began) >= u.Patience {
			for i := range e.Changes {
				if c := &e.Changes[i]; strings.EqualFold(c.Field, open) {
					c.Done, c.Wrote, c.Tried, c.Why = false, false, false, "the account does not take an empty value"
				}
			}
			return open, nil
		}
		if err := line.Sleep(ctx, pause); err != nil {
			return "", err
		}
	}
}

func kindOf(e *ledger.Edit) string {
	if e.Code != 0 {
		return "opportunity"
	}
	return "sales-activity"
}

// settleValues looks at records whose values were put back and whose answer was
// lost, until the account shows the values.
func (u *Undoer) settleValues(ctx context.Context, items []*Item) error {
	var open []*Item
	for _, it := range items {
		if it.Restores() && it.Result == words.Failed && it.Change == ledger.InDoubt {
			open = append(open, it)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if err := u.Updater.Settle(ctx, open[0].Run); err != nil {
		return err
	}
	var others []*Item
	for _, it := range open {
		done, err := u.settled(ctx, it)
		if err != nil {
			return err
		}
		if !done {
			it.Result, it.Why, it.Hint = Open, "", ""
			others = append(others, it)
		}
	}
	if err := u.lookAtValues(ctx, others); err != nil {
		return err
	}
	for _, it := range others {
		if it.Result == Open {
			it.fail("the account did not take the values that it had")
		}
	}
	return nil
}

// notKnown says why an item failed whose values may have been put back.
const notKnown = "whether the account has the values that it had is not known"

// settled gives an item its result where its update is in doubt no more and has put
// back all values, or where it still is in doubt. It reports false otherwise.
func (u *Undoer) settled(ctx context.Context, it *Item) (bool, error) {
	known := make([]ledger.Record, 1)
	if err := u.Ledger.Recall(ctx, []int64{it.Record}, known); err != nil {
		return false, err
	}
	if it.Change = known[0].Changing; it.Change.Open() {
		it.fail(notKnown)
		return true, nil
	}
	// The prints are those of what was sent last.
	e := it.payload.Edit
	for i := range e.Changes {
		c := &e.Changes[i]
		if known[0].Print(c.Field) != compare.Print(c.Value) {
			return false, nil
		}
		c.Wrote = c.Value == "" // an empty value is read back
	}
	o := ledger.Outcome{Record: it.Record, Op: ledger.Update, Edit: e}
	if err := u.cleared(ctx, e, &o); err != nil {
		return false, err
	}
	if it.Result, it.Why, it.Hint = words.Restored, "", ""; o.State == 0 {
		return true, nil
	}
	it.fail(o.Msg)
	it.Hint = o.Hint
	return true, u.Ledger.Settle(ctx, u.Lease, update.Stands(o))
}
