// Package reports writes what a run leaves behind for people and programs:
// the results workbook, the same rows as CSV, a summary as JSON and the
// metrics of a run. Everything is made from the ledger; the input file adds
// its own columns where it is still there and unchanged.
//
//	path, err := reports.PathFor("deals.csv", "", "-results")  // before anything is sent
//	r := reports.Report{Ledger: l, Run: run, Totals: totals, Input: file, Location: kolkata}
//	name, err := reports.Write(ctx, r, path)                  // the name that was free
//	s, err := reports.Summarize(ctx, r, name)
//	err = reports.WriteJSON(os.Stdout, s)
//	fmt.Println(reports.Line(totals, name))
//
// A results file appears under its name when it is whole and not before; an
// earlier one is never replaced.
package reports

import (
	"context"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/source"
)

// Report is what a results file is made from.
type Report struct {
	Ledger   ledger.Reader // nil: the run has no rows
	Run      ledger.Run
	Totals   ledger.Counts  // every one of its rows gets exactly one line
	Input    *source.File   // nil: the input's columns are left out, and the Summary says so
	Location *time.Location // the mapping's zone, shown beside UTC; nil is UTC
	Next     []string       // commands to type next, most useful first
	Notes    []string       // remarks for the Summary
	// OnRemark is told what the lines lack, such as the columns of rows that
	// were changed in the input since; nil: nobody.
	OnRemark func(string)
	Key      []string // columns of the input that make up the key; nil: not known
	Fields   []Field  // fields of the account and their columns; nil: not known
	Zones    string   // the release of the time zone data that timestamps were read with; "" where it is not known
}

// Field is a field of the account and the input's columns that it is made from.
type Field struct {
	Names   []string // as messages write it
	Columns []string
}

// rowSource is the part of the ledger that a report reads.
type rowSource interface {
	Rows(ctx context.Context, run int64) iter.Seq2[ledger.Row, error]
	Errors(ctx context.Context, run int64, n int) ([]ledger.ErrorCount, error)
}

// input is the part of a source file that a report reads.
type input interface {
	Header() []string
	Rows() iter.Seq2[*source.Row, error]
}

// job is a Report whose two sources can be stood in for.
type job struct {
	Report
	rows  rowSource
	input input // nil: none
	done  int64 // lines written so far
}

func newJob(r Report) *job {
	j := &job{Report: r, rows: noRows{}}
	if r.Ledger != nil {
		j.rows = r.Ledger
	}
	if r.Input != nil {
		j.input = r.Input
	}
	if j.Location == nil {
		j.Location = time.UTC
	}
	return j
}

// typed reports whether the input's cells have kinds, which a CSV file keeps
// in a column of its own.
func (j *job) typed() bool {
	t, ok := j.input.(interface{ Typed() bool })
	return ok && t.Typed()
}

// noRows stands in for a ledger that there is not.
type noRows struct{}

func (noRows) Rows(context.Context, int64) iter.Seq2[ledger.Row, error] {
	return func(func(ledger.Row, error) bool) {}
}

func (noRows) Errors(context.Context, int64, int) ([]ledger.ErrorCount, error) { return nil, nil }

// Write makes the results file: a workbook or a CSV file by the ending of
// path, anything else is an error. It gives the name actually used: an
// existing file is never overwritten, a number is put behind the name instead
// (deals-results-2.xlsx). The file has mode 0600 and appears whole or not at
// all. The error is an *Error, one of the ledger's, or the context's.
func Write(ctx context.Context, r Report, path string) (string, error) {
	return newJob(r).write(ctx, path)
}

// WriteCSV writes the results as CSV to w: the columns of the workbook's
// sheet of all rows, in UTF-8 with a comma between cells and "\n" behind rows.
//
// A cell that a spreadsheet would take for a formula, or that begins with an
// apostrophe, gets one apostrophe in front (source.Guard); plain negative
// numbers such as -12.50 are left alone. source takes it off again. The kinds
// of a workbook's cells stand in a last column (source.TypesColumn).
func WriteCSV(ctx context.Context, r Report, w io.Writer) error {
	j := newJob(r)
	if err := j.writeCSV(ctx, w); err != nil {
		return j.asError("", err, 0)
	}
	return nil
}

// Line is the sentence that ends every run: the totals and the base name of
// the results file. "" stands for no file and "-" for standard output.
func Line(t ledger.Counts, out string) string {
	switch out {
	case "":
		out = "no results file"
	case "-":
		out = "standard output"
	default:
		out = filepath.Base(out)
	}
	return t.String() + " → " + out
}

func isCSV(path string) bool  { return strings.EqualFold(filepath.Ext(path), ".csv") }
func isXLSX(path string) bool { return strings.EqualFold(filepath.Ext(path), ".xlsx") }
