package loader

import (
	"context"
	"slices"

	"leadload/loader/ledger"
)

// AcceptJob names rows that changed and are to be taken as they are.
type AcceptJob struct {
	Pick
	// Confirm is shown the plan before anything is accepted; an error ends the
	// command. It may be nil.
	Confirm func(AcceptPlan) error
}

// AcceptPlan is what an Accept is about to do.
type AcceptPlan struct {
	Rows      int64    // rows to accept
	Unchanged int64    // rows that are not changed
	Same      []string // of these, the keys that were named
	Open      int64    // rows whose update is in doubt, and other open ones
	Later     int64    // rows that have other values in a later run
	Runs      []int64  // these runs
	Unknown   []string // keys that the ledger does not know
	Input     string   // the run's file
}

// Sum returns the number of all rows and unknown keys.
func (p *AcceptPlan) Sum() int64 {
	return p.Rows + p.Unchanged + p.Open + p.Later + int64(len(p.Unknown))
}

// AcceptResult is what became of an AcceptJob.
type AcceptResult struct {
	Plan     AcceptPlan
	Accepted int64
}

// Accept takes the values that changed rows have in a file for sent: the next
// import says that they are loaded already. Nothing is sent. Rows of a run have the
// run's values, rows with a key those of the newest run.
func (s *Session) Accept(ctx context.Context, j AcceptJob) (AcceptResult, error) {
	var res AcceptResult
	p, err := s.pick(ctx, j.Pick)
	plan := &res.Plan
	plan.Unknown, plan.Input = p.unknown, p.input
	if err != nil {
		return res, err
	}
	offers, err := s.led.Offers(ctx, p.records)
	if err != nil {
		return res, err
	}
	var list []int64
	for _, id := range p.records {
		offer, there := offers[id]
		switch changed := j.Run == 0 || p.changed[id]; {
		case changed && p.open[id]:
			plan.Open++
		case changed && there && (j.Run == 0 || offer.Of(j.Run)):
			list = append(list, id)
		case changed && there && j.Run < offer.First:
			if plan.Later++; !slices.Contains(plan.Runs, offer.Last) {
				plan.Runs = append(plan.Runs, offer.Last)
			}
		default:
			plan.Unchanged++
		}
	}
	for _, key := range j.Keys {
		if slices.Contains(p.unknown, key) {
			continue
		}
		records, err := ledger.Named(ctx, s.led, s.acct, key)
		if err != nil {
			return res, err
		}
		if !slices.ContainsFunc(records, func(id int64) bool { return p.open[id] || slices.Contains(list, id) }) {
			plan.Same = append(plan.Same, key)
		}
	}
	plan.Rows = int64(len(list))
	if j.Confirm != nil {
		if err := j.Confirm(*plan); err != nil {
			return res, err
		}
	}
	res.Accepted, err = inParts(list, func(part []int64) (int64, error) { return s.led.Accept(ctx, s.lease, part) })
	return res, err
}
