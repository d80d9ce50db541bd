package pace

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// spread is a delay: a fixed part and a log-normal one by its median and 99th
// percentile.
type spread struct{ fixed, median, p99 time.Duration }

func (s spread) draw(r *rand.Rand) time.Duration {
	if s.median == 0 {
		return s.fixed
	}
	sigma := math.Log(float64(s.p99)/float64(s.median)) / 2.326
	return s.fixed + time.Duration(float64(s.median)*math.Exp(sigma*r.NormFloat64()))
}

// network is the way to an account and back.
type network struct {
	name            string
	out, back, proc spread
	stalls          float64       // share of calls that stall 2 to 12 s on one of their ways
	freezes         time.Duration // mean time between freezes of 0.5 to 4 s
}

var (
	near = network{"near", spread{15 * ms, 3 * ms, 40 * ms}, spread{15 * ms, 3 * ms, 40 * ms}, spread{20 * ms, 60 * ms, 400 * ms}, 0, 0}
	far  = network{"far", spread{110 * ms, 8 * ms, 150 * ms}, spread{110 * ms, 8 * ms, 150 * ms}, spread{20 * ms, 60 * ms, 400 * ms}, 0.001, 180 * second}
	wild = network{"wild", spread{0, 250 * ms, 1500 * ms}, spread{0, 100 * ms, 600 * ms}, spread{0, 80 * ms, 500 * ms}, 0.003, 180 * second}
	// calm is far on a good day: what a run takes on it depends on the pacer alone.
	calm = network{"calm", far.out, far.back, far.proc, 0, 0}
	slow = network{"slow", far.out, far.back, spread{0, 2500 * ms, 8 * second}, 0.001, 180 * second}
)

// account counts calls as one of the servers that are known of.
type account struct {
	kind  string // log, log+r (refused calls count), aligned, first, bucket
	limit Limit
	named bool // its refusals name the limit

	mu       sync.Mutex
	counted  []time.Time // in the log
	opened   time.Time
	in       int
	tokens   float64
	filled   time.Time
	arrived  []time.Time // ours
	accepted []time.Time // ours
	refused  []time.Time // ours
	lost     int         // refused, of the competitor
	others   int         // accepted, of the competitor
}

// call counts a call that arrives now.
func (a *account) call(ours bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	ok := a.count(now)
	if ours {
		a.arrived = append(a.arrived, now)
	}
	switch {
	case ok && ours:
		a.accepted = append(a.accepted, now)
	case ok:
		a.others++
	case ours:
		a.refused = append(a.refused, now)
	default:
		a.lost++
	}
	return ok
}

func (a *account) count(now time.Time) bool {
	w, l := a.limit.Window, a.limit.Calls
	switch a.kind {
	case "log", "log+r":
		for len(a.counted) > 0 && now.Sub(a.counted[0]) >= w {
			a.counted = a.counted[1:]
		}
		ok := len(a.counted) < l
		if ok || a.kind == "log+r" {
			a.counted = append(a.counted, now)
		}
		return ok
	case "aligned", "first":
		start := now
		if a.kind == "aligned" {
			start = now.Truncate(w)
		} else if now.Sub(a.opened) < w {
			start = a.opened
		}
		if !start.Equal(a.opened) {
			a.opened, a.in = start, 0
		}
		if a.in >= l {
			return false
		}
		a.in++
		return true
	case "bucket":
		if a.filled.IsZero() {
			a.tokens = float64(l)
		}
		a.tokens = min(float64(l), a.tokens+now.Sub(a.filled).Seconds()*float64(l)/w.Seconds())
		a.filled = now
		if a.tokens < 1 {
			return false
		}
		a.tokens--
		return true
	}
	panic(a.kind)
}

// smallestGap is the least time between any call and the one that is n before it.
func smallestGap(at []time.Time, n int) time.Duration {
	at = slices.SortedFunc(slices.Values(at), time.Time.Compare)
	gap := time.Duration(math.MaxInt64)
	for i := n; i < len(at); i++ {
		gap = min(gap, at[i].Sub(at[i-n]))
	}
	return gap
}

// path is a network in use: its dice, its connections, its freezes.
type path struct {
	network
	account *account

	mu     sync.Mutex
	dice   *rand.Rand
	idle   int // connections
	frozen []struct{ from, to time.Time }
	trips  []time.Duration
	// fail is the share of calls that end without a usable answer, abort that
	// of calls that find no connection.
	fail, abort float64
	// fromSend is the mutation: it has the pacer believe that every call is
	// counted as it starts.
	fromSend bool
	// ending is told of a call that is about to give its slot up.
	ending func()
	// dead ends the process at once: no call says anything more.
	dead atomic.Bool
}

