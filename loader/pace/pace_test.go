package pace

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const second = time.Second

var super = Limit{Calls: 25, Window: 5 * second}

// take acquires a slot that must come.
func take(t *testing.T, p *Pacer) *Call {
	t.Helper()
	c, err := p.Acquire(t.Context())
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	return c
}

// around runs n calls on a network with constant legs over open connections and
// gives the time from now until the last answer.
func around(t *testing.T, p *Pacer, n int, out, back time.Duration) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			c := take(t, p)
			c.Wrote(true)
			time.Sleep(out + back)
			c.FirstByte()
			c.Done(OK, Limit{})
		})
	}
	wg.Wait()
	return time.Since(start)
}

func TestHundredCallsTakeExactly(t *testing.T) {
	for _, tt := range []struct {
		name   string
		strict bool
		want   time.Duration
	}{
		// Three times window + round trip + guard, and the last round trip.
		{"strict", true, 16260 * time.Millisecond},
		// Less 0.8 round trips each time.
		{"with credit", false, 15540 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Options{Limit: super, Strict: tt.strict})
				if got := around(t, p, 100, 200*time.Millisecond, 100*time.Millisecond); got != tt.want {
					t.Errorf("100 calls took %v, want %v", got, tt.want)
				}
				if s := p.State(); s.Calls != 100 || s.Throttled != 0 || s.Cap != 25 {
					t.Errorf("state = %+v", s)
				}
			})
		})
	}
}

func TestHoldOfOneCall(t *testing.T) {
	for _, tt := range []struct {
		name   string
		strict bool
		call   func(c *Call)
		want   time.Duration // start of the next call
	}{
		{"no answer", false, func(c *Call) { c.Wrote(true) }, 15020 * time.Millisecond},
		{"answer after 12s", true, func(c *Call) { c.Wrote(true); time.Sleep(12 * second); c.FirstByte() }, 17020 * time.Millisecond},
		{"answer after 12s, known later than presumed", false, func(c *Call) { c.Wrote(true); time.Sleep(12 * second); c.FirstByte() }, 17020 * time.Millisecond},
		{"answer after 16s", false, func(c *Call) { c.Wrote(true); time.Sleep(16 * second); c.FirstByte() }, 15020 * time.Millisecond},
		{"aborted", false, func(c *Call) { c.Abort() }, 0},
		{"aborted after a while", false, func(c *Call) { time.Sleep(3 * second); c.Abort() }, 3 * second},
		{"aborted after writing", false, func(c *Call) { c.Wrote(true); time.Sleep(second); c.Abort() }, 6020 * time.Millisecond},
		{"failed", false, func(c *Call) { c.Wrote(true); time.Sleep(2 * second); c.Done(Failed, Limit{}) }, 7020 * time.Millisecond},
		{"failed unwritten", false, func(c *Call) { time.Sleep(2 * second); c.Done(Failed, Limit{}) }, 7020 * time.Millisecond},
		{"body takes long", false, func(c *Call) { c.Wrote(true); c.FirstByte(); time.Sleep(4 * second); c.Done(OK, Limit{}) }, 5020 * time.Millisecond},
		{"done twice", false, func(c *Call) {
			c.Done(OK, Limit{})
			time.Sleep(second)
			c.Done(OK, Limit{})
			c.Abort()
			c.Wrote(true)
			c.FirstByte()
		}, 5020 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Options{Limit: Limit{1, 5 * second}, Strict: tt.strict})
				start := time.Now()
				c := take(t, p)
				var wg sync.WaitGroup
				wg.Go(func() { tt.call(c) })
				take(t, p)
				if got := time.Since(start); got != tt.want {
					t.Errorf("next call started at %v, want %v", got, tt.want)
				}
				wg.Wait()
			})
		})
	}
}

func TestCancelledWaiterGivesItsTurnOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: Limit{1, 5 * second}})
		start := time.Now()
		take(t, p).Done(OK, Limit{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if _, err := p.Acquire(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled waiter got %v", err)
			}
		}()
		synctest.Wait()
		go func() { time.Sleep(second); cancel() }()
		take(t, p)
		if got := time.Since(start); got != 5020*time.Millisecond {
			t.Errorf("next in line started at %v", got)
		}
		if _, err := p.Acquire(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("acquire on a cancelled context: %v", err)
		}
		if s := p.State(); s.Calls != 2 || s.Waiting != 0 {
			t.Errorf("state = %+v", s)
		}
	})
}
