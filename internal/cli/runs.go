package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
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

type runsOptions struct {
	common
	count int
}

func (a *app) runsCommand() *cobra.Command {
	var o runsOptions
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "list earlier runs",
		Example: `  leadload runs
  leadload runs -n 100 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runRuns(cmd.Context(), &o) },
	}
	f := cmd.Flags()
	o.addLedger(f)
	f.BoolVar(&o.json, "json", false, "print a machine-readable list on stdout")
	f.IntVarP(&o.count, "number", "n", 20, "how many runs, the newest first")
	return cmd
}

// runEntry is a run in the list of leadload runs --json.
type runEntry struct {
	Run     int64      `json:"run"`
	Command string     `json:"command"`
	File    string     `json:"file"`
	Mapping string     `json:"mapping"`
	Account string     `json:"account"`
	Who     string     `json:"who"`
	Started time.Time  `json:"started"`
	Ended   *time.Time `json:"ended"` // null: running, or cut off
	Stop    string     `json:"stopped"`
	Exit    int        `json:"exit_code"`
	Out     string     `json:"results_file"`
	Line    string     `json:"line"`
	short   string     // the line for people
}

func (a *app) runRuns(ctx context.Context, o *runsOptions) error {
	if o.count < 1 {
		return usageError("give a number above 0", "-n %d is not possible", o.count)
	}
	led, err := a.openLedger(ctx, &o.common)
	if err != nil {
		return err
	}
	defer led.Close()
	runs, err := led.Runs(ctx, ledger.RunQuery{Newest: o.count})
	if err != nil {
		return err
	}
	entries := []runEntry{}
	for _, r := range runs {
		t := r.Did // as it left them: later runs have gone on with its rows
		if t.Sum() == 0 {
			tally, err := led.Tally(ctx, r.ID)
			if err != nil {
				return err
			}
			t = tally.Counts()
		}
		e := runEntry{Run: r.ID, Command: r.Command, File: r.Input, Mapping: r.Mapping, Account: r.AccountName, Who: r.Who, Started: r.Started, Stop: r.Stop, Exit: r.Exit, Out: r.Out, Line: t.String(), short: short(t)}
		if !r.Ended.IsZero() {
			e.Ended = &r.Ended
		}
		entries = append(entries, e)
	}
	if o.json {
		return a.printJSON(map[string]any{"version": 1, "runs": entries})
	}
	if len(entries) == 0 {
		a.say("no run is in the ledger %s", led.Path())
		return nil
	}
	return a.printTable("ROWS", func(w io.Writer) {
		fmt.Fprintln(w, "RUN\tSTARTED\tTOOK\tFILE\tACCOUNT\tEXIT\tROWS")
		for _, e := range entries {
			took, code := "cut off", "-"
			if e.Ended != nil {
				took, code = e.Ended.Sub(e.Started).Round(time.Second).String(), strconv.Itoa(e.Exit)
			}
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", plain([]any{e.Run, e.Started.Local().Format("2006-01-02 15:04"), took, e.File, e.Account, code, e.short})...)
		}
	})
}

// runNumber reads the number of a run.
func runNumber(text, hint string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, usageError(hint, "%q is not the number of a run", text)
	}
	return n, nil
}

// openLedger opens a ledger that must be there.
func (a *app) openLedger(ctx context.Context, c *common) (store, error) {
	path, err := a.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	return a.openStore(ctx, path, c.ledger != "", storeOptions{readOnly: true})
}

type reportOptions struct {
	common
}

func (a *app) reportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "write a run's results file again",
		Long: `Write the results file of an earlier run again, from the ledger, with what is
known of its rows by now. The input's own columns are taken from the input file
where it is still there and unchanged; otherwise they are left out.`,
		Example: `  leadload report 12
  leadload report 12 -o march.csv`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runReport(cmd.Context(), &o, args) },
	}
	f := cmd.Flags()
	o.addLedger(f)
	f.StringVarP(&o.out, "out", "o", "", "results file (.xlsx or .csv) or a folder for it; - is CSV on stdout")
	o.addJSON(f)
	return cmd
}

func (a *app) runReport(ctx context.Context, o *reportOptions, args []string) error {
	if len(args) != 1 {
		return usageError("type leadload runs to see the numbers, then leadload report RUN", "which run?")
	}
	id, err := runNumber(args[0], "type leadload runs to see the numbers")
	if err != nil {
		return err
	}
	led, err := a.openLedger(ctx, &o.common)
	if err != nil {
		return err
	}
	defer led.Close()
	runs, err := led.Runs(ctx, ledger.RunQuery{ID: id})
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return usageError("type leadload runs to see the numbers", "the ledger knows no run %d", id)
	}
	run := runs[0]
	tally, err := led.Tally(ctx, id)
	if err != nil {
		return err
	}
	totals := tally.Counts()
	rep := reports.Report{Ledger: led, Run: run, Totals: totals, Location: time.UTC}
	if loc, err := converter.LoadZone(run.Timezone); err == nil && run.Timezone != "" {
		rep.Location = loc
	}
	rep.OnRemark = func(r string) { a.say("note: %s", r) }
	file, m, why := a.reopen(run)
	if m != nil {
		rep.Key, rep.Fields = m.Key, fieldsOf(m)
	}
	if file != nil {
		defer file.Close()
		rep.Input = file
	} else {
		rep.Notes = append(rep.Notes, why)
		a.say("%s", why)
	}
	input := run.InputPath
	if input == "" {
		input = "-"
	}
	if _, err := os.Stat(filepath.Dir(input)); err != nil && o.out == "" {
		input = filepath.Base(input) // its folder is gone: here, then
	}
	out, err := a.writeReport(ctx, rep, input, o.out, "-results")
	if err != nil {
		return err
	}
	a.last(&o.common, led, loader.Result{Run: run, Totals: totals}, out, fault.Done, nil)
	return nil
}

// reopen opens a run's input again as it was read then; why says why it
// cannot. m is the run's mapping, or nil where it cannot be read any more.
func (a *app) reopen(run ledger.Run) (f *source.File, m *mapping.Mapping, why string) {
	if run.InputPath == "" {
		return nil, nil, "the input was standard input, so its columns are left out"
	}
	o := source.Options{Sheet: run.Sheet}
	// The mapping says how the file is read, when it is still the same.
	if text, err := os.ReadFile(run.MappingPath); err == nil {
		if m, err = mapping.Parse(run.Mapping, text); err == nil {
			o.HeaderRow, o.Delimiter, o.Encoding = m.Input.HeaderRow, m.Input.Delimiter, m.Input.Encoding
		}
	}
	f, err := source.Open(run.InputPath, o)
	if isMissing(err) { // loaded from a folder, and moved when it was finished
		f, err = source.Open(filepath.Join(filepath.Dir(run.InputPath), doneFolder, filepath.Base(run.InputPath)), o)
	}
	switch {
	case err == nil:
		return f, m, ""
	case isMissing(err):
		return nil, m, fmt.Sprintf("the input %s is no longer there, so its columns are left out", run.Input)
	}
	return nil, m, fmt.Sprintf("the input %s cannot be read any more, so its columns are left out: %v", run.Input, err)
}

// isMissing reports that a file is not there.
func isMissing(err error) bool { return hasCode(err, "file.missing") }

// hasCode reports a fault of an input file by its code.
func hasCode(err error, code string) bool {
	var e *source.Error
	return errors.As(err, &e) && e.Code == fault.Code(code)
}
