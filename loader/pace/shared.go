package pace

import (
	"container/list"
	"errors"
	"time"
)

// shared is a pacer's side of the table. The pacer's mu guards all of it. One
// goroutine makes the transactions without that lock. It lives as long as there
// is something to write or to ask.
type shared struct {
	p     *Pacer
	table *Table // nil: no memory
	owner int64
	seq   int64
	set   Limit // as set by the user, the name of the state

	busy    bool          // the goroutine runs
	urgent  bool          // entries wait that others want to know
	dirty   bool          // the controller has changed
	version int64         // of the state last seen
	until   time.Duration // not before then, because others hold the slots
	lostAt  time.Duration // when the table was lost, or unset
	latest  time.Duration // the latest transaction
	waited  bool          // the table says that calls wait
	adopted int64         // wall time at which the account named its limit, or 0

	accepted int           // others' calls that the account may be counting
	trip     time.Duration // others' smallest round trip, or 0
}

const (
	// A call of another process that has not been written can be aborted, which
	// frees its slot without a word to this one.
	poll = 50 * time.Millisecond
	// Others have this long to take the slot that they have waited for. A process
	// that waits and is later than lateness counts as dead.
	yield    = 10 * time.Millisecond
	lateness = 150 * time.Millisecond
	// A process that waits hears within this time what others have learned. A
	// shorter round trip of theirs frees every slot sooner.
	lookEvery = time.Second
	// What a pacer says of itself counts for this long.
	present = 30 * time.Second
	// A limit with less time than this for each call gets its transactions at
	// longer intervals, many calls to each.
	batchBelow = 20 * time.Millisecond
	batchEvery = 5 * time.Millisecond
	// Reading more rows than this at every turn would cost more than memory is
	// worth.
	sharedMost = 2000
	// The account's own word counts for this long. Otherwise nobody would ever
	// notice a larger plan.
	adoptedFor = 24 * time.Hour
)

// open starts with what others have left in the table.
func (s *shared) open(p *Pacer, t *Table, set Limit) {
	*s = shared{p: p, set: set, lostAt: unset, latest: unset}
	if t == nil || set.Calls > sharedMost {
		return
	}
	s.table, s.owner = t, newOwner()
	r, err := t.round(s.ask(p.now(), 0))
	if err != nil {
		s.lose(err)
		return
	}
	s.hear(r)
}

// lose stops using the table.
func (s *shared) lose(err error) {
	s.table = nil
	s.until, s.accepted, s.trip, s.waited = 0, 0, 0, false
	s.lostAt = s.p.now()
	if !errors.Is(err, errClosed) {
		s.p.tell(Change{Kind: "memory-lost", Err: err})
	}
}

// alone returns the time since which the pacer sees only its own calls.
func (s *shared) alone(started time.Duration) time.Duration { return max(started, s.lostAt) }

// note passes on what has become known of c.
func (s *shared) note(c *Call) {
	if s.table == nil || c.seq == 0 {
		return
	}
	kind := Wrote
	switch {
	case c.limited:
		kind = Refused
	case c.resp != unset:
		kind = Answered
	}
	s.table.note(kind, s.owner, c.seq)
	s.urgent = true
	s.start()
}

// forget removes c from the table: at once if others can use its slot, else with
// the next transaction.
func (s *shared) forget(c *Call, atOnce bool) {
	if s.table == nil || c.seq == 0 {
		return
	}
	s.table.note(Over, s.owner, c.seq)
	if atOnce {
		s.urgent = true
		s.start()
	}
}

// changed shares the controller with other processes.
func (s *shared) changed() {
	if s.table != nil {
		s.dirty = true
		s.start()
	}
}

func (s *shared) start() {
	if !s.busy && s.table != nil {
		s.busy = true
		go s.run()
	}
}

// run makes transactions until there is nothing left to write or to ask.
func (s *shared) run() {
	p := s.p
	for {
		p.mu.Lock()
		now := p.now()
		p.advance(now)
		want := p.startable(now)
		if s.table == nil || want == 0 && !s.urgent && !s.dirty {
			s.busy = false
			p.pump()
			p.unlock()
			return
		}
		if wait := s.latest + batchEvery - now; s.latest != unset && wait > 0 && p.limit.Window/time.Duration(p.limit.Calls) < batchBelow {
			p.unlock()
			time.Sleep(wait)
			continue
		}
		s.latest = now
		table, a := s.table, s.ask(now, want)
		s.urgent, s.dirty = false, false
		p.unlock()

		r, err := table.round(a)

		p.mu.Lock()
		if err != nil {
			s.lose(err)
		} else {
			s.seq += int64(r.started)
			s.hear(r)
			s.seat(a, r)
		}
		p.unlock()
	}
}

