package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/internal/fault"
	"leadload/loader"
	"leadload/loader/source"
	"leadload/loader/words"
	"leadload/reports"
)

type undoOptions struct {
	common
	runFlags
	rows string
	yes  bool
}

func (a *app) undoCommand() *cobra.Command {
	var o undoOptions
	cmd := &cobra.Command{
		Use:   "undo RUN",
		Short: "take back what a run made or changed in the account",
		Long: `Take back what an import made and changed: its opportunities are deleted where
their type allows it, its sales activities are cancelled, and values that it
updated are put back. A record that somebody has changed since, or that a later
run has written, is kept. So is all that the run did not make itself:
duplicates, adopted records, and leads.

The plan is shown first. On a terminal leadload then asks; without one it needs
--yes. Each deletion is confirmed by a read. Stop it at any moment and run the
same command again. Rows that were taken back are sent by the next import.`,
		Example: `  leadload undo 7
  leadload undo 7 --rows 2-10,57 --yes --account prod.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runUndo(cmd.Context(), &o, args) },
	}
	o.accountFlags(cmd)
	o.known = true
	o.runFlags.add(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "", "results file (.xlsx or .csv) or a folder for it; - is CSV on stdout (default: run-RUN-undo.xlsx in the current folder)")
	f.StringVar(&o.rows, "rows", "", "only these rows as the spreadsheet counts them, such as 2-10,57")
	f.BoolVar(&o.yes, "yes", false, "do not ask before anything is taken back")
	return cmd
}

// undoSummary is the machine-readable end of leadload undo.
type undoSummary struct {
	Version   int          `json:"version"`
	Command   string       `json:"command"`
	Run       int64        `json:"run"`
	Totals    words.Counts `json:"totals"`
	Calls     int64        `json:"calls"`
	Throttled int64        `json:"throttled"`
	Results   string       `json:"results"`
	IDs       string       `json:"ids_file,omitempty"` // of records that the account does not delete
	ending
}

func (a *app) runUndo(ctx context.Context, o *undoOptions, args []string) error {
	began := time.Now()
	s := undoSummary{Version: 1, Command: "undo", Totals: words.Undo.Counts()}
	res, err := a.undo(ctx, o, args, &s, began)
	code := max(res.End, traitOf(err))
	s.ending = a.ending(code, err, visible(s.Totals.String()+" → "+fileWords(s.Results), true))
	if o.json {
		a.told(s)
	}
	a.lastLine(&o.common, s.Line)
	return ended(code)
}

// undo does the work of runUndo, which says how it went.
func (a *app) undo(ctx context.Context, o *undoOptions, args []string, s *undoSummary, began time.Time) (res loader.UndoResult, err error) {
	const which = "type leadload runs to see the numbers, then leadload undo RUN"
	if len(args) != 1 {
		return res, usageError(which, "undo takes the number of one run")
	}
	if s.Run, err = runNumber(args[0], which); err != nil {
		return res, err
	}
	rows, err := parseRows(o.rows)
	if err != nil {
		return res, err
	}
	out := o.out
	if out == "" {
		out = "./"
	}
	path, err := reports.PathFor(fmt.Sprintf("run-%d", s.Run), out, "-undo")
	if err != nil {
		return res, err
	}
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, "undo", show.notice)
	if err != nil {
		return res, err
	}
	defer func() {
		if cerr := k.close(); err == nil {
			err = cerr
		}
	}()
	job := loader.UndoJob{Run: s.Run, Rows: rows, Confirm: func(p loader.UndoPlan) error {
		show.stop()
		err := a.confirmUndo(ctx, o, k, p)
		if err == nil {
			show.start(k.session)
		}
		return err
	}}
	show.start(k.session)
	res, err = k.session.Undo(ctx, job)
	show.stop()
	s.Totals, s.Calls, s.Throttled = res.Totals, res.Calls, res.Throttled
	if len(res.Rows) == 0 {
		return res, err
	}
	var werr error
	if s.Results, s.IDs, werr = a.writeUndo(context.WithoutCancel(ctx), path, k, &res, began); werr != nil && err == nil {
		err = werr
	}
	if s.IDs != "" && !o.quiet {
		a.say("  ids for the account's administrator: %s", s.IDs)
	}
	return res, err
}

// confirmUndo shows the plan and asks.
func (a *app) confirmUndo(ctx context.Context, o *undoOptions, k *connection, p loader.UndoPlan) error {
	if !o.quiet {
		a.say("undo of run %d: %s, %s UTC → %s", p.Run.ID, p.Run.Input, p.Run.Started.Format("2006-01-02 15:04"), p.Account)
		for _, x := range []struct {
			n    int64
			what string
		}{
			{p.Delete, "to delete"}, {p.Cancel, "to cancel"}, {p.Restore, "to put back as before"}, {p.Doubt, "in doubt from an undo that was cut off"},
			{p.Gone, "taken back before, or gone"},
			{int64(len(p.Kept)), "kept: changed since, by somebody or by a later run"},
			{int64(len(p.Failed)), "that cannot be taken back now"}, {p.Duplicates, "left alone: the account matched a record that was there before"},
		} {
			if x.n > 0 {
				a.say("  %s %s", count(x.n, "record", "records"), x.what)
			}
		}
		stays := map[string]int64{} // by the reason
		for _, r := range p.Stays {
			stays[r.Why]++
		}
		for _, why := range slices.Sorted(maps.Keys(stays)) {
			a.say("  %s kept: %s; the ids are written into a file", count(stays[why], "record", "records"), why)
		}
		if p.Leads {
			a.say("  leads that the run made stay in the account")
		}
		if p.Calls > 0 {
			a.say("  at least %s at %s, %s", count(p.Calls, "call", "calls"), p.Limit, about(p.Time))
		}
	}
	n := p.Delete + p.Cancel + p.Restore + p.Doubt
	if n == 0 || o.yes || o.sandbox {
		return nil
	}
	if !a.canAsk() {
		return fault.New("undo.unasked", "look at the plan above, and then add --yes", "nothing was taken back: there is no terminal to ask at")
	}
	final := ""
	if n > p.Restore {
		final = " There is no way back."
	}
	return a.ask(ctx, &fault.Fault{Code: "run.declined", Msg: "nothing was taken back", Hint: "answer y to take it back, or add --yes"},
		"Take back %s in %s?%s", count(n, "record", "records"), p.Account, final)
}

// writeUndo writes the results, and the ids that a person has to delete.
func (a *app) writeUndo(ctx context.Context, path string, k *connection, res *loader.UndoResult, began time.Time) (out, ids string, err error) {
	book, err := reports.NewFindings(path, a.data(),
		reports.FindingSheet{Title: "Kept", Tone: words.Odd, Header: []string{"Row", "Key", "Result", "ID", "Note", "What to do"}},
		reports.FindingSheet{Title: "All rows", Tone: words.Known, Header: []string{"Row", "Key", "Result", "ID", "Lead ID", "Note", "What to do"}, Main: true})
	if err != nil {
		return "", "", err
	}
	defer book.Close()
	stays := [][]string{{"Row", "Key", "ID", "Lead ID"}}
	for _, r := range res.Rows {
		n := strconv.Itoa(r.Number)
		if r.Stays {
			stays = append(stays, []string{n, r.Key, r.ID, r.LeadID})
		}
		if r.Result.Person {
			if err := book.Add(0, []string{n, r.Key, r.Result.Word, r.ID, r.Why, r.Hint}, &r.Result, nil); err != nil {
				return "", "", err
			}
		}
		if err := book.Add(1, []string{n, r.Key, r.Result.Word, r.ID, r.LeadID, r.Why, r.Hint}, &r.Result, nil); err != nil {
			return "", "", err
		}
	}
	var notes []string
	if res.Plan.Leads {
		notes = append(notes, "Leads that the run made stay in the account.")
	}
	if res.Plan.Duplicates > 0 {
		notes = append(notes, count(res.Plan.Duplicates, "row", "rows")+" matched a record that was there before, which was left alone.")
	}
	if len(stays) > 1 {
		if ids, err = writeIDs(path, stays); err != nil {
			return "", "", err
		}
		notes = append(notes, "The ids of records that stay because of their type are in "+filepath.Base(ids)+".")
	}
	facts := [][2]string{{"Run", fmt.Sprintf("%d, of %s UTC", res.Run.ID, res.Run.Started.Format("2006-01-02 15:04:05"))}, {"File", res.Run.Input},
		{"Account", k.account.Display()}, {"Who", who()}, {"When", began.UTC().Format("2006-01-02 15:04:05") + " UTC"},
		{"Took", time.Since(began).Round(time.Second).String()}, {"Calls", strconv.FormatInt(res.Calls, 10)}}
	out, err = book.Finish(ctx, reports.FindingSummary{Title: fmt.Sprintf("Undo of run %d", res.Run.ID), Facts: facts, Totals: res.Totals, Notes: notes, Made: began})
	return out, ids, err
}

// writeIDs writes a CSV of records beside the results, under a name that is free.
func writeIDs(results string, lines [][]string) (string, error) {
	base := "leadload-undo"
	if results != "-" {
		base = strings.TrimSuffix(results, filepath.Ext(results))
	}
	for n := 1; ; n++ {
		name := base + "-ids.csv"
		if n > 1 {
			name = fmt.Sprintf("%s-ids-%d.csv", base, n)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) {
			continue
		}
		if err == nil {
			w := csv.NewWriter(f)
			for _, line := range lines {
				for i := range line {
					line[i] = source.Guard(line[i])
				}
			}
			err = w.WriteAll(lines)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}
		if err != nil {
			return "", &fault.Fault{Code: "results.write", Msg: fmt.Sprintf("the ids could not be written to %q", name), Err: fault.Pathless(err), Hint: "mend the cause and run the same command again"}
		}
		return name, nil
	}
}
