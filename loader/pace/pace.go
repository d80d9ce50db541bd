// Package pace keeps an account's rate limit: L calls in any window W.
//
// A call takes a slot with Acquire and holds it from its start until its first
// response byte + W + a guard of 20 ms, which is never over the limit, however
// the account counts (sliding or fixed windows, token bucket).
//
//	p := pace.New(pace.Options{Limit: pace.Limit{Calls: 25, Window: 5 * time.Second}})
//	c, err := p.Acquire(ctx)         // waits its turn, first come first served
//	… c.Wrote(reused) … c.FirstByte() …
//	c.Done(pace.OK)                  // exactly once: Done or Abort
//
// # Why the slots are safe
//
// A call that the account counts at time a was started at s <= a and answered
// at r >= a. If it is counted in the window that ends at t, then t < a+W <= r+W
// and s <= t: it holds a slot at t. There are L slots, so no window holds more
// than L calls, whatever the network does to any of them.
//
// # What is given back
//
// A slot held past the account's own window is speed lost, so two things
// shorten the hold unless [Options].Strict forbids them. The smallest round trip
// seen on a connection that was open already is time that a next call spends
// under way in any case; four fifths of it are taken off the hold. And an answer
// that is late by more than two windows (three seconds at least) is presumed to
// have been counted by then.
//
// # What happens on a refusal
//
// A call that the account refused because of its limit ends with
// Done(Limited, stated) and goes again through AcquireHead. A limit named in the
// refusal is adopted. Otherwise somebody else uses the account: the number of
// slots falls to what the account accepted from us, calls go evenly spaced for
// ten minutes, and slots are won back one, two, four at a time while no refusal
// comes. Refusals in a row become pauses of up to eight windows.
//
// # Several processes
//
// A [Table] shares slots with other processes on the same account and remembers
// them over a restart. Without it each process believes that it is alone, takes
// the first refusal for a trace of its forerunner, and only pauses on it.
//
// A call costs three small transactions; where a limit leaves less than 20 ms
// for each call, many calls share one every 5 ms. Limits of more than 2000 calls
// a window, and Unlimited, do without the table's slots.
package pace

