package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader/ledger"
)

type historyOptions struct{ common }

func (a *app) historyCommand() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history KEY",
		Short: "show what became of one row, over all runs",
		Long: `Show every run that had a row with this key: the result, the time, the ids, and
the fields that an update wrote or left alone. The key is written as in the
column Key of the results. Runs whose rows were dropped are named.`,
		Example: `  leadload history D-1001
  leadload history D-1001 --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runHistory(cmd.Context(), &o, args) },
	}
	f := cmd.Flags()
	o.addLedger(f)
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
	records, err := ledger.Named(ctx, led, 0, args[0])
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
			// The ledger has the newest id and moment alone, which are not this run's.
			p.Result, p.Note = ledger.ResultNotSent.String(), fmt.Sprintf("sent, or tried, again by run %d", e.Last)
			p.ID, p.LeadID = "", ""
		} else {
			id, err := takenBack(ctx, led, e)
			if err != nil {
				return err
			}
			if id != "" {
				p.ID, p.Note = id, "it was made, and taken back by an undo"
			}
			if !r.SentAt.IsZero() {
				p.SentAt = &r.SentAt
			}
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
		return a.jsonEnd(map[string]any{"version": 1, "command": "history", "key": args[0], "runs": entries}, nil)
	}
	return a.printTable("ID", func(w io.Writer) {
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
	})
}

// takenBack returns the id that an event's record had before an undo deleted or
// cancelled it; "" where none did, or where it was made again since.
func takenBack(ctx context.Context, led ledger.Store, e ledger.Event) (id string, err error) {
	if e.Row.Verdict != ledger.Due || e.Row.Result != ledger.ResultNotSent {
		return "", nil
	}
	for p, err := range led.Planned(ctx, e.Run.ID) {
		if err != nil {
			return "", err
		}
		if p.Record == e.Row.Record && p.Fate == ledger.Absent && p.Undo == ledger.Loaded {
			return p.UndoID, nil
		}
	}
	return "", nil
}

// within reports whether a record was sent while a run was at work.
func within(run ledger.Run, sent time.Time) bool {
	return !sent.Before(run.Started) && (run.Ended.IsZero() || !sent.After(run.Ended))
}
