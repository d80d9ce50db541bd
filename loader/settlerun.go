package loader

import (
	"context"
	"time"
)

// SettleResult is what leadload settle did.
type SettleResult struct {
	InDoubt, Pending            int64 // before
	LeftInDoubt, LeftPending    int64 // after
	Calls, Throttled            int64
	Loaded, Duplicate, Rejected int64
	NotSent                     int64
}

// Settle asks the account about all its rows in doubt and pending, and sends
// those again that are certainly not there.
func (s *Session) Settle(ctx context.Context) (SettleResult, error) {
	var res SettleResult
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !s.o.Until.IsZero() {
		t := time.AfterFunc(time.Until(s.o.Until)-untilMargin, func() {
			cancel(stopped("run.until", runAgain, "it is %s (--until)", s.o.Until.Format("15:04")))
		})
		defer t.Stop()
	}
	before := s.pacer.State()
	var err error
	if res.InDoubt, res.Pending, err = s.led.CountOpen(ctx, s.acct); err != nil {
		return res, err
	}
	r := &run{Session: s, began: time.Now(), cancel: cancel}
	runErr := r.settleAndPoll(ctx)
	if runErr == nil {
		runErr = context.Cause(ctx)
	}
	after := s.pacer.State()
	res.Calls, res.Throttled = after.Calls-before.Calls, after.Throttled-before.Throttled
	res.Loaded, res.Duplicate, res.Rejected = s.live.loaded.Load(), s.live.duplicate.Load(), s.live.rejected.Load()
	if err := s.led.Flush(); err != nil && runErr == nil {
		runErr = err
	}
	if res.LeftInDoubt, res.LeftPending, err = s.led.CountOpen(context.WithoutCancel(ctx), s.acct); err != nil && runErr == nil {
		runErr = err
	}
	res.NotSent = max(res.InDoubt+res.Pending-res.LeftInDoubt-res.LeftPending-res.Loaded-res.Duplicate-res.Rejected, 0)
	return res, runErr
}