import (
	"container/list"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Result is how a call that took a slot ended.
type Result uint8

// The ways in which a call can end for the pacer.
const (
	OK      Result = iota // an answer that is not about the limit
	Limited               // the account said that the limit was exceeded
	Failed                // no usable answer after bytes were written
)

// Options configure a Pacer.
type Options struct {
	Limit   Limit
	Most    Limit // set by the user: a limit that the account names never allows more; zero: no bound
	Reserve int   // calls per window left to other integrations; one call always stays ours
	Strict  bool  // no round-trip credit, no presumption for slow answers
	// Table is where the calls of a former process and of others on the same
	// account are remembered; nil is no memory.
	Table *Table
	// OnChange is told, from a goroutine that holds no lock, when the limit is
	// adopted from the account's own words, when sending pauses and when it
	// resumes. Changes come one at a time and in order; calls may wait until it
	// returns. It may be nil.
	OnChange func(Change)
}

// Change is something about the pace that a user should be told. Its kinds are
//
//	limit-adopted  the account has named its limit, now or to a former process
//	limit-larger   the account has named a limit that allows more than Options.Most: it changes nothing
//	throttled      calls are refused: fewer slots for now (once an episode)
//	paused         nothing is sent for Pause
//	resumed        the pause is over
//	memory-lost    the table cannot be used; the pacer works alone
type Change struct {
	Kind   string
	Limit  Limit         // the account's limit as now known
	Was    Limit         // limit-adopted: what was set
	Stated Limit         // limit-larger: what the account named
	Pause  time.Duration // paused: how long
	Cap    int           // calls per window now allowed
	Err    error         // memory-lost: why
}

// Pacer hands out slots. It is safe for concurrent use and needs no Close.
type Pacer struct {
	// off is set while there is no limit; such calls all share one Call and
	// touch nothing but the counters. lull is set while they have to queue all
	// the same, because the account refused some.
	off, lull        atomic.Bool
	calls, throttled atomic.Int64

	strict   bool
	reserve  int
	onChange func(Change)
	free     *Call     // the Call of every call without a limit
	base     time.Time // every time below is a duration since then

	mu      sync.Mutex
	limit   Limit // the account's, as far as known
	most    Limit
	larger  Limit // the latest limit-larger that was told
	live    slots
	trips   roundTrips
	control control
	shared  shared

	head, tail *list.List // of *waiter; head goes first
	timer      *time.Timer
	timerAt    time.Duration
	started    time.Duration // of the first call, or unset
	last       time.Duration // start of the latest call, or unset

	news    []Change
	telling bool
}

// unset is a time that is not known.
const unset time.Duration = -1

// never is a time that does not come.
const never time.Duration = math.MaxInt64

type waiter struct {
	ready chan struct{}
	since time.Duration
	call  *Call // set before ready is closed
	queue *list.List
	elem  *list.Element
}

// New returns a pacer. It panics on the zero Limit and on a limit that ParseLimit
// refuses.
func New(o Options) *Pacer {
	if reason := o.Limit.fault(); !o.Limit.unlimited() && reason != "" {
		panic(fmt.Sprintf("pace: limit of %d calls in %v: %s", o.Limit.Calls, o.Limit.Window, reason))
	}
	p := &Pacer{
		strict:   o.Strict,
		reserve:  max(0, o.Reserve),
		onChange: o.OnChange,
		base:     time.Now(),
		limit:    o.Limit,
		most:     o.Most,
		head:     list.New(),
		tail:     list.New(),
		started:  unset,
		last:     unset,
		timerAt:  never,
	}
	p.free = &Call{p: p}
	if o.Limit.unlimited() {
		p.off.Store(true)
		p.limit = Unlimited
	}
	p.control.reset(p.top(), p.limit.Window)
	p.shared.open(p, o.Table, o.Limit)
	return p
}

// now returns the time since the pacer was made, by the monotonic clock.
func (p *Pacer) now() time.Duration { return time.Since(p.base) }

// Acquire waits for a slot, first come first served. The error is ctx's; a call
// never starts on a context that is done.
func (p *Pacer) Acquire(ctx context.Context) (*Call, error) { return p.acquire(ctx, p.tail) }

// AcquireHead is Acquire for a call that the account has refused with Limited:
// it goes before everybody who waits in Acquire, and among its like first come
// first served.
func (p *Pacer) AcquireHead(ctx context.Context) (*Call, error) { return p.acquire(ctx, p.head) }

func (p *Pacer) acquire(ctx context.Context, queue *list.List) (*Call, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.off.Load() && !p.lull.Load() {
		p.calls.Add(1)
		return p.free, nil
	}
	w := &waiter{ready: make(chan struct{}), queue: queue}
	p.mu.Lock()
	w.since = p.now()
	w.elem = queue.PushBack(w)
	p.pump()
	p.unlock()

	select {
	case <-w.ready:
		return w.call, nil
	case <-ctx.Done():
	}
	p.mu.Lock()
	if w.call != nil { // the turn came at the same moment: it goes on to the next
		p.giveBack(w.call)
	} else {
		queue.Remove(w.elem)
	}
	p.pump()
	p.unlock()
	return nil, ctx.Err()
}

// pump starts every call that can start now, and sets the timer for the next.
// It is called with mu held after everything that can bring a start forward.
func (p *Pacer) pump() {
	for {
		now := p.now()
		p.advance(now)
		if p.waiting() == 0 {
			p.wake(never)
			return
		}
		at, check := p.nextStart(now)
		if at > now {
			p.wake(min(at, check))
			return
		}
		if p.shared.table != nil && !p.off.Load() {
			p.wake(never)
			p.shared.start()
			return
		}
		p.grant(now)
	}
}

func (p *Pacer) waiting() int { return p.head.Len() + p.tail.Len() }

// next returns the waiter whose turn it is. There must be one.
func (p *Pacer) next() *waiter {
	queue := p.head
	if queue.Len() == 0 {
		queue = p.tail
	}
	return queue.Front().Value.(*waiter)
}

// grant hands a slot to the waiter whose turn it is.
func (p *Pacer) grant(now time.Duration) *Call {
	w := p.next()
	w.queue.Remove(w.elem)
	p.calls.Add(1)
	if p.off.Load() {
		w.call = p.free
	} else {
		if p.started == unset {
			p.started = now
		}
		p.last = now
		w.call = &Call{p: p, sent: now, wrote: unset, resp: unset}
		p.live.open.push(w.call)
	}
	close(w.ready)
	return w.call
}

// wake sets the one timer.
func (p *Pacer) wake(at time.Duration) {
	if at == p.timerAt {
		return
	}
	p.timerAt = at
	switch {
	case at == never:
		p.timer.Stop()
	case p.timer == nil:
		p.timer = time.AfterFunc(at-p.now(), p.timeUp)
	default:
		p.timer.Reset(at - p.now())
	}
}

func (p *Pacer) timeUp() {
	p.mu.Lock()
	p.timerAt = unset // it has fired, or fires once more after a Reset that it raced: both are harmless
	p.pump()
	p.unlock()
}

// tell queues a change, which unlock hands out.
func (p *Pacer) tell(c Change) {
	if p.onChange != nil {
		c.Limit, c.Cap = p.limit, p.control.cap
		p.news = append(p.news, c)
	}
}

// unlock releases mu and then hands out the changes in order. The first goroutine
// to do so also hands out what others add meanwhile.
func (p *Pacer) unlock() {
	if len(p.news) == 0 || p.telling {
		p.mu.Unlock()
		return
	}
	p.telling = true
	for len(p.news) > 0 {
		news := p.news
		p.news = nil
		p.mu.Unlock()
		for _, c := range news {
			p.onChange(c)
		}
		p.mu.Lock()
	}
	p.telling = false
	p.mu.Unlock()
}

// State is a look at the pacer.
type State struct {
	Limit     Limit
	Cap       int   // slots now in use at most; -1 with no limit
	Calls     int64 // slots granted and not aborted
	Throttled int64 // calls ended by Limited
	PausedTil time.Time
	Waiting   int // calls that wait in Acquire
	InUse     int // slots held now
}

// State returns a look at the pacer. It is cheap enough for every progress line.
func (p *Pacer) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	s := State{
		Limit:     p.limit,
		Cap:       p.control.cap,
		Calls:     p.calls.Load(),
		Throttled: p.throttled.Load(),
		Waiting:   p.waiting(),
	}
	if p.off.Load() {
		s.Cap = Unlimited.Calls
	} else {
		p.expire(now)
		s.InUse = p.live.len()
	}
	if p.control.pauseUntil > now {
		s.PausedTil = p.base.Add(p.control.pauseUntil)
	}
	return s
}

// Earliest returns the time that n more calls take at best, at the present limit:
// from now to the start of the last of them, if nobody else used the account and
// every answer took no longer than the quickest yet. On a fresh pacer that is
// W·(⌈n/L⌉−1).
func (p *Pacer) Earliest(n int64) time.Duration {
	if n <= 0 || p.off.Load() {
		return 0
	}
	p.mu.Lock()
	now := p.now()
	p.expire(now)
	slots := p.control.cap
	pause := max(0, p.control.pauseUntil-now)
	busy := p.releases(now)
	period := p.limit.Window
	if trip := p.trips.min(); trip > 0 {
		period = max(period, period+guard+trip-p.credit())
	}
	p.mu.Unlock()

	slices.Sort(busy)
	busy = busy[max(0, len(busy)-slots):]
	turn, place := (n-1)/int64(slots), int((n-1)%int64(slots))
	first := pause
	if idle := slots - len(busy); place >= idle {
		first = max(pause, busy[place-idle])
	}
	if turn > int64((never-first)/period) {
		return never
	}
	return first + time.Duration(turn)*period
}
