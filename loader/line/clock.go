package line

import (
	"sync"
	"time"

	"leadload/loader/leadsquared"
)

// clock measures how far the account's clock is ahead of ours, from the Date
// header of its answers. The header has whole seconds and is written at some
// moment between request and answer. So each answer allows a range; the ranges of
// several answers are intersected.
type clock struct {
	mu     sync.Mutex
	known  bool
	lo, hi time.Duration
}

func (c *clock) observe(out leadsquared.Outcome) {
	if out.ServerTime.IsZero() || out.Started.IsZero() || out.Ended.IsZero() {
		return
	}
	// Wall clocks are compared with wall clocks: Round(0) drops the monotonic part.
	lo := out.ServerTime.Sub(out.Ended.Round(0))
	hi := out.ServerTime.Add(time.Second).Sub(out.Started.Round(0))
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known || lo > c.hi || hi < c.lo { // nothing known, or somebody set a clock
		c.known, c.lo, c.hi = true, lo, hi
		return
	}
	c.lo, c.hi = max(c.lo, lo), min(c.hi, hi)
}

// ahead returns the range in which the difference (account minus ours) lies.
func (c *clock) ahead() (lo, hi time.Duration, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lo, c.hi, c.known
}
