package cli

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/reports"
)

type forgetOptions struct {
	common
	runFlags
	keys []string
	yes  bool
}

func (a *app) forgetCommand() *cobra.Command {
	var o forgetOptions
	cmd := &cobra.Command{
		Use:   "forget RUN | --key KEY...",
		Short: "make the ledger forget rows; nothing is sent",
		Long: `Make the ledger forget the rows of a run, or those with the given keys. Nothing is
sent to the account. The next import sends forgotten rows as if they were new, so
that a record which is still in the account gets a second one. Rows in doubt and
pending rows are never forgotten.`,
		Example: `  leadload forget 7
  leadload forget --key D-1001 --key D-1002 --yes`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runForget(cmd.Context(), &o, args) },
	}
	o.accountFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.keys, "key", nil, "a row's key, as the column Key of the results has it; several times for several rows")
	f.BoolVar(&o.yes, "yes", false, "do not ask before anything is forgotten")
	f.DurationVar(&o.waitLock, "wait-lock", 0, "how long to wait for another run of the account to end")
	o.timeout, o.settleAfter, o.outageLimit = time.Minute, time.Minute, 15*time.Minute
	return cmd
}

// forgetSummary is the machine-readable end of leadload forget.
type forgetSummary struct {
	Version   int              `json:"version"`
	Command   string           `json:"command"`
	Run       int64            `json:"run,omitempty"`
	Forgotten int64            `json:"forgotten"`
	Present   int64            `json:"in_the_account"`
	Open      int64            `json:"open"`
	Unknown   []string         `json:"unknown_keys,omitempty"`
	ExitCode  int              `json:"exit"`
	Error     *reports.Failure `json:"error,omitempty"`
	Line      string           `json:"line"`
}

func (a *app) runForget(ctx context.Context, o *forgetOptions, args []string) error {
	s := forgetSummary{Version: 1, Command: "forget"}
	res, err := a.forget(ctx, o, args, &s)
	code := traitOf(err)
	s.Forgotten, s.Present, s.Open, s.Unknown = res.Forgotten, res.Plan.Present, res.Plan.Open, res.Plan.Unknown
	if err != nil {
		a.explain(err)
		s.Error = failedOf(err)
	} else if s.Open > 0 || len(s.Unknown) > 0 {
		code = fault.Person
	}
	s.ExitCode = code.Exit()
	s.Line = fmt.Sprintf("forgotten %d · open %d · unknown %d of %d rows", s.Forgotten, s.Open, len(s.Unknown), res.Plan.Rows+s.Open+int64(len(s.Unknown)))
	if o.json {
		a.told(s)
		fmt.Fprintln(a.stderr, fit(a.stderr, s.Line))
	} else {
		fmt.Fprintln(a.stdout, fit(a.stdout, s.Line))
	}
	return ended(code)
}

func (a *app) forget(ctx context.Context, o *forgetOptions, args []string, s *forgetSummary) (res loader.ForgetResult, err error) {
	const hint = "type leadload forget RUN, or leadload forget --key KEY; leadload runs lists the numbers"
	job := loader.ForgetJob{Keys: o.keys}
	switch {
	case len(args) > 1 || len(args) == 0 && len(o.keys) == 0:
		return res, usageError(hint, "forget takes the number of one run, or keys")
	case len(args) == 1 && len(o.keys) > 0:
		return res, usageError(hint, "a run and --key exclude each other")
	case len(args) == 1:
		if job.Run, err = strconv.ParseInt(args[0], 10, 64); err != nil || job.Run < 1 {
			return res, usageError(hint, "%q is not the number of a run", args[0])
		}
	}
	s.Run = job.Run
	k, err := a.connect(ctx, &o.common, &o.runFlags, "forget", func(text string) { a.say("  %s", text) })
	if err != nil {
		return res, err
	}
	defer func() {
		if cerr := k.close(); err == nil {
			err = cerr
		}
	}()
	job.Confirm = func(p loader.ForgetPlan) error { return a.confirmForget(o, p) }
	return k.session.Forget(ctx, job)
}

func (a *app) confirmForget(o *forgetOptions, p loader.ForgetPlan) error {
	if !o.quiet {
		a.say("  %s to forget: the next import sends them as new ones", count(p.Rows, "row", "rows"))
		if p.Present > 0 {
			a.say("  the account has a record of %d of them, as far as the ledger knows: an import would make second ones", p.Present)
		}
		if p.Open > 0 {
			a.say("  %s in doubt or pending, and not forgotten: run leadload settle first", count(p.Open, "row is", "rows are"))
		}
		for _, key := range p.Unknown {
			a.say("  the ledger knows no row with the key %s in this account", key)
		}
	}
	if p.Rows == 0 || o.yes || o.sandbox {
		return nil
	}
	if !isTerminal(a.stdin) || !isTerminal(a.stderr) {
		return fault.New("undo.unasked", "look at the plan above, and then add --yes", "nothing was forgotten: there is no terminal to ask at")
	}
	fmt.Fprintf(a.stderr, "Forget %s? [y/N] ", count(p.Rows, "row", "rows"))
	answer, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err == nil || answer != "" {
		switch strings.ToLower(strings.TrimSpace(answer)) {
		case "y", "yes":
			return nil
		}
	}
	return &fault.Fault{Code: "run.declined", Msg: "nothing was forgotten", Hint: "answer y to forget, or add --yes"}
}

