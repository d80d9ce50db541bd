package loader

import (
	"context"
	"fmt"
	"slices"
	"time"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/undo"
	"leadload/loader/words"
)

// UndoJob is a run to take back.
type UndoJob struct {
	Run  int64
	Rows RowSet // only these rows; nil is all
	// Confirm is shown the plan before anything is taken back; an error ends the
	// command. It may be nil.
	Confirm func(UndoPlan) error
}

// UndoPlan is what an undo is about to do.
type UndoPlan struct {
	Run            ledger.Run
	Delete, Cancel int64 // opportunities, sales activities
	Restore        int64 // rows whose update is put back
	Doubt          int64 // deletions of an undo that was cut off, to be looked at
	Gone           int64 // taken back before, or no longer in the account
	Duplicates     int64 // rows that the account's own rule matched: never taken back
	Leads          bool  // captures may have made leads, which stay
	Stays          []UndoRow
	Kept, Failed   []UndoRow
	Calls          int64 // at least
	Time           time.Duration
	Limit, Account string
}

// UndoRow is a row of an undo.
type UndoRow struct {
	Number     int
	Key        string
	Result     words.Result
	Place      int // of Result, in words.Undo
	ID, LeadID string
	Why, Hint  string
	Stays      bool // its type does not allow a deletion
}

// UndoResult is what became of an UndoJob. It is filled in as far as the command
// came, also when Undo returns an error.
type UndoResult struct {
	Run              ledger.Run
	Plan             UndoPlan
	Totals           words.Counts
	Rows             []UndoRow // in the order of the file
	Calls, Throttled int64
	End              fault.Trait
}

// Undo takes back what a run made and changed in the account: only what is as the
// run left it. Rows that were taken back are ready for the next import.
func (s *Session) Undo(ctx context.Context, j UndoJob) (UndoResult, error) {
	res := UndoResult{Totals: words.Undo.Counts()}
	before := s.pacer.State()
	items, err := s.undo(ctx, j, &res)
	after := s.pacer.State()
	res.Calls, res.Throttled = after.Calls-before.Calls, after.Throttled-before.Throttled
	if ferr := s.led.Flush(); err == nil {
		err = ferr
	}
	for _, it := range items {
		r := rowOfUndo(it)
		res.Totals.Add(r.Place, 1)
		res.Rows = append(res.Rows, r)
	}
	switch {
	case err != nil:
		res.End = fault.TraitOf(err)
	case res.Totals.Person() > 0:
		res.End = fault.Person
	}
	return res, err
}

func rowOfUndo(it *undo.Item) UndoRow {
	r := UndoRow{Number: it.Number, Key: it.Key, Place: it.Result, ID: it.ID, LeadID: it.LeadID, Why: it.Why, Hint: it.Hint, Stays: it.Stays}
	if it.Origin != 0 {
		r.Number = it.Origin
	}
	if r.ID == "" {
		r.ID = it.UndoID
	}
	if r.Place == undo.Open {
		r.Place, r.Why, r.Hint = words.Failed, "the undo ended before this row", undo.AgainHint
	}
	r.Result = words.Undo[r.Place]
	return r
}

func (s *Session) undo(ctx context.Context, j UndoJob, res *UndoResult) ([]*undo.Item, error) {
	ctx, cancel := s.untilTime(ctx)
	defer cancel(nil)
	runs, err := s.led.Runs(ctx, ledger.RunQuery{ID: j.Run})
	if err != nil {
		return nil, err
	}
	const which = "type leadload runs to see the numbers"
	switch {
	case len(runs) == 0:
		return nil, fault.New("usage", which, "the ledger knows no run %d", j.Run)
	case runs[0].Command != "import":
		return nil, fault.New("usage", which, "run %d was a %s, which made nothing in the account", j.Run, runs[0].Command)
	case runs[0].Account != s.acct:
		return nil, fault.New("undo.account", "name that account with --account, or set its LEADSQUARED_… variables", "run %d loaded into another account, %s", j.Run, s.other(&runs[0]))
	}
	res.Run = runs[0]
	u := s.undoer()
	s.live.phase.Store(Planning)
	items, err := s.undoItems(ctx, j, res)
	if err != nil {
		return nil, err
	}
	planned := time.Now()
	if err := u.Plan(ctx, items); err != nil {
		return nil, causeOf(ctx, err)
	}
	res.Plan = s.undoPlan(res, items)
	if j.Confirm != nil {
		if err := j.Confirm(res.Plan); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(items, changeOpen) {
		// An earlier undo was cut off while it put values back.
		if err := u.Updater.Settle(ctx, j.Run); err != nil {
			return items, causeOf(ctx, err)
		}
		again := UndoResult{Run: res.Run}
		if items, err = s.undoItems(ctx, j, &again); err != nil {
			return nil, err
		}
		planned = time.Time{}
	}
	s.live.phase.Store(Undoing)
	open := int64(0)
	for _, it := range items {
		if it.Result == undo.Open {
			open++
		}
	}
	s.live.total.Store(open)
	s.live.started.Store(time.Now().UnixNano())
	if err := u.Do(ctx, items, planned); err != nil {
		return items, causeOf(ctx, err)
	}
	return items, context.Cause(ctx)
}

// causeOf returns why a command was cut short, unless something else happened.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func changeOpen(it *undo.Item) bool {
	return it.Restores() && it.Result == undo.Open && it.Change.Open()
}

