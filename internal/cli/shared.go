package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"leadload/internal/fault"
	"leadload/internal/sandbox"
	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger/postgres"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
)

// common are the flags that several commands share.
type common struct {
	mapping     string
	account     string
	sandbox     bool
	ledger      string
	out         string
	sheet       string
	json        bool
	quiet       bool
	apiLog      string
	apiLogLevel string
	metrics     string
	files       []string // that are loaded
	maxUnpacked string
	progress    time.Duration
	after       *afterFlags // nil: the command has none
	known       bool        // it is about what a ledger knows, and begins none
	beside      bool        // it only reads, and goes on beside a run of another machine
	instead     string      // what to do where that ledger is missing; "" is to name another or to load first
}

// addLedger adds the flag that names the ledger.
func (c *common) addLedger(f *pflag.FlagSet) {
	f.StringVar(&c.ledger, "ledger", "", "ledger: a file, or a database as postgres://USER@HOST/DATABASE (default: a file in the user's state folder)")
}

// addJSON adds the flag that asks for a summary for programs.
func (c *common) addJSON(f *pflag.FlagSet) {
	f.BoolVar(&c.json, "json", false, "print a machine-readable summary on stdout")
}

func (c *common) accountFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.account, "account", "", "account file; without it the LEADSQUARED_… variables say which account")
	f.BoolVar(&c.sandbox, "sandbox", false, "use a practice account started inside this process")
	c.addLedger(f)
	c.addJSON(f)
	f.BoolVarP(&c.quiet, "quiet", "q", false, "say nothing but the last line and errors")
	f.StringVar(&c.apiLog, "api-log", "", "write a line of JSON for every call to this file")
	f.StringVar(&c.apiLogLevel, "api-log-level", "full", "what the API log holds: full or brief")
}

func (c *common) fileFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&c.mapping, "mapping", "m", "", "mapping file (required)")
	f.StringVarP(&c.out, "out", "o", "", "results file (.xlsx or .csv) or a folder for it; - is CSV on stdout (default: INPUT-results.xlsx beside the input; with --sandbox in the current folder)")
	f.StringVar(&c.metrics, "metrics-file", "", "write the numbers of the run to this file, for node_exporter's textfile collector")
	f.StringVar(&c.maxUnpacked, "max-unpacked", "", "how large a workbook or gzip file may be when it is unpacked, such as 32GiB (default: 16GiB, and 200 times its size)")
	f.StringVar(&c.sheet, "sheet", "", "sheet of an XLSX file, instead of the mapping's")
}

// runFlags say how calls are made.
type runFlags struct {
	limit       string
	bulkLimit   string
	concurrency int
	reserve     int
	until       string
	maxErrors   int64
	maxSame     int64
	timeout     time.Duration
	settleAfter time.Duration
	noSettle    bool
	wait        time.Duration
	waitLock    time.Duration
	outageLimit time.Duration
}

func (r *runFlags) add(cmd *cobra.Command) {
	r.addCalls(cmd, time.Minute, "how long after its call a row in doubt is looked up")
	f := cmd.Flags()
	f.IntVar(&r.concurrency, "concurrency", 0, "calls in flight at most (default: what the limit needs)")
	f.DurationVar(&r.wait, "wait", 10*time.Minute, "how long to wait for the account's queue (opportunity-async)")
}

// addReading adds the flags of a command that only reads.
func (r *runFlags) addReading(cmd *cobra.Command) {
	r.addCalls(cmd, 90*time.Second, "how long after it was written a record that reads otherwise is read again")
}

// addCalls adds the flags of every command that makes many calls and waits until the
// account shows what they did.
func (r *runFlags) addCalls(cmd *cobra.Command, settleAfter time.Duration, settling string) {
	r.addPace(cmd)
	cmd.Flags().DurationVar(&r.settleAfter, "settle-after", settleAfter, settling)
}

// addPace adds the flags that say how fast and how long calls are made.
func (r *runFlags) addPace(cmd *cobra.Command) {
	r.settleAfter = time.Minute
	f := cmd.Flags()
	f.StringVar(&r.limit, "limit", "", "calls in a time, such as 25/5s, or off (default: the account file's, else 25/5s)")
	f.IntVar(&r.reserve, "reserve", 0, "calls of each window left to other integrations, and the same share of bulk calls")
	f.StringVar(&r.until, "until", "", "stop in time for this time of day, such as 06:00")
	f.DurationVar(&r.timeout, "timeout", time.Minute, "how long one call may take")
	f.DurationVar(&r.waitLock, "wait-lock", 0, "how long to wait for another run of the account to end")
	f.DurationVar(&r.outageLimit, "outage-limit", 15*time.Minute, "how long the account may be away before the run stops")
}

