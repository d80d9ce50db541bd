package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"leadload/loader"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/words"
	"leadload/mapping"
	"leadload/reports"
)

type verifyOptions struct {
	common
	runFlags
	inputs []string
	rows   string
	run    int64
	leads  bool
}

func (a *app) verifyCommand() *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify FILE... -m MAPPING",
		Short: "read the account back and compare it with the file",
		Long: `Read back every row that the ledger has an id for, up to 2,000 records a call,
and compare it with the file field by field. A value that the account only
writes in another way, such as 3.00 for 3, is the same. Nothing is written to
the account.

The results workbook has the sheets Differences, with who changed each field,
Removed, with rows that the file no longer has, and All rows. With --run and no
file, verify asks whether all records of that run are still in the account.`,
		Example: `  leadload verify deals.csv -m deals.yaml
  leadload verify deals.xlsx -m deals.yaml --leads -o checks/
  leadload verify --run 7`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.inputs = args
			return a.runVerify(cmd.Context(), &o)
		},
	}
	o.readFileFlags(cmd, "verify")
	o.accountFlags(cmd)
	o.known = true
	o.instead = "name the right ledger with --ledger; where it is lost, leadload adopt FILE -m MAPPING finds the rows in the account"
	o.runFlags.addReading(cmd)
	f := cmd.Flags()
	f.StringVar(&o.rows, "rows", "", "only these rows as the spreadsheet counts them, such as 2-10,57")
	f.Int64Var(&o.run, "run", 0, "instead of a file: the number of a run, whose records are asked for")
	f.BoolVar(&o.leads, "leads", false, "compare attributes of leads too, one call a lead")
	return cmd
}

// readFileFlags are those of a command that compares a file with the account.
func (c *common) readFileFlags(cmd *cobra.Command, command string) {
	f := cmd.Flags()
	f.StringVarP(&c.mapping, "mapping", "m", "", "mapping file (required)")
	f.StringVarP(&c.out, "out", "o", "", "results file (.xlsx or .csv) or a folder for it; - is CSV on stdout (default: INPUT-"+command+".xlsx beside the input; with --sandbox in the current folder)")
	f.StringVar(&c.maxUnpacked, "max-unpacked", "", "how large a workbook or gzip file may be when it is unpacked, such as 32GiB (default: 16GiB, and 200 times its size)")
	f.StringVar(&c.sheet, "sheet", "", "sheet of an XLSX file, instead of the mapping's")
	f.DurationVar(&c.progress, "progress-every", 10*time.Second, "how often a progress line is printed where there is no terminal")
}

func (a *app) runVerify(ctx context.Context, o *verifyOptions) error {
	r := &reading{app: a, common: &o.common, command: "verify", table: words.Verify}
	m, rows, err := a.verifyArguments(o)
	if err != nil {
		r.end(readSummary{Run: o.run}, err)
		return r.done()
	}
	o.files, o.beside = o.inputs, true
	show := a.newProgress(&o.common)
	k, err := a.connect(ctx, &o.common, &o.runFlags, "verify", show.notice)
	if err != nil {
		r.end(readSummary{Run: o.run}, err)
		return r.done()
	}
	if o.run != 0 {
		r.end(a.verifyOne(ctx, o, k, show, "", nil, nil))
	}
	for _, in := range o.inputs {
		s, err := a.verifyOne(ctx, o, k, show, in, m, rows)
		r.end(s, err)
		if r.stops(err) {
			break
		}
	}
	r.close(k)
	return r.done()
}

// verifyArguments reads what was typed.
func (a *app) verifyArguments(o *verifyOptions) (m *mapping.Mapping, rows loader.RowSet, err error) {
	switch {
	case o.run < 0:
		return nil, nil, usageError("leadload runs lists them", "--run %d is not the number of a run", o.run)
	case o.run != 0 && len(o.inputs) > 0:
		return nil, nil, usageError("leave one of them out", "--run and a file exclude each other")
	case o.run != 0 && (o.rows != "" || o.leads):
		return nil, nil, usageError("name the file and its mapping", "--rows and --leads need the file: --run only asks whether records are there")
	case o.run != 0:
		return nil, nil, nil
	case len(o.inputs) == 0:
		return nil, nil, usageError("type leadload verify FILE -m MAPPING, or leadload verify --run RUN", "no file was given")
	}
	if rows, err = parseRows(o.rows); err != nil {
		return nil, nil, err
	}
	m, _, err = o.loadMapping()
	return m, rows, err
}

// The sheets of verify's workbook.
const (
	differencesSheet = iota
	removedSheet
	verifiedSheet
)

