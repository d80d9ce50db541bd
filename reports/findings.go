package reports

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/words"
)

// Findings is the results file of a command that reads the account back, written
// while the command goes on. Like every results file it appears whole or not at
// all. As CSV it has the rows of its main sheet alone.
type Findings struct {
	path   string
	sheets []*findingSheet
	shop   *workshop
	book   *book
	csv    *csv.Writer
	buffer *bufio.Writer
	temp   *os.File
	lines  int64
}

// FindingSheet is a sheet of a Findings: fixed columns, then the input's own.
type FindingSheet struct {
	Title  string
	Header []string
	Own    []string // the input's columns
	Main   bool     // the sheet of all rows: it is there also where it is empty
	Tone   words.Tone
}

// FindingSummary is what stands on the sheet Summary.
type FindingSummary struct {
	Title  string
	Facts  [][2]string
	Totals words.Counts
	Notes  []string
	Made   time.Time
}

// toneResults are the results that look as a tone does.
var toneResults = map[words.Tone]ledger.Result{
	words.Good: ledger.ResultLoaded, words.Known: ledger.ResultAlready, words.Open: ledger.ResultInvalid,
	words.Odd: ledger.ResultChanged, words.Bad: ledger.ResultRejected, words.Quiet: ledger.ResultSkipped,
}

// findingSheet is a FindingSheet in the making.
type findingSheet struct {
	table
	FindingSheet
	cells *sheet // writes the input's cells
	row   []any
}

// NewFindings begins a results file at path, a name that PathFor has given. "-"
// writes the main sheet's rows as CSV to out. What was begun must be closed.
func NewFindings(path string, out io.Writer, sheets ...FindingSheet) (*Findings, error) {
	f := &Findings{path: path}
	for _, s := range sheets {
		tab := "FF" + looks[toneResults[s.Tone]].bar
		f.sheets = append(f.sheets, &findingSheet{table: table{title: s.Title, tab: tab, frozen: 3}, FindingSheet: s})
	}
	if path == "-" {
		f.csvTo(out)
		return f, f.failed(f.csvHeader())
	}
	if !isCSV(path) && !isXLSX(path) {
		return nil, endingError(path)
	}
	folder := filepath.Dir(path)
	var err error
	if f.shop, err = newWorkshop(folder); err != nil {
		return nil, folderError(path, folder, err)
	}
	if isCSV(path) {
		if f.temp, err = os.OpenFile(filepath.Join(f.shop.dir, "rows"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_, err = io.WriteString(f.temp, "\uFEFF") // for Excel, as in every results file
			f.csvTo(f.temp)
			err = errors.Join(err, f.csvHeader())
		}
	} else {
		err = f.begin()
	}
	if err != nil {
		return nil, errors.Join(f.failed(err), f.Close())
	}
	return f, nil
}

func (f *Findings) csvTo(w io.Writer) {
	f.buffer = bufio.NewWriterSize(w, 1<<16)
	f.csv = csv.NewWriter(f.buffer)
}

func (f *Findings) csvHeader() error {
	for _, s := range f.sheets {
		if s.Main {
			return f.csv.Write(guarded(append(append([]string{}, s.Header...), s.Own...)))
		}
	}
	return nil
}

func guarded(row []string) []string {
	for i, s := range row {
		row[i] = guard(s)
	}
	return row
}

func (f *Findings) begin() error {
	b := &book{f: excelize.NewFile(excelize.Options{TmpDir: f.shop.dir})}
	f.book = b
	err := b.f.SetSheetName("Sheet1", titleSummary)
	if err == nil {
		b.styles, err = newStyles(b.f)
	}
	for _, s := range f.sheets {
		s.cells = &sheet{book: b, trims: &b.trims}
		if n := len(s.Header) + len(s.Own) - maxColumns; n > 0 {
			s.Own = s.Own[:len(s.Own)-n]
		}
	}
	return err
}

// Add writes a row on a sheet: its fixed columns, the word of result among them,
// and the input's cells.
func (f *Findings) Add(sheet int, fixed []string, result *words.Result, cells []converter.Cell) error {
	s := f.sheets[sheet]
	f.lines++
	if f.csv != nil {
		if !s.Main {
			return nil
		}
		row := append([]string{}, fixed...)
		for i := range s.Own {
			text := ""
			if i < len(cells) {
				text, _ = source.Plain(cells[i])
			}
			row = append(row, text)
		}
		return f.failed(f.csv.Write(guarded(row)))
	}
	return f.failed(s.write(f.book, fixed, result, cells))
}

// open starts a sheet, or its next part.
func (s *findingSheet) open(b *book) error {
	header := append(append([]string{}, s.Header...), s.Own...)
	if s.widths == nil {
		for _, h := range header {
			s.widths = append(s.widths, findingWidth(h))
		}
	}
	if _, err := s.start(b.f); err != nil {
		return err
	}
	head := make([]any, len(header))
	for i, h := range header {
		style := b.styles.header
		if i >= len(s.Header) {
			style = b.styles.own
		}
		head[i] = excelize.Cell{StyleID: style, Value: b.trims.fit(h)}
	}
	return s.head(head, b.styles.text)
}

// findingWidths are the widths of the fixed columns, in characters: those of the sheet
// Differences are seen together at 1366 pixels.
var findingWidths = map[string]float64{"Row": 8, "Key": 22, "Result": 13, "ID": 38, "Field": 20, "File": 24, "Account": 24, "Sent last": 24, "Changed by": 13, "Note": 46}

func findingWidth(header string) float64 {
	if w := findingWidths[header]; w > 0 {
		return w
	}
	return float64(min(max(width(header)+3, 12), ownWidth))
}

func (s *findingSheet) write(b *book, fixed []string, result *words.Result, cells []converter.Cell) error {
	if s.full() {
		if err := s.open(b); err != nil {
			return err
		}
	}
	s.row = s.row[:0]
	high := 1
	for i, v := range fixed {
		switch {
		case v == "":
			s.row = append(s.row, nil)
		case result != nil && s.Header[i] == "Result":
			s.row = append(s.row, excelize.Cell{StyleID: b.styles.results[toneResults[result.Tone]], Value: v})
		case s.Header[i] == "Note" || s.Header[i] == "What to do" || strings.Contains(v, "\n"):
			s.row = append(s.row, excelize.Cell{StyleID: b.styles.wrapped, Value: b.trims.fit(v)})
			high = max(high, lines(v, letters(s.widths[i])))
		default:
			s.row = append(s.row, excelize.Cell{StyleID: b.styles.text, Value: b.trims.fit(v)})
		}
	}
	for i := range s.Own {
		if i < len(cells) {
			s.row = append(s.row, s.cells.cell(&cells[i]))
		}
	}
	return s.put(s.row, excelize.RowOpts{StyleID: b.styles.text, Height: heightOf(high)})
}

// Finish writes the Summary and gives the file its name, which it returns: a
// file that is there is never replaced.
func (f *Findings) Finish(ctx context.Context, sum FindingSummary) (string, error) {
	if f.csv != nil {
		f.csv.Flush()
		if err := errors.Join(f.csv.Error(), f.buffer.Flush()); err != nil || f.temp == nil {
			return "-", f.failed(err)
		}
	}
	name, err := f.shop.make(f.path, func(out *os.File) error {
		if f.temp != nil {
			if _, err := f.temp.Seek(0, io.SeekStart); err != nil {
				return err
			}
			_, err := io.Copy(out, f.temp)
			return err
		}
		return f.saveBook(ctx, out, &sum)
	})
	return name, f.failed(err)
}

func (f *Findings) saveBook(ctx context.Context, out *os.File, sum *FindingSummary) error {
	b := f.book
	made := sum.Made.UTC().Truncate(2 * time.Second)
	if err := b.setProperties(sum.Title, made); err != nil {
		return err
	}
	order := []string{titleSummary}
	for _, s := range f.sheets {
		if len(s.parts) == 0 && s.Main {
			if err := s.open(b); err != nil {
				return err
			}
		}
		order = append(order, s.names...)
	}
	if err := inOrder(b.f, order); err != nil {
		return err
	}
	if err := f.summary(sum); err != nil {
		return err
	}
	for _, s := range f.sheets {
		if err := s.close(b.f); err != nil {
			return err
		}
	}
	a := newArchive(ctx, out, f.lines, made)
	b.f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return a })
	return errors.Join(b.f.Write(io.Discard), a.err)
}