// addFirstSend adds the flags of a command that sends rows for the first time.
func (r *runFlags) addFirstSend(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.bulkLimit, "bulk-limit", "", bulkLimitUsage)
	f.Int64Var(&r.maxErrors, "max-errors", 0, "stop after so many rejected rows (0: never)")
	f.Int64Var(&r.maxSame, "max-same-error", 20, "stop when the first so many answers are all the same refusal and nothing was loaded with this mapping yet (0: never)")
	f.BoolVar(&r.noSettle, "no-settle", false, "leave rows in doubt as they are")
}

// connection is everything that a command needs of an account.
type connection struct {
	account  account.Account
	practice *sandbox.Account
	led      store
	paced    store  // a ledger that is opened for the memory of the pace alone
	scratch  string // a folder thrown away at the end
	stateDir string
	log      *leadsquared.LogWriter
	session  *loader.Session
}

// ledgerPath says where the ledger lies.
func (a *app) ledgerPath(c *common) (string, error) {
	if c.ledger != "" {
		return c.ledger, nil
	}
	if v := a.getenv("LEADLOAD_LEDGER"); v != "" {
		return v, nil
	}
	dir, err := loader.StateDir(a.getenv)
	return filepath.Join(dir, "ledger.db"), err
}

// openNamed opens the ledger that a command is about.
func (a *app) openNamed(ctx context.Context, c *common, o storeOptions) (store, error) {
	path, err := a.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	return a.openStore(ctx, path, c.ledger != "", o)
}

// connect opens ledger and account. What it opened is closed by close, also
// when it failed.
func (a *app) connect(ctx context.Context, c *common, r *runFlags, command string, notify func(string)) (*connection, error) {
	return a.connectWith(ctx, c, r, command, notify, true)
}

// connectWith is connect with or without a ledger and the account's lock.
func (a *app) connectWith(ctx context.Context, c *common, r *runFlags, command string, notify func(string), keep bool) (_ *connection, err error) {
	k := &connection{}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.close())
		}
	}()
	opts := loader.Options{Command: command, Notify: notify}
	if err := r.into(&opts); err != nil {
		return nil, err
	}
	path := ""
	if keep && !(c.sandbox && c.ledger == "") { // a practice account's ledger is thrown away with it
		if path, err = a.ledgerPath(c); err != nil {
			return nil, err
		}
	}
	if err = c.separate(path); err != nil {
		return nil, err
	}
	if c.sandbox {
		if c.account != "" {
			return nil, usageError("leave one of them out", "--sandbox and --account exclude each other")
		}
		if k.practice, err = sandbox.Start(sandbox.Options{}); err != nil {
			return nil, fmt.Errorf("the practice account cannot be started: %w", err)
		}
		access, secret, async := k.practice.Keys()
		k.account = account.Account{Host: k.practice.URL(), AsyncHost: k.practice.AsyncURL(), Limit: account.DefaultLimit}
		k.account.SetKeys(access, secret, async)
		k.account.NameOnly("practice account") // it is on another port each time
		if c.ledger == "" {
			if k.scratch, err = os.MkdirTemp("", "leadload-practice-*"); err != nil {
				return nil, fmt.Errorf("no folder for the ledger of the practice account: %w", err)
			}
			path = filepath.Join(k.scratch, "ledger.db")
		}
	} else if k.account, err = account.Load(c.account, a.getenv); err != nil {
		return nil, err
	}
	a.hide(k.account.Keys()...)
	if r.limit != "" {
		if k.account.Limit, err = pace.ParseLimit(r.limit); err != nil {
			return nil, usageError("write --limit 25/5s, or --limit off", "--limit: %s", err)
		}
		k.account.LimitSet = true
	}
	if err = bulkLimit(r.bulkLimit, &k.account); err != nil {
		return nil, err
	}
	if r.reserve < 0 || r.reserve > 0 && k.account.Limit != pace.Unlimited && r.reserve >= k.account.Limit.Calls {
		return nil, usageError("leave at least one call to leadload", "--reserve %d leaves nothing of %s", r.reserve, k.account.Limit)
	}
	if !c.sandbox {
		if k.stateDir, err = loader.StateDir(a.getenv); err != nil {
			return nil, err
		}
		opts.StateDir = k.stateDir
	}
	if c.apiLog != "" {
		if err := choice("api-log-level", c.apiLogLevel, logLevels...); err != nil {
			return nil, err
		}
		level, err := leadsquared.ParseLogLevel(c.apiLogLevel)
		if err != nil {
			return nil, err
		}
		if k.log, err = leadsquared.NewLogWriter(c.apiLog, level, 0); err != nil {
			return nil, usageError("name a file that you may write", "%s", err)
		}
		k.log.Hide(k.account.AccessKey, k.account.SecretKey, k.account.AsyncKey)
		opts.Log, opts.LogErr = k.log.Log, k.log.Err
	}
	opts.Unlocked = !keep
	if err := loader.Ready(k.account); err != nil {
		return nil, err // no ledger is begun for an account that cannot be reached
	}
	if keep {
		led, err := a.openStore(ctx, path, c.ledger != "", storeOptions{mustExist: c.known && k.scratch == "", instead: c.instead, patience: r.outageLimit, notify: notify, seen: seenFolder(k.stateDir)})
		if err != nil {
			return nil, err
		}
		k.led = led
		_, shared := led.(*postgres.Ledger)
		opts.Beside = c.beside && shared
		if k.stateDir != "" && !isPractice(&k.account) {
			opts.Traces, opts.LedgerName = filepath.Join(k.stateDir, "ledgers"), ledgerName(led.Path())
		}
		if led.Made() && !c.sandbox {
			notify("a new ledger was begun: " + led.Path())
		}
	}
	if opts.Pace, err = a.sharedPace(ctx, c, k, notify); err != nil {
		return nil, err
	}
	opts.Account, opts.Ledger = k.account, k.led
	k.session, err = loader.Connect(ctx, opts)
	return k, err
}

