// Package loader runs imports: it plans what a file asks for, sends what the
// account does not have yet, at the account's pace, settles what is in doubt
// and stops cleanly when it must.
//
// A run goes through the file twice. The first pass maps and checks every row
// and writes a plan into the ledger; nothing is sent. The second pass sends
// the rows that the plan says are due, each after its intent is on disk.
//
//	s, err := loader.Connect(ctx, loader.Options{Account: acct, Ledger: led})
//	defer s.Close()
//	res, err := s.Import(ctx, loader.Job{File: file, Mapping: m})
//
// When ctx ends, no further call begins, calls in flight are finished and
// written down, and Import returns. Its error is a *fault.Fault, or one of the
// packages below that says what happened and what to do.
//
// This package has the verbs, a file each: import, check, settle, restore and
// what the account says of itself. The work is done below it:
//
//	account  which account, and what it says of its fields
//	plan     one pass over a file: map, check, decide
//	send     rows in their order, each after its intent is on disk
//	settle   what became of rows whose answer is not known
//	target   what a row can become: its calls, and how it is found again
//	line     the one line to the account: limits, outage, clock
//	ledger   what was sent, and what became of it
package loader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/loader/update"
	"leadload/mapping"
)

// Job is one file to load.
type Job struct {
	Input       string // the file as the user named it
	InputPath   string // absolute; "" for standard input
	File        *source.File
	Mapping     *mapping.Mapping
	MappingPath string // absolute
	Rows        RowSet // only these rows; nil is all
	Dropped     bool   // it came into a folder of files, so that each is another one
	Strict      bool   // send nothing if any row is invalid
	Update      bool   // rows that changed since they were loaded are updated
	Remake      bool   // so are fields that the mapping has gained or makes in another way now
	NewLedger   bool   // rows are sent although something else than the ledger knows of earlier imports
	SendAgain   bool   // rows that resemble rows that are loaded and gone are sent
	Overwrite   bool   // also where somebody has changed them in the account since
	// KeepValues is how long the values that updates met in the account are kept; 0
	// is 30 days, negative is not at all: whoever has written the results calls Unkeep.
	KeepValues time.Duration
	Who        string // user@machine
	Version    string // of leadload
	// Beside names a results file beside the input by which rows are in an account of
	// this name; "": there is none. It is asked where the ledger is a new one, and may
	// be nil.
	Beside func(account string) (results string, err error)
	// Confirm is shown the plan before anything is sent; an error ends the
	// run. It may be nil.
	Confirm func(Plan) error
}

// Plan is what the first pass found out.
type Plan struct {
	Rows     ledger.Counts // ResultWouldSend are the rows to send
	Lookups  int64         // distinct leads to be looked up first
	Calls    int64         // calls that the plan costs at least
	Time     time.Duration // that they take at the limit, at best
	Finish   time.Time
	Bulk     BulkPlan
	DayShare float64  // part of the daily limit; 0 without one
	Unused   []string // columns that the mapping neither uses nor ignores
	Warnings []string
	Limit    string
	Account  string
	// Renamed are rows that were loaded with an earlier mapping under another identity,
	// by its name; Remade the loaded rows for each field that the mapping has gained,
	// lost or makes in another way now, and RemadeRows all of them.
	Renamed, Remade          map[string]int64
	RemadeRows               int64
	Removed                  Removed
	Unfit                    int64 // rows that are loaded, and cannot be sent as they are written now
	OtherDoubt, OtherPending int64 // open rows of earlier runs that this file does not go on with
}

// Ready returns the number of rows to send.
func (p Plan) Ready() int64 { return p.Rows[ledger.ResultWouldSend] }

// Updates returns the number of rows to update.
func (p Plan) Updates() int64 { return p.Rows[ledger.ResultWouldUpdate] }

// Result is what became of a Job. It is filled in as far as the run came,
// also when Import returns an error.
type Result struct {
	Run    ledger.Run
	Plan   Plan
	Totals ledger.Counts
	End    fault.Trait // how the run ended: the exit code
}

// RowSet is a set of rows as the spreadsheet counts them.
type RowSet = plan.RowSet

// RowRange is rows From to To, both included.
type RowRange = plan.RowRange

// Import loads one file. The run that it begins in the ledger is ended when it
// returns, whatever happened.
func (s *Session) Import(ctx context.Context, j Job) (Result, error) {
	res, err := s.load(ctx, j)
	err = s.finish(ctx, &res, err)
	return res, err
}