// verifyOne compares one file, or with no name the run.
func (a *app) verifyOne(ctx context.Context, o *verifyOptions, k *connection, show *progress, in string, m *mapping.Mapping, rows loader.RowSet) (readSummary, error) {
	s := readSummary{Input: in, Run: o.run}
	began := time.Now()
	var file *source.File
	var header []string
	name := in
	if in == "" {
		name = fmt.Sprintf("run-%d", o.run)
	} else {
		var err error
		if file, err = o.openInput(in, m); err != nil {
			return s, err
		}
		defer file.Close()
		header = file.Header()
	}
	path, err := reports.PathFor(name, a.readingOut(&o.common, in), "-verify")
	if err != nil {
		return s, err
	}
	book, err := reports.NewFindings(path, a.data(),
		reports.FindingSheet{Title: "Differences", Tone: words.Odd, Header: []string{"Row", "Key", "ID", "Field", "File", "Account", "Sent last", "Changed by"}},
		reports.FindingSheet{Title: "Removed", Tone: words.Open, Header: reports.RemovedColumns()},
		reports.FindingSheet{Title: "All rows", Tone: words.Known, Header: []string{"Row", "Key", "Result", "ID", "Note"}, Own: header, Main: true})
	if err != nil {
		return s, err
	}
	defer book.Close()
	cost := func(c loader.ReadCost) {
		if !o.quiet {
			a.say("  %s to read back: %s at %s, %s", count(c.Records, "record", "records"), count(c.Calls, "call", "calls"), c.Limit, about(c.Time))
			for _, l := range c.Left {
				a.say("  %s", l)
			}
		}
	}
	show.start(k.session)
	var res loader.VerifyResult
	if in == "" {
		res, err = k.session.VerifyRun(ctx, o.run, cost, verifyBook{book})
	} else {
		job := loader.VerifyJob{Job: loader.Job{Input: in, File: file, Mapping: m, Rows: rows}, Leads: o.leads, OnCost: cost, Sink: verifyBook{book}}
		job.InputPath = absolute(in)
		res, err = k.session.Verify(ctx, job)
	}
	show.stop()
	s.Totals, s.By, s.Removed, s.Calls, s.Notes = res.Totals, res.By, &res.Removed.Rows, res.Calls, res.Notes
	if err != nil {
		return s, err
	}
	facts := [][2]string{{"File", in}, {"Account", k.account.Display()}, {"Who", who()}, {"When", began.UTC().Format("2006-01-02 15:04:05") + " UTC"},
		{"Took", time.Since(began).Round(time.Second).String()}, {"Calls", strconv.FormatInt(res.Calls, 10)}}
	if in == "" {
		facts[0] = [2]string{"Run", strconv.FormatInt(o.run, 10)}
	}
	notes := res.Notes
	if !o.quiet {
		for _, by := range loader.Changers {
			if n := res.By[by]; n > 0 {
				a.say("  %s changed by: %s", count(n, "value", "values"), by)
			}
		}
	}
	for _, by := range loader.Changers {
		if n := res.By[by]; n > 0 {
			notes = append(notes, fmt.Sprintf("%s changed by: %s", count(n, "value", "values"), by))
		}
	}
	if text := removedWords(res.Removed); text != "" {
		notes = append(notes, text)
		if !o.quiet {
			a.say("  %s", text)
		}
	}
	s.Results, err = book.Finish(ctx, reports.FindingSummary{Title: "Account compared with " + filepath.Base(name), Facts: facts, Totals: res.Totals, Notes: notes, Made: began})
	return s, err
}

// verifyBook writes what verify finds into a results file.
type verifyBook struct{ *reports.Findings }

// Row takes a row of the file.
func (b verifyBook) Row(r loader.VerifiedRow) error {
	result := &words.Verify[r.Result]
	return b.Add(verifiedSheet, []string{strconv.Itoa(r.Row), r.Key, result.Word, r.ID, r.Note}, result, r.Cells)
}

// Difference takes a field that the account has otherwise.
func (b verifyBook) Difference(d loader.Difference) error {
	return b.Add(differencesSheet, []string{strconv.Itoa(d.Row), d.Key, d.ID, d.Field, d.File, d.Account, d.SentLast, d.By}, nil, nil)
}

// Removed takes a row that the file no longer has.
func (b verifyBook) Removed(r ledger.Row) error {
	n := r.Origin
	if n == 0 {
		n = r.Number
	}
	return b.Add(removedSheet, []string{strconv.Itoa(n), r.Key, r.ID}, nil, nil)
}

// readingOut is where the results of a command that reads belong: those of the
// practice account and of a run into the current folder.
func (a *app) readingOut(c *common, in string) string {
	if c.out == "" && (c.sandbox || in == "") {
		return "./"
	}
	return c.out
}

// fileWords is the end of a last line.
func fileWords(results string) string {
	switch results {
	case "":
		return "no results file"
	case "-":
		return "standard output"
	}
	return filepath.Base(results)
}