// isPractice reports a practice account of our own, of which nothing is remembered: it
// is gone with its process. Whatever else this machine serves is an account as any.
func isPractice(a *account.Account) bool {
	return a.Practice() && a.AccessKey.Begins(sandbox.MadeKey)
}

// ledgerName is one name for one ledger, however its path was written.
func ledgerName(path string) string {
	if postgres.IsURL(path) {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	return abs
}

const bulkLimitUsage = "bulk calls in a time, such as 5/5s: up to 25 records each, beside the others; or off (default: the account file's, else off)"

// bulkLimit takes the flag --bulk-limit over where it is given.
func bulkLimit(text string, acct *account.Account) (err error) {
	if text == "" {
		return nil
	}
	if acct.BulkLimit, err = account.ParseBulkLimit(text); err != nil {
		return usageError("write --bulk-limit 5/5s, or --bulk-limit off for no bulk calls", "--bulk-limit: %s", err)
	}
	return nil
}

// seenFolder is where the number of the newest run of each ledger is kept, so
// that one which was put back is known; "" without a folder for what runs keep.
func seenFolder(stateDir string) string {
	if stateDir == "" {
		return ""
	}
	return filepath.Join(stateDir, "newest")
}

// logLevels are what an API log can hold.
var logLevels = []string{"full", "brief"}

func (r *runFlags) into(o *loader.Options) error {
	switch {
	case r.concurrency < 0 || r.concurrency > 1024:
		return usageError("give a number from 1 to 1024", "--concurrency %d is not possible", r.concurrency)
	case r.maxErrors < 0:
		return usageError("give 0 for never, or a number of rows", "--max-errors %d is not possible", r.maxErrors)
	case r.maxSame < 0:
		return usageError("give 0 for never, or a number of answers", "--max-same-error %d is not possible", r.maxSame)
	case r.timeout <= 0:
		return usageError("give a time such as 60s", "--timeout %s is not possible", r.timeout)
	case r.settleAfter <= 0:
		return usageError("give a time such as 60s", "--settle-after %s is not possible", r.settleAfter)
	case r.outageLimit <= 0:
		return usageError("give a time such as 15m", "--outage-limit %s is not possible", r.outageLimit)
	case r.waitLock < 0, r.wait < 0:
		return usageError("give a time such as 30m", "a wait cannot be negative")
	}
	o.Concurrency, o.Reserve, o.Timeout, o.SettleAfter, o.NoSettle = r.concurrency, r.reserve, r.timeout, r.settleAfter, r.noSettle
	o.WaitLock, o.Wait, o.OutageLimit, o.MaxErrors, o.MaxSame = r.waitLock, r.wait, r.outageLimit, r.maxErrors, r.maxSame
	if r.wait == 0 {
		o.Wait = -1 // 0 would be the default
	}
	if r.until == "" {
		return nil
	}
	t, err := time.Parse("15:04", r.until)
	if err != nil {
		return usageError("write it as 06:00", "--until %q is not a time of day", r.until)
	}
	now := time.Now()
	o.Until = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.Local)
	if !o.Until.After(now) {
		o.Until = o.Until.AddDate(0, 0, 1)
	}
	return nil
}

// close ends the session and releases everything.
func (k *connection) close() error {
	var errs []error
	if k.session != nil {
		errs = append(errs, k.session.Close())
		k.session = nil
	}
	if k.led != nil {
		errs = append(errs, k.led.Close())
		k.led = nil
	}
	if k.paced != nil {
		errs = append(errs, k.paced.Close())
		k.paced = nil
	}
	if k.log != nil {
		if err := k.log.Close(); err != nil {
			errs = append(errs, &fault.Fault{Code: "log.failed", Msg: "the API log is not whole", Err: err,
				Hint: "free some space or name another file with --api-log; the ledger and the results are whole"})
		}
		k.log = nil
	}
	if k.practice != nil {
		errs = append(errs, k.practice.Close())
		k.practice = nil
	}
	if k.scratch != "" {
		errs = append(errs, os.RemoveAll(k.scratch))
		k.scratch = ""
	}
	return errors.Join(errs...)
}

