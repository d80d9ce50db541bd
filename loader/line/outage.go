package line

import (
	"context"
	"fmt"
	"sync"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
)

// outageAfter is how many calls in a row have to fail before the account is
// taken for away: one lost connection among many is everyday life.
const outageAfter = 4

// outage watches whether the account can be reached. While it cannot, callers
// of wait are held back and one of them asks with a harmless call, at growing
// and jittered intervals, so that no row is risked to find out. When that call
// is answered, one caller alone goes on, as a trial: the harmless call may get
// through where the others do not.
type outage struct {
	limit  time.Duration
	notify func(string)

	mu     sync.Mutex
	fails  int
	since  time.Time // the first failure since the last answer
	away   bool
	trial  trial
	asking bool
	wake   chan struct{} // closed when something changed
	last   string
	tries  int
}

type trial uint8

const (
	noTrial trial = iota
	due           // the next caller is the trial
	running       // one caller is under way
)

func newOutage(limit time.Duration, notify func(string)) *outage {
	return &outage{limit: limit, notify: notify, wake: make(chan struct{})}
}

// ended takes note of a call's end.
func (o *outage) ended(out leadsquared.Outcome) {
	switch {
	case out.Outage, out.Verdict == leadsquared.InDoubt:
		// This includes cut connections and proxy pages. If we kept sending, the whole
		// file would end in doubt.
		o.failed(out)
	case out.Verdict == leadsquared.NotSent:
		o.give()
	default:
		o.ok()
	}
}

func (o *outage) failed(out leadsquared.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails == 0 {
		o.since = time.Now()
	}
	o.fails++
	o.last = out.Message
	if o.away || o.fails < outageAfter && o.trial == noTrial {
		return
	}
	if o.trial == noTrial {
		o.tries = 0
		o.notify("the account does not answer (" + out.Message + "); waiting for it to come back")
	}
	o.away, o.trial = true, noTrial
	o.broadcast()
}

// give passes the trial to another caller, because this call told us nothing
// about the account.
func (o *outage) give() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.trial == running {
		o.trial = due
		o.broadcast()
	}
}

func (o *outage) ok() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away || o.trial != noTrial {
		o.notify(fmt.Sprintf("the account answers again after %s", time.Since(o.since).Round(time.Second)))
	}
	o.fails, o.away, o.trial, o.tries = 0, false, noTrial, 0
	o.broadcast()
}

// isAway reports whether callers are held back.
func (o *outage) isAway() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.away || o.trial != noTrial
}

func (o *outage) broadcast() {
	close(o.wake)
	o.wake = make(chan struct{})
}

// wait returns at once while the account answers. While it is away, it
// returns when the account is back, when the outage has lasted too long (a
// *fault.Fault of kind Stopped), or when ctx ends. After it, the caller makes a call
// and reports it with ended, or stops the run.
func (o *outage) wait(ctx context.Context, probe func(context.Context) (leadsquared.Outcome, error)) error {
	for {
		o.mu.Lock()
		if !o.away && o.trial == noTrial {
			o.mu.Unlock()
			return nil
		}
		if o.trial == due {
			o.trial = running
			o.mu.Unlock()
			return nil
		}
		left := o.limit - time.Since(o.since)
		if left <= 0 && o.away {
			last := o.last
			o.broadcast()
			o.mu.Unlock()
			return fault.New("account.unreachable", fault.RunAgain+"; --outage-limit says how long to wait", "the account has not answered for %s: %s", o.limit, last)
		}
		if o.asking || o.trial == running {
			wake := o.wake
			o.mu.Unlock()
			select {
			case <-wake:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(max(left, time.Second)):
			}
			continue
		}
		o.asking = true
		o.tries++
		pause := min(Backoff(o.tries+1), left)
		o.mu.Unlock()

		err := Sleep(ctx, pause)
		back := false
		if err == nil {
			var out leadsquared.Outcome
			out, err = probe(ctx)
			back = err == nil && !out.Outage && out.Verdict != leadsquared.NotSent && out.Verdict != leadsquared.InDoubt
			if err == nil && !back {
				o.mu.Lock()
				o.last = out.Message
				o.mu.Unlock()
			}
		}
		o.mu.Lock()
		o.asking = false
		if back && o.away {
			o.away, o.trial = false, due
		}
		o.broadcast()
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
}
