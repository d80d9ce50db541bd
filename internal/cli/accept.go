package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
)

func (a *app) acceptCommand() *cobra.Command {
	o := picking{verb: "accept", past: "accepted"}
	cmd := &cobra.Command{
		Use:   "accept RUN | --key KEY...",
		Short: "take changed rows as they are in the account now; nothing is sent",
		Long: `Take rows that are changed, or in conflict, as they are in the account now.
Nothing is sent. From then on the file's values count as sent last: the next
import says already loaded for such rows, and updates them only when the file
changes again.

With RUN, the rows of that run have the values that its file had. With --key, a
row has the values of the newest run. Rows that are not changed stay as they
are.`,
		Example: `  leadload accept 7
  leadload accept --key D-1001 --key D-1002 --yes`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runAccept(cmd.Context(), &o, args) },
	}
	o.flags(cmd)
	return cmd
}

// acceptSummary is the machine-readable end of leadload accept.
type acceptSummary struct {
	Version   int      `json:"version"`
	Command   string   `json:"command"`
	Run       int64    `json:"run,omitempty"`
	Accepted  int64    `json:"accepted"`
	Unchanged int64    `json:"not_changed"`
	Open      int64    `json:"open"`
	Later     int64    `json:"changed_later"`
	Unknown   []string `json:"unknown_keys,omitempty"`
	ending
}

func (a *app) runAccept(ctx context.Context, o *picking, args []string) error {
	s := acceptSummary{Version: 1, Command: "accept"}
	var res loader.AcceptResult
	job := loader.AcceptJob{Confirm: func(p loader.AcceptPlan) error { return a.confirmAccept(ctx, o, p) }}
	var err error
	if job.Pick, err = o.picked(args); err == nil {
		s.Run = job.Run
		err = a.withPicked(ctx, o, func(k *connection) (err error) {
			res, err = k.session.Accept(ctx, job)
			return err
		})
	}
	code, p := traitOf(err), &res.Plan
	s.Accepted, s.Unchanged, s.Open, s.Later, s.Unknown = res.Accepted, p.Unchanged, p.Open, p.Later, p.Unknown
	if err == nil && (s.Open+s.Later > 0 || len(s.Unknown) > 0) {
		code = fault.Person
	}
	s.ending = a.ending(code, err, fmt.Sprintf("accepted %d · not changed %d · changed later %d · open %d · unknown %d of %d rows", s.Accepted, s.Unchanged, s.Later, s.Open, len(s.Unknown), p.Sum()))
	a.endPicked(o, s, s.Line)
	return ended(code)
}

func (a *app) confirmAccept(ctx context.Context, o *picking, p loader.AcceptPlan) error {
	if !o.quiet {
		if p.Rows > 0 {
			a.say("  %s to accept: the next import says already loaded for them, and sends nothing", count(p.Rows, "changed row", "changed rows"))
		} else {
			a.say("  no row to accept")
		}
		for _, key := range p.Same {
			a.say("  the row with the key %s is not changed", key)
		}
		if p.Later > 0 {
			var runs []string
			for _, run := range p.Runs {
				runs = append(runs, fmt.Sprint(run))
			}
			a.say("  %s other values by now, and not accepted: look at run %s", count(p.Later, "row has", "rows have"), strings.Join(runs, ", "))
		}
		if p.Open > 0 {
			a.say("  %s in doubt or pending, and not accepted: run leadload settle first", count(p.Open, "row is", "rows are"))
		}
		a.sayUnknown(p.Unknown)
	}
	return a.askPicked(ctx, o, p.Rows)
}