// loadMapping reads the mapping file.
func (c *common) loadMapping() (*mapping.Mapping, string, error) {
	if c.mapping == "" {
		return nil, "", usageError("add -m MAPPING.yaml; leadload init FILE drafts one", "no mapping was given")
	}
	text, err := os.ReadFile(c.mapping)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := "check the path given with -m; leadload init FILE drafts a mapping"
		if near := nearFile(c.mapping, ".yaml", ".yml"); near != "" {
			hint = "did you mean -m " + shellWord(near) + "?"
		}
		return nil, "", usageError(hint, "mapping %q: there is no such file", c.mapping)
	case err != nil:
		return nil, "", usageError("check the path given with -m and your rights to it", "mapping %q cannot be read: %s", c.mapping, fault.Pathless(err))
	}
	m, err := mapping.Parse(c.mapping, text)
	if err != nil && account.IsFile(text) {
		return nil, "", usageError("give the account file with --account, and the mapping with -m", "mapping %q: it is an account file", c.mapping)
	}
	if err != nil && loadable(filepath.Base(c.mapping)) {
		return nil, "", usageError("name the table first, and its mapping with -m; leadload init FILE drafts one", "mapping %q: it is a table", c.mapping)
	}
	if err != nil {
		return nil, "", err
	}
	abs, err := filepath.Abs(c.mapping)
	return m, abs, err
}

// openInput opens a file as its mapping says.
func (c *common) openInput(path string, m *mapping.Mapping) (*source.File, error) {
	o := source.Options{Sheet: m.Input.Sheet, HeaderRow: m.Input.HeaderRow, Delimiter: m.Input.Delimiter, Encoding: m.Input.Encoding}
	if c.sheet != "" {
		o.Sheet = c.sheet
		if c.sheet != m.Input.Sheet {
			o.HeaderRow = 0 // the mapping's header row is that of its own sheet
		}
	}
	if c.maxUnpacked != "" {
		n, err := parseSize(c.maxUnpacked)
		if err != nil {
			return nil, err
		}
		o.MaxBytes = n
	}
	f, err := source.Open(path, o)
	var missing *source.Error
	if errors.As(err, &missing) && isMissing(err) {
		if near := nearFile(path, ".csv", ".tsv", ".xlsx", ".xlsm", ".gz"); near != "" {
			missing.Hint = "did you mean " + shellWord(near) + "?"
		}
	}
	if c.sheet == "" && o.Sheet != "" && hasCode(err, "sheet.unknown") {
		// The mapping's sheet is the first file's; the results of that have others.
		o.Sheet, o.HeaderRow = "", 0
		if r, rerr := source.Open(path, o); rerr == nil {
			if r.Info().Results {
				return r, nil
			}
			r.Close()
		}
	}
	if err == nil && c.sheet != "" && f.Info().Format == "csv" {
		f.Close()
		return nil, usageError("leave --sheet out: a CSV file has no sheets", "%s is a CSV file, and --sheet %q was given", path, c.sheet)
	}
	return f, err
}

// parseSize reads "32GiB", "500MB" or a number of bytes.
func parseSize(s string) (int64, error) {
	units := []struct {
		name string
		size float64
	}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}
	upper := strings.ToUpper(strings.TrimSpace(s))
	for _, u := range units {
		number, ok := strings.CutSuffix(upper, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(n*u.size >= 1 && n*u.size <= 1<<50) {
			break
		}
		return int64(n * u.size), nil
	}
	return 0, usageError("write a size such as 32GiB or 500MB", "--max-unpacked %q is no size", s)
}

// who names the person and machine that run a load.
func who() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		return name + "@" + h
	}
	return name
}

// parseRows reads "1-10,57".
func parseRows(s string) (loader.RowSet, error) {
	if s == "" {
		return nil, nil
	}
	bad := func() error {
		return usageError("write rows as the spreadsheet counts them, such as 2-10,57", "--rows %q is not a list of rows", s)
	}
	var set loader.RowSet
	for part := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.Atoi(strings.TrimSpace(from))
		if err != nil || a < 1 {
			return nil, bad()
		}
		b := a
		if ranged {
			if b, err = strconv.Atoi(strings.TrimSpace(to)); err != nil || b < a {
				return nil, bad()
			}
		}
		set = append(set, loader.RowRange{From: a, To: b})
	}
	return set, nil
}