type historyOptions struct{ common }

func (a *app) historyCommand() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history KEY",
		Short: "show what became of one row, over all runs",
		Long: `Show every run that had a row with this key: the result, the time, the ids, and the
fields that an update wrote or left alone. The key is written as in the column Key
of the results. Runs whose rows were dropped are named.`,
		Example: `  leadload history D-1001
  leadload history D-1001 --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runHistory(cmd.Context(), &o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.common.ledger, "ledger", "", "ledger: a file, or a database as postgres://USER@HOST/DATABASE (default: a file in the user's state folder)")
	f.BoolVar(&o.json, "json", false, "print a machine-readable list on stdout")
	return cmd
}

// pastEvent is a run in the history of a row.
type pastEvent struct {
	Run     int64        `json:"run"`
	Command string       `json:"command"`
	Started time.Time    `json:"started"`
	File    string       `json:"file"`
	Account string       `json:"account"`
	Row     int          `json:"row"`
	Result  string       `json:"result"`
	ID      string       `json:"id"`
	LeadID  string       `json:"lead_id"`
	SentAt  *time.Time   `json:"sent_at"` // null: not sent
	Code    string       `json:"code,omitempty"`
	Note    string       `json:"note,omitempty"`
	Fields  []pastChange `json:"fields,omitempty"`
	Pruned  bool         `json:"pruned,omitempty"` // the run's rows were dropped: whether it had this one is not known
}

// pastChange is a field that an update wrote or left alone.
type pastChange struct {
	Field  string `json:"field"`
	Had    string `json:"account_had"`
	Has    string `json:"file_has"`
	Result string `json:"result"`
}

func (a *app) runHistory(ctx context.Context, o *historyOptions, args []string) error {
	if len(args) != 1 {
		return usageError("type leadload history KEY, the key as the column Key of the results has it", "history takes one key")
	}
	led, err := a.openLedger(ctx, &o.common)
	if err != nil {
		return err
	}
	defer led.Close()
	records, err := led.Keyed(ctx, 0, args[0])
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return usageError("write it as the column Key of the results has it", "the ledger knows no row with the key %q", args[0])
	}
	kept := map[int64][]ledger.Kept{} // of a run
	entries := []pastEvent{}
	for e, err := range led.History(ctx, records) {
		if err != nil {
			return err
		}
		p := pastEvent{Run: e.Run.ID, Command: e.Run.Command, Started: e.Run.Started, File: e.Run.Input, Account: e.Run.AccountName, Pruned: e.Pruned}
		if e.Pruned {
			p.Note = "its rows were dropped: whether it had this one is not known"
			entries = append(entries, p)
			continue
		}
		r := e.Row
		if p.Row = r.Number; r.Origin != 0 {
			p.Row = r.Origin
		}
		p.Result, p.ID, p.LeadID, p.Code, p.Note = r.Result.String(), r.ID, r.LeadID, r.Code, r.Error
		if r.Verdict == ledger.Due && e.Last > e.Run.ID && !within(e.Run, r.SentAt) {
			p.Result, p.Note = ledger.ResultNotSent.String(), fmt.Sprintf("sent, or tried, again by run %d", e.Last)
		} else if !r.SentAt.IsZero() {
			p.SentAt = &r.SentAt
		}
		if _, read := kept[e.Run.ID]; !read {
			kept[e.Run.ID] = nil
			for k, err := range led.Kept(ctx, e.Run.ID) {
				if err != nil {
					return err
				}
				kept[e.Run.ID] = append(kept[e.Run.ID], k)
			}
		}
		for _, k := range kept[e.Run.ID] {
			if k.Record == r.Record {
				p.Fields = append(p.Fields, pastChange{k.Field, k.Had, k.Has, k.Result.String()})
			}
		}
		entries = append(entries, p)
	}
	if o.json {
		return a.printJSON(map[string]any{"version": 1, "command": "history", "key": args[0], "runs": entries})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTARTED\tCOMMAND\tFILE\tROW\tRESULT\tID\tNOTE")
	for _, e := range entries {
		row, result := strconv.Itoa(e.Row), e.Result
		if e.Pruned {
			row, result = "-", "-"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain([]any{e.Run, e.Started.Local().Format("2006-01-02 15:04"), e.Command, e.File, row, result, e.ID, e.Note})...)
		for _, f := range e.Fields {
			fmt.Fprintf(w, "\t\t\t\t\t%s\t\t%s: %s → %s\n", plain([]any{f.Result, f.Field, f.Had, f.Has})...)
		}
	}
	return w.Flush()
}

// within reports whether a record was sent while a run was at work.
func within(run ledger.Run, sent time.Time) bool {
	return !sent.Before(run.Started) && (run.Ended.IsZero() || !sent.After(run.Ended))
}
