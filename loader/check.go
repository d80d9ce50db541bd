package loader

import (
	"context"
	"strconv"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/source"
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
	Account Account        // names and limit; no call is made
	Ledger  *ledger.Ledger // what is loaded already; nil is nothing
	// Scratch, where not nil, is a ledger that gets the rows of run
	// ScratchRun, for a report.
	Scratch    *ledger.Ledger
	ScratchRun int64
	// OnFault is told of every fault of a row.
	OnFault func(Fault)
	// OnBody is shown the row and the request body of every row that would be sent; it may be nil.
	OnBody func(row int, body []byte)
	// OnRow is told the number of rows seen so far; it may be nil.
	OnRow func(n int64)
}

// Sample is one conversion of a timestamp column.
type Sample struct {
	Field  string `json:"field"`
	Column string `json:"column"`
	Zone   string `json:"timezone"`
	Local  string `json:"local"`
	UTC    string `json:"utc"`
}

// CheckResult is what going through a file brought to light.
type CheckResult struct {
	Plan    Plan
	Totals  ledger.Totals
	Samples []Sample
	Started time.Time
	Ended   time.Time
}

const samplesEach = 3

// Check does everything that Import would do with a file, except sending.
func Check(ctx context.Context, j CheckJob) (CheckResult, error) {
	res := CheckResult{Started: time.Now().UTC()}
	program, err := j.Mapping.Compile(j.File.Header())
	if err != nil {
		return res, err
	}
	p, err := j.Ledger.Preview(ctx, j.Account.names(), targetScope(j.Mapping))
	if err != nil {
		return res, err
	}
	defer p.Close()
	ex := newExaminer(program, j.Mapping)
	stamps := newStamps(program)
	leads := map[[16]byte]struct{}{}
	var scratch []ledger.Entry
	for row, err := range j.File.Rows() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return res, err
		}
		var e ledger.Entry
		if !j.Rows.Has(row.Number) {
			e = bareEntry(row)
			e.Verdict, e.Code, e.Msg = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows"
		} else {
			e = ex.entry(row)
			if err := p.Decide(ctx, &e); err != nil {
				return res, err
			}
			j.tell(ex, row, &e)
			if len(row.Faults) == 0 {
				stamps.take(ex)
			}
		}
		if e.WantField != "" && e.Verdict == ledger.Due {
			leads[ledger.HashIdentity(e.WantField, e.WantValue)] = struct{}{}
		}
		res.count(&e)
		if j.OnRow != nil {
			j.OnRow(res.Plan.Rows)
		}
		if j.Scratch != nil {
			if scratch = append(scratch, e); len(scratch) == planBatch {
				if err := j.Scratch.Note(ctx, j.ScratchRun, scratch); err != nil {
					return res, err
				}
				scratch = scratch[:0]
			}
		}
	}
	if j.Scratch != nil && len(scratch) > 0 {
		if err := j.Scratch.Note(ctx, j.ScratchRun, scratch); err != nil {
			return res, err
		}
	}
	if res.Plan.Rows == 0 {
		return res, usage("file.no-rows", "check that it is the right file and sheet, and header_row in the mapping", "%s holds a header but no rows", j.Input)
	}
	res.Plan.Unused, res.Plan.Warnings = program.Unused(), append(program.Warnings(), stamps.warnings()...)
	res.Samples = stamps.samples
	res.Plan.Lookups = int64(len(leads))
	limit := j.Account.Limit
	res.Plan.Calls = res.Plan.Ready + res.Plan.Lookups + res.Plan.Pending
	res.Plan.Limit, res.Plan.Account = limit.String(), j.Account.display()
	if limit.Calls > 0 && res.Plan.Calls > 0 {
		windows := (res.Plan.Calls - 1) / int64(limit.Calls)
		res.Plan.Time = time.Duration(windows) * limit.Window
	}
	res.Plan.Finish = time.Now().Add(res.Plan.Time)
	if d := j.Account.DailyLimit; d > 0 {
		res.Plan.DayShare = float64(res.Plan.Calls) / float64(d)
	}
	res.Ended = time.Now().UTC()
	return res, nil
}

// tell reports a row's faults, or shows its body.
func (j *CheckJob) tell(ex *examiner, row *source.Row, e *ledger.Entry) {
	switch e.Verdict {
	case ledger.Invalid:
		if j.OnFault == nil {
			return
		}
		if len(row.Faults) > 0 {
			for _, f := range row.Faults {
				j.OnFault(Fault{Row: row.Number, Line: row.Line, Column: f.Column, Code: f.Code, Msg: f.Msg, Hint: f.Hint})
			}
			return
		}
		for _, p := range ex.rec.Problems {
			j.OnFault(Fault{Row: row.Number, Line: row.Line, Column: p.Column, Field: p.Field, Code: p.Code, Msg: p.Msg, Hint: p.Hint})
		}
	case ledger.Repeated, ledger.Changed:
		if j.OnFault != nil {
			j.OnFault(Fault{Row: row.Number, Line: row.Line, Code: e.Code, Msg: e.Msg, Hint: e.Hint})
		}
	case ledger.Due:
		if j.OnBody != nil && e.State == ledger.Ready {
			j.OnBody(row.Number, ex.rec.Body)
		}
	}
}

func (r *CheckResult) count(e *ledger.Entry) {
	c := &r.Plan.PlanCounts
	c.Rows++
	switch e.Verdict {
	case ledger.Invalid:
		c.Invalid++
		r.Totals.Add(ledger.ResultInvalid)
	case ledger.Skipped:
		c.Skipped++
		r.Totals.Add(ledger.ResultSkipped)
	case ledger.Already:
		c.Already++
		r.Totals.Add(ledger.ResultAlready)
	case ledger.Repeated:
		c.Repeated++
		r.Totals.Add(ledger.ResultRepeated)
	case ledger.Changed:
		c.Changed++
		r.Totals.Add(ledger.ResultChanged)
	default:
		switch e.State {
		case ledger.InDoubt, ledger.Sending, ledger.Reserved:
			c.InDoubt++
			r.Totals.Add(ledger.ResultInDoubt)
		case ledger.Pending:
			c.Pending++
			r.Totals.Add(ledger.ResultPending)
		default:
			c.Ready++
			r.Totals.Add(ledger.ResultNotSent)
		}
	}
}

// stamps collects sample conversions and watches for days that might be months.
type stamps struct {
	list    []mapping.Timestamp
	samples []Sample
	taken   []int
	decided []bool
	both    []int64
}

func newStamps(p *mapping.Program) *stamps {
	list := p.Timestamps()
	return &stamps{list: list, taken: make([]int, len(list)), decided: make([]bool, len(list)), both: make([]int64, len(list))}
}

// take looks at the row that the examiner has just mapped.
func (s *stamps) take(ex *examiner) {
	for i := range s.list {
		t := &s.list[i]
		if s.taken[i] < samplesEach {
			if local, utc, ok := t.Sample(ex.cells); ok {
				s.taken[i]++
				s.samples = append(s.samples, Sample{Field: t.Name, Column: t.Column, Zone: t.Zone, Local: local, UTC: utc})
			}
		}
		if !s.decided[i] {
			ambiguous, decided := t.AmbiguousDayMonth(ex.cells)
			s.decided[i] = decided
			if ambiguous {
				s.both[i]++
			}
		}
	}
}

func (s *stamps) warnings() []string {
	var out []string
	for i := range s.list {
		if !s.decided[i] && s.both[i] > 0 {
			out = append(out, "column "+strconv.Quote(s.list[i].Column)+": every value would also fit with day and month exchanged; compare the sample conversions with what was meant")
		}
	}
	return out
}
