package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
	"leadload/loader/pace"
	"leadload/loader/source"
	"leadload/mapping"
	"leadload/reports"
)

type checkOptions struct {
	common
	inputs []string
	rows   string
	limit  string
	bulk   string
	show   int
	expect string
	faults int
	online bool
	fresh  bool
	change changeFlags
}

func (a *app) checkCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check FILE... -m MAPPING",
		Short: "everything import would do, except sending",
		Long: `Go through the whole file as import would, and send nothing. Every fault is
listed with row, column, reason and what to do; the cost of the load is shown,
and three sample conversions of each timestamp column. With -o the results
workbook is written, with "would send" for the rows that are good. With --online
the mapping and every row are held against the account's own fields, options and
products, which are asked for once a day.`,
		Example: `  leadload check deals.csv -m deals.yaml
  leadload check deals.csv -m deals.yaml --show 5 -o deals-check.xlsx
  leadload check deals.csv -m deals.yaml --online --account prod.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.inputs = args
			return a.runCheck(cmd.Context(), &o)
		},
	}
	o.fileFlags(cmd)
	o.accountFlags(cmd)
	f := cmd.Flags()
	f.Lookup("out").Usage = "write the results workbook or CSV there, or into a folder; - is CSV on stdout (default: none)"
	f.StringVar(&o.rows, "rows", "", "only these rows as the spreadsheet counts them, such as 2-10,57")
	o.change.add(cmd)
	f.StringVar(&o.bulk, "bulk-limit", "", bulkLimitUsage)
	f.StringVar(&o.limit, "limit", "", "calls in a time for the estimate, such as 25/5s (default: the account file's, else 25/5s)")
	f.IntVar(&o.show, "show", 0, "print the request bodies of so many rows")
	f.IntVar(&o.faults, "max-faults", 1000, "list so many faults at most")
	f.BoolVar(&o.online, "online", false, "ask the account for its fields, options and products, and check against them")
	f.BoolVar(&o.fresh, "refresh", false, "with --online: ask again, even if the answers of the last day are at hand")
	f.StringVar(&o.expect, "expect", "", "file of test cases for the mapping: input rows and the bodies they should give")
	return cmd
}

// runCheck goes through every file and ends with the worst of their exit codes.
func (a *app) runCheck(ctx context.Context, o *checkOptions) error {
	fail := func(err error) error { return a.endless(&o.common, "check", err) }
	if err := a.separate(&o.common, o.inputs); err != nil {
		return fail(err)
	}
	m, mappingPath, err := o.loadMapping()
	if err == nil {
		err = o.change.read(m)
	}
	if err != nil {
		return fail(err)
	}
	if o.expect != "" {
		if err := a.runCases(m, o.expect); err != nil {
			return fail(err)
		}
		if len(o.inputs) == 0 {
			return nil
		}
	}
	if len(o.inputs) == 0 {
		return fail(usageError("type leadload check FILE -m MAPPING", "no file was given"))
	}
	rows, err := parseRows(o.rows)
	if err != nil {
		return fail(err)
	}
	acct := account.Account{Limit: account.DefaultLimit, Name: "practice account"}
	if !o.sandbox {
		if acct, err = account.Load(o.account, a.getenv); err != nil {
			return fail(err)
		}
		a.hide(acct.Keys()...)
	}
	if err := bulkLimit(o.bulk, &acct); err != nil {
		return fail(err)
	}
	if o.limit != "" {
		if acct.Limit, err = pace.ParseLimit(o.limit); err != nil {
			return fail(usageError("write --limit 25/5s, or --limit off", "--limit: %s", err))
		}
	}
	if o.fresh && !o.online {
		return fail(usageError("add --online, or leave --refresh out", "--refresh has nothing to ask again without --online"))
	}
	var online *account.Online
	if o.online {
		if online, err = a.askMetadata(ctx, o, m); err != nil {
			return fail(err)
		}
	}
	led, err := a.ledgerToRead(ctx, &o.common)
	if err != nil {
		return fail(err)
	}
	if led != nil {
		defer led.Close()
	}
	a.several = len(o.inputs) > 1
	code := fault.Done
	for _, in := range o.inputs {
		c := a.checkOne(ctx, o, in, m, mappingPath, acct, led, rows, online)
		code = max(c, code)
		if c == fault.Interrupted || c == fault.Bug {
			break
		}
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

// ledgerToRead opens the ledger when there is one; a check makes none.
func (a *app) ledgerToRead(ctx context.Context, c *common) (ledger.Store, error) {
	if c.sandbox && c.ledger == "" {
		return nil, nil
	}
	path, err := a.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	seen := ""
	if dir, err := loader.StateDir(a.getenv); err == nil && !c.sandbox {
		seen = seenFolder(dir)
	}
	led, err := a.openStore(ctx, path, c.ledger != "", storeOptions{readOnly: true, seen: seen})
	if err == nil {
		return led, nil
	}
	var le *ledger.Error
	if errors.As(err, &le) && le.Code == "ledger.missing" {
		if c.ledger != "" && !c.quiet {
			a.say("  there is no %s so far, so every row counts as new", le.Place.File)
		}
		return nil, nil
	}
	return nil, err
}

func (a *app) checkOne(ctx context.Context, o *checkOptions, in string, m *mapping.Mapping, mappingPath string, acct account.Account, led ledger.Store, rows loader.RowSet, online *account.Online) fault.Trait {
	run := ledger.Run{Command: "check", Input: in, Mapping: m.Name, MappingPath: mappingPath, MappingHash: m.Hash, Target: string(m.Target), Timezone: m.Timezone,
		AccountName: acct.Display(), Who: who(), Version: version(), Started: time.Now().UTC(), Limit: acct.Limit.String()}
	fail := func(err error) fault.Trait {
		a.explain(err)
		code := traitOf(err)
		a.last(&o.common, nil, loader.Result{Run: run}, "", code, err)
		return code
	}
	f, err := o.openInput(in, m)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	run.Sheet = f.Info().Sheet
	job := loader.CheckJob{Job: loader.Job{Input: in, File: f, Mapping: m, Rows: rows, Update: o.change.update, Remake: o.change.remake}, Account: acct, Ledger: led, Online: online}
	job.InputPath = absolute(in)
	if o.out != "" {
		if _, err := reports.PathFor(in, o.out, "-check"); err != nil {
			return fail(err)
		}
		dir, err := os.MkdirTemp("", "leadload-check-*")
		if err != nil {
			return fail(fmt.Errorf("no folder for the check: %w", err))
		}
		defer os.RemoveAll(dir)
		if job.Scratch, err = sqlite.Open(filepath.Join(dir, "check.db"), sqlite.Options{Unsafe: true}); err != nil {
			return fail(err)
		}
		defer job.Scratch.Close()
		if run.ID, err = job.Scratch.Begin(ctx, run); err != nil {
			return fail(err)
		}
		job.ScratchRun = run.ID
	}
	var listed, unlisted int
	var fieldFaults onlineFaults
	var seen reports.Summary // what --json adds
	if !o.quiet || o.json {
		job.OnFault = func(x loader.Fault) {
			held := fieldFaults.take(x)
			if held && !o.json {
				return // told at the end, when it is known whose fault it is
			}
			if listed >= o.faults {
				unlisted++
				return
			}
			listed++
			if !o.quiet && !held {
				a.showFault(in, f.Info(), x)
			}
			if o.json {
				seen.Faults = append(seen.Faults, reports.Fault{Row: x.Row, Line: x.Line, Column: x.Column, Field: x.Field, Code: x.Code, Message: x.Msg, WhatToDo: x.Hint})
			}
		}
	}
	if o.show > 0 {
		left := o.show
		job.OnBody = func(row int, result ledger.Result, body []byte) {
			switch left--; {
			case left < 0:
			case o.json:
				seen.Bodies = append(seen.Bodies, reports.Body{Row: row, Result: result.String(), Body: slices.Clone(body)})
			default:
				a.showBody(row, result, body)
			}
		}
	}
	res, err := loader.Check(ctx, job)
	if err != nil {
		return fail(err)
	}
	if !o.quiet {
		n := fieldFaults.tell(res.Totals.Sum()-res.Totals[ledger.ResultSkipped], max(o.faults-listed, 0), func(x loader.Fault) { a.showFault(in, f.Info(), x) },
			func(x loader.Fault, n int64) {
				a.say("    %s have this fault: it is the mapping's, in field %s", count(n, "row", "rows"), x.Field)
			})
		unlisted += int(n)
	}
	if unlisted > 0 {
		a.say("  and %s more; -o check.xlsx lists them all", count(int64(unlisted), "fault", "faults"))
	}
	if !o.quiet {
		a.showPlan(in, m, res.Plan, f.Info())
		if z := zones(m); z != "" {
			a.say("  time zones: release %s", z)
		}
		for _, s := range res.Samples {
			utc := " UTC"
			if s.Day {
				utc = ""
			}
			a.say("  sample: column %q: %s → %s%s", s.Column, s.Local, s.Value, utc)
		}
	}
	code := res.End
	run.Ended, run.Exit = res.Ended, code.Exit()
	out := ""
	if o.out != "" {
		verb := "import"
		if errs, err := job.Scratch.Errors(ctx, run.ID, 2); err == nil && reports.OneCause(res.Totals, errs) {
			verb = "check"
		}
		rep := reports.Report{Ledger: job.Scratch, Run: run, Totals: res.Totals, Input: f, Location: zone(m), Notes: f.Info().Notes, Zones: zones(m),
			Next: []string{"leadload " + verb + " " + shellWord(in) + " -m " + shellWord(o.mapping)}, Key: m.Key, Fields: fieldsOf(m)}
		if out, err = a.writeReport(ctx, rep, in, o.out, "-check"); err != nil {
			a.explain(err)
			code = max(traitOf(err), fault.Bug)
		}
	}
	seen.FaultsLeft, seen.Warnings = int64(unlisted), res.Plan.Warnings
	a.seen = seen
	a.last(&o.common, job.Scratch, loader.Result{Run: run, Plan: res.Plan, Totals: res.Totals}, out, code, nil)
	a.seen = reports.Summary{}
	return code
}

// onlineFaults holds faults that the account's fields have with rows until it is
// known whether they are the mapping's: those then meet most rows, and are told once.
type onlineFaults struct {
	keys  []string
	first map[string][]loader.Fault
	n     map[string]int64
}

// heldFaults bounds what is held of each, and mappingFaults is how many rows
// have the mapping's at least.
const heldFaults, mappingFaults = 1000, 20

// take reports whether it holds a fault.
func (o *onlineFaults) take(x loader.Fault) bool {
	switch x.Code {
	case "online.type", "online.mandatory", "online.length", "online.option", "online.owner":
	default:
		return false
	}
	key := x.Code + "\x1f" + x.Field
	if o.n == nil {
		o.first, o.n = map[string][]loader.Fault{}, map[string]int64{}
	}
	if o.n[key] == 0 {
		o.keys = append(o.keys, key)
	}
	if o.n[key]++; len(o.first[key]) < heldFaults {
		o.first[key] = append(o.first[key], x)
	}
	return true
}

// tell calls row for faults of rows, at most so many of them, and for one of the mapping
// row and then whole with the number of rows. It returns how many it left out.
func (o *onlineFaults) tell(rows int64, most int, row func(loader.Fault), whole func(loader.Fault, int64)) (left int64) {
	var list []loader.Fault
	for _, key := range o.keys {
		if n := o.n[key]; n > mappingFaults && 2*n > rows {
			row(o.first[key][0])
			whole(o.first[key][0], n)
			continue
		}
		list = append(list, o.first[key]...)
		left += o.n[key] - int64(len(o.first[key]))
	}
	slices.SortStableFunc(list, func(x, y loader.Fault) int { return x.Row - y.Row })
	for i, x := range list {
		if i >= most {
			return left + int64(len(list)-i)
		}
		row(x)
	}
	return left
}

// showFault prints a fault with its place and what to do.
func (a *app) showFault(in string, info source.Info, x loader.Fault) {
	at := in
	if info.Sheet != "" {
		at += ", sheet " + info.Sheet
	}
	at += fmt.Sprintf(", row %d", x.Row)
	if x.Line > 0 && x.Line != x.Row {
		at += fmt.Sprintf(" (line %d)", x.Line)
	}
	if x.Column != "" {
		at += fmt.Sprintf(", column %q", x.Column)
	}
	a.say("%s: %s [%s]", at, x.Msg, x.Code)
	if x.Hint != "" {
		a.say("    %s", x.Hint)
	}
}

// showBody prints a request body on stdout, where programs read it, and on
// stderr which row's it is.
func (a *app) showBody(row int, result ledger.Result, body []byte) {
	if result == ledger.ResultWouldSend {
		a.say("row %d would send:", row)
	} else {
		a.say("row %d is %s; it says:", row, result)
	}
	text, err := json.MarshalIndent(json.RawMessage(body), "", "  ")
	if err != nil {
		text = body
	}
	fmt.Fprintf(a.stdout, "%s\n", text)
}

// runCases compares what the mapping makes of rows with what a team expects.
func (a *app) runCases(m *mapping.Mapping, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return usageError("check the path given with --expect", "cases %q cannot be read: %s", path, fault.Pathless(err))
	}
	results, err := mapping.RunCases(m, path, text)
	if err != nil {
		return err
	}
	bad := 0
	for _, r := range results {
		if len(r.Failures) == 0 {
			continue
		}
		bad++
		a.say("%s:%d: case %q failed", path, r.Line, r.Name)
		for _, f := range r.Failures {
			a.say("    %s", f)
		}
	}
	if bad > 0 {
		return usageError("correct the mapping, or the case when the mapping is right", "%d of %d cases of %s failed", bad, len(results), path)
	}
	a.say("%s of %s passed", count(int64(len(results)), "case", "cases"), path)
	return nil
}
