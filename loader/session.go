package loader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/pace"
)

// Options configure a Session. Zero values are the documented defaults.
type Options struct {
	Account Account
	Ledger  *ledger.Ledger
	// StateDir holds locks and the memory of the pacer. "" is no lock and no
	// memory, for an account that nobody else can reach.
	StateDir    string
	Unlocked    bool          // no lock, for a few calls that change no ledger
	Command     string        // "import", "settle", …: who holds the lock
	Concurrency int           // calls in flight; 0 follows the limit
	Reserve     int           // calls per window left to other integrations
	Timeout     time.Duration // one call; 0 is 60 s
	SettleAfter time.Duration // from a call until the account's indexes have caught up; 0 is 60 s
	NoSettle    bool
	Wait        time.Duration // how long to wait for the async queue; 0 is 10 min, negative is not at all
	WaitLock    time.Duration // how long to wait for another run; 0 is not at all
	OutageLimit time.Duration // how long the account may be away; 0 is 15 min
	MaxErrors   int64         // stop after so many rejected rows; 0 is never
	Until       time.Time     // stop in time for this moment; zero is never
	LeadAge     time.Duration // how long a lead that was looked up stays known; 0 is 30 days
	// Log is told of every call.
	Log func(leadsquared.LogEntry)
	// LogErr says why the log can no longer be written; nil is that it can. A
	// call that nobody could look up is not made. It may be nil.
	LogErr func() error
	// Notify is told what a user should know at once, in a sentence. It may
	// be called from several goroutines.
	Notify func(string)

	client *leadsquared.Client // tests put a client with a fake network here
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.SettleAfter == 0 {
		o.SettleAfter = time.Minute
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Minute
	}
	if o.OutageLimit == 0 {
		o.OutageLimit = 15 * time.Minute
	}
	if o.LeadAge == 0 {
		o.LeadAge = 30 * 24 * time.Hour
	}
	if o.Account.Limit == (pace.Limit{}) {
		o.Account.Limit = DefaultLimit
	}
	if o.Concurrency == 0 {
		// In flight are at most limit x round trip / window calls; the limit
		// itself is always enough (pacing by slots), within reason.
		o.Concurrency = min(max(o.Account.Limit.Calls, 8), 128)
		if o.Account.Limit == pace.Unlimited {
			o.Concurrency = 64
		}
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	return o
}

// Session is a connection to one account: its client, its pace, its lock and
// its place in the ledger. One session serves any number of imports, one
// after another.
type Session struct {
	o       Options
	client  *leadsquared.Client
	pacer   *pace.Pacer
	table   *pace.Table
	led     *ledger.Ledger
	acct    int64
	locks   []*lock
	outage  *outage
	clock   clock
	dayName atomic.Value // the day that dayUsed counts
	dayMu   sync.Mutex
	dayUsed int64
	live    live
}

// Connect takes the account's lock, finds it in the ledger and marks what a
// run that was cut off left behind. No call is made. The error is an *Error.
func Connect(ctx context.Context, o Options) (*Session, error) {
	o = o.withDefaults()
	s := &Session{o: o, led: o.Ledger, client: o.client}
	if s.client == nil {
		var err error
		s.client, err = leadsquared.New(leadsquared.Config{
			Host: o.Account.Host, AsyncHost: o.Account.AsyncHost,
			AccessKey: o.Account.AccessKey, SecretKey: o.Account.SecretKey, AsyncKey: o.Account.AsyncKey,
			Timeout: o.Timeout, MaxIdle: max(o.Concurrency, o.Account.Limit.Calls), Log: o.Log,
			StatusPath: o.Account.StatusPath, MetricsPath: o.Account.MetricsPath,
		})
		if err != nil {
			return nil, &Error{Kind: Usage, Code: "account.setting", Msg: err.Error(), Hint: hintOf(err)}
		}
	}
	opened := make(chan error, 1) // the pace's memory
	if o.StateDir == "" {
		opened <- nil
	} else {
		// An account that has a name is locked by its keys as well: another account file may leave the name out.
		names := o.Account.names()
		slices.Sort(names)
		for _, n := range names {
			l, err := acquireLock(ctx, filepath.Join(o.StateDir, "locks"), nameHash(n), o.Command, o.WaitLock, o.Notify)
			if err != nil {
				return nil, errors.Join(err, s.Close())
			}
			s.locks = append(s.locks, l)
		}
		go func() { // beside the ledger: each takes some milliseconds
			var err error
			s.table, err = pace.OpenTable(filepath.Join(o.StateDir, "pace.db"), nameHash(names[0]))
			opened <- err
		}()
	}
	enrolled := s.enroll(ctx)
	if err := <-opened; err != nil {
		// The pacer does without its memory: it then begins with a pause when the account says so.
		o.Notify("the pace of earlier runs cannot be read: " + err.Error())
		s.table = nil
	}
	if enrolled != nil {
		return nil, errors.Join(enrolled, s.Close())
	}
	s.outage = newOutage(o.OutageLimit, o.Notify)
	s.pacer = pace.New(pace.Options{Limit: o.Account.Limit, Reserve: o.Reserve, Table: s.table, OnChange: s.paceChanged})
	return s, nil
}

// enroll finds the account in the ledger.
func (s *Session) enroll(ctx context.Context) error {
	if s.led == nil {
		return nil
	}
	var err error
	if s.acct, err = s.led.Account(ctx, s.o.Account.display(), s.o.Account.names()); err != nil {
		return err
	}
	n, err := s.led.Recover(ctx, s.acct)
	if err != nil {
		return err
	}
	if n > 0 {
		s.o.Notify(fmt.Sprintf("an earlier run was cut off while %s being sent: the account is asked about them before anything is sent again", plural(n, "row was", "rows were")))
	}
	s.dayUsed, err = s.led.CallsOn(ctx, s.acct, time.Now())
	s.dayName.Store(time.Now().UTC().Format(time.DateOnly))
	return err
}

// Close gives the lock back.
func (s *Session) Close() error {
	var errs []error
	if s.table != nil {
		errs = append(errs, s.table.Close())
	}
	for _, l := range s.locks {
		errs = append(errs, l.release())
	}
	if s.client != nil {
		s.client.CloseIdle()
	}
	return errors.Join(errs...)
}

func (s *Session) paceChanged(c pace.Change) {
	switch c.Kind {
	case "limit-adopted":
		s.o.Notify(fmt.Sprintf("the account says that its limit is %s (set: %s); going on with %s. Write limit: %s into the account file", c.Limit, c.Was, c.Limit, c.Limit))
	case "paused":
		if c.Pause >= time.Second {
			s.o.Notify(fmt.Sprintf("account busy, resuming in %d s", int((c.Pause+time.Second-1)/time.Second)))
		}
	case "memory-lost":
		s.o.Notify("the pace cannot be remembered for the next run; it goes on without")
	}
}

// slot is a place within the limit, with what the daily limit has to say.
func (s *Session) slot(ctx context.Context, again bool) (*pace.Call, error) {
	acquire := s.pacer.Acquire
	if again {
		acquire = s.pacer.AcquireHead
	}
	c, err := acquire(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.LogErr != nil {
		if err := s.o.LogErr(); err != nil {
			c.Abort()
			return nil, &Error{Kind: Stopped, Code: "log.failed", Msg: "the API log can no longer be written, so no further call is made", Err: err,
				Hint: "free some space or name another file with --api-log, and run the same command again: rows already loaded are not sent twice"}
		}
	}
	// Counted when the call is about to be made: one that waits may never be.
	if err := s.today(); err != nil {
		c.Abort()
		return nil, err
	}
	return c, nil
}

// today counts a call against the daily limit; the error stops the run.
func (s *Session) today() error {
	s.dayMu.Lock()
	defer s.dayMu.Unlock()
	if d := time.Now().UTC().Format(time.DateOnly); s.dayName.Load() != d {
		s.dayName.Store(d)
		s.dayUsed = 0
	}
	if max := s.o.Account.DailyLimit; max > 0 && s.dayUsed >= max {
		return stopped("account.daily-limit", "run the same command again after 00:00 UTC: rows already loaded are not sent twice",
			"the daily limit of %d calls is used up", max)
	}
	s.dayUsed++
	return nil
}

// finish tells the pacer, the clock and the outage watch how a call ended. The
// error ends the run.
func (s *Session) finish(c *pace.Call, out leadsquared.Outcome) error {
	err := s.giveBack(c, out)
	s.outage.ended(out)
	if err == nil && (out.Verdict == leadsquared.Fatal || out.Stop) {
		err = fatal(out)
	}
	return err
}

// giveBack is finish for a call that says nothing about the calls of rows.
func (s *Session) giveBack(c *pace.Call, out leadsquared.Outcome) error {
	s.clock.observe(out)
	switch out.Verdict {
	case leadsquared.NotSent:
		c.Abort()
		s.dayMu.Lock()
		s.dayUsed--
		s.dayMu.Unlock()
	case leadsquared.Throttled:
		c.Done(pace.Limited, pace.Limit{Calls: out.StatedCalls, Window: out.StatedWindow})
		if out.StatedWindow >= time.Hour {
			return stopped("account.daily-limit", runAgain, "the account has refused further calls for today: %s", out.Message)
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
func fatal(out leadsquared.Outcome) *Error {
	e := &Error{Kind: Stopped, Code: leadsquared.Code(out), Msg: "the account refused the call: " + out.Message, Hint: "see leadload errors " + leadsquared.Code(out)}
	switch {
	case out.RightHost != "":
		e.Hint = "write host: " + out.RightHost + " into the account file (or set LEADSQUARED_HOST)"
	case leadsquared.Code(out) == "account.daily-limit":
		e.Hint = runAgain
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

// read makes one reading call, again where that can help. The outcome is
// Applied or Rejected, or InDoubt when no answer was had; the error ends the run.
func (s *Session) read(ctx context.Context, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	again := false
	for try := 1; ; {
		if err := s.outage.wait(ctx, s.probe); err != nil {
			return leadsquared.Outcome{}, err
		}
		c, err := s.slot(ctx, again)
		if err != nil {
			return leadsquared.Outcome{}, err
		}
		out := call(context.WithoutCancel(ctx), c)
		if s.led != nil && out.Verdict != leadsquared.NotSent {
			s.led.CountCalls(s.acct, time.Now(), 1)
		}
		if misread(out) {
			// The account answers; it is this answer that cannot be used, and asking
			// again at once would bring the same.
			err := s.giveBack(c, out)
			s.outage.ok()
			return out, err
		}
		if err := s.finish(c, out); err != nil {
			return out, err
		}
		again = false
		switch out.Verdict {
		case leadsquared.Throttled:
			again = true
		case leadsquared.NotSent, leadsquared.InDoubt:
			// During an outage a call is made after a harmless one has got through, so
			// that what fails then is this read and not the account.
			if try++; try > 2*readTries || try > readTries && !s.outage.isAway() {
				return out, nil
			}
			if err := sleep(ctx, backoff(try)); err != nil {
				return out, err
			}
		default:
			return out, nil
		}
	}
}

// misread reports that an account answered a reading call well, but with
// something that the call does not give: the record that was asked for without
// its fields, say, because an index has not caught up.
func misread(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.InDoubt && out.Status == 200 && !out.Outage && json.Valid(out.Body)
}

// probe is the harmless call that tells whether the account is back.
func (s *Session) probe(ctx context.Context) (leadsquared.Outcome, error) {
	c, err := s.slot(ctx, false)
	if err != nil {
		return leadsquared.Outcome{}, err
	}
	_, out := s.client.Self(context.WithoutCancel(ctx), c)
	err = s.giveBack(c, out)
	if err == nil && out.Verdict == leadsquared.Fatal && out.Status != 404 { // 404: it answers, and that is what was asked
		err = fatal(out)
	}
	return out, err
}

// StateDir is the folder for what a user's runs keep: XDG_STATE_HOME, or what
// stands for it on this system.
func StateDir(getenv func(string) string) (string, error) {
	if d := getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "leadload"), nil
	}
	if d := getenv("LOCALAPPDATA"); filepath.IsAbs(d) {
		return filepath.Join(d, "leadload"), nil
	}
	home := getenv("HOME")
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", usage("ledger.folder", "set HOME, or name a ledger with --ledger", "there is no home folder for the ledger")
		}
	}
	return filepath.Join(home, ".local", "state", "leadload"), nil
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return "see samples/account.yaml for the form of an account file"
}
