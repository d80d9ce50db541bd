package settle

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/send"
	"leadload/loader/target"
)

// poll asks the async API about pending rows until none is left, or the user's
// patience (--wait) ends. What is left can be asked about days later.
func (s *Settler) poll(ctx context.Context) error {
	deadline := s.deadline
	repeats := newRepeats()
	var silent unanswered
	defer func() {
		if why := silent.tell(); why != "" {
			s.Notify(why)
		}
	}()
	for round := 0; ; round++ {
		var pending []ledger.Operation
		held := 0          // rows that the account is about to repeat
		var next time.Time // when it repeats the first of them
		err := s.open(ctx, func(rec ledger.Operation) {
			// Rows of earlier runs are asked about once; waiting is for this one's.
			if rec.State != ledger.Pending || !(round == 0 || s.Run == 0 || rec.Run == s.Run) {
				return
			}
			if at := repeats.of(rec.Record); at.After(time.Now()) {
				if held++; next.IsZero() || at.Before(next) {
					next = at
				}
				return
			}
			pending = append(pending, rec)
		})
		if err != nil {
			return err
		}
		if len(pending)+held == 0 {
			return nil
		}
		if err := s.Queue(); err != nil {
			if own := slices.ContainsFunc(pending, func(rec ledger.Operation) bool { return rec.Run == s.Run }); own || s.Run == 0 {
				return err
			}
			s.Notify(fault.Plural(int64(len(pending)), "row", "rows") + " of earlier runs cannot be asked about: " + err.Error())
			return nil
		}
		patient := s.Wait > 0
		if !patient && s.Run != 0 {
			return nil // no one waits: leadload settle asks later
		}
		s.Phase(Polling)
		if round == 0 && patient {
			s.Notify(fmt.Sprintf("%s queued by the account: asking for results, for up to %s", fault.Plural(int64(len(pending)), "row is", "rows are"), spoken(s.Wait)))
		}
		if len(pending) == 0 {
			if next.After(deadline) {
				s.Notify(fmt.Sprintf("%s failed inside the account, which repeats them by itself at %s; ask again then: leadload settle",
					fault.Plural(int64(held), "queued row has", "queued rows have"), next.Local().Format("15:04")))
				return nil
			}
			if err := line.Sleep(ctx, time.Until(next)); err != nil {
				return err
			}
			continue
		}
		if patient {
			wait, err := s.queueWait(ctx, pending, round)
			if err != nil {
				return err
			}
			if left := time.Until(deadline); left <= 0 {
				return nil
			} else if err := line.Sleep(ctx, min(wait, left)); err != nil {
				return err
			}
		}
		silent.reset()
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(min(s.Concurrency, 16))
		for _, rec := range pending {
			if context.Cause(gctx) != nil {
				break
			}
			g.Go(func() error { return s.pollOne(gctx, rec, repeats, &silent) })
		}
		if err := g.Wait(); err != nil || !patient {
			return err
		}
	}
}

// repeats remembers when the account repeats rows that failed in its queue:
// asking before would only cost calls.
type repeats struct {
	mu sync.Mutex
	at map[int64]time.Time // by record
}

func newRepeats() *repeats { return &repeats{at: map[int64]time.Time{}} }

// unanswered counts the pending rows of one round that could not be asked about.
type unanswered struct {
	mu      sync.Mutex
	rows    int64
	why     string
	missing bool // the account does not have the call
}

func (u *unanswered) reset() { u.rows = 0 }

func (u *unanswered) add(out leadsquared.Outcome) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rows++
	u.why, u.missing = out.Message, line.MissingPath(out)
}

// tell returns what kept the answers of the last round away; "" is nothing.
func (u *unanswered) tell() string {
	if u.rows == 0 {
		return ""
	}
	text := fmt.Sprintf("the account's queue could not be asked about %s: %s", fault.Plural(u.rows, "row", "rows"), u.why)
	if u.missing {
		text += "; if the queue's status has another path there, write it into the account file as async_status_path"
	}
	return text
}

// repeatSlack is how long a repeat takes, after which its result is there.
const repeatSlack = 5 * time.Second

// expect notes that a row sent at a time has failed so far.
func (p *repeats) expect(record int64, sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[record] = sent.Add(leadsquared.AsyncNextRepeat(time.Since(sent)) + repeatSlack)
}

// of returns when a row is to be asked about again; zero means now.
func (p *repeats) of(record int64) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[record]
}

// spoken writes a time as people say it: 10 min.
func spoken(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
}

// queueWait says how long the account's queue needs for what is pending, by its own metrics.
func (s *Settler) queueWait(ctx context.Context, pending []ledger.Operation, round int) (time.Duration, error) {
	growing := min(time.Second<<min(round, 5), 30*time.Second)
	t, ok := queueOf(&pending[0])
	if !ok {
		return growing, nil
	}
	q, out, err := t.Queue(ctx, s.Line)
	if err != nil || out.Verdict != leadsquared.Applied {
		return growing, err
	}
	if q.Pending == 0 {
		return min(growing, time.Second), nil
	}
	wait := growing
	if q.PerMinute > 0 {
		wait = time.Duration(float64(min(q.Pending, len(pending))) / q.PerMinute * float64(time.Minute))
	}
	return max(min(wait, time.Minute), time.Second), nil
}

// pollOne asks about one pending row.
func (s *Settler) pollOne(ctx context.Context, rec ledger.Operation, repeats *repeats, silent *unanswered) error {
	q, ok := queueOf(&rec)
	if !ok {
		return nil // another version of the program queued it
	}
	task, out, err := q.Status(ctx, s.Line, rec.RequestID)
	if err == nil && out.Verdict != leadsquared.Applied {
		silent.add(out)
	}
	if err != nil || out.Verdict != leadsquared.Applied || task.Pending() {
		return err // it stays pending, whatever kept the answer away
	}
	o := send.Outcome(rec.Record, rec.Op, task.Result)
	switch o.State {
	case ledger.InDoubt:
		if time.Since(rec.Sent) < leadsquared.AsyncRetrySpan {
			repeats.expect(rec.Record, rec.Sent)
			return nil // the account may still repeat it by itself
		}
	case ledger.Loaded, ledger.Duplicate, ledger.Rejected:
	default:
		return nil
	}
	if err := s.Sender.Doubt(ctx, &o); err != nil {
		return err
	}
	s.Tally(ledger.Pending, -1)
	s.Tally(o.State, 1)
	return s.Sender.Kept(o, s.Ledger.Settle(ctx, s.Lease, o))
}

func queueOf(rec *ledger.Operation) (target.Queued, bool) {
	t, _ := target.Stored(rec.Payload.Target)
	q, ok := t.(target.Queued)
	return q, ok
}
