package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
)

func (a *app) forgetCommand() *cobra.Command {
	o := picking{verb: "forget", past: "forgotten"}
	cmd := &cobra.Command{
		Use:   "forget RUN | --key KEY...",
		Short: "make the ledger forget rows; nothing is sent",
		Long: `Make the ledger forget the rows of a run, or those with the given keys. Nothing
is sent to the account. The next import sends forgotten rows as if they were
new, so that a record which is still in the account gets a second one. Rows in
doubt and pending rows are never forgotten.`,
		Example: `  leadload forget 7
  leadload forget --key D-1001 --key D-1002 --yes`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runForget(cmd.Context(), &o, args) },
	}
	o.flags(cmd)
	return cmd
}

// forgetSummary is the machine-readable end of leadload forget.
type forgetSummary struct {
	Version   int      `json:"version"`
	Command   string   `json:"command"`
	Run       int64    `json:"run,omitempty"`
	Forgotten int64    `json:"forgotten"`
	Present   int64    `json:"in_the_account"`
	Open      int64    `json:"open"`
	Unknown   []string `json:"unknown_keys,omitempty"`
	ending
}

func (a *app) runForget(ctx context.Context, o *picking, args []string) error {
	s := forgetSummary{Version: 1, Command: "forget"}
	var res loader.ForgetResult
	job := loader.ForgetJob{Confirm: func(p loader.ForgetPlan) error { return a.confirmForget(ctx, o, p) }}
	var err error
	if job.Pick, err = o.picked(args); err == nil {
		s.Run = job.Run
		err = a.withPicked(ctx, o, func(k *connection) (err error) {
			res, err = k.session.Forget(ctx, job)
			return err
		})
	}
	code := traitOf(err)
	s.Forgotten, s.Present, s.Open, s.Unknown = res.Forgotten, res.Plan.Present, res.Plan.Open, res.Plan.Unknown
	if err == nil && (s.Open > 0 || len(s.Unknown) > 0) {
		code = fault.Person
	}
	s.ending = a.ending(code, err, fmt.Sprintf("forgotten %d · open %d · unknown %d of %d rows", s.Forgotten, s.Open, len(s.Unknown), res.Plan.Rows+s.Open+int64(len(s.Unknown))))
	a.endPicked(o, s, s.Line)
	return ended(code)
}

func (a *app) confirmForget(ctx context.Context, o *picking, p loader.ForgetPlan) error {
	if !o.quiet {
		as := "them as new ones"
		if p.Rows == 1 {
			as = "it as a new one"
		}
		a.say("  %s to forget: the next import sends %s", count(p.Rows, "row", "rows"), as)
		if p.Present > 0 {
			a.say("  the account has a record of %d of them, as far as the ledger knows: an import would make second ones", p.Present)
		}
		if p.Open > 0 {
			a.say("  %s in doubt or pending, and not forgotten: run leadload settle first", count(p.Open, "row is", "rows are"))
		}
		a.sayUnknown(p.Unknown)
	}
	return a.askPicked(ctx, o, p.Rows)
}
