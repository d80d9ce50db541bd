package reports

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"os"
	"strings"

	"github.com/gocarina/gocsv"

	"leadload/loader/source"
)

// guard keeps a spreadsheet from taking a cell of a CSV file for a formula, in
// the way that source undoes: "+91-9876543210" is arithmetic to a spreadsheet
// and gets an apostrophe, -12.50 is a number to everybody and does not.
func guard(s string) string {
	if s != "" && s[0] == '-' && plainNumber(s[1:]) {
		return s
	}
	return source.Guard(s)
}

// plainNumber reports whether s is digits with at most one point among them.
func plainNumber(s string) bool {
	digits, points := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// guardWriter is a gocsv.CSVWriter that guards every cell. gocsv knows the
// fixed columns alone; own appends the input's, which stand among them, in step.
type guardWriter struct {
	csv  *csv.Writer
	own  func(dst []string) []string
	last func() string // the last cell of the row, if there is one more
	row  []string
}

func (g *guardWriter) Write(fixed []string) error {
	g.row = g.own(append(g.row[:0], fixed[:before]...))
	g.row = append(g.row, fixed[before:]...)
	if g.last != nil {
		g.row = append(g.row, g.last())
	}
	for i, s := range g.row {
		g.row[i] = guard(s)
	}
	return g.csv.Write(g.row)
}

func (g *guardWriter) Flush()       { g.csv.Flush() }
func (g *guardWriter) Error() error { return g.csv.Error() }

// writeCSV writes all lines to w.
func (j *job) writeCSV(ctx context.Context, w io.Writer) error {
	var (
		batch   []line
		next    = -1 // of batch; -1 is the header
		fixed   = make([]result, 0, batchLines)
		header  = j.inputHeader()
		typed   = j.typed()
		letters []byte
	)
	// encoding/csv takes this buffer for its own; its usual one is small.
	g := &guardWriter{csv: csv.NewWriter(bufio.NewWriterSize(w, 1<<16))}
	g.own = func(dst []string) []string {
		if next < 0 {
			next = 0
			return append(dst, header...)
		}
		cells := batch[next].cells
		next++
		letters = letters[:0]
		for i := range header {
			var text string
			letter := byte('.')
			if i < len(cells) {
				text, letter = source.Plain(cells[i])
			}
			dst, letters = append(dst, text), append(letters, letter)
		}
		return dst
	}
	if typed {
		g.last = func() string {
			if batch == nil {
				return source.TypesColumn
			}
			return source.PlainTypes(letters)
		}
	}
	// The header is written even where no line follows.
	if err := gocsv.MarshalCSV(fixed, g); err != nil {
		return err
	}
	var t tally
	err := j.each(ctx, &t, func(lines []line) error {
		batch, next, fixed = lines, 0, fixed[:0]
		for i := range lines {
			fixed = append(fixed, resultOf(&lines[i].row))
		}
		return gocsv.MarshalCSVWithoutHeaders(fixed, g)
	})
	if err == nil {
		j.remark(&t, trims{})
	}
	return err
}

// saveCSV writes the CSV file. A byte order mark goes first, without which
// Excel reads the file in the machine's old code page and spoils every name
// that is not English.
func (j *job) saveCSV(ctx context.Context, f *os.File) error {
	if _, err := io.Copy(f, strings.NewReader("\uFEFF")); err != nil {
		return err
	}
	return j.writeCSV(ctx, f)
}
