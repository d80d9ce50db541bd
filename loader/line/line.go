// Package line is the one line to an account: every call of a run takes a
// place within the account's limits here, and reports here how it ended.
//
// A change belongs here when it is about making calls as such: the limit and
// the daily limit, the API log without which no call is made, an outage, the
// account's clock, making a call again, and the lock that keeps other runs off.
// The callers know what is called for and what the answer means.
//
//	self, out, err := line.Ask(ctx, l, l.Client.Self)
//
// Ask and Make take a place, make the call and return its outcome; the error
// ends the run. Package send, which writes an intent between place and call,
// uses Ready, Slot and Finish or Abort.
package line

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/pace"
)

// Options configure a Line.
type Options struct {
	Client      *leadsquared.Client
	Pacer       *pace.Pacer
	Many        *pace.Pacer   // of the calls that take many records; nil: none are made
	DailyLimit  int64         // calls of a day (UTC); 0 is no limit
	Used        int64         // calls made today, by whichever process
	OutageLimit time.Duration // how long the account may be away; must be above 0
	LogErr      func() error  // returns why the API log cannot be written; it may be nil
	Notify      func(string)  // gets what a user should know at once; from several goroutines
	Ramp        int           // calls in flight up to which they begin one by one, as answers come; 0: at once
	// Hold waits until the account is certainly this run's to call; the error ends
	// the run. nil: it always is.
	Hold    func(context.Context) error
	Counted func() // is called after every call by Ask that reached the wire; it may be nil
}

// Line makes the calls to one account. It is safe for concurrent use.
type Line struct {
	Client *leadsquared.Client
	o      Options
	outage *outage
	clock  clock
	ramp   *ramp

	dayMu   sync.Mutex
	dayName string // the day that dayUsed counts
	dayUsed int64
}

