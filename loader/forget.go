package loader

import (
	"context"

	"leadload/loader/ledger"
)

// ForgetJob names what the ledger is to forget.
type ForgetJob struct {
	Pick
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
	p, err := s.pick(ctx, j.Pick)
	res.Plan.Unknown, res.Plan.Input = p.unknown, p.input
	if err != nil {
		return res, err
	}
	known := make([]ledger.Record, len(p.records))
	if err := s.led.Recall(ctx, p.records, known); err != nil {
		return res, err
	}
	var list []int64
	for i, id := range p.records {
		if p.open[id] {
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
	res.Forgotten, err = inParts(list, func(part []int64) (int64, error) { return s.led.Forget(ctx, s.lease, part) })
	return res, err
}
