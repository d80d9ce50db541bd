// Package settle finds out what became of rows whose answer is not known: it
// looks for those in doubt in the account, decides, sends again what is
// certainly not there, and asks the queue about those that are pending.
//
// A change belongs here when it is about the decision: which record is which
// row's (match.go, pure), how long to wait, whose clock to trust. What a look
// reads of the account is in package target.
package settle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/send"
	"leadload/loader/target"
)

const (
	maxResends   = 2 // sends of a row after look-ups that found nothing
	settleAtOnce = 4 // leads asked about side by side
	// laterTries is how often a lead is asked about again when the account knows
	// of a record but does not show it yet.
	laterTries = 4
	// unsureBefore is how long the account's search by other fields may lag
	// behind: only after it does "nothing found" mean anything there.
	unsureBefore = 10 * time.Minute
)

// What a Settler is doing.
const (
	Asking  = "asking about rows in doubt"
	Polling = "waiting for the account's queue"
)

// Settler settles the open rows of an account.
type Settler struct {
	Line        *line.Line
	Ledger      ledger.Store
	Lease       ledger.Lease
	Run         int64 // whose rows are worth waiting for; 0 means all
	Sender      *send.Sender
	Concurrency int
	Timeout     time.Duration // of one call
	SettleAfter time.Duration // from a call until the account's indexes have caught up
	Wait        time.Duration // how long to wait for the queue
	// Queue returns why the queue cannot be asked, or nil.
	Queue func() error
	// Memory knows which calls the account does not have; it may be nil.
	Memory target.Memory
	Notify func(string)
	Phase  func(string) // gets Asking or Polling
	// Tally gets how many rows came to a state, or with a minus left it.
	Tally func(ledger.State, int64)

	calib    calibration
	seen     witnesses
	pages    pages
	asked    map[int64]int // records looked at, and how often to no avail
	deadline time.Time     // until when the queue is waited for
}

