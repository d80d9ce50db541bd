package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/reports"
)

type settleOptions struct {
	common
	runFlags
}

func (a *app) settleCommand() *cobra.Command {
	var o settleOptions
	cmd := &cobra.Command{
		Use:   "settle",
		Short: "ask the account about pending and in-doubt rows",
		Long: `Ask the account about every row that is in doubt or pending. A row in doubt is
looked for in the account: when it is there it is loaded, when it is certainly
not there it is sent again, and when that cannot be told it stays in doubt with
the candidates' ids. Pending rows are asked for by their request ids.`,
		Example: `  leadload settle
  leadload settle --account prod.yaml --wait 30m`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSettle(cmd.Context(), &o) },
	}
	o.accountFlags(cmd)
	o.known = true
	o.runFlags.add(cmd)
	return cmd
}

// settleSummary is the machine-readable end of leadload settle.
type settleSummary struct {
	Version     int              `json:"version"`
	Command     string           `json:"command"`
	InDoubt     int64            `json:"in_doubt_before"`
	Pending     int64            `json:"pending_before"`
	Missing     int64            `json:"to_send_before"` // not in the account, and not sent again so far
	Updated     int64            `json:"updated"`
	Changed     int64            `json:"changed"`
	Loaded      int64            `json:"loaded"`
	Duplicate   int64            `json:"duplicate"`
	Rejected    int64            `json:"rejected"`
	LeftInDoubt int64            `json:"in_doubt"`
	LeftPending int64            `json:"pending"`
	NotSent     int64            `json:"not_sent"`
	Calls       int64            `json:"calls"`
	Throttled   int64            `json:"throttled"`
	ExitCode    int              `json:"exit_code"`
	Error       *reports.Failure `json:"error,omitempty"`
	Line        string           `json:"line"`
}

// failedOf is an error as a command's JSON tells it; nil is none.
func (a *app) failedOf(err error) *reports.Failure {
	if err == nil {
		return nil
	}
	code, msg, hint := fault.Words(err)
	return &reports.Failure{Code: string(code), Message: msg, Hint: a.applies(hint)}
}

func (a *app) runSettle(ctx context.Context, o *settleOptions) error {
	show := a.newProgress(&o.common)
	var res loader.SettleResult
	k, err := a.connect(ctx, &o.common, &o.runFlags, "settle", show.notice)
	if err == nil {
		show.start(k.session)
		res, err = k.session.Settle(ctx)
		show.stop()
		if cerr := k.close(); err == nil {
			err = cerr
		}
	}
	code := max(res.End, traitOf(err))
	n := res.Rows
	updated, changed := n[ledger.ResultUpdated]+n[ledger.ResultAlready], n[ledger.ResultChanged]+n[ledger.ResultConflict]
	line := fmt.Sprintf("settled %d · loaded %d · updated %d · duplicate %d · rejected %d · changed %d · not sent %d · still in doubt %d · still pending %d of %d rows",
		n[ledger.ResultLoaded]+updated+n[ledger.ResultDuplicate]+n[ledger.ResultRejected]+changed, n[ledger.ResultLoaded], updated, n[ledger.ResultDuplicate], n[ledger.ResultRejected], changed,
		n[ledger.ResultNotSent], n[ledger.ResultInDoubt], n[ledger.ResultPending], res.Before.Sum())
	if err != nil {
		a.explain(err)
	}
	a.settledNext(&o.common, res, err)
	if o.json {
		s := settleSummary{Version: 1, Command: "settle", InDoubt: res.Before.InDoubt, Pending: res.Before.Pending, Missing: res.Before.Missing, Loaded: n[ledger.ResultLoaded], Updated: updated, Changed: changed, Duplicate: n[ledger.ResultDuplicate], Rejected: n[ledger.ResultRejected],
			LeftInDoubt: n[ledger.ResultInDoubt], LeftPending: n[ledger.ResultPending], NotSent: n[ledger.ResultNotSent], Calls: res.Calls, Throttled: res.Throttled, ExitCode: code.Exit(), Error: a.failedOf(err), Line: line}
		a.told(s)
	}
	a.lastLine(&o.common, line)
	return ended(code)
}

// settledNext says what to type where rows are still open after settling.
func (a *app) settledNext(c *common, res loader.SettleResult, err error) (next []string) {
	const toldRuns = 3
	n := res.Rows
	if err != nil || n[ledger.ResultInDoubt]+n[ledger.ResultPending]+n[ledger.ResultNotSent] == 0 {
		return nil
	}
	for _, run := range res.Doubtful[:min(len(res.Doubtful), toldRuns)] {
		next = append(next, fmt.Sprintf("leadload report %d%s", run, withLedger(c)))
	}
	if n[ledger.ResultPending]+n[ledger.ResultNotSent] > 0 || len(next) == 0 {
		next = append(next, "leadload settle"+withAccount(c)+withLedger(c))
	}
	if c.quiet {
		return next
	}
	if len(res.Doubtful) > 0 {
		a.say("  what to do about the rows in doubt stands on the sheet Failed of their run")
	}
	for _, s := range next {
		a.say("  next: %s", s)
	}
	return next
}

// told prints what a command came to, as JSON. Where standard output itself
// fails, Main says so and ends the program accordingly.
func (a *app) told(v any) {
	if err := a.printJSON(v); err != nil {
		if out, ok := a.stdout.(*screen); !ok || out.failed() == nil {
			a.explain(err)
		}
	}
}

// ended returns the end of a command.
func ended(code fault.Trait) error {
	if code != fault.Done {
		return &exit{code}
	}
	return nil
}

// printJSON writes v to stdout as one indented object.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
