package source

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"leadload/converter"
)

// csvSeeds are inputs of each kind that the tests above have.
var csvSeeds = []string{
	"a,b\n1,2\n", "a;b\r\n\"x;y\";2\r\n", "a\tb\r1\t2\r", "\ufeffa|b\n\"1\n2\"|\"\"\"\"\n", "a,b\n\"open", "a,b\n\"x\"y,2\n",
	"a,b\n1,M\xfcller\n", "\xff\xfea\x00,\x00b\x00\n\x001\x00,\x002\x00", "sep=;\na;b\n1;2\n", "a\n\x00\n", "Title\n\na,b\n1,2\n",
	"Row,Key,Result,Error,What to do,a,ID,Lead ID,Attempts,Sent at,b\n5,,,,,'=x,,,,,c\n",
	"Row,Result,ID,Lead ID,Error,What to do,Attempts,Sent at,Key,a\n5,,,,,,,,,'=x\n", "\x1f\x8b\x08\x00", "a,b\n\xe0\xa4\n", ",\n,\n", "\r\r\n\n\r",
}

// openBytes opens what is in memory, as Open does what is on disk; nil when it
// is refused, with words.
func openBytes(t *testing.T, content []byte, o Options) *File {
	f := &File{impl{name: "memory", opt: o, trusted: true, disk: bytes.NewReader(content), size: int64(len(content))}}
	if len(content) == 0 {
		return nil
	}
	if err := f.detect(); err != nil {
		var e *Error
		if !errors.As(f.place(err), &e) || e.Code == "" || e.Msg == "" || e.Hint == "" {
			t.Fatalf("an error without words: %#v", err)
		}
		return nil
	}
	return f
}

// FuzzCSV: whatever the bytes, reading ends, does not panic, tells the same
// twice, and gives texts that are fit to print; and where encoding/csv and the
// plain rules see a well-formed file, both see the same.
func FuzzCSV(f *testing.F) {
	if len(csvSeeds) < 10 {
		f.Fatal("no seeds")
	}
	for _, s := range csvSeeds {
		f.Add([]byte(s), "", uint8(0))
		f.Add([]byte(s), "windows-1252", uint8(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, enc string, header uint8) {
		src := openBytes(t, text, Options{Encoding: enc, HeaderRow: int(header), MaxBytes: 1 << 24})
		if src == nil {
			return
		}
		width := len(src.Header())
		checkKept(t, src)
		var prints [2][]uint64
		var ends [2]string
		for pass := range 2 {
			last, line := src.Info().HeaderRow, 0
			for row, err := range src.Rows() {
				if err != nil {
					ends[pass] = err.Error()
					break
				}
				if len(row.Cells) != width || row.Number <= last || (src.Info().Format == "csv" && row.Line <= line) {
					t.Fatalf("row %d at line %d with %d cells after row %d at line %d", row.Number, row.Line, len(row.Cells), last, line)
				}
				last, line = row.Number, row.Line
				shown := len(row.Faults) > 0
				for i := range row.Cells {
					c := &row.Cells[i]
					if !utf8.ValidString(c.Text) || strings.Contains(c.Text, "\x00") && src.Info().Format == "csv" {
						t.Fatalf("row %d: %q", row.Number, c.Text)
					}
					if (c.Kind == converter.EmptyCell) != (c.Text == "") {
						t.Fatalf("row %d: kind %v of %q", row.Number, c.Kind, c.Text)
					}
					shown = shown || !unseen(c)
				}
				if !shown {
					t.Fatalf("row %d has no content", row.Number)
				}
				prints[pass] = append(prints[pass], row.Fingerprint())
			}
		}
		if ends[0] != ends[1] || len(prints[0]) != len(prints[1]) {
			t.Fatalf("%d rows and %q, then %d rows and %q", len(prints[0]), ends[0], len(prints[1]), ends[1])
		}
		for i := range prints[0] {
			if prints[0][i] != prints[1][i] {
				t.Fatalf("row %d differs in the second pass", i)
			}
		}
	})
}

// checkKept demands that the texts of a kept row are at the end of the pass
// what they were when it was read.
func checkKept(t *testing.T, src *File) (rows int) {
	t.Helper()
	var then, now [][]converter.Cell
	for row, err := range src.RowsKept() {
		if err == nil {
			then, now = append(then, row.Clone().Cells), append(now, slices.Clone(row.Cells))
		}
	}
	for row, err := range src.Rows() {
		if err != nil {
			break
		}
		if rows == len(then) || !slices.Equal(row.Cells, then[rows]) || !slices.Equal(row.Cells, now[rows]) {
			t.Fatalf("row %d: kept rows differ", row.Number)
		}
		rows++
	}
	if rows != len(then) {
		t.Fatalf("%d rows, of which %d were kept", rows, len(then))
	}
	return rows
}

// FuzzCSVAgainstEncodingCSV compares records where the two mean the same: no
// CR alone, no NUL, valid UTF-8, and nothing that encoding/csv refuses.
func FuzzCSVAgainstEncodingCSV(f *testing.F) {
	if len(csvSeeds) < 10 {
		f.Fatal("no seeds")
	}
	for _, s := range csvSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 || bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n")) {
			return
		}
		r := csv.NewReader(bytes.NewReader(text))
		r.FieldsPerRecord = -1
		want, err := r.ReadAll()
		if err != nil {
			return // bare quotes, which are text to us
		}
		s := newCSVReader(bytes.NewReader(text), int64(len(text)), ',', "utf-8")
		for i, rec := range want {
			got, err := s.next()
			if err != nil || len(got.cells) != len(rec) || len(got.faults) > 0 {
				t.Fatalf("record %d: %v, want %d cells", i, err, len(rec))
			}
			for k := range rec {
				if want := string(formulaText([]byte(rec[k]))); got.cells[k].Text != want {
					t.Fatalf("record %d: %q, want %q", i, got.cells[k].Text, want)
				}
			}
		}
		if _, err := s.next(); err != io.EOF {
			t.Fatalf("more than %d records: %v", len(want), err)
		}
	})
}