func (s *Session) load(ctx context.Context, j Job) (Result, error) {
	var res Result
	s.live.reset()
	ctx, cancel := s.untilTime(ctx)
	defer cancel(nil)
	program, err := Compile(j.Mapping, j.File, j.Input)
	if err != nil {
		return res, err
	}
	if err := s.suits(j.Mapping); err != nil {
		return res, err
	}
	if err := s.begun(ctx, &j); err != nil {
		return res, err
	}
	j.File.Need(program.Reads())
	info := j.File.Info()
	before := s.calls()
	res.Run = ledger.Run{
		Account: s.acct, AccountName: s.o.Account.Display(), Command: "import", Input: j.Input, InputPath: j.InputPath, Sheet: info.Sheet,
		Mapping: j.Mapping.Name, MappingPath: j.MappingPath, MappingHash: j.Mapping.Hash, MappingText: j.Mapping.Text(), Target: string(j.Mapping.Target), Timezone: j.Mapping.Timezone,
		Who: j.Who, Version: j.Version, Limit: s.limits(), Started: time.Now().UTC(),
	}
	if err := s.recount(ctx); err != nil {
		return res, err
	}
	if res.Run.ID, err = s.led.Begin(ctx, res.Run); err != nil {
		return res, err
	}
	s.live.run.Store(res.Run.ID)
	r := &run{Session: s, job: j, program: program, id: res.Run.ID, began: res.Run.Started, cancel: cancel}
	runErr := r.do(ctx, &res.Plan)
	// If the run was cut short, report why (the context's cause), unless there is a worse error.
	if runErr == nil || errors.Is(runErr, context.Canceled) {
		if cause := context.Cause(ctx); cause != nil {
			runErr = cause
		}
	}
	flushErr := s.led.Flush()
	defer func() {
		switch here := arrived(res.Totals); {
		case here && !r.traced:
			s.remember(r.began)
		case r.fresh && !here:
			s.unremember()
		}
	}()
	tally, err := s.led.Tally(context.WithoutCancel(ctx), r.id)
	if err == nil {
		totals := tally.Counts()
		res.Totals = totals
		if rows := r.rows.Load(); totals.Sum() != rows && flushErr == nil {
			err = &fault.Fault{Code: "run.conservation", Msg: fmt.Sprintf("%d rows were read but %d have a result", rows, totals.Sum()),
				Hint: "this is an error in leadload: keep the ledger and the file, and report it; do not load the file again before it is understood"}
		} else if flushErr == nil && runErr == nil {
			err = s.unique(ctx, r.id)
		}
	}
	after := s.calls()
	res.Run.Ended, res.Run.Calls, res.Run.Throttled, res.Run.Bulk, res.Run.Limit = time.Now().UTC(), after.Calls-before.Calls, after.Throttled-before.Throttled, after.Bulk-before.Bulk, s.limits()
	err = errors.Join(runErr, flushErr, err)
	if flushErr != nil && runErr != nil {
		err = runErr // the same failure of the ledger, told once
	}
	return res, err
}

// unique checks that no id of the account stands on two rows of a run.
func (s *Session) unique(ctx context.Context, run int64) error {
	id, n, err := s.led.Twice(context.WithoutCancel(ctx), run)
	if err != nil || n == 0 {
		return err
	}
	return &fault.Fault{Code: "run.conservation", Msg: fmt.Sprintf("%d ids stand on more than one row, %s among them", n, id),
		Hint: "run leadload settle: it asks the account whose they are; then load the same file again"}
}

// suits checks what a mapping needs of the account before anything is read.
func (s *Session) suits(m *mapping.Mapping) error {
	if _, queued := target.For(m.Target).(target.Queued); queued {
		return s.o.Account.AsyncProblem()
	}
	return nil
}

// run is one import at work.
type run struct {
	*Session
	job     Job
	program *mapping.Program
	id      int64
	began   time.Time
	scope   int64
	cancel  context.CancelCauseFunc
	rows    atomic.Int64 // rows of the file seen by the first pass
	planner *ledger.Planner
	traced  bool         // the run has left a trace of the ledger
	fresh   bool         // the account had none before
	refused map[int]bool // rows that an earlier run was refused: they go last
}

func (r *run) do(ctx context.Context, plan *Plan) error {
	var err error
	if r.scope, err = r.led.Scope(ctx, r.acct, target.For(r.job.Mapping.Target).Scope(r.job.Mapping).String()); err != nil {
		return err
	}
	r.live.phase.Store(Planning)
	if *plan, err = r.firstPass(ctx); err != nil {
		return err
	}
	if r.job.Strict && plan.Rows[ledger.ResultInvalid] > 0 {
		return fault.New("run.strict", "correct the rows of the sheet Failed, or leave --strict out to load the others",
			"%s invalid and --strict is on: nothing was sent", fault.Plural(plan.Rows[ledger.ResultInvalid], "row is", "rows are"))
	}
	if err := r.resent(ctx, plan.Ready(), r.planner); err != nil {
		return err
	}
	if r.job.Confirm != nil {
		if err := r.job.Confirm(*plan); err != nil {
			return err
		}
	}
	if plan.Ready()+plan.Updates()+plan.Rows[ledger.ResultInDoubt]+plan.Rows[ledger.ResultPending] > 0 {
		out := r.checkIn(ctx)
		defer out()
	}
	if plan.Ready()+plan.Updates() > 0 {
		r.fresh, r.traced = r.remember(r.began), true
	}
	sender := r.sender(r.began, r.cancel)
	updater := r.updater(r.job.Overwrite)
	sender.Update = updater.Send
	if lane := r.many(); lane != nil {
		lane.Updater = updater
		sender.Many, sender.ManyAtOnce = lane, r.bulkAtOnce()
	}
	sender.MaxSame = r.o.MaxSame
	sender.Trusted = func(ctx context.Context) (bool, error) { return r.led.Trusted(ctx, r.acct, r.job.Mapping.Hash) }
	r.live.total.Store(plan.Ready() + plan.Updates())
	r.live.started.Store(time.Now().UnixNano())
	if plan.Ready()+plan.Updates() > 0 {
		r.live.phase.Store(Sending)
		rows := sender.Remembered(ctx, r.due(ctx))
		if plan.Updates() > 0 {
			rows = r.looked(ctx, updater, rows)
		}
		if err := sender.Send(ctx, rows); err != nil {
			return err
		}
	}
	if plan.Rows[ledger.ResultInDoubt] > 0 {
		if err := r.refill(ctx); err != nil {
			return err
		}
	}
	settler := r.settler(sender, r.id)
	if r.o.NoSettle {
		return settler.SendMissing(ctx) // these are not in doubt
	}
	if err := settler.Settle(ctx); err != nil {
		return err
	}
	if err := updater.Settle(ctx, r.id); err != nil {
		return err
	}
	return r.lookAgain(ctx, updater, plan.Updates() > 0)
}

