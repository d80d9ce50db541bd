package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/words"
)

func (a *app) ledgerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "restore entries from a results file; verify; drop old rows; move",
		Args:  noArgs,
		Example: `  leadload ledger check
  leadload ledger import deals-results.xlsx -m deals.yaml
  leadload ledger prune --keep 400d
  leadload ledger copy ledger.db postgres://leadload@db.example.com/team`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.ledgerImportCommand(), a.ledgerCheckCommand(), a.ledgerPruneCommand(), a.ledgerCopyCommand(), a.ledgerReopenCommand(), a.ledgerJoinCommand(), a.ledgerTakeCommand())
	return cmd
}

type ledgerOptions struct {
	common
	keep string
}

// flags adds those that every command about the ledger itself has.
func (o *ledgerOptions) flags(cmd *cobra.Command) {
	o.addLedger(cmd.Flags())
	o.addJSON(cmd.Flags())
}

// ledgerSummary is the machine-readable end of a command about the ledger itself.
type ledgerSummary struct {
	Version int              `json:"version"`
	Command string           `json:"command"`
	Ledger  string           `json:"ledger,omitempty"`
	Totals  map[string]int64 `json:"totals,omitempty"`
	ending
}

// onLedger does what a command is about and prints how it ended. do returns what
// the last line says.
func (a *app) onLedger(c *common, command string, do func(s *ledgerSummary) (line string, err error)) error {
	s := ledgerSummary{Version: 1, Command: "ledger " + command}
	line, err := do(&s)
	code := traitOf(err)
	s.ending = a.ending(code, err, visible(line, true))
	if c.json {
		a.told(s)
	}
	if err == nil {
		a.lastLine(c, s.Line)
	}
	return ended(code)
}

type ledgerImportOptions struct {
	common
	runFlags
	offline bool
}

func (a *app) ledgerImportCommand() *cobra.Command {
	var o ledgerImportOptions
	cmd := &cobra.Command{
		Use:   "import RESULTS -m MAPPING",
		Short: "restore entries from a results file",
		Long: `Write into the ledger what a results workbook or CSV says is in the account, for
a ledger that was lost or for a second machine. A row that carries an id is in
the account, whatever its result. The account is asked whether it has the
records, 2,000 a call; one that it does not have is named and not written down.
Entries that the ledger has are left as they are. Nothing is sent.

The file must be as leadload wrote it: the columns Row, Key, Result, Error and
What to do, then the input's columns that the mapping reads, then ID, Lead ID,
Attempts and Sent at.`,
		Example: `  leadload ledger import deals-results.xlsx -m deals.yaml
  leadload ledger import results.csv -m deals.yaml --offline --ledger new.db`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runLedgerImport(cmd.Context(), &o, args) },
	}
	o.accountFlags(cmd)
	o.runFlags.addPace(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.mapping, "mapping", "m", "", "mapping file that the rows were loaded with (required)")
	f.StringVar(&o.sheet, "sheet", "", "sheet of the results workbook (default: All rows)")
	f.BoolVar(&o.offline, "offline", false, "believe the results file, and make no call")
	return cmd
}

const ledgerImport, allRows = "ledger import", "All rows"

// namedRows is how many rows are named on the terminal.
const namedRows = 10

func (a *app) runLedgerImport(ctx context.Context, o *ledgerImportOptions, args []string) error {
	r := &reading{app: a, common: &o.common, command: ledgerImport, table: words.LedgerImport}
	s, err := a.importLedger(ctx, o, args)
	for i, note := range s.Notes {
		if i == namedRows {
			a.say("  … and %s; --json names them all", count(int64(len(s.Notes)-i), "row more", "rows more"))
			break
		}
		a.say("  %s", note)
	}
	r.end(s, err)
	return r.done()
}

func (a *app) importLedger(ctx context.Context, o *ledgerImportOptions, args []string) (s readSummary, err error) {
	if len(args) != 1 {
		return s, usageError("type leadload ledger import RESULTS.xlsx -m MAPPING", "one results file at a time")
	}
	s.Input = args[0]
	m, _, err := o.loadMapping()
	if err != nil {
		return s, err
	}
	files, err := openResults(args[0], o.sheet)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return s, err
	}
	job := loader.RestoreJob{Mapping: m, Files: files, Tell: func(row loader.RestoredRow) {
		id := ""
		if row.ID != "" {
			id = " (" + row.ID + ")"
		}
		s.Notes = append(s.Notes, visible(fmt.Sprintf("row %d%s: %s: %s", row.Row, id, words.LedgerImport[row.Result].Word, row.Why), true))
	}}
	if o.files = args; o.offline {
		return s, a.restoreOffline(ctx, o, job, &s)
	}
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, ledgerImport, show.notice)
	if err != nil {
		return s, err
	}
	show.start(k.session)
	res, err := k.session.Restore(ctx, job)
	show.stop()
	s.Totals, s.Calls, s.Ledger = res.Totals, res.Calls, k.led.Path()
	return s, errors.Join(err, k.close())
}

