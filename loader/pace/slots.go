package pace

import "time"

// The constants of a hold.
const (
	// guard covers clock drift over a window and coarse timers.
	guard = 20 * time.Millisecond
	// A path that becomes shorter makes the credit too big until its first new
	// answers are in; a fifth of the round trip is kept against that.
	creditParts, creditOf = 4, 5
	// An endpoint that takes longer than this is slow, not far away.
	presumeAtLeast = 3 * time.Second
)

// credit returns the part of the next call's way that a hold need not cover. All
// processes on an account must use the same. Otherwise one takes each slot while
// another believes that it is held.
func (p *Pacer) credit() time.Duration {
	if p.strict {
		return 0
	}
	trip := p.trips.min()
	if others := p.shared.trip; trip == 0 || others > 0 && others < trip {
		trip = others
	}
	return trip * creditParts / creditOf
}

// credited ends the wait for others' slots if the credit has grown from was:
// every slot is now free sooner than the table said.
func (p *Pacer) credited(was time.Duration) {
	if p.credit() > was {
		p.shared.until = 0
	}
}

// presume returns the time after which a request that has left counts as counted.
func (p *Pacer) presume() time.Duration { return max(2*p.limit.Window, presumeAtLeast) }

// releaseAnswered returns the end of the hold of a call that was answered.
func (p *Pacer) releaseAnswered(c *Call) time.Duration {
	return c.resp + p.limit.Window + guard - p.credit()
}

// releasePresumed returns the end of the hold of a call that was only written. It
// gets no credit, because its answer has not come.
func (p *Pacer) releasePresumed(c *Call) time.Duration {
	if p.strict {
		return never
	}
	return c.wrote + p.presume() + p.limit.Window + guard
}

// expire frees the slots whose hold is over.
func (p *Pacer) expire(now time.Duration) {
	for c := p.live.answered.first; c != nil && p.releaseAnswered(c) <= now; c = p.live.answered.first {
		p.live.past.push(c)
	}
	for c := p.live.written.first; c != nil && p.releasePresumed(c) <= now; c = p.live.written.first {
		p.live.written.remove(c)
		p.shared.forget(c, false)
	}
	for c := p.live.past.first; c != nil && c.resp+p.limit.Window+guard <= now; c = p.live.past.first {
		p.live.past.remove(c)
		p.shared.forget(c, false)
	}
}

// nextStart returns when the next call can start as things stand, and when to look
// again.
func (p *Pacer) nextStart(now time.Duration) (at, check time.Duration) {
	c := &p.control
	at, check = now, never
	if p.off.Load() {
		return max(at, c.pauseUntil), check
	}
	if p.live.len() >= c.cap {
		at = p.firstRelease()
		if c.cap < p.top() {
			check = max(c.nextProbe, c.pauseUntil)
		}
	}
	if c.smoothUntil > now && p.last != unset {
		at = max(at, p.last+c.spacing(p.limit.Window))
	}
	return max(at, c.pauseUntil, p.shared.until), check
}

// firstRelease is when the next slot becomes free by itself.
func (p *Pacer) firstRelease() time.Duration {
	at := never
	if first := p.live.answered.first; first != nil {
		at = p.releaseAnswered(first)
	}
	if first := p.live.written.first; first != nil {
		at = min(at, p.releasePresumed(first))
	}
	return at
}

// releases returns the ends of all holds from now on, at best.
func (p *Pacer) releases(now time.Duration) []time.Duration {
	all := make([]time.Duration, 0, p.live.len())
	atOnce := p.limit.Window + guard - p.credit()
	for c := p.live.answered.first; c != nil; c = c.next {
		all = append(all, p.releaseAnswered(c)-now)
	}
	for c := p.live.written.first; c != nil; c = c.next {
		all = append(all, min(p.releasePresumed(c)-now, max(0, atOnce)))
	}
	for range p.live.open.n {
		all = append(all, max(0, atOnce))
	}
	return all
}
