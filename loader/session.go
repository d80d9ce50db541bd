package loader

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/bulk"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/pace"
	"leadload/loader/send"
	"leadload/loader/settle"
	"leadload/loader/update"
)

// Options configure a Session. Zero values are the documented defaults.
type Options struct {
	Account account.Account
	Ledger  ledger.Store
	// StateDir holds locks and the memory of the pacer. "" is no lock and no
	// memory, for an account that nobody else can reach.
	StateDir string
	// Pace opens the memory of an account's pace that several machines share. nil:
	// it lies in StateDir.
	Pace func(account string) (pace.Store, error)
	// Traces is a folder in which imports say with which ledger they have loaded into
	// which account, and LedgerName that ledger; "" is none, for a practice account.
	Traces, LedgerName string
	Unlocked           bool // no lock, for a few calls that change no ledger
	// Beside is a session that only reads: it takes neither lock nor lease, so that it
	// goes on beside a run of whoever has them.
	Beside      bool
	Command     string        // "import", "settle", …: who holds the lock
	Concurrency int           // calls in flight; 0 follows the limit
	Reserve     int           // calls per window left to other integrations
	Timeout     time.Duration // one call; 0 is 60 s
	SettleAfter time.Duration // from a call until the account's indexes have caught up; 0 is 60 s
	Patience    time.Duration // from an update until reads show it: SettleAfter where that is set, else 90 s
	NoSettle    bool
	Wait        time.Duration // how long to wait for the async queue; 0 is 10 min, negative is not at all
	WaitLock    time.Duration // how long to wait for another run; 0 is not at all
	OutageLimit time.Duration // how long the account may be away; 0 is 15 min
	MaxErrors   int64         // stop after so many rejected rows; 0 is never
	MaxSame     int64         // stop when the first so many answers are the same refusal; 0 is never
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
	if o.Patience = o.SettleAfter; o.Patience == 0 {
		o.SettleAfter, o.Patience = time.Minute, 90*time.Second
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
		o.Account.Limit = account.DefaultLimit
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
	o     Options
	line  *line.Line
	pacer *pace.Pacer
	table *pace.Table
	// bulk paces the calls that take many records; nil: none are made. lane makes them.
	bulk      *pace.Pacer
	bulkTable *pace.Table
	lane      *bulk.Lane
	led       ledger.Store
	acct      int64
	lease     ledger.Lease
	locks     []*line.Lock
	live      live

	lacks *lacks
}

// Ready returns the error that Connect would return for an account whose host or
// keys are missing or not as they must be, before a ledger is opened for it.
func Ready(a account.Account) error {
	o := Options{Account: a}.withDefaults()
	_, err := newClient(&o, nil)
	return err
}

// newClient makes the client of an account.
func newClient(o *Options, fence func() error) (*leadsquared.Client, error) {
	client, err := leadsquared.New(leadsquared.Config{
		Host: o.Account.Host, AsyncHost: o.Account.AsyncHost,
		AccessKey: o.Account.AccessKey, SecretKey: o.Account.SecretKey, AsyncKey: o.Account.AsyncKey,
		Timeout: o.Timeout, MaxIdle: max(o.Concurrency, o.Account.Limit.Calls) + max(0, min(o.Account.BulkLimit.Calls, bulkMost)), Log: o.Log,
		StatusPath: o.Account.StatusPath, MetricsPath: o.Account.MetricsPath, Fence: fence,
	})
	if err != nil {
		return nil, &fault.Fault{Code: "account.setting", Msg: o.Account.Veil().Text(err.Error()), Hint: hintOf(err)}
	}
	return client, nil
}

// Connect takes the account's lock, finds it in the ledger and marks what a
// run that was cut off left behind. No call is made. The error is a *fault.Fault.
func Connect(ctx context.Context, o Options) (*Session, error) {
	o = o.withDefaults()
	s := &Session{o: o, led: o.Ledger, lacks: lacksOf(o)}
	var fence func() error
	var hold func(context.Context) error
	if s.led != nil && !o.Beside {
		fence = func() error { return s.led.Fence(s.lease) }
		hold = func(ctx context.Context) error { return s.led.Hold(ctx, s.lease) }
	}
	client := o.client
	if client == nil {
		var err error
		if client, err = newClient(&o, fence); err != nil {
			return nil, err
		}
	}
	opened := make(chan error, 1) // the pace's memory
	if o.StateDir != "" {
		// An account that has a name is locked by its keys as well: another account file may leave the name out.
		names := o.Account.Names()
		slices.Sort(names)
		if o.Unlocked || o.Beside {
			names = nil // a few calls share the pace of others, and nothing else
		}
		for _, n := range names {
			l, err := line.Hold(ctx, filepath.Join(o.StateDir, "locks"), nameHash(n), o.Command, o.WaitLock, o.Notify)
			if err != nil {
				return nil, errors.Join(err, s.Close())
			}
			s.locks = append(s.locks, l)
		}
	}
	go func() { // beside the ledger: each takes some milliseconds
		var err error
		s.table, err = o.openPace("")
		if err == nil && o.Account.BulkLimit.Calls > 0 {
			s.bulkTable, err = o.openPace(" bulk")
		}
		opened <- err
	}()
	used, enrolled := s.enroll(ctx)
	if err := <-opened; err != nil {
		// The pacer does without its memory: it then begins with a pause when the account says so.
		o.Notify("the pace of earlier runs cannot be read: " + err.Error())
		if s.table != nil {
			_ = s.table.Close() // that something failed is said already
		}
		s.table, s.bulkTable = nil, nil
	}
	if enrolled != nil {
		return nil, errors.Join(enrolled, s.Close())
	}
	most := pace.Limit{}
	if o.Account.LimitSet {
		most = o.Account.Limit
	}
	s.pacer = pace.New(pace.Options{Limit: o.Account.Limit, Most: most, Reserve: o.Reserve, Table: s.table, OnChange: s.paceChanged("limit")})
	if l := o.Account.BulkLimit; l.Calls > 0 {
		s.bulk = pace.New(pace.Options{Limit: l, Most: l, Reserve: o.bulkReserve(), Table: s.bulkTable, OnChange: s.paceChanged("bulk_limit")})
	}
	s.line = line.New(line.Options{Client: client, Pacer: s.pacer, Many: s.bulk, DailyLimit: o.Account.DailyLimit, Used: used, OutageLimit: o.OutageLimit,
		Ramp: o.Concurrency, LogErr: o.LogErr, Notify: o.Notify, Hold: hold, Counted: s.countCall})
	return s, nil
}

// openPace opens the memory of the pace of one kind of calls; nil: there is none.
func (o *Options) openPace(lane string) (*pace.Table, error) {
	account := nameHash(o.Account.Place()) + lane
	if o.Pace != nil {
		store, err := o.Pace(account)
		if err != nil {
			return nil, err
		}
		return pace.NewTable(store), nil
	}
	if o.StateDir == "" {
		return nil, nil
	}
	return pace.OpenTable(filepath.Join(o.StateDir, "pace.db"), account)
}

// enroll finds the account in the ledger, and returns how many calls were made today.
func (s *Session) enroll(ctx context.Context) (used int64, err error) {
	if s.led == nil {
		return 0, nil
	}
	if s.acct, err = s.led.Enroll(ctx, s.o.Account.Display(), s.o.Account.Names()); err != nil {
		return 0, err
	}
	if s.o.Beside {
		return s.led.Memo().CallsOn(ctx, s.acct, time.Now())
	}
	if s.lease, err = takeLease(ctx, s.led, s.acct, thisProcess(s.o.Command, s.o.Timeout), s.o.WaitLock, s.o.Notify); err != nil {
		return 0, err
	}
	n, err := s.led.Recover(ctx, s.lease)
	if err != nil {
		return 0, err
	}
	if n > 0 {
		s.o.Notify(fmt.Sprintf("an earlier run was cut off while %s being sent: the account is asked before anything is sent again", fault.Plural(n, "row was", "rows were")))
	}
	return s.led.Memo().CallsOn(ctx, s.acct, time.Now())
}

// company says who else has the account, beside which a session reads; "" is nobody
// that is known.
func (s *Session) company(ctx context.Context) (string, error) {
	led, shared := s.led.(interface {
		Holder(ctx context.Context, account int64) (*ledger.Held, error)
	})
	if !s.o.Beside || !shared {
		return "", nil
	}
	held, err := led.Holder(ctx, s.acct)
	if err != nil || held == nil {
		return "", err
	}
	return "another run holds this account meanwhile: " + held.Error() + "; rows that it loads or changes may differ here", nil
}

// thisProcess is what others are told of a holder of a lease.
func thisProcess(command string, timeout time.Duration) ledger.Holder {
	machine, _ := os.Hostname() // only told to people; an empty name does no harm
	return ledger.Holder{Who: fmt.Sprintf("process %d on %s", os.Getpid(), machine), Command: command, Timeout: timeout}
}

// takeLease takes an account, waiting as long as was asked for another machine's
// run to end.
func takeLease(ctx context.Context, led ledger.Store, account int64, who ledger.Holder, wait time.Duration, notify func(string)) (ledger.Lease, error) {
	deadline := time.Now().Add(wait)
	for told := false; ; {
		lease, err := led.Lease(ctx, account, who)
		var held *ledger.Held
		if !errors.As(err, &held) {
			return lease, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			if held.Elsewhere {
				return lease, &fault.Fault{Code: "account.busy", Msg: "another run, of another account, writes this ledger: " + held.Error(),
					Hint: "wait for it to end, or add --wait-lock 30m to wait for it here; accounts that are loaded at the same time need a ledger each (--ledger)"}
			}
			return lease, &fault.Fault{Code: "account.busy", Msg: "another run holds this account: " + held.Error(),
				Hint: "wait for it to end, or add --wait-lock 30m to wait for it here"}
		}
		if !told {
			notify("waiting for another run to end: " + held.Error())
			told = true
		}
		if err := line.Sleep(ctx, min(250*time.Millisecond, left)); err != nil {
			return lease, err
		}
	}
}

// countCall adds a reading call to the account's day.
func (s *Session) countCall() {
	if s.led != nil {
		s.led.Memo().CountCalls(s.acct, time.Now(), 1)
	}
}

// Close gives the lock back.
func (s *Session) Close() error {
	var errs []error
	for _, t := range []*pace.Table{s.table, s.bulkTable} {
		if t != nil {
			errs = append(errs, t.Close())
		}
	}
	for _, l := range s.locks {
		errs = append(errs, l.Release())
	}
	if s.line != nil {
		s.line.Client.CloseIdle()
	}
	return errors.Join(errs...)
}

// paceChanged tells the changes of one of the account's limits, by its word in the
// account file.
func (s *Session) paceChanged(key string) func(pace.Change) {
	limit, busy := "limit", "account busy"
	if key == "bulk_limit" {
		limit, busy = "limit of bulk calls", "account busy (bulk calls)"
	}
	return func(c pace.Change) {
		switch c.Kind {
		case "limit-adopted":
			s.o.Notify(fmt.Sprintf("the account says that its %s is %s (set: %s); going on with %s. Write %s: %s into the account file", limit, c.Limit, c.Was, c.Limit, key, c.Limit))
		case "limit-larger":
			s.o.Notify(fmt.Sprintf("the account says that its %s is %s; going on with %s, as it is set", limit, c.Stated, c.Limit))
		case "paused":
			if c.Pause >= time.Second {
				s.o.Notify(fmt.Sprintf("%s, resuming in %d s", busy, int((c.Pause+time.Second-1)/time.Second)))
			}
		case "memory-lost":
			s.o.Notify("the pace cannot be remembered for the next run; it goes on without")
		}
	}
}

// bulkAtOnce returns how many bulk calls are made side by side: what the limit needs,
// within reason.
func (s *Session) bulkAtOnce() int { return min(max(s.bulk.State().Limit.Calls, 2), bulkMost) }

// bulkReserve returns the bulk calls of a window that are left to others: the same share
// as of the single calls, rounded up.
func (o *Options) bulkReserve() int {
	single := o.Account.Limit.Calls
	if single <= 0 || o.Reserve <= 0 {
		return 0
	}
	return (o.Reserve*o.Account.BulkLimit.Calls + single - 1) / single
}

// bulkMost bounds the bulk calls that are made side by side.
const bulkMost = 64

// many returns what makes the calls that take many records, or nil where none are made.
func (s *Session) many() *bulk.Lane {
	if s.bulk == nil {
		return nil
	}
	if s.lane == nil {
		s.lane = &bulk.Lane{Line: s.line, Ledger: s.led, Lease: s.lease, Memory: s.lacks, Patience: s.o.Patience,
			Notify: func(why string) { s.o.Notify(why + s.singlyLeft()) }}
		known := s.o.Account.Shapes(s.bulkFolder())
		for k := range s.lane.Learned {
			one := known[send.Kind(k).String()]
			s.lane.Learned[k] = bulk.Shape{Form: leadsquared.BulkForm(one.Form), Why: one.Why}
		}
		s.lane.Learn = func(k send.Kind, l bulk.Shape) {
			err := s.o.Account.Learn(s.bulkFolder(), k.String(), account.Shape{Form: int(l.Form), Why: l.Why, Learned: time.Now().UTC()})
			if err != nil {
				s.o.Notify("what was learned of the account's bulk answers cannot be kept for the next run: " + err.Error())
			}
		}
	}
	return s.lane
}

// singlyLeft says how long the rows that are left take without bulk calls; "" where
// that is not known, or no time.
func (s *Session) singlyLeft() string {
	if s.live.started.Load() == 0 {
		return ""
	}
	counts := s.live.counts()
	took := s.pacer.Earliest(s.live.total.Load() - counts.Sum()).Round(time.Second)
	if took <= 0 {
		return ""
	}
	return fmt.Sprintf("; what is left takes at least %s at %s", took, s.pacer.State().Limit)
}

// BulkAnswers is what is known of the account's answers to one of the calls that take
// many records.
type BulkAnswers struct {
	Call    string // "updates", "new records"
	Form    leadsquared.BulkForm
	Why     string    // why such calls are not made
	Learned time.Time // zero: nothing is known
}

// Words says it in a sentence.
func (b BulkAnswers) Words() string {
	at := b.Learned.UTC().Format("2006-01-02 15:04") + " UTC"
	switch {
	case b.Learned.IsZero():
		return "the next import proves the form of the answers on two records"
	case b.Why != "":
		return "single calls instead, because " + b.Why + " (learned " + at + ", for a day)"
	}
	return "answers are read " + b.Form.String() + " (proved " + at + ", for a day)"
}

// bulkAnswers returns what is known of all such calls; none where they are not made.
func (s *Session) bulkAnswers() (all []BulkAnswers) {
	if s.bulk == nil {
		return nil
	}
	known := s.o.Account.Shapes(s.bulkFolder())
	for k := range s.many().Learned {
		name := send.Kind(k).String()
		one := known[name]
		all = append(all, BulkAnswers{Call: name, Form: leadsquared.BulkForm(one.Form), Why: one.Why, Learned: one.Learned})
	}
	return all
}

// bulkFolder is where it is kept what was learned of bulk answers; "" is nowhere.
func (s *Session) bulkFolder() string {
	if s.o.StateDir == "" {
		return ""
	}
	return filepath.Join(s.o.StateDir, "bulk")
}

// sender returns what sends the rows of a run.
func (s *Session) sender(began time.Time, cancel context.CancelCauseFunc) *send.Sender {
	return &send.Sender{
		Line: s.line, Ledger: s.led, Lease: s.lease, Began: began, Unlimited: s.pacer.State().Limit == pace.Unlimited,
		Concurrency: s.o.Concurrency, MaxErrors: s.o.MaxErrors, LeadAge: s.o.LeadAge,
		Tally: s.live.tally, Updated: s.live.updated, Cancel: cancel,
	}
}

// updater returns what changes records of the account.
func (s *Session) updater(overwrite bool) *update.Updater {
	u := &update.Updater{
		Line: s.line, Ledger: s.led, Lease: s.lease, Overwrite: overwrite, Patience: s.o.Patience,
		Memory: s.lacks, Notify: s.o.Notify, Tally: s.live.updated,
	}
	if l := s.pacer.State().Limit; l.Calls > 0 {
		u.Served = 4 * l.Window / time.Duration(l.Calls) // where a call has to wait longer than a look serves
	}
	return u
}

// untilMargin is how long before --until the last call begins: time for its
// answer and for the results file.
const untilMargin = 5 * time.Second

// untilTime returns a context that ends in time for --until.
func (s *Session) untilTime(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if !s.o.Until.IsZero() {
		t := time.AfterFunc(time.Until(s.o.Until)-untilMargin, func() {
			cancel(fault.New("run.until", fault.RunAgain, "it is %s (--until)", s.o.Until.Format("15:04")))
		})
		context.AfterFunc(ctx, func() { t.Stop() })
	}
	return ctx, cancel
}

// settler returns what settles open rows, those of a run or with 0 all.
func (s *Session) settler(sender *send.Sender, run int64) *settle.Settler {
	return &settle.Settler{
		Line: s.line, Ledger: s.led, Lease: s.lease, Run: run, Sender: sender, Concurrency: s.o.Concurrency,
		Timeout: s.o.Timeout, SettleAfter: s.o.SettleAfter, Wait: s.o.Wait, Memory: s.lacks,
		Queue: s.o.Account.AsyncProblem, Notify: s.o.Notify, Tally: s.live.tally,
		Phase: func(what string) { s.live.phase.Store(Phase(what)) },
	}
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
			return "", fault.New("ledger.folder", "set HOME, or name a ledger with --ledger", "there is no home folder for the ledger")
		}
	}
	return filepath.Join(home, ".local", "state", "leadload"), nil
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return "leadload help account shows the form of an account file; add --sandbox to practise without an account"
}

// nameHash makes a file name of a name that may hold anything.
func nameHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}
