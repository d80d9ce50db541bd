package pace

import (
	"encoding/json"
	"time"
)

// ask holds what a pacer wants of a transaction.
type ask struct {
	owner int64
	first int64 // seq of the first call to start
	want  int   // calls that want to start
	free  int   // slots that the pacer's own calls leave
	cap   int

	since   []int64       // when each of these calls began to wait, by the table's clock; the next to start is first
	waited  bool          // the table says that they wait
	spacing time.Duration // least time between two starts, or 0
	release time.Duration // until a slot of the pacer's own becomes free; never if it holds none

	trip    time.Duration // the smallest round trip, or 0
	hold    time.Duration // of an answered call, from its answer
	past    time.Duration // how long an answered call may be counted by the account
	presume time.Duration // from writing to the presumed answer

	set     Limit // names the state
	version int64 // of the state that the pacer knows
	state   *sharedState
}

// told holds the result of a transaction. Durations are from now.
type told struct {
	started  int
	waits    bool          // the table says that calls wait
	look     time.Duration // when to look again, if they do
	accepted int           // of others' calls that the account may be counting, those not refused
	last     time.Duration // since others' latest start; never if there is none
	trip     time.Duration // others' smallest round trip, or 0
	version  int64
	age      time.Duration // of the state, by the wall clock
	state    *sharedState  // nil: the pacer knows it already
}

// decide says what a pacer is told of a store's book, and what is to be written.
func (a ask) decide(clk Clock, b *Book) (r told, c Changes, err error) {
	now := clk.Read()
	o := a.readForeign(clk, b, now, &c)
	ps := a.readPacers(b, now)
	r.accepted, r.last, r.trip = o.accepted, o.last, ps.trip
	if err := a.exchange(clk, b, now, &r, &c); err != nil {
		return r, c, err
	}
	a.start(clk, o, ps, now, &r, &c)
	return r, c, nil
}

// start starts as many calls as the slots of all processes together allow. If
// calls remain, the table says so. The process that has waited longest goes
// first. Otherwise a process would win back every slot it gives up, because its
// own timer fires first.
func (a ask) start(clk Clock, o others, ps pacers, now int64, r *told, c *Changes) {
	room := a.free - o.slots
	if s := r.state; s != nil {
		room -= max(0, a.cap-s.Cap)
		if s.PauseUntil > now {
			room = 0
		}
	}
	r.look = min(o.next, a.release, lookEvery)
	if a.want > 0 {
		if a.spacing > 0 {
			room = min(room, 1)
			if left := a.spacing - o.last; left > 0 {
				room, r.look = 0, left
			}
		}
		if room > 0 && ps.earlier > 0 { // a stale row costs no more than the lateness
			r.look = min(r.look, max(yield, ps.look), yield+lateness)
		}
		room -= ps.earlier
	}
	for skew := clk.skew(); r.started < min(a.want, room); r.started++ {
		c.Start = append(c.Start, CallRow{Owner: a.owner, Seq: a.first + int64(r.started), Boot: clk.Boot, Skew: skew, Sent: now})
	}
	r.look = max(r.look, time.Millisecond)
	r.waits = r.started < a.want
	if (a.want == 0 || !r.waits && !a.waited) && a.trip == ps.mine.Trip && now-ps.mine.Seen < int64(present/3) {
		return
	}
	var since, until int64
	switch {
	case a.want == 0 && a.waited:
		since, until = ps.mine.Since, ps.mine.Until
	case r.waits:
		// A call that has just started no longer waits. If the row kept its time,
		// this process and another could each yield to the other.
		since, until = a.since[r.started], now+int64(r.look+lateness)
	}
	c.Pacer = &PacerRow{Owner: a.owner, Wall: clk.Wall(), Seen: now, Trip: a.trip, Since: since, Until: until}
}

// pacers holds what the pacers of an account say of themselves.
type pacers struct {
	mine    PacerRow
	trip    time.Duration // the others' smallest round trip, or 0
	earlier int           // others who have waited for longer than this one
	look    time.Duration // until the first of those looks again
}

func (a ask) readPacers(b *Book, now int64) (ps pacers) {
	ps.look = never
	for _, p := range b.Pacers {
		if p.Owner == a.owner {
			ps.mine = p
			continue
		}
		// A time ahead comes from a clock that was set, or from another boot.
		if p.Seen > now+int64(b.Apart) || now-p.Seen > int64(present) {
			continue
		}
		if p.Trip > 0 && (ps.trip == 0 || p.Trip < ps.trip) {
			ps.trip = p.Trip
		}
		if now < p.Until && a.want > 0 && (p.Since < a.since[0] || p.Since == a.since[0] && p.Owner < a.owner) {
			ps.earlier++
			ps.look = min(ps.look, time.Duration(p.Until-now)-lateness)
		}
	}
	return ps
}

// others holds what other processes have in the table.
type others struct {
	slots    int           // that they hold
	accepted int           // calls that the account may be counting, those not refused
	last     time.Duration // since the latest start; never if there is none
	next     time.Duration // until a slot can become free
}

