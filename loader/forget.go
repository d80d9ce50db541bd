package loader

import (
	"context"
	"slices"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// ForgetJob names what the ledger is to forget: the rows of a run, or keys.
type ForgetJob struct {
	Run  int64 // 0: Keys
	Keys []string
	// Confirm is shown the plan before anything is forgotten; an error ends the
	// command. It may be nil.
	Confirm func(ForgetPlan) error
}

// ForgetPlan is what a Forget is about to do.
type ForgetPlan struct {
	Rows    int64    // rows to forget
	Present int64    // of these, the account has a record
	Open    int64    // rows in doubt or pending, which are never forgotten
	Unknown []string // keys that the ledger does not know
	Input   string   // the run's file
}

// ForgetResult is what became of a ForgetJob.
type ForgetResult struct {
	Plan      ForgetPlan
	Forgotten int64
}

// Forget makes the ledger forget rows, so that the next import sends them as if
// they had never been sent. Nothing is sent, and a row whose fate is open stays.
func (s *Session) Forget(ctx context.Context, j ForgetJob) (ForgetResult, error) {
	var res ForgetResult
	records, err := s.toForget(ctx, j, &res.Plan)
	if err != nil {
		return res, err
	}
	known := make([]ledger.Record, len(records))
	if err := s.led.Recall(ctx, records, known); err != nil {
		return res, err
	}
	open, err := s.openRecords(ctx)
	if err != nil {
		return res, err
	}
	var list []int64
	for i, id := range records {
		if open[id] {
			res.Plan.Open++
			continue
		}
		if known[i].Fate == ledger.Present || known[i].Fate == ledger.Matched {
			res.Plan.Present++
		}
		list = append(list, id)
	}
	res.Plan.Rows = int64(len(list))
	if j.Confirm != nil {
		if err := j.Confirm(res.Plan); err != nil {
			return res, err
		}
	}
	for part := range slices.Chunk(list, 1000) {
		n, err := s.led.Forget(ctx, s.lease, part)
		if res.Forgotten += n; err != nil {
			return res, err
		}
	}
	return res, nil
}

// toForget returns the records that a job names, each once.
func (s *Session) toForget(ctx context.Context, j ForgetJob, p *ForgetPlan) ([]int64, error) {
	var records []int64
	if j.Run == 0 {
		for _, key := range j.Keys {
			list, err := s.led.Keyed(ctx, s.acct, key)
			if err != nil {
				return nil, err
			}
			if len(list) == 0 {
				p.Unknown = append(p.Unknown, key)
			}
			records = append(records, list...)
		}
	} else {
		runs, err := s.led.Runs(ctx, ledger.RunQuery{ID: j.Run})
		switch {
		case err != nil:
			return nil, err
		case len(runs) == 0:
			return nil, fault.New("usage", "type leadload runs to see the numbers", "the ledger knows no run %d", j.Run)
		case runs[0].Account != s.acct:
			return nil, fault.New("undo.account", "name that account with --account, or set its LEADSQUARED_… variables", "run %d loaded into another account, %s", j.Run, runs[0].AccountName)
		}
		p.Input = runs[0].Input
		for r, err := range s.led.Rows(ctx, j.Run) {
			if err != nil {
				return nil, err
			}
			if r.Record != 0 && r.Verdict != ledger.Repeated {
				records = append(records, r.Record)
			}
		}
	}
	slices.Sort(records)
	return slices.Compact(records), nil
}

// openRecords returns the account's records whose fate is open.
func (s *Session) openRecords(ctx context.Context) (map[int64]bool, error) {
	const many = 1000
	open := map[int64]bool{}
	for after := int64(0); ; {
		page, err := s.led.Open(ctx, ledger.Query{Account: s.acct, After: after, Limit: many})
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			after, open[o.Record] = o.Record, true
		}
		if len(page) < many {
			return open, nil
		}
	}
}