// startable returns how many calls could start now if nobody else used the account.
func (p *Pacer) startable(now time.Duration) int {
	if p.waiting() == 0 || p.off.Load() {
		return 0
	}
	if at, _ := p.nextStart(now); at > now {
		return 0
	}
	if p.control.smoothUntil > now {
		return 1
	}
	return min(p.waiting(), p.control.cap-p.live.len())
}

func (s *shared) ask(now time.Duration, want int) ask {
	p := s.p
	a := ask{
		owner:   s.owner,
		first:   s.seq + 1,
		want:    want,
		free:    p.control.cap - p.live.len(),
		cap:     p.control.cap,
		past:    p.limit.Window + guard,
		presume: p.presume(),
		set:     s.set,
		version: s.version,
	}
	a.trip = p.trips.min()
	a.hold = max(0, a.past-p.credit())
	a.release = never
	if at := p.firstRelease(); at != never {
		a.release = max(0, at-now)
	}
	if p.control.smoothUntil > now {
		a.spacing = p.control.spacing(p.limit.Window)
	}
	if want > 0 {
		a.since = p.since(want, s.table.clock.Read()-int64(now))
	}
	a.waited = s.waited && p.waiting() > 0
	if s.dirty {
		c, clock := &p.control, s.table.clock.Read()-int64(now)
		a.state = &sharedState{
			Limit:       p.limit,
			Adopted:     s.adopted,
			Cap:         c.cap,
			LastCut:     clock + int64(c.lastCut),
			NextProbe:   clock + int64(c.nextProbe),
			Hold:        c.hold,
			Probing:     c.probing,
			Level:       c.level,
			Step:        c.step,
			SmoothUntil: clock + int64(c.smoothUntil),
			PauseUntil:  clock + int64(c.pauseUntil),
		}
	}
	return a
}

// since returns when each of the next n calls began to wait, as nanoseconds after
// zero. At least n calls must wait.
func (p *Pacer) since(n int, zero int64) []int64 {
	times := make([]int64, 0, n)
	for _, queue := range []*list.List{p.head, p.tail} {
		for e := queue.Front(); e != nil && len(times) < n; e = e.Next() {
			times = append(times, zero+int64(e.Value.(*waiter).since))
		}
	}
	return times
}

// hear applies what others have left in the table.
func (s *shared) hear(r told) {
	p := s.p
	now := p.now()
	was := p.credit()
	s.accepted, s.trip = r.accepted, r.trip
	p.credited(was)
	if r.last != never {
		p.last = max(p.last, now-r.last)
	}
	s.version = r.version
	if r.state == nil {
		return
	}
	st, c := r.state, &p.control
	clock := s.table.clock.Read() - int64(now)
	st.Limit = st.Limit.atMost(p.most)
	if st.Limit != p.limit && st.Adopted != 0 {
		was := p.limit
		p.limit, s.adopted = st.Limit, st.Adopted
		p.off.Store(false)
		p.lull.Store(false)
		c.reset(p.top(), p.limit.Window)
		c.forgiven = now
		p.tell(Change{Kind: "limit-adopted", Was: was})
	}
	if st.Limit != p.limit {
		return
	}
	local := func(at int64) time.Duration { return time.Duration(at - clock) }
	if d := local(st.PauseUntil) - now; d > 0 {
		p.pause(now, d)
	}
	if r.age > smoothFor && local(st.SmoothUntil) <= now {
		return // others used the account long ago
	}
	c.cap = max(1, min(st.Cap, p.top()))
	c.lastCut = max(c.lastCut, local(st.LastCut))
	c.nextProbe = local(st.NextProbe)
	c.hold = min(max(st.Hold, holdMin*p.limit.Window), holdMax*p.limit.Window)
	c.probing, c.level, c.step = st.Probing, max(1, st.Level), max(1, st.Step)
	c.smoothUntil = max(c.smoothUntil, local(st.SmoothUntil))
}

// seat hands the slots that the table has granted to waiting calls. Some calls may
// have left meanwhile, or sending may have paused.
func (s *shared) seat(a ask, r told) {
	p := s.p
	if a.want == 0 {
		return
	}
	s.until = 0
	for i := range r.started {
		now := p.now()
		at, _ := p.nextStart(now)
		if p.waiting() == 0 || at > now {
			s.table.note(Over, s.owner, a.first+int64(i))
			s.urgent = true
			continue
		}
		p.grant(now).seq = a.first + int64(i)
	}
	// With a smaller hold than was asked with, the table's word is out of date.
	if r.waits && max(0, a.past-p.credit()) >= a.hold {
		s.until = min(p.now()+r.look, p.firstRelease())
	}
	s.waited = r.waits
}
