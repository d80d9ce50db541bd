package loader

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// poll asks the async API about pending rows until none is left, or the user's
// patience (--wait) ends. What is left can be asked about days later.
func (r *run) poll(ctx context.Context) error {
	deadline := time.Now().Add(r.o.Wait)
	for round := 0; ; round++ {
		var pending []ledger.OpenRecord
		for after := int64(0); ; {
			page, err := r.led.OpenRecords(ctx, r.acct, 0, after, 1000)
			if err != nil {
				return err
			}
			for _, rec := range page {
				after = rec.Record
				// Other files' rows are asked about once; waiting is for this one's.
				if rec.State == ledger.Pending && (round == 0 || r.id == 0 || rec.Run == r.id) {
					pending = append(pending, rec)
				}
			}
			if len(page) < 1000 {
				break
			}
		}
		if len(pending) == 0 {
			return nil
		}
		if err := r.o.Account.asyncProblem(); err != nil {
			if own := slices.ContainsFunc(pending, func(rec ledger.OpenRecord) bool { return rec.Run == r.id }); own || r.id == 0 {
				return err
			}
			r.o.Notify(plural(int64(len(pending)), "row", "rows") + " of other files cannot be asked about: " + err.Error())
			return nil
		}
		patient := r.o.Wait > 0
		if !patient && r.id != 0 {
			return nil // nobody waits: leadload settle asks later
		}
		r.live.phase.Store(Polling)
		if round == 0 && patient {
			r.o.Notify(fmt.Sprintf("%s queued by the account: asking for results, for up to %s", plural(int64(len(pending)), "row is", "rows are"), r.o.Wait))
		}
		if patient {
			wait, err := r.queueWait(ctx, len(pending), round)
			if err != nil {
				return err
			}
			if left := time.Until(deadline); left <= 0 {
				return nil
			} else if err := sleep(ctx, min(wait, left)); err != nil {
				return err
			}
		}
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(min(r.o.Concurrency, 16))
		for _, rec := range pending {
			if context.Cause(gctx) != nil {
				break
			}
			g.Go(func() error { return r.pollOne(gctx, rec) })
		}
		if err := g.Wait(); err != nil || !patient {
			return err
		}
	}
}

// queueWait says how long the account's queue needs for what is pending, by its own metrics.
func (r *run) queueWait(ctx context.Context, pending, round int) (time.Duration, error) {
	growing := min(time.Second<<min(round, 5), 30*time.Second)
	q, out, err := try(ctx, r.Session, r.client.QueueMetrics)
	if err != nil || out.Verdict != leadsquared.Applied {
		return growing, err
	}
	if q.Pending == 0 {
		return min(growing, time.Second), nil
	}
	wait := growing
	if q.PerMinute > 0 {
		wait = time.Duration(float64(min(q.Pending, pending)) / q.PerMinute * float64(time.Minute))
	}
	return max(min(wait, time.Minute), time.Second), nil
}

// pollOne asks about one pending row.
func (r *run) pollOne(ctx context.Context, rec ledger.OpenRecord) error {
	task, out, err := try(ctx, r.Session, with(r.client.CaptureStatus, rec.RequestID))
	if err != nil || out.Verdict != leadsquared.Applied || task.Pending() {
		return err // it stays pending, whatever kept the answer away
	}
	o := outcomeOf(rec.Record, task.Result)
	switch o.State {
	case ledger.InDoubt:
		if time.Since(rec.Sent) < leadsquared.AsyncRetrySpan {
			return nil // the account may still repeat it by itself
		}
	case ledger.Loaded, ledger.Duplicate, ledger.Rejected:
	default:
		return nil
	}
	if err := r.led.Settle(ctx, o); err != nil {
		return err
	}
	r.live.rows[ledger.ResultPending].Add(-1)
	r.count(o)
	return nil
}
