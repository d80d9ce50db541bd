package loader

import (
	"context"
	"slices"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/plan"
	"leadload/loader/target"
	"leadload/loader/update"
	"leadload/mapping"
)

// Fault is one fault of one row, with its place and its cure.
type Fault struct {
	Row    int    `json:"row"`            // as the spreadsheet counts
	Line   int    `json:"line,omitempty"` // CSV: physical line
	Column string `json:"column,omitempty"`
	Field  string `json:"field,omitempty"` // of the request body
	Code   string `json:"code"`
	Msg    string `json:"message"`
	Hint   string `json:"what_to_do,omitempty"`
}

// CheckJob is a file to go through without sending anything.
type CheckJob struct {
	Job
	Account account.Account // names and limit; no call is made
	Ledger  ledger.Store    // what is loaded already; nil is nothing
	// Scratch, where not nil, is a ledger that gets the rows of run
	// ScratchRun, for a report.
	Scratch    ledger.Store
	ScratchRun int64
	// Online, where not nil, holds every row against the account's metadata too.
	Online *account.Online
	// OnFault is told of every fault of a row.
	OnFault func(Fault)
	// OnBody is shown the request body of every row that would be sent or is
	// loaded already, and which of them it is; it may be nil.
	OnBody func(row int, result ledger.Result, body []byte)
	// OnRow is told the number of rows seen so far; it may be nil.
	OnRow func(n int64)
}

// CheckResult is what going through a file brought to light.
type CheckResult struct {
	Plan    Plan
	Totals  ledger.Counts
	Samples []mapping.Sample
	Started time.Time
	Ended   time.Time
	End     fault.Trait // how the check ended: the exit code
}

// Check does everything that Import would do with a file, except sending. The
// run in Scratch, if there is one, is ended when it returns without an error.
func Check(ctx context.Context, j CheckJob) (CheckResult, error) {
	res, err := checkFile(ctx, j)
	switch {
	case err != nil:
		res.End = fault.TraitOf(err)
	case res.Totals.Person() > 0:
		res.End = fault.Person
	}
	if err == nil && j.Scratch != nil {
		err = j.Scratch.End(ctx, ledger.Run{ID: j.ScratchRun, Ended: res.Ended, Exit: res.End.Exit()})
	}
	return res, err
}