func (a *app) restoreOffline(ctx context.Context, o *ledgerImportOptions, job loader.RestoreJob, s *readSummary) error {
	acct, err := account.Load(o.account, a.getenv)
	if err != nil {
		return err
	}
	name, err := a.ledgerPath(&o.common)
	if err != nil {
		return err
	}
	led, err := a.openStore(ctx, name, o.common.ledger != "", storeOptions{})
	if err != nil {
		return err
	}
	res, err := loader.RestoreOffline(ctx, led, acct, job)
	s.Totals, s.Ledger = res.Totals, led.Path()
	return errors.Join(err, led.Close())
}

// openResults opens the sheets of all rows of a results workbook, or one results CSV.
func openResults(path, sheet string) (files []*source.File, err error) {
	csv := strings.EqualFold(extension(path), ".csv")
	for n := 1; n < 100; n++ {
		name := sheet
		switch {
		case sheet != "" || csv:
		case n == 1:
			name = allRows
		default: // a large run goes on in All rows (2), (3), …
			name = fmt.Sprintf("%s (%d)", allRows, n)
		}
		f, err := source.Open(path, source.Options{Sheet: name})
		var e *source.Error
		if n > 1 && errors.As(err, &e) && e.Code == "sheet.unknown" {
			break
		}
		if err != nil {
			return files, err
		}
		if files = append(files, f); sheet != "" || csv {
			break
		}
	}
	return files, nil
}

// extension is a file name's last ending, without a .gz behind it.
func extension(name string) string {
	name = strings.TrimSuffix(name, ".gz")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

func (a *app) ledgerCheckCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "verify the ledger file",
		Example: `  leadload ledger check
  leadload ledger check --ledger /srv/crm/ledger.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerCheck(cmd.Context(), &o) },
	}
	o.flags(cmd)
	return cmd
}

func (a *app) runLedgerCheck(ctx context.Context, o *ledgerOptions) error {
	return a.onLedger(&o.common, "check", func(s *ledgerSummary) (string, error) {
		led, err := a.openNamed(ctx, &o.common, storeOptions{mustExist: true})
		if err != nil {
			return "", err
		}
		defer led.Close()
		s.Ledger = led.Path()
		if err := led.Check(ctx); err != nil {
			return "", err
		}
		counts, err := led.States(ctx)
		if err != nil {
			return "", err
		}
		doubt := counts[ledger.InDoubt] + counts[ledger.Sending] + counts[ledger.Reserved]
		s.Totals = map[string]int64{"loaded": counts[ledger.Loaded], "duplicate": counts[ledger.Duplicate], "pending": counts[ledger.Pending],
			"rejected": counts[ledger.Rejected], "in_doubt": doubt, "never_sent": counts[ledger.Ready]}
		return fmt.Sprintf("%s is sound: loaded %d · duplicate %d · pending %d · rejected %d · in doubt %d · never sent %d records", led.Path(),
			counts[ledger.Loaded], counts[ledger.Duplicate], counts[ledger.Pending], counts[ledger.Rejected], doubt, counts[ledger.Ready]), nil
	})
}

func (a *app) ledgerPruneCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "prune --keep DAYS",
		Short: "drop the rows of old runs",
		Long: `Drop the rows of runs that ended longer ago than --keep, and give the space back
to the disk. What is in the account stays known: no row is sent again because of
it. leadload runs still lists the old runs with their totals; leadload report
can no longer write their results.`,
		Example: `  leadload ledger prune --keep 400d
  leadload ledger prune --keep 90d --ledger /srv/crm/ledger.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerPrune(cmd.Context(), &o) },
	}
	cmd.Flags().StringVar(&o.keep, "keep", "", "keep the rows of runs of so many days, such as 400d (required)")
	o.flags(cmd)
	return cmd
}

