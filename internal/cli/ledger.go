package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/source"
)

func (a *app) ledgerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "restore entries from a results file; verify; drop old rows",
		Args:  noArgs,
		Example: `  leadload ledger check
  leadload ledger import deals-results.xlsx -m deals.yaml
  leadload ledger prune --keep 400d`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.ledgerImportCommand(), a.ledgerCheckCommand(), a.ledgerPruneCommand())
	return cmd
}

type ledgerOptions struct {
	common
	keep string
}

func (a *app) ledgerImportCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "import RESULTS -m MAPPING",
		Short: "restore entries from a results file",
		Long: `Write into the ledger what a results workbook or CSV says is in the account, for
a ledger that was lost or for a second machine. Entries that the ledger has are
left as they are. Nothing is sent.`,
		Example: `  leadload ledger import deals-results.xlsx -m deals.yaml
  leadload ledger import deals-results.csv -m deals.yaml --account prod.yaml --ledger new.db`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runLedgerImport(cmd.Context(), &o, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.mapping, "mapping", "m", "", "mapping file that the rows were loaded with (required)")
	f.StringVar(&o.account, "account", "", "account file; without it the LEADSQUARED_… variables say which account")
	f.StringVar(&o.common.ledger, "ledger", "", "ledger: a file, or a database as postgres://USER@HOST/DATABASE (default: a file in the user's state folder)")
	f.StringVar(&o.sheet, "sheet", "", "sheet of the results workbook (default: All rows)")
	return cmd
}

const allRows = "All rows"

func (a *app) runLedgerImport(ctx context.Context, o *ledgerOptions, args []string) error {
	if len(args) != 1 {
		return usageError("type leadload ledger import RESULTS.xlsx -m MAPPING", "one results file at a time")
	}
	m, _, err := o.loadMapping()
	if err != nil {
		return err
	}
	acct, err := account.Load(o.account, a.getenv)
	if err != nil {
		return err
	}
	path, err := a.ledgerPath(&o.common)
	if err != nil {
		return err
	}
	var sheets []string
	switch {
	case o.sheet != "":
		sheets = []string{o.sheet}
	case strings.EqualFold(extension(args[0]), ".csv"):
		sheets = []string{""}
	default: // a large run goes on in All rows (2), (3), …
		for n := 1; n < 100; n++ {
			name := allRows
			if n > 1 {
				name = fmt.Sprintf("%s (%d)", allRows, n)
			}
			f, err := source.Open(args[0], source.Options{Sheet: name})
			if err != nil {
				var e *source.Error
				if n > 1 && errors.As(err, &e) && e.Code == "sheet.unknown" {
					break
				}
				return err
			}
			f.Close()
			sheets = append(sheets, name)
		}
	}
	led, err := a.openStore(ctx, path, o.common.ledger != "", storeOptions{})
	if err != nil {
		return err
	}
	defer led.Close()
	var total loader.RestoreResult
	for _, sheet := range sheets {
		f, err := source.Open(args[0], source.Options{Sheet: sheet})
		if err != nil {
			return err
		}
		res, err := loader.Restore(ctx, led, acct, m, f)
		f.Close()
		if err != nil {
			return err
		}
		total.Rows, total.Added, total.Known, total.Left, total.Changed = total.Rows+res.Rows, total.Added+res.Added, total.Known+res.Known, total.Left+res.Left, total.Changed+res.Changed
		total.Reasons = append(total.Reasons, res.Reasons...)
	}
	for _, r := range total.Reasons {
		a.say("  %s", r)
	}
	fmt.Fprintf(a.stdout, "restored %d · known already %d · not in the account %d · no longer mapped %d of %d rows → %s\n", plain([]any{total.Added, total.Known, total.Left, total.Changed, total.Rows, led.Path()})...)
	if total.Changed > 0 {
		a.say("  rows that no longer map would be sent again: restore them with the mapping and columns that they were loaded with")
		return &exit{fault.Person}
	}
	return nil
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
	cmd.Flags().StringVar(&o.common.ledger, "ledger", "", "ledger: a file, or a database as postgres://USER@HOST/DATABASE (default: a file in the user's state folder)")
	return cmd
}

func (a *app) runLedgerCheck(ctx context.Context, o *ledgerOptions) error {
	path, err := a.ledgerPath(&o.common)
	if err != nil {
		return err
	}
	led, err := a.openStore(ctx, path, o.common.ledger != "", storeOptions{mustExist: true})
	if err != nil {
		return err
	}
	defer led.Close()
	if err := led.Check(ctx); err != nil {
		return err
	}
	counts, err := led.States(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s is sound: loaded %d · duplicate %d · pending %d · rejected %d · in doubt %d · never sent %d records\n", plain([]any{led.Path(),
		counts[ledger.Loaded], counts[ledger.Duplicate], counts[ledger.Pending], counts[ledger.Rejected],
		counts[ledger.InDoubt] + counts[ledger.Sending] + counts[ledger.Reserved], counts[ledger.Ready]})...)
	return nil
}

func (a *app) ledgerPruneCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "prune --keep DAYS",
		Short: "drop the rows of old runs",
		Long: `Drop the rows of runs that ended longer ago than --keep, and give the space back
to the disk. What is in the account stays known: no row is sent again because of
it. leadload runs still lists the old runs with their totals; leadload report can
no longer write their results.`,
		Example: `  leadload ledger prune --keep 400d
  leadload ledger prune --keep 90d --ledger /srv/crm/ledger.db`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerPrune(cmd.Context(), &o) },
	}
	cmd.Flags().StringVar(&o.keep, "keep", "", "keep the rows of runs of so many days, such as 400d (required)")
	cmd.Flags().StringVar(&o.common.ledger, "ledger", "", "ledger: a file, or a database as postgres://USER@HOST/DATABASE (default: a file in the user's state folder)")
	return cmd
}

func (a *app) runLedgerPrune(ctx context.Context, o *ledgerOptions) error {
	if o.keep == "" {
		return usageError("type leadload ledger prune --keep 400d", "--keep says how many days of rows stay")
	}
	text, isDays := strings.CutSuffix(o.keep, "d")
	days, err := strconv.Atoi(text)
	if !isDays || err != nil || days < 1 || days > 36_500 {
		return usageError("write a number of days, such as 400d", "--keep must be a number of days from 1d to 36500d, not %q", o.keep)
	}
	path, err := a.ledgerPath(&o.common)
	if err != nil {
		return err
	}
	led, err := a.openStore(ctx, path, o.common.ledger != "", storeOptions{mustExist: true})
	if err != nil {
		return err
	}
	defer led.Close()
	n, err := led.Prune(ctx, time.Now().AddDate(0, 0, -days))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "dropped %d rows of %d runs, %d KB freed → %s\n", plain([]any{n.Rows, n.Runs, n.Freed / 1000, led.Path()})...)
	return nil
}