func checkFile(ctx context.Context, j CheckJob) (CheckResult, error) {
	res := CheckResult{Started: time.Now().UTC()}
	program, err := Compile(j.Mapping, j.File, j.Input)
	if err != nil {
		return res, err
	}
	j.File.Need(program.Reads())
	pass := plan.Check{File: j.File, Mapping: j.Mapping, Program: program, Rows: j.Rows, Store: j.Ledger, Bodies: j.OnBody != nil, Prints: j.Scratch != nil, Marks: true, Sampler: program.Sampler(), Policy: update.Policy(j.Mapping, j.Update, j.Remake)}
	if j.Online != nil {
		pass.Judge = func() plan.Judge { return j.Online.Fork() }
	}
	if j.Ledger != nil {
		if pass.Scope, err = j.Ledger.Find(ctx, j.Account.Names(), target.For(j.Mapping.Target).Scope(j.Mapping).String()); err != nil {
			return res, err
		}
	}
	if pass.Earlier, err = plan.NewEarlier(ctx, j.Ledger, pass.Scope, j.Mapping, j.File); err != nil {
		return res, err
	}
	leads := map[[16]byte]struct{}{}
	var known ledger.Set
	var scratch []ledger.Entry
	rows := int64(0)
	seen, err := pass.Run(ctx, func(row *plan.Row) error {
		e := &row.Entry
		j.tell(row)
		if e.WantField != "" && e.Verdict == ledger.Due {
			leads[row.Lead] = struct{}{}
		}
		res.Plan.Rows.Add(ledger.PlannedResult(e.Verdict, e.State), 1)
		if row.Known != nil {
			known.Add(row.Known.ID)
		}
		rows++
		if j.OnRow != nil {
			j.OnRow(rows)
		}
		if j.Scratch != nil {
			one := *e
			one.Record, one.Moved = 0, nil // of the ledger, and this is another: a row without a record keeps its key
			if scratch = append(scratch, one); len(scratch) == plan.Batch {
				if err := j.Scratch.Plan(ctx, ledger.Lease{}, j.ScratchRun, 0, scratch); err != nil {
					return err
				}
				scratch = scratch[:0]
			}
		}
		return nil
	})
	if err != nil {
		return res, err
	}
	if j.Scratch != nil && len(scratch) > 0 {
		if err := j.Scratch.Plan(ctx, ledger.Lease{}, j.ScratchRun, 0, scratch); err != nil {
			return res, err
		}
	}
	res.Totals = res.Plan.Rows
	res.Plan.Renamed, res.Plan.Remade, res.Plan.RemadeRows = pass.Told.Renamed, pass.Told.Remade, pass.Told.RemadeRows
	res.Plan.Unfit = pass.Told.Unfit
	if pass.Scope != 0 && j.whole() {
		found, err := removedFrom(ctx, j.Ledger, pass.Scope, &j.Job, func(run *ledger.Run) bool { return run.AccountName == j.Account.Display() }, known.Has)
		if err != nil {
			return res, err
		}
		res.Plan.Removed = found.counts()
	}
	if seen.Rows == 0 {
		return res, fault.New("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", j.Input)
	}
	if seen.Chosen == 0 {
		return res, noRows(j.Input)
	}
	res.Plan.Unused, res.Plan.Warnings = program.Unused(), slices.Concat(program.Warnings(), pass.Warnings(), hiddenNote(seen.Hidden))
	if j.Online != nil {
		res.Plan.Warnings = append(res.Plan.Warnings, j.Online.Warnings()...)
	}
	res.Samples = pass.Sampler.Samples()
	res.Plan.Lookups = int64(len(leads))
	limit := j.Account.Limit
	res.Plan.Calls = res.Plan.Ready() + res.Plan.Updates() + res.Plan.Lookups + res.Plan.Rows[ledger.ResultPending]
	res.Plan.Limit, res.Plan.Account = limit.String(), j.Account.Display()
	if limit.Calls > 0 && res.Plan.Calls > 0 {
		windows := (res.Plan.Calls - 1) / int64(limit.Calls)
		res.Plan.Time = time.Duration(windows) * limit.Window
	}
	res.Plan.bulk(lanes{limit, j.Account.BulkLimit}, j.Mapping, func(bool) bool { return false })
	res.Plan.Finish = time.Now().Add(res.Plan.Time)
	if d := j.Account.DailyLimit; d > 0 {
		res.Plan.DayShare = float64(res.Plan.Calls) / float64(d)
	}
	res.Ended = time.Now().UTC()
	return res, nil
}

// tell reports a row's faults, or shows its body.
func (j *CheckJob) tell(row *plan.Row) {
	e := &row.Entry
	switch e.Verdict {
	case ledger.Invalid:
		if j.OnFault == nil {
			return
		}
		if len(row.Faults) > 0 {
			for _, f := range row.Faults {
				j.OnFault(Fault{Row: e.Number, Line: e.Line, Column: f.Column, Code: string(f.Code), Msg: f.Msg, Hint: f.Advice()})
			}
			return
		}
		for _, p := range row.Problems {
			j.OnFault(Fault{Row: e.Number, Line: e.Line, Column: p.Column, Field: p.Field, Code: p.Code, Msg: p.Msg, Hint: p.Hint})
		}
	case ledger.Repeated, ledger.Changed:
		if j.OnFault != nil {
			j.OnFault(Fault{Row: e.Number, Line: e.Line, Column: strings.Join(j.keyColumns(e), " + "), Code: e.Code, Msg: e.Msg, Hint: e.Hint})
		}
	case ledger.Due:
		if j.OnBody != nil {
			j.OnBody(e.Number, ledger.PlannedResult(e.Verdict, e.State), row.Body)
		}
	case ledger.Already:
		if j.OnBody != nil && !e.Unfit {
			j.OnBody(e.Number, ledger.ResultAlready, row.Body)
		}
	}
}

// keyColumns are the columns by which a row is the one of before.
func (j *CheckJob) keyColumns(e *ledger.Entry) []string {
	if e.HasKey {
		return j.Mapping.Key
	}
	return nil
}