// Settle looks rows in doubt up in the account, sends those again that are not
// there, and asks the queue for results.
func (s *Settler) Settle(ctx context.Context) error {
	s.asked, s.deadline = map[int64]int{}, time.Now().Add(s.Wait)
	s.seen = witnesses{turn: make(chan struct{}, 1), records: map[string]bool{}, leads: map[string]bool{}}
	doubts := 0
	err := s.open(ctx, func(rec ledger.Operation) {
		if rec.Op == ledger.Create && rec.State == ledger.InDoubt && rec.Payload.Target != "" {
			doubts++
		}
	})
	if err == nil && doubts > 0 {
		// The queue first: what it has made of other rows of a lead must not be taken
		// for those in doubt.
		err = s.poll(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.SendMissing(ctx); err != nil {
		return err
	}
	for {
		n, err := s.round(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	return s.poll(ctx)
}

// group is the rows in doubt of one lead.
type group struct {
	due  time.Time
	rows []ledger.Operation
	peek *target.Peek // what was read of its lead and of others together; nil: nothing that may be its rows'
}

// round looks at every row in doubt that is not given up, and returns their number.
func (s *Settler) round(ctx context.Context) (int, error) {
	asked := s.asked
	groups := map[string]*group{}
	err := s.open(ctx, func(rec ledger.Operation) {
		if rec.Op != ledger.Create {
			return // whether a change arrived is read off its record; nothing is looked for
		}
		if rec.Payload.Target == "" {
			return // only its file has what was sent
		}
		tries := laterTries
		if s.Run != 0 && rec.Run != s.Run {
			tries = 1 // another file's: a look is worth while, but no long wait
		}
		if rec.State != ledger.InDoubt || asked[rec.Record] >= tries {
			return
		}
		name := rec.Target + "\x00" + rec.Payload.Lead
		g := groups[name]
		if g == nil {
			g = &group{}
			groups[name] = g
		}
		g.rows = append(g.rows, rec)
		due := s.dueOf(rec)
		if asked[rec.Record] > 0 {
			due = time.Now().Add(s.SettleAfter / 2)
		}
		if due.After(g.due) {
			g.due = due
		}
	})
	if err != nil {
		return 0, err
	}
	if len(groups) == 0 {
		return 0, nil
	}
	list := make([]*group, 0, len(groups))
	rows := 0
	for _, g := range groups {
		list = append(list, g)
		rows += len(g.rows)
	}
	slices.SortFunc(list, func(a, b *group) int { return a.due.Compare(b.due) })
	s.Phase(Asking)
	if wait := time.Until(list[len(list)-1].due); wait > time.Second {
		s.Notify(fmt.Sprintf("%s in doubt, because an answer was lost: the account is asked in %s, when what it made can be seen", fault.Plural(int64(rows), "row is", "rows are"), spoken(wait)))
	} else {
		s.Notify(fmt.Sprintf("%s in doubt, because an answer was lost: the account is asked", fault.Plural(int64(rows), "row is", "rows are")))
	}
	if err := s.calibrate(ctx, list); err != nil {
		return 0, err
	}
	s.pages.begin(list, s.moment)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(settleAtOnce)
	results := make(chan settled, len(list))
	var waitErr error
	for len(list) > 0 {
		// Earlier doubts first, so that no one waits for a later one.
		if waitErr = line.Sleep(gctx, time.Until(list[0].due)); waitErr != nil {
			break
		}
		n := 1
		for n < len(list) && !list[n].due.After(time.Now()) {
			n++
		}
		if waitErr = s.peek(gctx, list[:n]); waitErr != nil {
			break
		}
		for _, one := range list[:n] {
			g.Go(func() error {
				done, err := s.group(gctx, one)
				results <- done
				return err
			})
		}
		list = list[n:]
	}
	err = g.Wait()
	close(results)
	var again [][]ledger.Operation
	for done := range results {
		for id, n := range done.tried { // after all looks: they ask who was looked at before
			asked[id] += n
		}
		if len(done.absent) > 0 {
			again = append(again, done.absent)
		}
	}
	if err == nil {
		err = waitErr
	}
	if err != nil {
		return rows, err
	}
	return rows, s.sendAllAgain(ctx, again)
}

// dueOf is when a row may be looked for: the account's indexes have caught up by
// then. Where somebody has set the clock back, its call lies in the future; the
// wait is never longer than for a call that is made now.
func (s *Settler) dueOf(rec ledger.Operation) time.Time {
	due, latest := s.endOf(rec).Add(s.SettleAfter), time.Now().Add(s.Timeout+s.SettleAfter)
	if due.After(latest) && !rec.Firm {
		return latest
	}
	return due
}

// endOf is when the call of a row had ended at the latest: until then, the
// account may still have been about to make the record.
func (s *Settler) endOf(rec ledger.Operation) time.Time {
	latest := rec.Sent.Add(send.ReserveAge + s.Timeout)
	if rec.Firm {
		return rec.Ended // another machine may have sent it at any moment of its lease
	}
	if rec.Ended.IsZero() || rec.Ended.After(latest) {
		return latest
	}
	return rec.Ended
}

// settled is what became of a group.
type settled struct {
	// tried says for each row that stays in doubt what to add to its tries: 1 to
	// ask again later, more to leave it to a person.
	tried  map[int64]int
	absent []ledger.Operation // certainly not there
}

// group asks the account about the rows in doubt of one lead.
func (s *Settler) group(ctx context.Context, g *group) (settled, error) {
	done := settled{tried: map[int64]int{}}
	slices.SortFunc(g.rows, func(a, b ledger.Operation) int { return a.Sent.Compare(b.Sent) })
	now := time.Now()
	wants, err := wantsOf(g.rows, func(sent time.Time) (time.Time, bool) { return s.moment(sent, now) })
	if err != nil {
		return done, err
	}
	open, err := s.named(ctx, g.rows)
	if err != nil {
		return done, err
	}
	sight, err := s.look(ctx, g.rows, wants, open, false, g.peek)
	if err != nil {
		return done, err
	}
	missed := func(d decision) bool { return d.kind != found }
	decisions := decide(wants, sight)
	if (sight.Short || g.peek != nil) && slices.ContainsFunc(decisions, missed) {
		// What was read of many leads at once proves only what it shows.
		if sight, err = s.look(ctx, g.rows, wants, open, true, nil); err != nil {
			return done, err
		}
		decisions = decide(wants, sight)
	}
	if len(sight.owned) > 0 {
		// Another row may have been told that a record is its own.
		more, sure, err := s.contested(ctx, g.rows[0].Target, sight.owned)
		if err != nil {
			return done, err
		}
		if !sure {
			decisions = undecidedIfAbsent(decisions)
		}
		if len(more) > 0 {
			maps.Copy(more, open)
			open = more
			if sight, err = s.look(ctx, g.rows, wants, open, true, nil); err != nil {
				return done, err
			}
			for i, d := range decide(wants, sight) {
				if d.kind == found && open.has(d.ids) || d.fits && open.has(d.ids) || decisions[i].kind == absent {
					decisions[i] = d
				}
			}
		}
	}
	for i, d := range decisions {
		rec := g.rows[i]
		switch d.kind {
		case found:
			if err := s.disown(ctx, open[d.ids[0]]); err != nil {
				return done, err
			}
			err := s.Ledger.Settle(ctx, s.Lease, ledger.Outcome{Record: rec.Record, State: ledger.Loaded, Unowned: true, ID: d.ids[0], LeadID: sight.leadOf(d.ids[0])})
			if errors.Is(err, ledger.ErrOwned) { // taken by a row settled beside this one: look again
				done.tried[rec.Record] = 1
				continue
			}
			if err != nil {
				return done, err
			}
			s.found(&rec, sight.byLead)
			s.Tally(ledger.InDoubt, -1)
			s.Tally(ledger.Loaded, 1)
		case absent:
			done.absent = append(done.absent, rec)
		default:
			if d.fits {
				// All of them are records of these rows, also one that another row was told.
				for _, id := range d.ids {
					if err := s.disown(ctx, open[id]); err != nil {
						return done, err
					}
					delete(open, id)
				}
			}
			done.tried[rec.Record] = 1
			if d.kind == unsure || sight.spent {
				done.tried[rec.Record] = laterTries
			}
			err := s.Ledger.Settle(ctx, s.Lease, ledger.Outcome{Record: rec.Record, State: ledger.InDoubt, Code: d.code, Msg: d.msg, Hint: d.hint, Candidates: d.ids})
			if err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// undecidedIfAbsent asks later about rows that seem to be absent.
func undecidedIfAbsent(list []decision) []decision {
	for i, d := range list {
		if d.kind == absent {
			list[i] = decision{kind: later, code: "doubt.unread", msg: "not all records of its lead that other rows have could be read: one of them may be its own", hint: "run leadload settle later"}
		}
	}
	return list
}

// sendAllAgain sends rows again that are certainly not in the account, those of
// one lead one after another. It begins when all looks are over: a record
// that is just being made must not be taken for that of another row.
func (s *Settler) sendAllAgain(ctx context.Context, groups [][]ledger.Operation) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.Concurrency)
	for _, rows := range groups {
		if context.Cause(gctx) != nil {
			break
		}
		g.Go(func() error {
			for _, rec := range rows {
				if err := s.sendAgain(gctx, rec); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// sendAgain sends one row again that is certainly not there. What was sent is
// kept until the account has it: whatever happens meanwhile, a later run sends it.
func (s *Settler) sendAgain(ctx context.Context, rec ledger.Operation) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	o := ledger.Outcome{Record: rec.Record, State: ledger.Missing, Code: "doubt.not-there", Msg: "the account does not have it", Hint: "run leadload settle, or the same command: the row is sent again"}
	switch {
	case rec.Changed:
		o.State, o.Msg, o.Hint = ledger.Ready, "the account does not have it, and the file has other values for it by now", "run the same command again: the row is sent as the file has it now"
	case rec.State == ledger.Missing:
	case rec.Resends >= maxResends:
		o.State, o.Code, o.Msg = ledger.InDoubt, "doubt.never-arrives", fmt.Sprintf("sent %d times and never found in the account", rec.Attempts)
		o.Hint = "look for it in the account: where it is not there, give the row another key and load it again"
		s.asked[rec.Record] = laterTries
	}
	if err := s.Ledger.Settle(ctx, s.Lease, o); err != nil {
		return err
	}
	if o.State == ledger.InDoubt {
		return nil
	}
	s.Tally(rec.State, -1)
	if rec.Changed {
		return nil
	}
	return s.Sender.Again(ctx, &rec)
}

// SendMissing sends the rows again that an earlier run found missing and could not send.
func (s *Settler) SendMissing(ctx context.Context) error {
	leads := map[string][]ledger.Operation{}
	var order []string
	err := s.open(ctx, func(rec ledger.Operation) {
		if rec.Op != ledger.Create || rec.State != ledger.Missing {
			return
		}
		name := rec.Target + "\x00" + rec.Payload.Lead
		if leads[name] == nil {
			order = append(order, name)
		}
		leads[name] = append(leads[name], rec)
	})
	if err != nil || len(order) == 0 {
		return err
	}
	s.Notify(fmt.Sprintf("rows of %s that an earlier run did not find in the account are sent again", fault.Plural(int64(len(order)), "lead", "leads")))
	groups := make([][]ledger.Operation, len(order))
	for i, name := range order {
		groups[i] = leads[name]
	}
	return s.sendAllAgain(ctx, groups)
}

// lookedAt reports whether this run has looked for a record before.
func (s *Settler) lookedAt(record int64) bool { return s.asked[record] > 0 }
