package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader"
	"leadload/loader/ledger"
)

func (a *app) ledgerCopyCommand() *cobra.Command {
	var c common
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "copy FROM TO",
		Short: "move a ledger to another place: a file, or a PostgreSQL database",
		Long: `Copy all that a ledger knows into another, an empty one, and read it back. Then
the first is marked as moved, and is refused from then on: two ledgers would not
know of each other's rows. Either can be a file or a database. No run of its
accounts can go on meanwhile. Nothing is sent.`,
		Example: `  leadload ledger copy ledger.db postgres://leadload@db.example.com/team
  leadload ledger copy postgres://leadload@db.example.com/team ledger.db`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runLedgerCopy(cmd.Context(), &c, wait, args) },
	}
	cmd.Flags().DurationVar(&wait, "wait-lock", 0, "how long to wait for runs of its accounts to end")
	c.addJSON(cmd.Flags())
	return cmd
}

func (a *app) runLedgerCopy(ctx context.Context, c *common, wait time.Duration, args []string) error {
	return a.onLedger(c, "copy", func(s *ledgerSummary) (string, error) {
		if len(args) != 2 {
			return "", usageError("type leadload ledger copy FROM TO", "ledger copy takes two ledgers: the one that is there and the new one")
		}
		if wait < 0 {
			return "", usageError("give a time such as 30m", "a wait cannot be negative")
		}
		dir, err := loader.StateDir(a.getenv)
		if err != nil {
			return "", err
		}
		notify := func(s string) { a.say("  %s", s) }
		from, err := a.openStore(ctx, args[0], true, storeOptions{mustExist: true, instead: "name the ledger that is to move, and then its new place", closed: true, notify: notify})
		if err != nil {
			return "", err
		}
		defer from.Close()
		to, err := a.openStore(ctx, args[1], true, storeOptions{closed: true, notify: notify})
		if err != nil {
			return "", err
		}
		defer to.Close()
		if from.Path() == to.Path() {
			return "", usageError("name another place", "both are the same ledger")
		}
		n, err := loader.CopyLedger(ctx, from, to, loader.CopyOptions{StateDir: dir, WaitLock: wait, Notify: notify})
		if err != nil {
			return "", err
		}
		a.say("  %s is closed from now on; name the new ledger with --ledger or LEADLOAD_LEDGER", from.Path())
		s.Ledger = to.Path()
		s.Totals = map[string]int64{"records": n.Records, "open": n.Open, "runs": n.Runs, "accounts": n.Accounts}
		return fmt.Sprintf("copied and read back: %d records, %d of them open, and %s of %s → %s",
			n.Records, n.Open, count(n.Runs, "run", "runs"), count(n.Accounts, "account", "accounts"), to.Path()), nil
	})
}

func (a *app) ledgerReopenCommand() *cobra.Command {
	var o ledgerOptions
	cmd := &cobra.Command{
		Use:   "reopen",
		Short: "let a ledger be used again that was moved",
		Long: `Take the mark from a ledger that was moved with leadload ledger copy. It does
not know what was loaded with the other one since, and would send those rows
again.`,
		Example: `  leadload ledger reopen --ledger ledger.db
  leadload ledger reopen --ledger postgres://leadload@db.example.com/team`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runLedgerReopen(cmd.Context(), &o) },
	}
	o.flags(cmd)
	return cmd
}

func (a *app) runLedgerReopen(ctx context.Context, o *ledgerOptions) error {
	return a.onLedger(&o.common, "reopen", func(s *ledgerSummary) (string, error) {
		led, err := a.openNamed(ctx, &o.common, storeOptions{mustExist: true, closed: true})
		if err != nil {
			return "", err
		}
		defer led.Close()
		s.Ledger = led.Path()
		moved, err := led.Mark(ctx, ledger.Moved)
		if err != nil {
			return "", err
		}
		copying, err := led.Mark(ctx, ledger.Copying)
		switch {
		case err != nil:
			return "", err
		case copying != "": // what it holds is half of another
			return "", ledger.MovedError(led.Path(), moved, copying)
		case moved == "":
			return led.Path() + " was not moved", nil
		}
		return led.Path() + " can be used again", led.SetMark(ctx, ledger.Moved, "")
	})
}
