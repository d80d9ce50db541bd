package pace

import "time"

// Call is a slot held by one call. Its methods can be called from any
// goroutine. After Done or Abort all of them do nothing; a call that gets
// neither holds its slot for good.
type Call struct {
	p *Pacer

	// All below is guarded by p.mu and stays untouched in the Call of calls
	// without a limit, which they all share.
	prev, next *Call
	in         *chain // nil once the slot is free
	seq        int64  // its row in the table

	sent, wrote, resp time.Duration
	reused            bool // wrote went over a connection that was open already
	firstByte         bool // resp was seen, not concluded
	limited           bool
	ended             bool
}

// lock takes the pacer's lock unless c is beyond recording.
func (c *Call) lock() bool {
	if c == c.p.free {
		return false
	}
	c.p.mu.Lock()
	if c.ended {
		c.p.mu.Unlock()
		return false
	}
	return true
}

// Wrote says that the request has left; reused that it went over a connection
// that was open already. The first request on a connection waits for round trips
// that are not the answer's, and says nothing about the distance.
func (c *Call) Wrote(reused bool) {
	if !c.lock() {
		return
	}
	p := c.p
	// The trace of a quick answer can come in the wrong order; then the time of
	// writing is of no more use.
	if c.resp == unset {
		c.wrote, c.reused = p.now(), reused
		if c.in != nil {
			p.live.written.push(c)
			p.shared.note(c)
		}
		p.pump()
	}
	p.unlock()
}

// FirstByte says that the first byte of the answer has come: by then the
// account has counted the call. The rest of the answer does not hold the slot.
func (c *Call) FirstByte() {
	if !c.lock() {
		return
	}
	p := c.p
	if c.resp == unset {
		c.firstByte = true
		p.answered(c)
		p.pump()
	}
	p.unlock()
}

// Done ends the call. stated is the limit that a Limited answer named, or the
// zero Limit; a window of an hour or more is a cap of the day and is left to the
// caller.
func (c *Call) Done(r Result, stated Limit) {
	p := c.p
	if c == p.free {
		p.offDone(r, stated)
		return
	}
	if !c.lock() {
		return
	}
	c.ended = true
	if c.resp == unset {
		p.answered(c)
	}
	if r != Failed && c.reused && c.firstByte && c.wrote != unset {
		was := p.credit()
		p.trips.add(c.resp - c.wrote)
		p.credited(was)
	}
	switch r {
	case OK:
		p.control.inRow = 0
	case Limited:
		p.throttled.Add(1)
		c.limited = true
		p.shared.note(c)
		p.refused(c, stated)
	}
	p.pump()
	p.unlock()
}

// Abort gives the slot back at once: the call never reached the account. After
// Wrote it may have, and Abort is Done(Failed).
func (c *Call) Abort() {
	p := c.p
	if c == p.free {
		p.calls.Add(-1)
		return
	}
	if !c.lock() {
		return
	}
	c.ended = true
	if c.wrote != unset || c.resp != unset {
		if c.resp == unset {
			p.answered(c)
		}
	} else {
		p.giveBack(c)
	}
	p.pump()
	p.unlock()
}

// answered takes note that the account has counted c by now. Knowledge wins
// over presumption while the slot is still held: then the account may have
// counted the call later than was presumed. A slot that is free stays free, or
// an endpoint that is always this slow would never gain by the presumption.
func (p *Pacer) answered(c *Call) {
	c.resp = p.now()
	if c.in != nil {
		p.live.answered.push(c)
		p.shared.note(c)
	}
}

// giveBack forgets a call that the account has not seen.
func (p *Pacer) giveBack(c *Call) {
	p.calls.Add(-1)
	if c == p.free {
		return
	}
	c.ended = true
	if c.in != nil {
		c.in.remove(c)
		p.shared.forget(c, true)
	}
}

// offDone ends a call that had no limit.
func (p *Pacer) offDone(r Result, stated Limit) {
	if r != Limited {
		if r == OK && p.lull.Load() {
			p.mu.Lock()
			p.control.inRow = 0
			p.mu.Unlock()
		}
		return
	}
	p.throttled.Add(1)
	p.mu.Lock()
	p.refusedOff(stated)
	p.pump()
	p.unlock()
}

// chain is a list of calls. Calls join at its end, so that each chain is in the
// order of the one time that its calls are released by.
type chain struct {
	first, last *Call
	n           int
}

// push puts c at the end, taking it from the chain that it is in.
func (l *chain) push(c *Call) {
	if c.in != nil {
		c.in.remove(c)
	}
	c.in, c.prev, c.next = l, l.last, nil
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
	l.n++
}

func (l *chain) remove(c *Call) {
	if c.prev == nil {
		l.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.in, c.prev, c.next = nil, nil, nil
	l.n--
}

// slots are the calls that hold one, by what is known of them. past is the
// calls whose slot is free by credit and which the account may still count.
type slots struct {
	open, written, answered, past chain
}

func (s *slots) len() int { return s.open.n + s.written.n + s.answered.n }

// roundTrips remembers the smallest of the latest round trips. Only those that
// can still become the smallest are kept, in rising order of both number and
// length.
type roundTrips struct {
	n    int // ever added
	kept []struct {
		number int
		trip   time.Duration
	}
}

// How many round trips are looked back on, and how many are needed before they
// say something.
const (
	tripsKept   = 2000
	tripsNeeded = 25
)

func (t *roundTrips) add(trip time.Duration) {
	t.n++
	k := len(t.kept)
	for k > 0 && t.kept[k-1].trip >= trip {
		k--
	}
	t.kept = append(t.kept[:k], struct {
		number int
		trip   time.Duration
	}{t.n, trip})
	if t.kept[0].number <= t.n-tripsKept {
		t.kept = append(t.kept[:0], t.kept[1:]...)
	}
}

// min is the smallest, or 0 if too few are known.
func (t *roundTrips) min() time.Duration {
	if t.n < tripsNeeded {
		return 0
	}
	return t.kept[0].trip
}
