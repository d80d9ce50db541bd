package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader"
	"leadload/loader/words"
	"leadload/mapping"
	"leadload/reports"
)

type adoptOptions struct {
	common
	runFlags
	inputs []string
	rows   string
	by     string
	take   string
	begin  bool // the ledger that was named, where there is none
}

// adoptWays are by what rows and records can be matched.
var adoptWays = []string{"key", "values"}

func (a *app) adoptCommand() *cobra.Command {
	var o adoptOptions
	cmd := &cobra.Command{
		Use:   "adopt FILE... -m MAPPING",
		Short: "find the file's rows in the account and write them into the ledger",
		Long: `Look for every row that the ledger does not know in the account, and write those
that are there into the ledger: after a lost ledger, on a second machine, or for
records that somebody typed in. Nothing is sent. An import afterwards sends
exactly the rest.

Rows are found by the field that carries the key, or with --by values by all
mapped values and their lead. A row that is in the account several times is left
to a person, with the ids, and an import does not send it; --take newest takes
the newest record.

Where there is no ledger in the user's state folder, one is begun there. Where
one was named with --ledger and is not there, adopt stops, unless --new-ledger
is given.`,
		Example: `  leadload adopt deals.csv -m deals.yaml
  leadload adopt deals.csv -m deals.yaml --by values --take newest
  leadload adopt deals.csv -m deals.yaml --ledger /srv/ledger.db --new-ledger`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.inputs = args
			return a.runAdopt(cmd.Context(), &o)
		},
	}
	o.readFileFlags(cmd, "adopt")
	o.accountFlags(cmd)
	o.runFlags.addReading(cmd)
	f := cmd.Flags()
	f.Lookup("settle-after").Usage = "after how long rows that were not found are looked for again: the account shows new records late"
	f.StringVar(&o.rows, "rows", "", "only these rows as the spreadsheet counts them, such as 2-10,57")
	f.StringVar(&o.by, "by", "key", "how rows are found: key (the field that carries it) or values (all mapped values)")
	f.StringVar(&o.take, "take", "", "newest: of several records that a row may be take the newest")
	f.BoolVar(&o.begin, "new-ledger", false, "begin the ledger that --ledger names, where there is none")
	return cmd
}

func (a *app) runAdopt(ctx context.Context, o *adoptOptions) error {
	r := &reading{app: a, common: &o.common, command: "adopt", table: words.Adopt}
	m, rows, err := a.adoptArguments(o)
	if err != nil {
		r.end(readSummary{}, err)
		return r.done()
	}
	o.files = o.inputs
	// One name mistyped would begin a second memory of the account.
	o.known = o.ledger != "" && !o.begin
	o.instead = "name the right ledger with --ledger, or add --new-ledger to begin one there"
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, "adopt", show.notice)
	if err != nil {
		r.end(readSummary{}, err)
		return r.done()
	}
	for _, in := range o.inputs {
		s, err := a.adoptOne(ctx, o, k, show, in, m, rows)
		r.end(s, err)
		if r.stops(err) {
			break
		}
	}
	r.close(k)
	return r.done()
}

func (a *app) adoptArguments(o *adoptOptions) (m *mapping.Mapping, rows loader.RowSet, err error) {
	if len(o.inputs) == 0 {
		return nil, nil, usageError("type leadload adopt FILE -m MAPPING", "no file was given")
	}
	if err := choice("by", o.by, adoptWays...); err != nil {
		return nil, nil, err
	}
	if o.take != "" {
		if err := choice("take", o.take, "newest"); err != nil {
			return nil, nil, err
		}
	}
	if rows, err = parseRows(o.rows); err != nil {
		return nil, nil, err
	}
	m, _, err = o.loadMapping()
	return m, rows, err
}

// severalNote stands on the sheet Several beside the ids.
const severalNote = "each of these may be the row: delete those that are too many, or add --take newest"

// adoptOne looks for the rows of one file.
func (a *app) adoptOne(ctx context.Context, o *adoptOptions, k *connection, show *progress, in string, m *mapping.Mapping, rows loader.RowSet) (readSummary, error) {
	s := readSummary{Input: in}
	began := time.Now()
	file, err := o.openInput(in, m)
	if err != nil {
		return s, err
	}
	defer file.Close()
	path, err := reports.PathFor(in, a.readingOut(&o.common, in), "-adopt")
	if err != nil {
		return s, err
	}
	book, err := reports.NewFindings(path, a.data(),
		reports.FindingSheet{Title: "Several", Tone: words.Odd, Header: []string{"Row", "Key", "Result", "ID", "Note"}, Own: file.Header()},
		reports.FindingSheet{Title: "All rows", Tone: words.Known, Header: []string{"Row", "Key", "Result", "ID", "Note"}, Own: file.Header(), Main: true})
	if err != nil {
		return s, err
	}
	defer book.Close()
	way := ""
	job := loader.AdoptJob{Job: loader.Job{Input: in, File: file, Mapping: m, Rows: rows}, ByValues: o.by == "values", Newest: o.take == "newest"}
	job.OnCost = func(how string, calls int64) {
		way = how
		if !o.quiet {
			a.say("  %s: about %s", how, count(calls, "call", "calls"))
		}
	}
	job.Row = func(r loader.AdoptedRow) error {
		result := &words.Adopt[r.Result]
		fixed := []string{strconv.Itoa(r.Row), r.Key, result.Word, r.ID, r.Note}
		if r.Result == words.Several {
			which := slices.Clone(fixed)
			if len(r.Candidates) > 0 {
				which[3], which[4] = strings.Join(r.Candidates, "\n"), severalNote
			}
			if err := book.Add(0, which, result, r.Cells); err != nil {
				return err
			}
		}
		return book.Add(1, fixed, result, r.Cells)
	}
	show.start(k.session)
	res, err := k.session.Adopt(ctx, job)
	show.stop()
	s.Totals, s.Calls = res.Totals, res.Calls
	if err != nil {
		return s, err
	}
	if way != "" {
		s.Notes = append(s.Notes, way)
	}
	facts := [][2]string{{"File", in}, {"Account", k.account.Display()}, {"Who", who()}, {"When", began.UTC().Format("2006-01-02 15:04:05") + " UTC"},
		{"Took", time.Since(began).Round(time.Second).String()}, {"Calls", strconv.FormatInt(res.Calls, 10)}}
	s.Results, err = book.Finish(ctx, reports.FindingSummary{Title: "Rows of " + filepath.Base(in) + " found in the account", Facts: facts, Totals: res.Totals, Notes: s.Notes, Made: began})
	return s, err
}