func newPath(n network, a *account, seed uint64) *path {
	return &path{network: n, account: a, dice: rand.New(rand.NewPCG(seed, 7)), ending: func() {}}
}

// throw decides everything about a call at its start.
func (n *path) throw() (dial, out, proc, back time.Duration, fail, abort bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.dice
	out, proc, back = n.out.draw(r), n.proc.draw(r), n.network.back.draw(r)
	if r.Float64() < n.stalls {
		stall := 2*second + time.Duration(r.Float64()*float64(10*second))
		if r.IntN(2) == 0 {
			out += stall
		} else {
			back += stall
		}
	}
	if n.idle > 0 {
		n.idle--
	} else {
		dial = 2 * (n.out.draw(r) + n.network.back.draw(r))
	}
	return dial, out, proc, back, r.Float64() < n.fail, r.Float64() < n.abort
}

// thaw is the time that is lost to freezes of the path by who is on it from now.
func (n *path) thaw(leg time.Duration) time.Duration {
	if n.freezes == 0 {
		return leg
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	arrive := time.Now().Add(leg)
	for len(n.frozen) == 0 || n.frozen[len(n.frozen)-1].from.Before(arrive) {
		from := time.Now()
		if k := len(n.frozen); k > 0 {
			from = n.frozen[k-1].to
		}
		from = from.Add(time.Duration(n.dice.ExpFloat64() * float64(n.freezes)))
		to := from.Add(time.Duration((0.5 + 3.5*n.dice.Float64()) * float64(second)))
		n.frozen = append(n.frozen, struct{ from, to time.Time }{from, to})
	}
	for _, f := range n.frozen {
		if !arrive.Before(f.from) && arrive.Before(f.to) {
			arrive = f.to
		}
	}
	return time.Until(arrive)
}

// call makes one call through a slot and tells whether it was refused.
func (n *path) call(c *Call) (refused bool) {
	dial, out, proc, back, fail, abort := n.throw()
	time.Sleep(dial)
	if n.dead.Load() {
		return false
	}
	if abort {
		n.ending()
		c.Abort()
		return true // it has to go again
	}
	wrote := time.Now()
	c.Wrote(dial == 0)
	if n.fromSend {
		c.FirstByte()
	}
	time.Sleep(n.thaw(out))
	ok := n.account.call(true)
	if ok {
		time.Sleep(proc)
	}
	time.Sleep(n.thaw(back))
	if n.dead.Load() {
		return false
	}
	n.ending()
	if fail {
		c.Done(Failed, Limit{})
		return false
	}
	c.FirstByte()
	n.mu.Lock()
	n.idle++
	n.trips = append(n.trips, time.Since(wrote))
	n.mu.Unlock()
	if ok {
		c.Done(OK, Limit{})
		return false
	}
	var stated Limit
	if n.account.named {
		stated = n.account.limit
	}
	c.Done(Limited, stated)
	return true
}

// load makes jobs calls with workers that put refused ones back at the head,
// and gives the time until the last answer.
func (n *path) load(ctx context.Context, p *Pacer, jobs, workers int) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	left := make(chan struct{}, jobs)
	for range jobs {
		left <- struct{}{}
	}
	close(left)
	for range workers {
		wg.Go(func() {
			for range left {
				c, err := p.Acquire(ctx)
				for err == nil && n.call(c) {
					c, err = p.AcquireHead(ctx)
				}
				if err != nil || n.dead.Load() {
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// result is what a run on a simulated network shows.
type result struct {
	took    time.Duration
	eff     float64
	refused int
	gap     time.Duration
}

// simulate runs n calls over a network to an account in virtual time.
func simulate(t *testing.T, net network, kind string, o Options, n int, seed uint64) (r result) {
	synctest.Test(t, func(t *testing.T) {
		a := &account{kind: kind, limit: super}
		road := newPath(net, a, seed)
		// The clock of a bubble begins at a whole window.
		time.Sleep(time.Duration(rand.New(rand.NewPCG(seed, 1)).Int64N(int64(5 * second))))
		p := New(o)
		r.took = road.load(t.Context(), p, n, super.Calls+5)
		var sum time.Duration
		for _, trip := range road.trips {
			sum += trip
		}
		bound := super.Window*time.Duration((n+super.Calls-1)/super.Calls-1) + sum/time.Duration(len(road.trips))
		r.eff = bound.Seconds() / r.took.Seconds()
		r.refused = len(a.refused)
		r.gap = smallestGap(a.arrived, super.Calls)
	})
	return r
}