// readForeign counts the slots that others hold, and forgets their calls that
// are over. We cannot tell whether another process is alive, so a missing answer
// is presumed even in strict mode.
func (a ask) readForeign(clk Clock, b *Book, now int64, ch *Changes) (o others) {
	// An answer that comes from now on frees its slot a hold later.
	o.next, o.last = a.hold, never
	if b.Moved {
		ch.EndAll = now
	}
	skew := clk.skew()
	for i := range b.Calls {
		c := &b.Calls[i]
		if b.Moved {
			c.endNow(now)
		}
		stale := c.adjust(now, c.Boot == clk.Boot, c.Skew-skew)
		end := c.end(a.presume) + int64(b.Apart)
		if end+int64(a.past) <= now {
			ch.Over = append(ch.Over, *c)
			continue
		}
		if stale {
			c.Boot, c.Skew = clk.Boot, skew
			ch.Restamp = append(ch.Restamp, *c)
		}
		if !c.Limited {
			o.accepted++
		}
		o.last = min(o.last, time.Duration(now-c.Sent))
		hold := a.hold
		if !c.Resp.Valid {
			hold = a.past // a presumed answer earns no credit
		}
		if left := time.Duration(end-now) + hold; left > 0 {
			o.slots++
			o.next = min(o.next, left)
			if !c.Wrote.Valid && !c.Resp.Valid { // it may be aborted at any time
				o.next = min(o.next, poll)
			}
		}
	}
	return o
}

// endNow ends a call of which nobody can tell when it was.
func (c *CallRow) endNow(now int64) {
	c.Sent = now
	if c.Wrote.Valid {
		c.Wrote.Int64 = now
	}
	if c.Resp.Valid {
		c.Resp.Int64 = now
	}
}

// adjust converts c's times to this process's clock and reports whether any of
// them changed. A time in the future becomes now: at worst the slot is held for
// longer than needed.
func (c *CallRow) adjust(now int64, sameBoot bool, shift int64) (changed bool) {
	for _, at := range []*int64{&c.Sent, &c.Wrote.Int64, &c.Resp.Int64} {
		was := *at
		if !sameBoot {
			*at += shift
		}
		*at = min(*at, now)
		changed = changed || *at != was
	}
	return changed || !sameBoot
}

// end returns the time by which the account has counted c, at the latest.
func (c *CallRow) end(presume time.Duration) int64 {
	switch {
	case c.Resp.Valid:
		return c.Resp.Int64
	case c.Wrote.Valid:
		return c.Wrote.Int64 + int64(presume)
	}
	return c.Sent + int64(writtenWithin+presume)
}

// sharedState is the part of the controller that processes share. Times are by
// the table's clock.
type sharedState struct {
	Boot        string
	Skew        int64
	Limit       Limit // as the account has named it, or as set
	Adopted     int64 // wall time at which the account named it, or 0
	Cap         int
	LastCut     int64
	NextProbe   int64
	Hold        time.Duration
	Probing     bool
	Level       int
	Step        int
	SmoothUntil int64
	PauseUntil  int64
}

// exchange reads the state that others left, and writes the pacer's own if it has
// changed. If both have changed, the more careful value of each part is kept.
func (a ask) exchange(clk Clock, b *Book, now int64, r *told, c *Changes) error {
	wall := clk.Wall()
	if r.version = b.State.Version; b.State.Text != "" && r.version != a.version {
		var s sharedState
		// Ignore a state that cannot be read, and one that rests on what the account
		// said long ago.
		if json.Unmarshal([]byte(b.State.Text), &s) == nil && s.Cap > 0 && (s.Limit.fault() == "" || s.Limit.unlimited()) &&
			(s.Adopted == 0 || wall-s.Adopted < int64(adoptedFor)) {
			s.shift(clk.Boot, clk.skew(), now)
			r.age = max(0, time.Duration(wall-b.State.At))
			r.state = &s
		}
	}
	if a.state == nil {
		return nil
	}
	mine := *a.state
	if s := r.state; s != nil {
		mine = mine.merge(*s)
		r.state, r.age = &mine, 0
	}
	mine.Boot, mine.Skew = clk.Boot, clk.skew()
	text, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	r.version++
	c.State = &StateRow{Version: r.version, At: wall, Text: string(text)}
	return nil
}

// shift converts the times of s to this process's clock. None stays further ahead
// than it can rightly be.
func (s *sharedState) shift(boot string, skew, now int64) {
	by := int64(0)
	if s.Boot != boot {
		by = s.Skew - skew
	}
	s.Hold = min(max(s.Hold, 0), holdMax*dayWindow)
	for _, at := range []struct {
		t     *int64
		ahead time.Duration
	}{
		{&s.LastCut, 0},
		{&s.NextProbe, holdMax * s.Limit.Window},
		{&s.SmoothUntil, smoothFor},
		{&s.PauseUntil, 8 * s.Limit.Window},
	} {
		*at.t = min(*at.t+by, now+int64(max(0, at.ahead)))
	}
}

// merge returns the more careful of two states.
func (s sharedState) merge(o sharedState) sharedState {
	if s.Limit != o.Limit { // the later of two limits that the account has named
		if o.Adopted > s.Adopted {
			return o
		}
		return s
	}
	if o.Cap < s.Cap {
		s.Cap, s.Probing, s.Level, s.Step = o.Cap, o.Probing, o.Level, o.Step
	}
	s.LastCut = max(s.LastCut, o.LastCut)
	s.NextProbe = max(s.NextProbe, o.NextProbe)
	s.Hold = max(s.Hold, o.Hold)
	s.SmoothUntil = max(s.SmoothUntil, o.SmoothUntil)
	s.PauseUntil = max(s.PauseUntil, o.PauseUntil)
	return s
}
