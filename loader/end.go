package loader

import (
	"context"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// endOf returns how a run ends with an error and with these rows. Rows that were
// not sent come first: the same command goes on with them. Pending rows alone
// need a later settle.
func endOf(err error, rows ledger.Counts) fault.Trait {
	switch {
	case err != nil:
		return fault.TraitOf(err)
	case rows[ledger.ResultNotSent] > 0:
		return fault.Stopped
	case rows.Person() > 0:
		return fault.Person
	case rows[ledger.ResultPending] > 0:
		return fault.Stopped
	}
	return fault.Done
}

// settledEnd returns how leadload settle ends. Nobody can send a doubtful row
// again before a person has looked at it, so that those come first.
func settledEnd(err error, rows ledger.Counts) fault.Trait {
	if err == nil && rows.Person() > 0 {
		return fault.Person
	}
	return endOf(err, rows)
}

// finish writes down how a run ended.
func (s *Session) finish(ctx context.Context, res *Result, err error) error {
	res.End = endOf(err, res.Totals)
	if res.Run.ID == 0 {
		return err
	}
	res.Run.Exit, res.Run.Did = res.End.Exit(), res.Totals
	if err != nil {
		_, res.Run.Stop, _ = fault.Words(err)
	}
	if ferr := s.led.End(context.WithoutCancel(ctx), res.Run); ferr != nil && err == nil {
		res.End = fault.TraitOf(ferr)
		return ferr
	}
	return err
}

// recount writes down what the account's runs did that were cut off, as long as
// no later run has gone on with their rows.
func (s *Session) recount(ctx context.Context) error {
	const most = 20
	runs, err := s.led.Runs(ctx, ledger.RunQuery{Newest: most})
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.Account != s.acct || !r.Ended.IsZero() || r.Did.Sum() > 0 {
			continue
		}
		tally, err := s.led.Tally(ctx, r.ID)
		if err != nil {
			return err
		}
		if r.Did = tally.Counts(); r.Did.Sum() == 0 {
			continue
		}
		if err := s.led.End(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Unkeep forgets the values that the updates of a run met, which its results have needed.
func (s *Session) Unkeep(ctx context.Context, run ledger.Run) error {
	return s.led.Unkeep(context.WithoutCancel(ctx), run.ID)
}

// Reported writes down where the results of a run were written.
func (s *Session) Reported(ctx context.Context, run ledger.Run, out string) error {
	run.Out = out
	return s.led.End(context.WithoutCancel(ctx), run)
}