// firstPass maps and checks every row, writes what is to be done with it, and sums up.
func (r *run) firstPass(ctx context.Context) (Plan, error) {
	if r.job.KeepValues == 0 {
		r.job.KeepValues = 30 * 24 * time.Hour
	}
	if err := r.led.Drop(ctx, time.Now().Add(-max(r.job.KeepValues, 0))); err != nil {
		return Plan{}, err
	}
	if err := r.led.Memo().ForgetLeads(ctx, r.acct, r.o.LeadAge); err != nil {
		return Plan{}, err
	}
	earlier, err := plan.NewEarlier(ctx, r.led, r.scope, r.job.Mapping, r.job.File)
	if err != nil {
		return Plan{}, err
	}
	pass := plan.Import{Earlier: earlier, File: r.job.File, Mapping: r.job.Mapping, Program: r.program, Rows: r.job.Rows,
		Planner: &ledger.Planner{Store: r.led, Lease: r.lease, Run: r.id, Scope: r.scope, Policy: update.Policy(r.job.Mapping, r.job.Update, r.job.Remake)},
		OnRow:   func(n int64) { r.rows.Store(n); r.live.total.Store(n) }}
	seen, err := pass.Run(ctx)
	r.planner, r.refused = pass.Planner, pass.Planner.Refused
	switch {
	case err != nil:
		return Plan{}, err
	case seen.Rows == 0:
		return Plan{}, fault.New("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", r.job.Input)
	case seen.Chosen == 0:
		return Plan{}, noRows(r.job.Input)
	}
	tally, err := r.led.Tally(ctx, r.id)
	if err != nil {
		return Plan{}, err
	}
	counts := tally.Planned()
	p := Plan{Rows: counts, Unused: r.program.Unused(), Warnings: slices.Concat(r.program.Warnings(), pass.Warnings(), hiddenNote(seen.Hidden)), Account: r.o.Account.Display()}
	p.Renamed, p.Remade, p.RemadeRows = pass.Planner.Renamed, pass.Planner.Remade, pass.Planner.RemadeRows
	p.Unfit = pass.Planner.Unfit
	if err := r.removed(ctx, &p); err != nil {
		return p, err
	}
	if p.Lookups, err = r.led.Memo().WantedLeads(ctx, r.acct); err != nil {
		return p, err
	}
	open, err := r.led.CountOpen(ctx, r.acct)
	if err != nil {
		return p, err
	}
	p.OtherDoubt, p.OtherPending = open.InDoubt-counts[ledger.ResultInDoubt], open.Pending-counts[ledger.ResultPending]
	p.Calls = p.Ready() + p.Lookups + counts[ledger.ResultPending]
	if n := p.Updates(); n > 0 {
		p.Calls += n + (n-1)/int64(r.window()) + 1 // and the looks before them
	}
	p.Limit = r.pacer.State().Limit.String()
	p.Time = r.pacer.Earliest(p.Calls)
	p.bulk(r.lanes(), r.job.Mapping, r.shut)
	p.Finish = time.Now().Add(p.Time)
	if d := r.o.Account.DailyLimit; d > 0 {
		p.DayShare = float64(p.Calls) / float64(d)
	}
	return p, nil
}

// noRows says that --rows leaves nothing.
func noRows(input string) error {
	return fault.New("usage", "name rows as the spreadsheet counts them, the header being row 1 of most files", "%s has none of the rows that --rows names", input)
}

// hiddenNote says that rows were read which a spreadsheet does not show; "" for none.
func hiddenNote(n int64) []string {
	if n == 0 {
		return nil
	}
	return []string{fault.Plural(n, "hidden row is", "hidden rows are") + " read like the others"}
}