// New returns a line. No call is made.
func New(o Options) *Line {
	return &Line{Client: o.Client, o: o, outage: newOutage(o.OutageLimit, o.Notify), ramp: newRamp(o.Ramp), dayName: today(), dayUsed: o.Used}
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// Ahead returns the range in which the account's clock minus ours lies, as
// far as the answers so far show it.
func (l *Line) Ahead() (lo, hi time.Duration, known bool) { return l.clock.ahead() }

// Ready waits until the account can be reached. After it, the caller makes a
// call and ends it with Finish, or stops the run.
func (l *Line) Ready(ctx context.Context) error { return l.outage.wait(ctx, l.probe) }

// Slot waits for a place within the limit. With again, the call was turned
// away by the limit and goes before the others. The caller ends the place with
// Finish, or gives it up with Abort.
func (l *Line) Slot(ctx context.Context, again bool) (*pace.Call, error) {
	if err := l.ramp.enter(ctx); err != nil {
		return nil, err
	}
	c, err := acquire(ctx, l.o.Pacer, again)
	if err != nil {
		l.ramp.leave(false, nil)
		return nil, err
	}
	return l.place(ctx, c)
}

// SlotMany is Ready and Slot for a call that takes many records: such calls have a limit
// of their own. The caller ends the place with FinishMany or Abort.
func (l *Line) SlotMany(ctx context.Context, again bool) (*pace.Call, error) {
	if err := l.Ready(ctx); err != nil {
		return nil, err
	}
	// The limit comes first: a call that waits for it must not keep the first calls
	// of the other limit from beginning.
	c, err := acquire(ctx, l.o.Many, again)
	if err != nil {
		return nil, err
	}
	if err := l.ramp.enter(ctx); err != nil {
		c.Abort()
		return nil, err
	}
	return l.place(ctx, c)
}

// RoomForMany returns how many calls of SlotMany would not have to wait for the limit.
func (l *Line) RoomForMany() int {
	s := l.o.Many.State()
	switch {
	case !s.PausedTil.IsZero() || s.Waiting > 0:
		return 0
	case s.Cap < 0:
		return math.MaxInt
	}
	return max(s.Cap-s.InUse, 0)
}

func acquire(ctx context.Context, p *pace.Pacer, again bool) (*pace.Call, error) {
	if again {
		return p.AcquireHead(ctx)
	}
	return p.Acquire(ctx)
}

// place checks what else may keep a call from being made that has its place.
func (l *Line) place(ctx context.Context, c *pace.Call) (*pace.Call, error) {
	if l.o.Hold != nil {
		if err := l.o.Hold(ctx); err != nil {
			l.Abort(c)
			return nil, err
		}
	}
	if l.o.LogErr != nil {
		if err := l.o.LogErr(); err != nil {
			l.Abort(c)
			return nil, &fault.Fault{Code: "log.failed", Msg: "the API log can no longer be written, so no further call is made", Err: err,
				Hint: "free some space or name another file with --api-log, and run the same command again: rows already loaded are not sent twice"}
		}
	}
	// Counted when the call is about to be made: one that waits may never be.
	if err := l.countDay(); err != nil {
		l.Abort(c)
		return nil, err
	}
	return c, nil
}

// Abort gives a place up: its call is not made.
func (l *Line) Abort(c *pace.Call) {
	c.Abort()
	l.ramp.leave(false, nil)
	l.outage.give()
}

// Later says that whoever has a place of SlotMany makes other calls by Ask before his own:
// after an outage, and among the first calls of a run, those would wait for it. Now ends that.
func (l *Line) Later() {
	l.outage.give()
	l.ramp.leave(false, nil)
}

// Now waits until the call of a place that came Later may be made. The error ends the run.
func (l *Line) Now(ctx context.Context) error {
	if err := l.Ready(ctx); err != nil {
		return err
	}
	return l.ramp.enter(ctx)
}

// countDay counts a call against the daily limit; the error stops the run.
func (l *Line) countDay() error {
	l.dayMu.Lock()
	defer l.dayMu.Unlock()
	if d := today(); l.dayName != d {
		l.dayName, l.dayUsed = d, 0
	}
	if max := l.o.DailyLimit; max > 0 && l.dayUsed >= max {
		return fault.New("account.daily-limit", "run the same command again after 00:00 UTC: rows already loaded are not sent twice",
			"the daily limit of %d calls is used up", max)
	}
	l.dayUsed++
	return nil
}

// Finish reports to pacer, clock and outage watch how a call ended. The
// error ends the run.
func (l *Line) Finish(c *pace.Call, out leadsquared.Outcome) error {
	err := l.finish(c, out)
	l.ramp.leave(out.Verdict != leadsquared.NotSent, err)
	return err
}

// FinishMany is Finish for a call that takes many records. An account that does not
// have it, or does not let it through, answers all others: this is the caller's to
// know, and ends no run. What meets the others too, ends it with the first of them.
func (l *Line) FinishMany(c *pace.Call, out leadsquared.Outcome) error {
	err := l.finish(c, out)
	if Barred(out) {
		err = nil
	}
	l.ramp.leave(out.Verdict != leadsquared.NotSent, err)
	return err
}

// finish is Finish for a call that still has its place among those in flight.
func (l *Line) finish(c *pace.Call, out leadsquared.Outcome) error {
	err := l.giveBack(c, out)
	l.outage.ended(out)
	if err == nil && (out.Verdict == leadsquared.Fatal || out.Stop) {
		err = fatal(out)
	}
	return err
}

// giveBack is Finish for a call that says nothing about the calls of rows.
func (l *Line) giveBack(c *pace.Call, out leadsquared.Outcome) error {
	l.clock.observe(out)
	switch out.Verdict {
	case leadsquared.NotSent:
		c.Abort()
		l.dayMu.Lock()
		l.dayUsed--
		l.dayMu.Unlock()
	case leadsquared.Throttled:
		c.Done(pace.Limited, pace.Limit{Calls: out.StatedCalls, Window: out.StatedWindow})
		if out.StatedWindow >= time.Hour {
			return fault.New("account.daily-limit", fault.RunAgain, "the account has refused further calls for today: %s", out.Message)
		}
	case leadsquared.InDoubt:
		if out.Slow {
			c.Done(pace.Limited, pace.Limit{}) // a limit that it states may be another's
			break
		}
		c.Done(pace.Failed, pace.Limit{})
	default:
		c.Done(pace.OK, pace.Limit{})
	}
	return nil
}

// fatal is the end of a run whose account refuses every call.
func fatal(out leadsquared.Outcome) *fault.Fault {
	e := &fault.Fault{Code: fault.Code(leadsquared.Code(out)), Msg: "the account refused the call: " + out.Message, Hint: "see leadload errors " + leadsquared.Code(out)}
	switch {
	case out.RightHost != "":
		e.Hint = "write host: " + out.RightHost + " into the account file (or set LEADSQUARED_HOST)"
	case leadsquared.Code(out) == "account.daily-limit":
		e.Hint = fault.RunAgain
	case out.Status == 401:
		e.Hint = "check the access key and the secret key, that their user is active, and that the host is the one of the account's region; leadload account shows whose keys they are"
	case out.Status == 404:
		e.Hint = "check host (and async_host) in the account file: the API was not found there"
	case out.Status == 0:
		e.Hint = "check host in the account file, and the clock and certificates of this machine"
	}
	return e
}

// readTries bounds how often one read is made when its answer gets lost; a
// read does no harm twice.
const readTries = 4

// patience says what a reading call does about an answer that is of no use.
type patience uint8

const (
	patient patience = iota // it is made again, and may be a sign of an outage
	either                  // the same, but where the account's own program fails there is another way
	once                    // nothing: it is never made again
)

// read makes one reading call, again where that can help. The outcome is
// Applied or Rejected, or InDoubt when no answer was had; the error ends the run.
func (l *Line) read(ctx context.Context, how patience, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	again := false
	for try := 1; ; {
		if !spend(ctx) {
			return overBudget(), nil
		}
		if err := l.Ready(ctx); err != nil {
			return leadsquared.Outcome{}, err
		}
		c, err := l.Slot(ctx, again)
		if err != nil {
			return leadsquared.Outcome{}, err
		}
		began(ctx)
		out := call(context.WithoutCancel(ctx), c)
		if l.o.Counted != nil && out.Verdict != leadsquared.NotSent {
			l.o.Counted()
		}
		if misread(out) || how != patient && failedItself(out) {
			// The account answers; it is this answer that cannot be used, and asking
			// again at once would bring the same.
			err := l.giveBack(c, out)
			l.ramp.leave(true, err)
			l.outage.ok()
			return out, err
		}
		err = l.finish(c, out)
		end := err
		if MissingPath(out) {
			end = nil // who asked may have another way; the others have nothing to do with it
		}
		l.ramp.leave(out.Verdict != leadsquared.NotSent, end)
		if err != nil {
			return out, err
		}
		again = false
		switch out.Verdict {
		case leadsquared.Throttled:
			again = true
		case leadsquared.NotSent, leadsquared.InDoubt:
			if how == once && out.Verdict == leadsquared.InDoubt {
				return out, nil
			}
			// During an outage a call is made after a harmless one has got through, so
			// that what fails then is this read and not the account.
			if try++; try > 2*readTries || try > readTries && !l.outage.isAway() {
				return out, nil
			}
			if err := Sleep(ctx, Backoff(try)); err != nil {
				return out, err
			}
		default:
			return out, nil
		}
	}
}

// failedItself reports that the account's own program failed on a call and says so
// in its words, as it does for a record that was deleted.
func failedItself(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.InDoubt && out.Status == 500 && json.Valid(out.Body)
}

// misread reports that an account answered a reading call well, but not with
// what was asked for: an index that has not caught up returns a record without
// its fields, say.
func misread(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.InDoubt && out.Status == 200 && !out.Outage && (out.TooLong || json.Valid(out.Body))
}

// probe makes the harmless call that shows whether the account is back.
func (l *Line) probe(ctx context.Context) (leadsquared.Outcome, error) {
	c, err := l.Slot(ctx, false)
	if err != nil {
		return leadsquared.Outcome{}, err
	}
	_, out := l.Client.Self(context.WithoutCancel(ctx), c)
	err = l.giveBack(c, out)
	if err == nil && out.Verdict == leadsquared.Fatal && out.Status != 404 { // 404: it answers, and that is what was asked
		err = fatal(out)
	}
	l.ramp.leave(out.Verdict != leadsquared.NotSent, err)
	return out, err
}

// Make makes one call that is not worth repeating, unless the limit was in the
// way. The error ends the run.
func (l *Line) Make(ctx context.Context, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	for try := 0; ; try++ {
		c, err := l.Slot(ctx, try > 0)
		if err != nil {
			return leadsquared.Outcome{}, err
		}
		out := call(context.WithoutCancel(ctx), c)
		if err := l.Finish(c, out); err != nil {
			return out, err
		}
		if out.Verdict != leadsquared.Throttled || try >= readTries {
			return out, nil
		}
	}
}

// Backoff is the jittered wait before the n-th try of something: about 0.25,
// 0.5, 1 … up to 30 s.
func Backoff(n int) time.Duration {
	d := 250 * time.Millisecond << min(max(n-2, 0), 7)
	return min(d, 30*time.Second)/2 + rand.N(min(d, 30*time.Second)/2+1)
}

// Sleep waits, or ends early with the context's cause.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