func (s *Session) undoer() *undo.Undoer {
	u := &undo.Undoer{Line: s.line, Ledger: s.led, Lease: s.lease, Updater: s.updater(false), Concurrency: s.o.Concurrency,
		Patience: s.o.Patience, Memory: s.lacks, Notify: s.o.Notify, Done: func() { s.live.read.Add(1) }}
	return u
}

// undoItems reads the rows of a run that an undo is about.
func (s *Session) undoItems(ctx context.Context, j UndoJob, res *UndoResult) ([]*undo.Item, error) {
	kept := map[int64][]ledger.Kept{}
	for k, err := range s.led.Kept(ctx, j.Run) {
		if err != nil {
			return nil, err
		}
		if k.Result == ledger.ResultUpdated {
			kept[k.Record] = append(kept[k.Record], k)
		}
	}
	began := map[int64]time.Time{} // of later runs
	var items []*undo.Item
	for p, err := range s.led.Planned(ctx, j.Run) {
		if err != nil {
			return nil, err
		}
		number := p.Number
		if p.Origin != 0 {
			number = p.Origin
		}
		if j.Rows != nil && !j.Rows.Has(number) {
			continue
		}
		it := &undo.Item{Planned: p, Kept: kept[p.Record], Result: undo.Open}
		mine := p.Run == j.Run
		if !mine {
			if _, known := began[p.Run]; !known {
				later, err := s.led.Runs(ctx, ledger.RunQuery{ID: p.Run})
				if err != nil {
					return nil, err
				}
				began[p.Run] = time.Time{}
				for _, r := range later {
					began[p.Run] = r.Started
				}
			}
		}
		switch {
		case p.Verdict == ledger.Changing && (p.Change == ledger.Loaded || p.Change.Open() || len(it.Kept) > 0):
			if !mine {
				it.Result, it.Why = words.Kept, fmt.Sprintf("run %d has written it since", p.Run)
			}
		case p.Verdict == ledger.Changing:
			continue // the run wrote nothing
		case p.Creation.Open() && mine:
			it.Result, it.Why = words.Failed, "whether the account has it is not known"
			it.Hint = "run leadload settle, then undo again"
		case p.Fate == ledger.Matched && mine:
			res.Plan.Duplicates++
			continue
		case p.Fate == ledger.Present && (p.Sent.IsZero() || p.Sent.Before(res.Run.Started.Truncate(time.Millisecond))):
			continue // adopted, or made by an earlier run
		case p.Fate == ledger.Present && mine:
		case p.Fate == ledger.Present && p.Sent.Before(began[p.Run]):
			it.Result, it.Why = words.Kept, fmt.Sprintf("run %d has written it since", p.Run)
		case p.Fate == ledger.Absent && p.Undo == ledger.Loaded && mine:
			it.Result = words.Undone // by an earlier undo
		default:
			continue
		}
		items = append(items, it)
	}
	return items, nil
}

// undoPlan sums up what is about to be done.
func (s *Session) undoPlan(res *UndoResult, items []*undo.Item) UndoPlan {
	p := UndoPlan{Run: res.Run, Duplicates: res.Plan.Duplicates, Account: s.o.Account.Display(), Limit: s.pacer.State().Limit.String()}
	for _, it := range items {
		switch {
		case it.Result == words.Undone, it.Result == undo.Open && it.Why != "":
			p.Gone++
		case it.Result == words.Kept && it.Stays:
			p.Stays = append(p.Stays, rowOfUndo(it))
		case it.Result == words.Kept:
			p.Kept = append(p.Kept, rowOfUndo(it))
		case it.Result == words.Failed:
			p.Failed = append(p.Failed, rowOfUndo(it))
		case it.Restores():
			p.Restore++
			p.Calls++
		case it.Undo.Open():
			p.Doubt++
			p.Calls++
		case res.Run.Target == "sales-activity":
			p.Cancel++
			p.Calls += 2 // and the look afterwards
		default:
			p.Delete, p.Leads = p.Delete+1, true
			p.Calls += 2
		}
	}
	p.Time = s.pacer.Earliest(p.Calls)
	return p
}
