package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/mapping"
	"leadload/reports"
)

type importOptions struct {
	common
	runFlags
	afterFlags
	inputs  []string
	rows    string
	strict  bool
	change  changeFlags
	yes     bool
	dropAge time.Duration
}

func (a *app) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE... -m MAPPING",
		Short: "load files; safe to run again",
		Long: `Load CSV and XLSX files into the account. The whole file is checked first and
the plan is shown; then the rows that the account does not have are sent at the
account's pace. Running the same command again sends only what is missing.

FILE may be a CSV or XLSX file, plain or gzipped CSV, - for standard input, a
pattern such as 'in/*.csv', or a folder: the files in it are loaded one after
another and moved to its folder done/ when they are finished.`,
		Example: `  leadload import deals.csv -m deals.yaml
  leadload import deals.xlsx -m deals.yaml --account prod.yaml --until 06:00
  leadload import /drop -m deals.yaml --account prod.yaml --wait-lock 30m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.inputs = args
			err := a.runImport(cmd.Context(), &o)
			a.onFinish(cmd.Context(), &o.afterFlags, traitOf(err).Exit())
			return err
		},
	}
	o.fileFlags(cmd)
	o.accountFlags(cmd)
	o.runFlags.add(cmd)
	o.runFlags.addFirstSend(cmd)
	o.afterFlags.add(cmd)
	o.common.after = &o.afterFlags
	f := cmd.Flags()
	f.StringVar(&o.rows, "rows", "", "only these rows as the spreadsheet counts them, such as 2-10,57")
	f.BoolVar(&o.strict, "strict", false, "send nothing if any row is invalid")
	o.change.add(cmd)
	f.StringVar(&o.change.onConflict, "on-conflict", "keep", "what an update does where somebody has changed a field in the account since: keep, overwrite")
	f.BoolVar(&o.change.newLedger, "new-ledger", false, "send rows although the ledger is new, and other ledgers or results files know of earlier imports into the account")
	f.BoolVar(&o.change.sendAgain, "send-again", false, "send rows although they resemble rows that an earlier run loaded from this file and that are gone from it")
	f.StringVar(&o.change.keepValues, "keep-values", "30d", "how long the values that updates met in the account are kept, for undo and for the sheet Changes: 30d, 12h, 0 for not at all")
	f.BoolVar(&o.yes, "yes", false, "do not ask before sending")
	f.DurationVar(&o.dropAge, "drop-age", 30*time.Second, "in a folder, leave files alone that were changed in this time: they are still being written")
	f.DurationVar(&o.progress, "progress-every", 10*time.Second, "how often a progress line is printed where there is no terminal")
	return cmd
}

// runImport loads every file and ends with the worst of their exit codes.
func (a *app) runImport(ctx context.Context, o *importOptions) error {
	if len(o.inputs) == 0 {
		return a.endless(&o.common, "import", usageError("type leadload import FILE -m MAPPING", "no file was given"))
	}
	rows, err := parseRows(o.rows)
	if err == nil {
		err = o.afterFlags.read()
	}
	if err != nil {
		return a.endless(&o.common, "import", err)
	}
	m, mappingPath, err := o.loadMapping()
	if err == nil {
		err = o.change.read(m)
	}
	if err != nil {
		return a.endless(&o.common, "import", err)
	}
	inputs, err := expandInputs(o.inputs, o.dropAge, a.say)
	if err != nil {
		return a.endless(&o.common, "import", err)
	}
	if len(inputs) == 0 {
		return a.settleOnly(ctx, o)
	}
	o.files = o.files[:0]
	for _, in := range inputs {
		o.files = append(o.files, in.name)
	}
	a.several = len(inputs) > 1
	// Of files that were named, all are loaded or none: exit code 2 says that nothing
	// was sent. A wrong one is told before anything is connected. Each file is opened when
	// its turn comes, so that any number of them needs no more than one.
	code := fault.Done
	for i := range inputs {
		in := &inputs[i]
		if in.drop {
			continue
		}
		if in.file, err = a.openForImport(o, in, m); err != nil {
			return a.endless(&o.common, "import", err)
		}
		defer in.file.Close()
		if len(inputs) > 1 {
			in.file.Close()
			in.file = nil
		}
	}
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, "import", show.notice)
	if err != nil {
		return a.endless(&o.common, "import", err)
	}
	sent := false
	for _, in := range inputs {
		if in.file == nil {
			if in.drop && tooYoung(in.name, o.dropAge, a.say) {
				continue // replaced since the folder was read
			}
			if in.file, err = a.openForImport(o, &in, m); err != nil {
				if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
					// No fault of this file, and the next ones would meet it as well.
					e := fault.New("file.too-many-open", "let leadload open more (ulimit -n), or end other programs, and run the same command again", "too many files are open on this machine")
					e.Err, err = err, e
				}
				a.explain(err)
				code = max(traitOf(err), code)
				a.last(&o.common, nil, loader.Result{Run: ledger.Run{Command: "import", Input: in.name}}, "", traitOf(err), err)
				if traitOf(err) == fault.Stopped {
					break
				}
				continue
			}
		}
		job := loader.Job{Input: in.name, Dropped: in.drop, File: in.file, Mapping: m, MappingPath: mappingPath, Rows: rows, Strict: o.strict, Update: o.change.update, Remake: o.change.remake, SendAgain: o.change.sendAgain, NewLedger: o.change.newLedger, Overwrite: o.change.overwrite, KeepValues: o.change.keep, Who: who(), Version: version()}
		job.InputPath = absolute(in.name)
		job.Beside = func(account string) (string, error) {
			return reports.LoadedBeside(in.name, in.out(&o.common), account)
		}
		job.Confirm = func(p loader.Plan) error {
			a.run.Store(k.session.Snapshot().Run)
			return a.confirm(ctx, o, k, in.name, m, p, in.file.Info())
		}
		show.start(k.session)
		res, err := k.session.Import(ctx, job)
		show.stop()
		c := a.finish(ctx, o, k, in, job, res, err)
		in.file.Close()
		code = max(c, code)
		sent = sent || res.Run.Calls > 0
		if c == fault.Stopped && err != nil || c == fault.Interrupted || c == fault.Busy || c == fault.Bug {
			break
		}
	}
	if err := k.close(); err != nil {
		// A log that failed has stopped the run, and was told then.
		if c, _, _ := fault.Words(err); c != "log.failed" || code != fault.Stopped {
			a.explain(err)
		}
		code = max(traitOf(err), code)
	}
	if code == fault.Usage && sent {
		code = fault.Person // one file was wrong and others were loaded: somebody has to look
	}
	if err := a.printSummaries(); err != nil {
		a.explain(err)
		code = max(fault.Bug, code)
	}
	if code != fault.Done {
		return &exit{code}
	}
	return nil
}

// settleOnly is an import of folders without files: rows of files that came
// earlier may be open.
func (a *app) settleOnly(ctx context.Context, o *importOptions) error {
	a.say("nothing to load: no CSV or XLSX file is ready in %s", list(o.inputs))
	res := loader.Result{Run: ledger.Run{Command: "import"}}
	path, err := a.ledgerPath(&o.common)
	if _, serr := os.Stat(path); err != nil || serr != nil || o.noSettle || o.sandbox {
		a.last(&o.common, nil, res, "", fault.Done, nil)
		return nil
	}
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, "import", show.notice)
	if err != nil {
		return a.endless(&o.common, "import", err)
	}
	show.start(k.session)
	settled, err := k.session.Settle(ctx)
	show.stop()
	if cerr := k.close(); err == nil {
		err = cerr
	}
	if err != nil {
		a.explain(err)
	}
	next := a.settledNext(&o.common, settled, err)
	res.Totals, res.Run.Calls, res.Run.Throttled = settled.Rows, settled.Calls, settled.Throttled
	code := max(settled.End, traitOf(err))
	a.last(&o.common, nil, res, "", code, err, next...)
	if code != fault.Done {
		return &exit{code}
	}
	return nil
}

// openForImport opens a file and finds out all that can be wrong before a run begins.
func (a *app) openForImport(o *importOptions, in *input, m *mapping.Mapping) (*source.File, error) {
	f, err := o.openInput(in.name, m)
	if err != nil {
		return nil, err
	}
	if _, err = loader.Compile(m, f, in.name); err == nil && o.out != "-" {
		_, err = reports.PathFor(in.name, in.out(&o.common), o.suffix)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// finish writes the results file of one input, says how it went and returns how
// it ended.
func (a *app) finish(ctx context.Context, o *importOptions, k *connection, in input, job loader.Job, res loader.Result, err error) fault.Trait {
	code := res.End
	a.run.Store(res.Run.ID)
	out, next := "", []string(nil)
	var common []ledger.ErrorCount // the most common errors; without them the advice is the general one
	if res.Run.ID != 0 && res.Totals.Sum() > 0 {
		common, _ = k.led.Errors(context.WithoutCancel(ctx), res.Run.ID, toldErrors)
		if o.sandbox && o.common.ledger == "" {
			// the practice account is gone when this command ends: there is nothing to go on with
		} else {
			next = nextCommands(o, job, res, common, freeName(job.Input, in.out(&o.common), o.suffix))
		}
		rep := reports.Report{Ledger: k.led, Run: res.Run, Totals: res.Totals, Input: in.file, Location: zone(job.Mapping), Next: next, Notes: in.file.Info().Notes, Zones: zones(job.Mapping),
			Key: job.Mapping.Key, Fields: fieldsOf(job.Mapping)}
		var werr error
		// The results file is written also after Ctrl-C: it is the record of what was done.
		out, werr = a.writeReport(context.WithoutCancel(ctx), rep, job.Input, in.out(&o.common), o.suffix)
		if werr != nil {
			a.explain(werr)
			code = max(traitOf(werr), max(code, fault.Bug))
		} else if job.KeepValues < 0 {
			// Without results the values stay for leadload report; the next import drops them.
			if kerr := k.session.Unkeep(ctx, res.Run); kerr != nil && err == nil {
				err, code = kerr, max(traitOf(kerr), code)
			}
		}
		a.sweep(&o.afterFlags, out, job.Input)
		res.Run.Out = out
		if ferr := k.session.Reported(ctx, res.Run, out); ferr != nil && err == nil {
			err, code = ferr, max(traitOf(ferr), code)
		}
	}
	if err != nil {
		a.explain(err)
	}
	if !o.quiet {
		a.outcome(res.Totals, common, res.Run.Stop)
		for _, n := range next {
			a.say("  next: %s", n)
		}
	}
	a.last(&o.common, k.led, res, out, code, err, next...)
	switch open := res.Totals[ledger.ResultInDoubt] + res.Totals[ledger.ResultPending] + res.Totals[ledger.ResultNotSent]; {
	case !in.drop || code != fault.Done && code != fault.Person:
	case open > 0:
		a.say("%s stays where it is until its open rows are settled", in.name)
	default:
		switch err := in.finished(); {
		case errors.Is(err, errChanged):
			a.say("leadload: %s stays where it is: %s; the next run loads what is new in it", in.name, err)
			code = max(code, fault.Stopped)
		case err != nil:
			a.say("leadload: %s was loaded but could not be moved to %s: %s", in.name, doneFolder, fault.Pathless(err))
			code = max(code, fault.Person)
		}
	}
	return code
}

// writeReport writes the results file where it belongs and gives its name.
func (a *app) writeReport(ctx context.Context, rep reports.Report, input, out, suffix string) (string, error) {
	if out == "-" {
		return "", reports.WriteCSV(ctx, rep, a.data())
	}
	path, err := reports.PathFor(input, out, suffix)
	if err != nil {
		return "", err
	}
	return reports.Write(ctx, rep, path)
}

// fieldsOf is what a report must know of a mapping to find the cell that an
// error is about.
func fieldsOf(m *mapping.Mapping) []reports.Field {
	var out []reports.Field
	for _, f := range m.Fields() {
		out = append(out, reports.Field{Names: []string{f.Name, f.Schema}, Columns: f.Columns})
	}
	return out
}

// last prints what every command that goes through a file ends with: the
// sentence, or with --json the summary.
func (a *app) last(c *common, led ledger.Reader, res loader.Result, out string, code fault.Trait, err error, next ...string) {
	line := visible(reports.Line(res.Totals, out), true)
	if c.metrics != "" {
		s := a.summary(led, res, out, code, err, next)
		s.Line = line
		if werr := reports.WriteMetrics(c.metrics, s); werr != nil {
			a.explain(werr)
		}
	}
	if c.after != nil && c.after.onFinish != "" {
		s := a.summary(led, res, out, code, err, next)
		s.Line = line
		c.after.told = append(c.after.told, s)
	}
	if c.json {
		s := a.summary(led, res, out, code, err, next)
		s.Line = line
		if a.several {
			a.summaries = append(a.summaries, s)
		} else if werr := reports.WriteJSON(a.stdout, s); werr != nil {
			a.explain(werr)
		}
	}
	a.lastLine(c, line)
}

// printSummaries prints the summaries of several files as one array.
func (a *app) printSummaries() error {
	if len(a.summaries) == 0 {
		return nil
	}
	list := a.summaries
	a.summaries = nil
	return a.printJSON(list)
}

// endless ends a command that did not come as far as a run: the error, and
// the last line all the same.
func (a *app) endless(c *common, command string, err error) error {
	a.explain(err)
	code := traitOf(err)
	a.last(c, nil, loader.Result{Run: ledger.Run{Command: command}}, "", code, err)
	if perr := a.printSummaries(); perr != nil {
		a.explain(perr)
	}
	return &exit{code}
}

func zone(m *mapping.Mapping) *time.Location {
	if loc, err := converter.LoadZone(m.Timezone); err == nil && m.Timezone != "" {
		return loc
	}
	return time.UTC
}

// zones names the release of the time zone data by which a mapping's
// timestamps are read; "" for a mapping without timestamps.
func zones(m *mapping.Mapping) string {
	for _, f := range m.Fields() {
		if f.Type == "datetime" && !f.HasConstant {
			return converter.ZoneRelease().String()
		}
	}
	return ""
}

// confirm shows the plan and, on a terminal and before a real account, asks.
func (a *app) confirm(ctx context.Context, o *importOptions, k *connection, input string, m *mapping.Mapping, p loader.Plan, info source.Info) error {
	if !o.quiet {
		a.showPlan(input, m, p, info)
	}
	if p.Ready()+p.Updates() == 0 || o.yes || o.sandbox || k.account.Practice() || !a.canAsk() {
		return nil
	}
	what := "Send " + count(p.Ready(), "row", "rows")
	switch {
	case p.Ready() == 0:
		what = "Send updates of " + count(p.Updates(), "row", "rows")
	case p.Updates() > 0:
		what += " and updates of " + fmt.Sprint(p.Updates())
	}
	return a.ask(ctx, &fault.Fault{Code: "run.declined", Msg: "nothing was sent", Hint: "answer y to send, or add --yes"}, "%s to %s?", what, p.Account)
}

// nextCommands are what to type next, most useful first.
func nextCommands(o *importOptions, job loader.Job, res loader.Result, errs []ledger.ErrorCount, results string) []string {
	with := withAccount(&o.common) + withLedger(&o.common)
	var next []string
	oneCause := reports.OneCause(res.Totals, errs) // the mapping is to be corrected, and the file loaded again
	if res.Totals[ledger.ResultNotSent] > 0 || oneCause {
		next = append(next, "leadload import "+shellWord(job.Input)+" -m "+shellWord(o.mapping)+with)
	}
	if res.Totals[ledger.ResultInvalid]+res.Totals[ledger.ResultRejected] > 0 && !oneCause {
		if results != "" && strings.HasSuffix(results, ".xlsx") {
			next = append(next, "leadload import "+shellWord(results)+" --sheet Failed -m "+shellWord(o.mapping)+with)
		}
	}
	if res.Totals[ledger.ResultInDoubt]+res.Totals[ledger.ResultPending] > 0 {
		next = append(next, "leadload settle"+with)
	}
	return next
}

// withAccount repeats the account file that was named, for a command to type.
func withAccount(c *common) string {
	if c.account == "" {
		return ""
	}
	return " --account " + shellWord(c.account)
}

// withLedger repeats the ledger that was named.
func withLedger(c *common) string {
	if c.ledger == "" {
		return ""
	}
	return " --ledger " + shellWord(c.ledger)
}

// freeName is the name that the results of an input are about to get.
func freeName(in, out, suffix string) string {
	path, err := reports.PathFor(in, out, suffix)
	if err != nil || path == "-" {
		return ""
	}
	ext := filepath.Ext(path)
	for n, name := 2, path; ; n++ {
		if _, err := os.Lstat(name); err != nil {
			return name
		}
		name = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), n, ext)
	}
}

// shellWord quotes a word for a shell where it needs it.
func shellWord(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"'$&|;<>()*?[]#~`\\!{}") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// summary is the machine-readable form of the last line.
func (a *app) summary(led ledger.Reader, res loader.Result, out string, code fault.Trait, err error, next []string) reports.Summary {
	s, serr := reports.Summarize(context.Background(), reports.Report{Ledger: led, Run: res.Run, Totals: res.Totals, Next: next, Zones: converter.ZoneRelease().String()}, out)
	if serr != nil {
		a.explain(serr)
	}
	s.Faults, s.FaultsLeft, s.Bodies, s.Warnings = a.seen.Faults, a.seen.FaultsLeft, a.seen.Bodies, res.Plan.Warnings
	s.Totals.Removed = max(s.Totals.Removed, res.Plan.Removed.Rows) // a check writes none down
	s.ExitCode = code.Exit()
	s.Error = a.failedOf(err)
	return s
}
