// Package source reads CSV and XLSX files as one stream of typed rows at
// constant memory. Every fault carries its place: file, sheet, row as the
// spreadsheet counts, column.
//
// A file is opened once and may be read any number of times:
//
//	f, err := source.Open("deals.csv", source.Options{})
//	defer f.Close()
//	for row, err := range f.Rows() {
//		if err != nil { … }            // the file cannot be read on: fatal
//		if len(row.Faults) > 0 { … }   // this row cannot be used; go on
//		use(row.Number, row.Cells)     // valid until the next step
//	}
//
// What a file holds is never guessed at silently: bytes that are not valid in
// the file's encoding, a damaged archive, a formula that was never calculated
// and CSV rows with more or fewer cells than the header are reported, not
// repaired. What stands beside a sheet's table, left of its first name and
// right of its last, is not part of it and not read.
package source

import (
	"io"
	"iter"
	"slices"
	"strings"

	"leadload/converter"
)

// NeverCalculated is the Text of a FaultCell whose formula has no stored
// value: the file was written by a program that does not calculate. The cell
// reads as a fault again when a results workbook with this text is loaded.
const NeverCalculated = "#NOT CALCULATED!"

// Row is one row below the header.
type Row struct {
	// Number is the row as a spreadsheet shows it, the first row of the file
	// being 1. In CSV every record counts as one row, blank lines too.
	Number int
	// Line is the physical line in a CSV file at which the row begins
	// (quoted cells may hold line breaks); 0 for XLSX.
	Line int
	// Origin is the row number in the file that the row first came from, when
	// the file read is a results workbook; otherwise it equals Number.
	Origin int
	// Cells has one cell for each name of File.Header, short rows padded. It
	// and its strings are valid until the next row.
	Cells []converter.Cell
	// Outcome has the cells under ResultColumns, in their order, when the file
	// read is a results file of ours, else it is nil; valid until the next row.
	Outcome []converter.Cell
	// Faults are the reasons for which this row cannot be used (too many
	// cells, an unreadable cell in a column that is needed). The rest of the
	// file is still good.
	Faults []*Error
	// bad is what the file has wrong here by its place, in columns that nobody
	// needs too; nil: nothing. Faults has the words.
	bad *badRow
	// Hidden reports that the spreadsheet hides this row.
	Hidden bool
}

// Clone copies the row so that it outlives the next step of the pass.
func (r *Row) Clone() *Row {
	c := *r
	c.Cells = slices.Clone(r.Cells)
	for i := range c.Cells {
		c.Cells[i].Text = strings.Clone(c.Cells[i].Text)
	}
	c.Faults = slices.Clone(r.Faults)
	if r.bad != nil {
		c.bad = &badRow{at: slices.Clone(r.bad.at), short: r.bad.short, extra: slices.Clone(r.bad.extra)}
		for i := range c.bad.extra {
			c.bad.extra[i].Text = strings.Clone(c.bad.extra[i].Text)
		}
	}
	return &c
}

// ResultColumns are the columns that a results workbook or CSV adds to the
// input's own: the first ResultsBefore of them stand before, the others behind.
// File.Header leaves them out and Row.Origin is read from "Row".
var ResultColumns = []string{"Row", "Key", "Result", "Error", "What to do", "ID", "Lead ID", "Attempts", "Sent at"}

// ResultsBefore is how many of ResultColumns stand before the input's columns.
const ResultsBefore = 5

// Options say how to read a file. The zero value finds everything out.
type Options struct {
	Sheet     string // XLSX: the sheet's name; "" is the first visible sheet
	HeaderRow int    // row of the header as the spreadsheet counts; 0 is the first row with any text, lone titles above a table left out
	Delimiter string // CSV: one of , ; | or "\t"; "" is found from the header
	Encoding  string // CSV: utf-8, utf-16le, utf-16be, windows-1252, …; "" is found from a BOM, else utf-8
	// MaxBytes bounds what an archive or gzip stream may unpack to, and what
	// standard input may hold; 0 is 16 GiB and no more than 200 times the size on disk.
	MaxBytes int64
	// TempDir is where standard input is kept for the second pass; "" is os.TempDir().
	TempDir string
	// Stdin is what the path "-" reads; nil is os.Stdin.
	Stdin io.Reader
}

const defaultMaxBytes = 16 << 30

// Info tells what was found out about a file.
type Info struct {
	Format    string   // "csv" or "xlsx"
	Sheet     string   // XLSX: the sheet read
	Delimiter string   // CSV
	Encoding  string   // CSV
	HeaderRow int      // as the spreadsheet counts
	Results   bool     // the file is a results workbook or CSV of ours
	Notes     []string // what a user should know: hidden sheets, preamble skipped, …
}

// File is an open input file. Its methods may be used by one goroutine at a
// time; passes made by Rows are independent of each other.
type File struct{ impl }

// Open opens the file at path, finds its format by its content (never by its
// name alone), and reads its header. "-" is standard input, which is copied to
// a private temporary file. The error is an *Error with a hint.
func Open(path string, o Options) (*File, error) {
	f := &File{impl{name: path, opt: o}}
	f.trusted = o.MaxBytes > 0
	if !f.trusted {
		f.opt.MaxBytes = defaultMaxBytes
	}
	if err := f.openFile(); err != nil {
		f.Close()
		return nil, f.place(err)
	}
	return f, nil
}

// Header is the names of the columns, trimmed, in the input's order. Names may
// be empty or occur twice; columns left of the first name and right of the
// last one are not part of the table.
func (f *File) Header() []string { return slices.Clone(f.table.names) }

// Positions are the spreadsheet letters of the columns of Header ("A", "AB").
func (f *File) Positions() []string {
	out := make([]string, len(f.table.names))
	for i := range out {
		out[i] = letters(f.table.at(i))
	}
	return out
}

// Typed reports whether the file's cells have kinds other than Text: it is a
// workbook, or a results CSV of one.
func (f *File) Typed() bool { return f.info.Format == "xlsx" || f.table.types > 0 }

// Need says which columns of Header are used; until then all are. A cell that
// cannot be read in any other column makes its row no worse. It must be called
// before the pass that it is for.
func (f *File) Need(columns []bool) { f.needed = slices.Clone(columns) }

// Info tells what was found out about the file.
func (f *File) Info() Info {
	i := f.info
	i.Notes = slices.Clone(i.Notes)
	return i
}

// Rows makes a pass over the rows below the header. Rows without any content
// are left out. The pass ends after the first error, which is an *Error.
func (f *File) Rows() iter.Seq2[*Row, error] { return f.rows(false) }

// RowsKept is a pass whose cells' texts stay valid for good, so that rows can
// be handed to other goroutines; Cells itself and Outcome are used again, as with
// Rows. It costs less than copying the texts of Rows.
func (f *File) RowsKept() iter.Seq2[*Row, error] { return f.rows(true) }

func (f *File) rows(kept bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		p, err := f.pass(kept)
		if err != nil {
			yield(nil, f.place(err))
			return
		}
		defer p.close()
		for {
			row, err := p.next()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, f.place(err))
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Close releases the file and removes the temporary copy of standard input.
func (f *File) Close() error { return f.closeFile() }