func (f *Findings) summary(sum *FindingSummary) error {
	o := newOverview(f.book)
	o.set("A1", sum.Title, o.title)
	o.across(2, f.book.trims.fit(sum.Totals.String()), o.next)
	o.set("A4", "The command", o.head)
	o.set("B4", nil, o.head)
	row := 5
	for _, fact := range sum.Facts {
		o.set(at("A", row), fact[0], o.small)
		o.set(at("B", row), f.book.trims.fit(fact[1]), o.value)
		row++
	}
	o.set("D4", "Result", o.head)
	o.set("E4", "Rows", o.headRight)
	o.set("F4", "Share", o.headRight)
	below, all := 5, sum.Totals.Sum()
	for i, n := range sum.Totals.N {
		if n == 0 {
			continue
		}
		r := sum.Totals.Table[i]
		o.set(at("D", below), r.Word, f.book.styles.results[toneResults[r.Tone]])
		o.set(at("E", below), n, o.count)
		o.set(at("F", below), float64(n)/float64(all), o.share)
		below++
	}
	o.set(at("D", below), "All rows", o.head)
	o.set(at("E", below), all, o.headRight)
	o.set(at("F", below), nil, o.head)
	row = max(row, below+1) + 1
	if len(sum.Notes) > 0 {
		o.heading(row, "Notes")
		for _, n := range sum.Notes {
			row++
			o.across(row, f.book.trims.fit(n), o.wrap)
		}
	}
	o.page(row)
	return o.err
}

// Close throws away what Finish has not made a file of.
func (f *Findings) Close() error {
	var errs []error
	if f.book != nil {
		errs = append(errs, f.book.f.Close())
	}
	if f.temp != nil {
		errs = append(errs, f.temp.Close())
	}
	if f.shop != nil {
		f.shop.remove() // what stays is swept up by the next results file
	}
	f.book, f.temp, f.shop = nil, nil, nil
	return errors.Join(errs...)
}

// failed keeps errors that explain themselves and wraps all others.
func (f *Findings) failed(err error) error {
	var own *Error
	switch {
	case err == nil, errors.As(err, &own), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case diskFull(err):
		return &Error{Code: "results.full", Place: resultsFile(f.path), Msg: "the disk is full, so the results were not written", Err: fault.Pathless(err),
			Hint: "free some space and run the same command again"}
	}
	return &Error{Code: "results.write", Place: resultsFile(f.path), Msg: "the results could not be written", Err: fault.Pathless(err),
		Hint: "mend the cause or name another place with --out, and run the same command again"}
}
