package line

import (
	"testing"
	"time"

	"leadload/loader/leadsquared"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	at := func(server, started, ended time.Duration) leadsquared.Outcome {
		return leadsquared.Outcome{ServerTime: noon.Add(server).Truncate(time.Second), Started: noon.Add(started), Ended: noon.Add(ended)}
	}
	var c clock
	if _, _, known := c.ahead(); known {
		t.Error("a new clock knows something")
	}
	c.observe(leadsquared.Outcome{Started: noon, Ended: noon}) // no Date header
	if _, _, known := c.ahead(); known {
		t.Error("an answer without a date taught something")
	}
	// The account is 90.4 s ahead; several answers narrow it down.
	const ahead = 90400 * time.Millisecond
	for i := range 20 {
		begin := time.Duration(i) * 777 * time.Millisecond
		c.observe(at(begin+50*time.Millisecond+ahead, begin, begin+100*time.Millisecond))
	}
	lo, hi, known := c.ahead()
	if !known || lo > ahead || hi < ahead || hi-lo > 500*time.Millisecond {
		t.Errorf("between %s and %s, known %v; want %s within", lo, hi, known, ahead)
	}
	// Somebody sets the clock.
	c.observe(at(-time.Hour, 0, 100*time.Millisecond))
	if lo, hi, _ := c.ahead(); lo > -time.Hour || hi < -time.Hour-time.Second {
		t.Errorf("after the clock was set: %s to %s", lo, hi)
	}
}
