package line

import (
	"context"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
)

// notSentTries bounds the tries of a call that fails before anything is sent,
// for a reason that is not an outage.
const notSentTries = 8

// Unsent counts the tries of one call that failed before anything was sent.
type Unsent struct {
	tries int
	since time.Time // of the first
}

// Pause waits before a call that was not sent is made again; out is how it ended. The
// error ends the run: the context is over, or the account cannot be reached.
func (l *Line) Pause(ctx context.Context, u *Unsent, out leadsquared.Outcome) error {
	if u.tries++; u.tries == 1 {
		u.since = time.Now()
	}
	// The harmless call may get through where this one does not.
	if u.tries >= notSentTries && !out.Outage || time.Since(u.since) > l.o.OutageLimit {
		return fault.New("account.unreachable", fault.RunAgain, "the account cannot be reached: %s", out.Message)
	}
	return Sleep(ctx, Backoff(u.tries+1))
}