func (a *app) runLedgerPrune(ctx context.Context, o *ledgerOptions) error {
	return a.onLedger(&o.common, "prune", func(s *ledgerSummary) (string, error) {
		if o.keep == "" {
			return "", usageError("type leadload ledger prune --keep 400d", "--keep says how many days of rows stay")
		}
		text, isDays := strings.CutSuffix(o.keep, "d")
		days, err := strconv.Atoi(text)
		if !isDays || err != nil || days < 1 || days > 36_500 {
			return "", usageError("write a number of days, such as 400d", "--keep must be a number of days from 1d to 36500d, not %q", o.keep)
		}
		led, err := a.openNamed(ctx, &o.common, storeOptions{mustExist: true, alone: true})
		if err != nil {
			return "", err
		}
		defer led.Close()
		s.Ledger = led.Path()
		n, err := led.Prune(ctx, time.Now().AddDate(0, 0, -days))
		if err != nil {
			return "", err
		}
		s.Totals = map[string]int64{"rows": n.Rows, "runs": n.Runs, "freed_bytes": n.Freed}
		return fmt.Sprintf("dropped %d rows of %d runs, %d KB freed → %s", n.Rows, n.Runs, n.Freed/1000, led.Path()), nil
	})
}

func (a *app) ledgerJoinCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "join --account FILE",
		Short: "say that an account's name, host and keys are one account",
		Long: `Say that the host and keys of an account file are those of the account that its
name stands for, after the account has moved to another host. From then on, rows
that were loaded under the name are known under the new host as well. Nothing is
sent.`,
		Example: `  leadload ledger join --account prod.yaml
  leadload ledger join --account prod.yaml --ledger /srv/crm/ledger.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerJoin(cmd.Context(), &o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.account, "account", "", "account file with the name, and the host and keys as they are now")
	o.flags(cmd)
	return cmd
}

func (a *app) runLedgerJoin(ctx context.Context, o *ledgerOptions) error {
	return a.onLedger(&o.common, "join", func(s *ledgerSummary) (string, error) {
		acct, err := account.Load(o.account, a.getenv)
		if err != nil {
			return "", err
		}
		a.hide(acct.Keys()...)
		led, err := a.openNamed(ctx, &o.common, storeOptions{mustExist: true, alone: true})
		if err != nil {
			return "", err
		}
		defer led.Close()
		s.Ledger = led.Path()
		if _, err := led.Join(ctx, acct.Names()); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s on %s is one account now → %s", acct.Display(), acct.BareHost(), led.Path()), nil
	})
}

func (a *app) ledgerTakeCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "take",
		Short: "go on with a ledger that lacks something",
		Long: `Go on with a ledger that is refused because it is an older one that was put
back, or because its -wal file is gone. Rows that were loaded since are not
known to it: before the next import, write them into it with leadload ledger
import RESULTS -m MAPPING, or with leadload adopt FILE -m MAPPING. Nothing is
sent.`,
		Example: `  leadload ledger take
  leadload ledger take --ledger /srv/crm/ledger.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerTake(cmd.Context(), &o) },
	}
	o.flags(cmd)
	return cmd
}

func (a *app) runLedgerTake(ctx context.Context, o *ledgerOptions) error {
	return a.onLedger(&o.common, "take", func(s *ledgerSummary) (string, error) {
		dir, err := loader.StateDir(a.getenv)
		if err != nil {
			return "", err
		}
		how := storeOptions{mustExist: true, seen: seenFolder(dir)}
		led, err := a.openNamed(ctx, &o.common, how)
		if err == nil {
			s.Ledger = led.Path()
			return led.Path() + " lacks nothing: use it as it is", led.Close()
		}
		var lacks *ledger.Error
		if !errors.As(err, &lacks) || lacks.Code != "ledger.torn" && lacks.Code != "ledger.older" {
			return "", err
		}
		how.take = true
		if led, err = a.openNamed(ctx, &o.common, how); err != nil {
			return "", err
		}
		defer led.Close()
		s.Ledger = led.Path()
		// Only a ledger in a file can lack so.
		if err := led.(interface{ Take(context.Context) error }).Take(ctx); err != nil {
			return "", err
		}
		a.say("  before the next import, write into it what it lacks: leadload ledger import RESULTS -m MAPPING, or leadload adopt FILE -m MAPPING")
		return led.Path() + " is the ledger from now on", nil
	})
}
