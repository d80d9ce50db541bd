package update

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"leadload/internal/fault"
	"leadload/loader/compare"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/mapping"
)

// doubt is an update whose answer was lost.
type doubt struct {
	ledger.Operation
	until time.Time // when reads show it at the latest
}

// Settle looks at the records of updates in doubt until the account shows the new
// values, or until it would have shown them. Then what is missing is sent again:
// only after that look, since the account's automations may act on every call.
// run says whose updates are worth waiting for; 0 means all.
func (u *Updater) Settle(ctx context.Context, run int64) error {
	open, err := u.doubts(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	u.Notify(fmt.Sprintf("%s in doubt, because an answer was lost: the account is asked whether it has the new values", fault.Plural(int64(len(open)), "update is", "updates are")))
	for pause := time.Second; len(open) > 0; pause = min(2*pause, 15*time.Second) {
		list := make([]*ledger.Payload, len(open))
		for i := range open {
			list[i] = &open[i].Payload
		}
		now := time.Now()
		if err := u.Look(ctx, list); err != nil {
			return err
		}
		for _, p := range list {
			if needs(p.Edit, mapping.OfLead, true) {
				if err := u.lookAtLead(ctx, p.Edit); err != nil {
					return err
				}
			}
		}
		var left []doubt
		soon := now.Add(pause)
		for _, d := range open {
			e := d.Payload.Edit
			if waits(e) && now.Before(d.until) && (run == 0 || d.Run == run) {
				left = append(left, d)
				continue
			}
			if waits(e) && now.Before(d.until) {
				continue // another file's: its own run, or leadload settle, waits for it
			}
			if err := u.finish(ctx, &d); err != nil {
				return err
			}
		}
		if open = left; len(open) > 0 {
			if err := line.Sleep(ctx, time.Until(soon)); err != nil {
				return err
			}
		}
	}
	return nil
}

// waits reports whether a field that may have been written does not show its new
// value yet: it shows the old one, or nothing could be read.
func waits(e *ledger.Edit) bool {
	if e.Gone {
		return false
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Tried && !c.Done && (compare.Finding(c.Finding) == compare.Send || compare.Finding(c.Finding) == compare.Unread) {
			return true
		}
	}
	return false
}

// finish ends an update in doubt whose record was just looked at.
func (u *Updater) finish(ctx context.Context, d *doubt) error {
	e := d.Payload.Edit
	for i := range e.Changes {
		if c := &e.Changes[i]; !e.Gone && c.Tried && !c.Done && compare.Finding(c.Finding) == compare.Unread {
			return nil // it stays in doubt: nothing is known of it
		}
	}
	o := ledger.Outcome{Record: d.Record, Op: ledger.Update, State: ledger.Ready, Edit: e}
	if next(e) == "" {
		o = ended(d.Record, e, ledger.Outcome{})
	}
	if err := u.Ledger.Settle(ctx, u.Lease, Stands(o)); err != nil {
		return err
	}
	u.Tally(ledger.InDoubt, -1)
	if o.State != ledger.Ready {
		u.Tally(o.State, 1)
		return nil
	}
	for i := range e.Changes {
		e.Changes[i].Tried = e.Changes[i].Done && e.Changes[i].Tried
	}
	o, err := u.Send(ctx, d.Record, &d.Payload)
	if o.State == 0 {
		return err
	}
	u.Tally(o.State, 1)
	return cmp.Or(u.Ledger.Settle(ctx, u.Lease, Stands(o)), err)
}

// doubts returns the account's updates in doubt.
func (u *Updater) doubts(ctx context.Context) ([]doubt, error) {
	var out []doubt
	for o, err := range ledger.AllOpen(ctx, u.Ledger, ledger.Query{Account: u.Lease.Account}) {
		if err != nil {
			return nil, err
		}
		if o.Op != ledger.Update || o.State != ledger.InDoubt || o.Payload.Edit == nil {
			continue
		}
		ended := o.Ended
		if ended.IsZero() || ended.After(time.Now()) {
			ended = time.Now()
		}
		out = append(out, doubt{o, ended.Add(u.Patience)})
	}
	return out, nil
}
