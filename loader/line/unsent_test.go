package line

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
)

// A call that cannot be sent is tried some times, and in an outage as long as that
// may last. A context that is over ends the wait with its cause.
func TestPauseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Minute
		l := New(Options{OutageLimit: limit, Notify: func(string) {}})
		pauses := func(out leadsquared.Outcome) (n int, took time.Duration) {
			var u Unsent
			began := time.Now()
			for {
				err := l.Pause(t.Context(), &u, out)
				if f := fault.Of(err); f != nil && f.Code == "account.unreachable" {
					return n, time.Since(began)
				}
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
		}
		if n, _ := pauses(leadsquared.Outcome{Verdict: leadsquared.NotSent}); n != notSentTries-1 {
			t.Errorf("%d pauses, expected %d", n, notSentTries-1)
		}
		if n, took := pauses(leadsquared.Outcome{Verdict: leadsquared.NotSent, Outage: true}); n < notSentTries || took <= limit || took > limit+time.Minute {
			t.Errorf("%d pauses in an outage of %v, expected to end soon after %v", n, took, limit)
		}
		cause := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if err := l.Pause(ctx, new(Unsent), leadsquared.Outcome{}); !errors.Is(err, cause) {
			t.Errorf("error %v, expected %v", err, cause)
		}
	})
}
