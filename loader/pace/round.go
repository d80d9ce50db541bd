package pace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// entry is news about a call that is not in the table yet.
type entry struct {
	kind  entryKind
	owner int64
	seq   int64
	at    int64
}

type entryKind uint8

const (
	entryWrote entryKind = iota
	entryResp
	entryLimited
	entryRemove
)

// note keeps an entry for the next transaction.
func (t *Table) note(kind entryKind, owner, seq int64) {
	e := entry{kind: kind, owner: owner, seq: seq, at: t.clock.read()}
	t.mu.Lock()
	t.pend = append(t.pend, e)
	t.mu.Unlock()
}

// ask holds what a pacer wants of a transaction.
type ask struct {
	owner int64 // 0: only the entries
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

// round makes one transaction. After an error the table cannot be used any more.
func (t *Table) round(a ask) (told, error) {
	t.io.Lock()
	defer t.io.Unlock()
	if t.err != nil {
		return told{}, t.err
	}
	r, err := t.transact(a)
	if err != nil {
		t.err = fmt.Errorf("call table %q: %w", t.path, err)
		return told{}, t.err
	}
	return r, nil
}

func (t *Table) transact(a ask) (r told, err error) {
	ctx := context.Background()
	if _, err := t.stmt.begin.ExecContext(ctx); err != nil {
		return r, err
	}
	defer func() {
		if err != nil {
			_, rerr := t.stmt.rollback.ExecContext(ctx)
			err = errors.Join(err, rerr)
		}
	}()
	if err := t.flush(ctx); err != nil {
		return r, err
	}
	if a.owner != 0 {
		now := t.clock.read()
		o, err := t.readForeign(ctx, a, now)
		if err != nil {
			return r, err
		}
		ps, err := t.readPacers(ctx, a, now)
		if err != nil {
			return r, err
		}
		r.accepted, r.last, r.trip = o.accepted, o.last, ps.trip
		if err := t.exchange(ctx, a, now, &r); err != nil {
			return r, err
		}
		if err := t.start(ctx, a, o, ps, now, &r); err != nil {
			return r, err
		}
	}
	_, err = t.stmt.commit.ExecContext(ctx)
	return r, err
}

// start starts as many calls as the slots of all processes together allow. If
// calls remain, the table says so. The process that has waited longest goes
// first. Otherwise a process would win back every slot it gives up, because its
// own timer fires first.
func (t *Table) start(ctx context.Context, a ask, o others, ps pacers, now int64, r *told) error {
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
	skew := t.clock.skew()
	for r.started < min(a.want, room) {
		_, err := t.stmt.insert.ExecContext(ctx, t.account, a.owner, a.first+int64(r.started), t.clock.boot, skew, now)
		if err != nil {
			return err
		}
		r.started++
	}
	r.look = max(r.look, time.Millisecond)
	r.waits = r.started < a.want
	if (a.want == 0 || !r.waits && !a.waited) && a.trip == ps.mine.trip && now-ps.mine.seen < int64(present/3) {
		return nil
	}
	var since, until int64
	switch {
	case a.want == 0 && a.waited:
		since, until = ps.mine.since, ps.mine.until
	case r.waits:
		// A call that has just started no longer waits. If the row kept its time,
		// this process and another could each yield to the other.
		since, until = a.since[r.started], now+int64(r.look+lateness)
	}
	_, err := t.stmt.writePacer.ExecContext(ctx, t.account, a.owner, t.clock.wall(), now, int64(a.trip), since, until)
	return err
}

// pacers holds what the pacers of an account say of themselves.
type pacers struct {
	mine struct {
		seen, since, until int64
		trip               time.Duration
	}
	trip    time.Duration // the others' smallest round trip, or 0
	earlier int           // others who have waited for longer than this one
	look    time.Duration // until the first of those looks again
}

func (t *Table) readPacers(ctx context.Context, a ask, now int64) (ps pacers, err error) {
	ps.look = never
	rows, err := t.stmt.readPacers.QueryContext(ctx, t.account)
	if err != nil {
		return ps, err
	}
	defer rows.Close()
	for rows.Next() {
		var owner, seen, since, until int64
		var trip time.Duration
		if err := rows.Scan(&owner, &seen, &trip, &since, &until); err != nil {
			return ps, err
		}
		if owner == a.owner {
			ps.mine.seen, ps.mine.since, ps.mine.until, ps.mine.trip = seen, since, until, trip
			continue
		}
		// A time ahead comes from a clock that was set, or from another boot.
		if seen > now || now-seen > int64(present) {
			continue
		}
		if trip > 0 && (ps.trip == 0 || trip < ps.trip) {
			ps.trip = trip
		}
		if now < until && a.want > 0 && (since < a.since[0] || since == a.since[0] && owner < a.owner) {
			ps.earlier++
			ps.look = min(ps.look, time.Duration(until-now)-lateness)
		}
	}
	return ps, errors.Join(rows.Err(), rows.Close())
}

// flush writes the entries that wait.
func (t *Table) flush(ctx context.Context) error {
	t.mu.Lock()
	pend := t.pend
	t.pend = nil
	t.mu.Unlock()
	for _, e := range pend {
		var err error
		switch e.kind {
		case entryWrote:
			_, err = t.stmt.wrote.ExecContext(ctx, e.at, t.account, e.owner, e.seq)
		case entryResp:
			_, err = t.stmt.resp.ExecContext(ctx, e.at, t.account, e.owner, e.seq)
		case entryLimited:
			_, err = t.stmt.limited.ExecContext(ctx, t.account, e.owner, e.seq)
		case entryRemove:
			_, err = t.stmt.remove.ExecContext(ctx, t.account, e.owner, e.seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row is another process's call, by this process's clock.
type row struct {
	owner, seq  int64
	sent        int64
	wrote, resp sql.NullInt64
	limited     bool
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
func (t *Table) readForeign(ctx context.Context, a ask, now int64) (o others, err error) {
	// An answer that comes from now on frees its slot a hold later.
	o.next, o.last = a.hold, never
	if t.wallWasSet() {
		if _, err := t.stmt.endNow.ExecContext(ctx, now, t.account); err != nil {
			return o, err
		}
	}
	rows, err := t.stmt.foreign.QueryContext(ctx, t.account, a.owner)
	if err != nil {
		return o, err
	}
	defer rows.Close()
	var stale, over []row
	skew := t.clock.skew()
	for rows.Next() {
		var c row
		var boot string
		var itsSkew int64
		if err := rows.Scan(&c.owner, &c.seq, &boot, &itsSkew, &c.sent, &c.wrote, &c.resp, &c.limited); err != nil {
			return o, err
		}
		if c.adjust(now, boot == t.clock.boot, itsSkew-skew) {
			stale = append(stale, c)
		}
		end := c.end(a.presume)
		if end+int64(a.past) <= now {
			over = append(over, c)
			continue
		}
		if !c.limited {
			o.accepted++
		}
		o.last = min(o.last, time.Duration(now-c.sent))
		hold := a.hold
		if !c.resp.Valid {
			hold = a.past // a presumed answer earns no credit
		}
		if left := time.Duration(end-now) + hold; left > 0 {
			o.slots++
			o.next = min(o.next, left)
			if !c.wrote.Valid && !c.resp.Valid { // it may be aborted at any time
				o.next = min(o.next, poll)
			}
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return o, err
	}
	for _, c := range stale {
		_, err := t.stmt.restamp.ExecContext(ctx, t.clock.boot, skew, c.sent, c.wrote, c.resp, t.account, c.owner, c.seq)
		if err != nil {
			return o, err
		}
	}
	for _, c := range over {
		if _, err := t.stmt.remove.ExecContext(ctx, t.account, c.owner, c.seq); err != nil {
			return o, err
		}
	}
	return o, nil
}

// adjust converts c's times to this process's clock and reports whether any of
// them changed. A time in the future becomes now: at worst the slot is held for
// longer than needed.
func (c *row) adjust(now int64, sameBoot bool, shift int64) (changed bool) {
	for _, at := range []*int64{&c.sent, &c.wrote.Int64, &c.resp.Int64} {
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
func (c *row) end(presume time.Duration) int64 {
	switch {
	case c.resp.Valid:
		return c.resp.Int64
	case c.wrote.Valid:
		return c.wrote.Int64 + int64(presume)
	}
	return c.sent + int64(writtenWithin+presume)
}

// wallWasSet reports whether the wall clock was set since the latest transaction.
// It matters only where the wall clock is the table's clock.
func (t *Table) wallWasSet() bool {
	if t.clock.boot != "" {
		return false
	}
	wall, mono := t.clock.wall(), time.Now()
	then, thenMono := t.wallThen, t.thenMono
	t.wallThen, t.thenMono = wall, mono
	if thenMono.IsZero() {
		return false
	}
	gained := time.Duration(wall-then) - mono.Sub(thenMono)
	return gained > wallMoved || gained < -wallMoved
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
func (t *Table) exchange(ctx context.Context, a ask, now int64, r *told) error {
	var at int64
	var text string
	key := []any{t.account, a.set.Calls, int64(a.set.Window)}
	err := t.stmt.readState.QueryRowContext(ctx, key...).Scan(&r.version, &at, &text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	wall := t.clock.wall()
	if err == nil && r.version != a.version {
		var s sharedState
		// Ignore a state that cannot be read, and one that rests on what the account
		// said long ago.
		if json.Unmarshal([]byte(text), &s) == nil && s.Cap > 0 && (s.Limit.fault() == "" || s.Limit.unlimited()) &&
			(s.Adopted == 0 || wall-s.Adopted < int64(adoptedFor)) {
			s.shift(t.clock.boot, t.clock.skew(), now)
			r.age = max(0, time.Duration(wall-at))
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
	mine.Boot, mine.Skew = t.clock.boot, t.clock.skew()
	b, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	r.version++
	_, err = t.stmt.writeState.ExecContext(ctx, append(key, r.version, wall, string(b))...)
	return err
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
