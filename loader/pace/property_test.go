package pace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// randomCase is a run on a random network, with or without a random competitor.
type randomCase struct {
	limit     Limit
	strict    bool
	jobs      int
	road      *path
	competing bool
	cancels   bool
}

func newRandomCase(seed uint64) randomCase {
	r := rand.New(rand.NewPCG(seed, 3))
	leg := func() spread {
		m := time.Duration(1 + r.IntN(400))
		return spread{time.Duration(r.IntN(200)) * ms, m * ms, m * ms * time.Duration(2+r.IntN(8))}
	}
	c := randomCase{
		limit:     Limit{[]int{1, 2, 3, 10, 25}[r.IntN(5)], []time.Duration{second, 5 * second}[r.IntN(2)]},
		strict:    r.IntN(4) > 0,
		competing: r.IntN(4) == 0,
		cancels:   r.IntN(3) == 0,
	}
	c.jobs = c.limit.Calls + r.IntN(min(500, 20*c.limit.Calls))
	net := network{"random", leg(), leg(), leg(), r.Float64() * 0.05, 0}
	if r.IntN(2) == 0 {
		net.freezes = 30 * second
	}
	kinds := []string{"log", "log+r", "aligned", "first", "bucket"}
	c.road = newPath(net, &account{kind: kinds[r.IntN(len(kinds))], limit: c.limit}, seed)
	c.road.abort = r.Float64() * 0.1
	// A request that fails is sometimes on its way still when its failure is
	// known, which no client can guard against: here they all have arrived.
	c.road.fail = r.Float64() * 0.1
	return c
}

// faults runs the case and says what is wrong with the run.
func (c randomCase) faults(t *testing.T) (faults []string) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{Limit: c.limit, Strict: c.strict})
		fault := func(format string, args ...any) {
			if len(faults) < 5 {
				faults = append(faults, fmt.Sprintf(format, args...))
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var side, work sync.WaitGroup
		if c.competing {
			side.Go(func() { compete(ctx, c.road.account, c.limit.Window*5/2/time.Duration(c.limit.Calls)) })
		}
		left := make(chan struct{}, c.jobs)
		for range c.jobs {
			left <- struct{}{}
		}
		close(left)
		var mu sync.Mutex
		flying := 0
		c.road.ending = func() { mu.Lock(); flying--; mu.Unlock() }
		for i := range c.limit.Calls + 3 {
			work.Go(func() {
				for range left {
					acquire := p.Acquire
					for {
						actx, cancel := ctx, context.CancelFunc(func() {})
						if c.cancels && i%3 == 0 {
							actx, cancel = context.WithTimeout(ctx, 700*ms)
						}
						call, err := acquire(actx)
						cancel()
						if err != nil {
							continue
						}
						mu.Lock()
						flying++
						s := p.State()
						// A presumed answer frees the slot of a call that flies on.
						if c.strict && flying > c.limit.Calls || s.InUse > c.limit.Calls || s.Cap > c.limit.Calls {
							fault("%d in flight, %d slots held of %d, limit %v", flying, s.InUse, s.Cap, c.limit)
						}
						if s.InUse > s.Cap && p.lastCut() != p.now() {
							fault("%d slots held of %d", s.InUse, s.Cap)
						}
						mu.Unlock()
						if !c.road.call(call) {
							break
						}
						acquire = p.AcquireHead
					}
				}
			})
		}
		work.Wait()
		stop()
		side.Wait()
		s := p.State()
		if s.Waiting != 0 || s.Calls != int64(len(c.road.account.arrived)) {
			fault("state %+v after %d calls", s, len(c.road.account.arrived))
		}
		if c.strict && !c.competing {
			if n := len(c.road.account.refused); n > 0 {
				fault("%d refused", n)
			}
			if gap := smallestGap(c.road.account.arrived, c.limit.Calls); gap < c.limit.Window {
				fault("call k+%d came %v after call k", c.limit.Calls, gap)
			}
		}
	})
	return faults
}

func (p *Pacer) lastCut() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.control.lastCut
}

// compete calls evenly, and drops what is refused.
func compete(ctx context.Context, a *account, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.call(false)
		case <-ctx.Done():
			return
		}
	}
}

const randomCases = 160

// TestRandomNetworks: in strict form no window of any kind of account ever holds
// more than the limit; in every form the slots held are never more than there are.
func TestRandomNetworks(t *testing.T) {
	for seed := range uint64(randomCases) {
		c := newRandomCase(seed)
		for _, f := range c.faults(t) {
			t.Errorf("seed %d (limit %v, strict %v, %s, competing %v): %s", seed, c.limit, c.strict, c.road.account.kind, c.competing, f)
		}
	}
}

// TestRandomNetworksNoticeAWrongRule runs the same cases on a rule that is known
// to be wrong, so that the test above is known to be able to fail.
func TestRandomNetworksNoticeAWrongRule(t *testing.T) {
	noticed := 0
	for seed := range uint64(40) {
		c := newRandomCase(seed)
		c.road.fromSend = true
		if c.strict && !c.competing && len(c.faults(t)) > 0 {
			noticed++
		}
	}
	if noticed < 5 {
		t.Errorf("holding slots from the send was noticed in %d cases only", noticed)
	}
}

// TestManyAtOnce is for the race detector: real time, real threads, waiters that
// give up, and somebody who looks on.
func TestManyAtOnce(t *testing.T) {
	p := New(Options{Limit: Limit{50, 10 * ms}, OnChange: func(Change) {}})
	var work sync.WaitGroup
	var mu sync.Mutex
	ended := int64(0)
	for i := range 16 {
		work.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 60 {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if r.IntN(4) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(5000))*time.Microsecond)
				}
				c, err := p.Acquire(ctx)
				cancel()
				p.State()
				p.Earliest(100)
				if err != nil {
					continue
				}
				if r.IntN(10) == 0 {
					c.Abort()
					continue
				}
				c.Wrote(true)
				c.FirstByte()
				c.Done(OK, Limit{})
				mu.Lock()
				ended++
				mu.Unlock()
			}
		})
	}
	work.Wait()
	if s := p.State(); s.Calls != ended || s.Waiting != 0 || s.InUse > 50 {
		t.Errorf("state %+v after %d calls", s, ended)
	}
}
