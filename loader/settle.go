package loader

import (
	"cmp"
	"context"
	"slices"
	"time"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// SettleResult is what leadload settle did.
type SettleResult struct {
	Before           ledger.OpenCount
	Rows             ledger.Counts // after: they add up to those before
	Doubtful         []int64       // the runs that planned rows last which are in doubt still, the newest first
	Calls, Throttled int64
	End              fault.Trait // how it ended: the exit code
}

// Settle asks the account about all its rows in doubt and pending, and sends
// those again that are certainly not there.
func (s *Session) Settle(ctx context.Context) (SettleResult, error) {
	res, err := s.settleAll(ctx)
	res.End = settledEnd(err, res.Rows)
	return res, err
}

func (s *Session) settleAll(ctx context.Context) (SettleResult, error) {
	var res SettleResult
	ctx, cancel := s.untilTime(ctx)
	defer cancel(nil)
	before := s.pacer.State()
	var err error
	if res.Before, err = s.led.CountOpen(ctx, s.acct); err != nil {
		return res, err
	}
	settler := s.settler(s.sender(time.Now(), cancel), 0)
	shared, runErr := settler.Share(ctx)
	if runErr == nil {
		res.Before.InDoubt += shared
		runErr = settler.Settle(ctx)
	}
	if runErr == nil {
		runErr = s.updater(false).Settle(ctx, 0)
	}
	if runErr == nil {
		runErr = context.Cause(ctx)
	}
	after := s.pacer.State()
	res.Calls, res.Throttled = after.Calls-before.Calls, after.Throttled-before.Throttled
	if err := s.led.Flush(); err != nil && runErr == nil {
		runErr = err
	}
	left, err := s.led.CountOpen(context.WithoutCancel(ctx), s.acct)
	if err != nil && runErr == nil {
		runErr = err
	}
	if left.InDoubt > 0 {
		if res.Doubtful, err = s.doubtful(context.WithoutCancel(ctx)); err != nil && runErr == nil {
			runErr = err
		}
	}
	live := s.live.counts()
	for _, r := range []ledger.Result{ledger.ResultLoaded, ledger.ResultDuplicate, ledger.ResultRejected, ledger.ResultUpdated, ledger.ResultAlready, ledger.ResultConflict, ledger.ResultChanged} {
		res.Rows[r] = live[r]
	}
	res.Rows[ledger.ResultInDoubt], res.Rows[ledger.ResultPending] = left.InDoubt, left.Pending
	res.Rows[ledger.ResultNotSent] = max(res.Before.Sum()-res.Rows.Sum(), left.Missing)
	return res, runErr
}

// doubtful returns the runs that planned those rows last which are in doubt. A row that
// was never planned, as adopt writes it, has none.
func (s *Session) doubtful(ctx context.Context) (runs []int64, err error) {
	for o, err := range ledger.AllOpen(ctx, s.led, ledger.Query{Account: s.acct}) {
		if err != nil {
			return nil, err
		}
		if o.State == ledger.InDoubt && o.Run != 0 && !slices.Contains(runs, o.Run) {
			runs = append(runs, o.Run)
		}
	}
	slices.SortFunc(runs, func(a, b int64) int { return cmp.Compare(b, a) })
	return runs, nil
}