// FuzzSheet feeds the scanner of a sheet with any XML.
func FuzzSheet(f *testing.F) {
	seeds := []string{
		texts(1, "a", "b") + texts(2, "1", "2"),
		texts(1, "a") + `<row r="2" hidden="1"><c r="A2" t="s"><v>1</v></c></row>`,
		texts(1, "a") + `<row r="2"><c r="A2"><f>1+1</f></c></row><row r="3"><c r="A3" s="1"><v>46000.5</v></c></row>`,
		texts(1, "a") + `<row><c t="inlineStr"><is><r><t>x</t></r><r><t xml:space="preserve"> &amp;_x000D_</t></r><rPh><t>y</t></rPh></is></c></row>`,
		texts(1, "a") + `<!-- c --><row r="5"><c r="A5" t="d"><v>2026-01-01</v></c><extLst><x/></extLst></row>`,
		`<row r="1"><c r="XFD1" t="str"><v>a<![CDATA[<b>]]></v></c></row><row r="1048576"><c r="XFD1048576"><v>-1.5E-7</v></c></row>`,
		`<x:row r="1"><x:c r="A1" t="e"><x:v>#N/A</x:v></x:c></x:row>`,
	}
	if len(seeds) < 5 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s, `<t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r>`)
	}
	f.Fuzz(func(t *testing.T, rows, shared string) {
		// Through a small buffer that is refilled byte by byte, and at once.
		once, end := scanSheet(t, rows, shared, func(r io.Reader) io.Reader { return r })
		bit, bitEnd := scanSheet(t, rows, shared, iotest.OneByteReader)
		if !slices.Equal(once, bit) || end != bitEnd {
			t.Fatalf("%q and %q at once, %q and %q byte by byte", once, end, bit, bitEnd)
		}
	})
}

// scanSheet scans rows as a sheet that names shared strings, checks every
// cell, and shows them with the error at the end.
func scanSheet(t *testing.T, rows, shared string, wrap func(io.Reader) io.Reader) (cells []string, end string) {
	b := newBook(rows).shared(shared)
	f := &File{impl{name: "memory"}}
	w := &workbook{f: f, styles: []numFormat{{}, {code: "dd/mm/yyyy", date: true, day: true}}, is1904: len(rows)%2 == 0}
	var err error
	if w.sst, err = readShared(&xmlScanner{r: wrap(strings.NewReader(b.parts["xl/sharedStrings.xml"]))}); err != nil {
		return nil, err.Error()
	}
	for i := range w.sst.at {
		if text := w.sst.get(i); !utf8.ValidString(text) {
			t.Fatalf("shared string %d: %q", i, text)
		}
	}
	s := &sheetReader{w: w, part: "sheet1.xml", x: xmlScanner{r: wrap(strings.NewReader(b.parts["xl/worksheets/sheet1.xml"]))}, n: -1}
	if err := s.prolog(); err != nil {
		return nil, err.Error()
	}
	last := 0
	for {
		row, err := s.next()
		if err != nil {
			return cells, err.Error()
		}
		if row.number <= last || row.number > maxRows || len(row.cells) > maxColumns {
			t.Fatalf("row %d after %d with %d cells", row.number, last, len(row.cells))
		}
		last = row.number
		for i := range row.cells {
			c := &row.cells[i]
			if c.Kind == converter.EmptyCell && c.Format == "" && c.Text == "" {
				continue
			}
			if !utf8.ValidString(c.Text) || c.Kind == converter.EmptyCell || c.Text == "" || (c.Kind == converter.DateCell) != (c.Format != "") {
				t.Fatalf("row %d: %+v", row.number, *c)
			}
			if (c.Kind == converter.NumberCell || c.Kind == converter.DateCell) && strings.Trim(c.Text, "-0123456789.") != "" {
				t.Fatalf("row %d: the number %q", row.number, c.Text)
			}
			cells = append(cells, fmt.Sprintf("%s%d %v %s %s", letters(i), row.number, c.Kind, c.Text, c.Format))
		}
	}
}
