package pace

import "time"

// control is the reaction to refusals: how many slots there are for now, and
// when to try for more. Processes on one account share the most of it, as
// sharedState.
type control struct {
	cap         int
	lastCut     time.Duration
	nextProbe   time.Duration
	hold        time.Duration // from a cut to the next probe
	probing     bool
	level       int // the cap before the probe's latest step
	step        int
	smoothUntil time.Duration
	pauseUntil  time.Duration
	paused      bool // the resumption has still to be told

	lastRefusal time.Duration
	inRow       int           // refusals since the latest success
	forgiven    time.Duration // refusals of calls sent until then are already answered by a pause
	firstSeen   bool          // the first episode is over
	adoptions   int           // since adoptedAt
	adoptedAt   time.Duration
}

// The constants of the reaction. Holds are in windows.
const (
	holdMin, holdMax = 1, 6
	smoothFor        = 10 * time.Minute
	probeMargin      = time.Second
	// An account with several limits at once names them in turn; following
	// them for ever would be a pause at each.
	adoptionsMost = 3
)

// reset makes a controller that has seen nothing.
func (c *control) reset(top int, window time.Duration) {
	*c = control{
		cap:         top,
		hold:        holdMin * window,
		lastCut:     unset,
		lastRefusal: unset,
		forgiven:    unset,
		firstSeen:   c.firstSeen,
		adoptions:   c.adoptions,
		adoptedAt:   c.adoptedAt,
		pauseUntil:  c.pauseUntil,
		paused:      c.paused,
	}
}

// spacing is the least time between two starts in smooth mode, a little under
// the even one so that the slots and not the spacing set the speed.
func (c *control) spacing(window time.Duration) time.Duration {
	return window * 9 / 10 / time.Duration(c.cap)
}

// top is the most slots that there can be.
func (p *Pacer) top() int { return max(1, p.limit.Calls-p.reserve) }

// advance brings slots and controller up to now.
func (p *Pacer) advance(now time.Duration) {
	c := &p.control
	if c.paused && now >= c.pauseUntil {
		c.paused = false
		p.lull.Store(false)
		p.tell(Change{Kind: "resumed"})
	}
	if p.off.Load() {
		return
	}
	p.expire(now)
	w := p.limit.Window
	if c.hold > holdMin*w && c.lastRefusal != unset && now-c.lastRefusal > 3*holdMax*w {
		c.hold = holdMin * w
	}
	if now < c.nextProbe || now < c.pauseUntil {
		return
	}
	top := p.top()
	if c.cap >= top {
		c.probing = false
		return
	}
	if !c.probing {
		c.probing, c.step = true, 1
	} else {
		c.step *= 2
	}
	c.level = c.cap
	c.cap = min(top, c.cap+c.step)
	c.nextProbe = now + w + probeMargin
	p.shared.changed()
}

// refused is the reaction to a refusal of c.
func (p *Pacer) refused(call *Call, stated Limit) {
	now := p.now()
	c := &p.control
	c.lastRefusal = now
	w := p.limit.Window
	if p.adopt(stated, now) {
		return
	}
	if call.sent <= c.forgiven {
		return
	}
	if !c.firstSeen && p.shared.table == nil && now <= p.shared.alone(p.started)+2*w {
		// The calls of a former process, which nobody remembers, are most
		// likely what fills the window.
		c.firstSeen = true
		c.forgiven = now
		p.pause(now, w+guard)
		return
	}
	c.firstSeen = true
	c.smoothUntil = now + smoothFor
	c.inRow++
	accepted := p.accepted(now)
	if call.sent <= c.lastCut {
		c.cap = min(c.cap, max(1, accepted))
	} else {
		c.lastCut = now
		if c.probing {
			c.cap = min(c.cap, c.level)
			c.hold = min(2*c.hold, holdMax*w)
			c.probing = false
		} else {
			c.cap = max(1, min(c.cap-1, accepted))
		}
		c.nextProbe = now + c.hold
		p.tell(Change{Kind: "throttled"})
	}
	if n := c.inRow; n > 1 && c.cap == 1 || n > p.limit.Calls {
		p.pause(now, w<<min(n-1, 4)/2)
	}
	p.shared.changed()
}

// accepted is how many calls the account may be counting as ours now. Credit
// has no part in this: it is about the next call, not about these.
func (p *Pacer) accepted(now time.Duration) int {
	p.expire(now)
	n := p.shared.accepted
	for _, l := range []*chain{&p.live.open, &p.live.written, &p.live.answered, &p.live.past} {
		for c := l.first; c != nil; c = c.next {
			if !c.limited {
				n++
			}
		}
	}
	return n
}

// adopt takes over a limit that the account has named, if it is news. One that
// allows more than the user has set is told and no more.
func (p *Pacer) adopt(stated Limit, now time.Duration) bool {
	if stated == p.limit || stated.fault() != "" {
		return false
	}
	named := stated
	if stated = stated.atMost(p.most); stated == p.limit {
		if named != stated && p.larger != named {
			p.larger = named
			p.tell(Change{Kind: "limit-larger", Stated: named})
		}
		return false
	}
	c := &p.control
	if now-c.adoptedAt > smoothFor {
		c.adoptions, c.adoptedAt = 0, now
	}
	if c.adoptions >= adoptionsMost {
		return false
	}
	c.adoptions++
	was := p.limit
	p.limit = stated
	p.off.Store(false)
	p.lull.Store(false)
	c.reset(p.top(), stated.Window)
	c.firstSeen = true
	c.lastRefusal = now
	c.forgiven = now
	p.shared.adopted = time.Now().UnixNano()
	p.tell(Change{Kind: "limit-adopted", Was: was})
	p.pause(now, stated.Window+guard)
	p.shared.changed()
	return true
}

// refusedOff is the reaction where no limit is set: the one that the account
// names is adopted; without one, calls stop for a while.
func (p *Pacer) refusedOff(stated Limit) {
	now := p.now()
	if p.adopt(stated, now) || !p.off.Load() {
		return
	}
	c := &p.control
	if c.pauseUntil > now { // sent before the pause
		return
	}
	c.inRow++
	p.lull.Store(true)
	p.pause(now, time.Second<<min(c.inRow-1, 3))
}

// pause stops all starts for d.
func (p *Pacer) pause(now, d time.Duration) {
	c := &p.control
	until := now + d
	if until <= c.pauseUntil {
		return
	}
	grown := until - max(now, c.pauseUntil)
	c.pauseUntil = until
	if !c.paused || grown > d/2 {
		p.tell(Change{Kind: "paused", Pause: d})
	}
	c.paused = true
}
