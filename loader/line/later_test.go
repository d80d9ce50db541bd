package line

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/pace"
)

// TestLaterDoesNotWaitForItself begins a run with a call of many records, which looks at
// them first by another call: the first call of a line goes alone, and that is the look.
func TestLaterDoesNotWaitForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := pace.Limit{Calls: 25, Window: 5 * time.Second}
		l := New(Options{Pacer: pace.New(pace.Options{Limit: limit}), Many: pace.New(pace.Options{Limit: limit}), OutageLimit: time.Minute, Notify: func(string) {}, Ramp: 10})
		c, err := l.SlotMany(t.Context(), false)
		check(t, err)
		l.Later()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		applied := leadsquared.Outcome{Verdict: leadsquared.Applied, Status: 200}
		_, _, err = Ask(ctx, l, func(context.Context, leadsquared.Slot) (int, leadsquared.Outcome) { return 0, applied })
		check(t, err)
		check(t, l.Now(ctx))
		check(t, l.FinishMany(c, applied))
		if l.ramp.flying != 0 || l.ramp.answers != 2 {
			t.Errorf("%d calls under way, %d answers; want none and 2", l.ramp.flying, l.ramp.answers)
		}
	})
}
