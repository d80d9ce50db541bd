package source

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// delimiters in the order of preference.
const delimiters = ",;\t|"

// openCSV settles encoding, delimiter and header of a CSV. head is the
// beginning of what open gives, size about how much that is.
func (f *File) openCSV(head []byte, size int64, open func() (io.Reader, error)) error {
	if d := resultsDelimiter(head); d != 0 {
		// The first file's header row, delimiter and encoding are not those of its results.
		f.opt.HeaderRow, f.opt.Delimiter = 0, string(d)
		if utf8.Valid(head[:len(head)-cutRune(head)]) {
			f.opt.Encoding = ""
		}
	}
	delim, err := namedDelimiter(f.opt.Delimiter)
	if err != nil {
		return err
	}
	cs, note, err := findCharset(head, f.opt.Encoding)
	if err != nil {
		return err
	}
	if note != "" {
		f.info.Notes = append(f.info.Notes, note)
	}
	f.info.Format, f.info.Encoding = "csv", cs.name

	text, err := cs.reader(bytes.NewReader(head))
	if err != nil {
		return err
	}
	sample, err := io.ReadAll(text)
	if err != nil {
		return err
	}
	// Programs that join exports leave a byte order mark at each seam.
	marks := len(sample) - len(bytes.TrimLeft(sample, "\ufeff"))
	line, told := sepLine(sample[marks:])
	skip := marks + line
	sample = sample[skip:]
	if delim == 0 {
		delim = told
	}
	if delim == 0 {
		delim = f.findDelimiter(sample, len(head) < sampleSize)
	}
	f.info.Delimiter = string(delim)

	f.raw = func() (rowReader, error) {
		r, err := open()
		if err != nil {
			return nil, err
		}
		// Every pass decodes with a step of its own, since steps may have state.
		cs, _, err := findCharset(head, f.opt.Encoding)
		if err != nil {
			return nil, err
		}
		text, err := cs.reader(r)
		if err != nil {
			return nil, err
		}
		s := newCSVReader(text, size, delim, cs.name)
		s.name = f.column
		if skip > 0 {
			if _, err := io.CopyN(io.Discard, text, int64(skip)); err != nil {
				return nil, err
			}
		}
		if line > 0 {
			s.line++ // no spreadsheet shows or counts the line sep=, editors do
		}
		return s, nil
	}
	r, err := f.raw()
	if err != nil {
		return err
	}
	defer r.close()
	h, err := f.findHeader(r, f.opt.HeaderRow)
	if err != nil {
		return err
	}
	return f.setHeader(h)
}

// resultsDelimiter is what stands between the names at the beginning of a
// results CSV, which a spreadsheet may have saved again; 0 for another file.
func resultsDelimiter(head []byte) byte {
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for _, d := range []byte(delimiters) {
		for _, names := range [][]string{ResultColumns[:ResultsBefore], firstColumns} {
			if bytes.HasPrefix(text, []byte(strings.Join(names, string(d))+string(d))) {
				return d
			}
		}
	}
	return 0
}

// cutRune is how many bytes at the end begin a character that is cut off there.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if utf8.RuneStart(b[len(b)-n]) {
			if utf8.FullRune(b[len(b)-n:]) {
				return 0
			}
			return n
		}
	}
	return 0
}

func namedDelimiter(s string) (byte, error) {
	switch strings.ToLower(s) {
	case "":
		return 0, nil
	case ",", ";", "\t", "|":
		return s[0], nil
	case "tab", `\t`:
		return '\t', nil
	}
	return 0, &Error{Code: codeDelimiter, Msg: fmt.Sprintf("%q is no delimiter that can be read", s),
		Hint: `use one of , ; | or tab`}
}

// sepLine finds the line "sep=;" with which a CSV may tell a spreadsheet its
// delimiter, and gives its length with the line break.
func sepLine(text []byte) (int, byte) {
	if len(text) < 6 || !bytes.EqualFold(text[:4], []byte("sep=")) || !strings.ContainsRune(delimiters, rune(text[4])) {
		return 0, 0
	}
	switch {
	case text[5] == '\n':
		return 6, text[4]
	case text[5] == '\r' && len(text) > 6 && text[6] == '\n':
		return 7, text[4]
	case text[5] == '\r':
		return 6, text[4]
	}
	return 0, 0
}

// findDelimiter tries each delimiter on the beginning of the file. One that
// gives the header two or more cells is possible; of those the rows below
// decide, by how many of them have as many cells as the header; among equals
// the one with more columns wins.
func (f *File) findDelimiter(sample []byte, all bool) byte {
	best, bestFit, bestCols := byte(','), -1.0, 1
	for _, d := range []byte(delimiters) {
		r := newSampleReader(sample, d, f.info.Encoding)
		h, err := f.findHeader(r, f.opt.HeaderRow)
		if err != nil || len(h.cells) < 2 {
			continue
		}
		r = newSampleReader(sample, d, f.info.Encoding)
		rows, fit := 0, 0
		for rows < 100 {
			row, err := r.next()
			if err != nil {
				break
			}
			if row.number <= h.number {
				continue
			}
			if !all && r.pos == r.end {
				break // the sample may end inside this row
			}
			rows++
			if len(row.cells) == len(h.cells) {
				fit++
			}
		}
		share := 0.0
		if rows > 0 {
			share = float64(fit) / float64(rows)
		}
		cols := len(h.cells)
		const near = 0.1 // a few ragged rows do not decide
		if share > bestFit+near || (share > bestFit-near && cols > bestCols) {
			best, bestFit, bestCols = d, share, cols
		}
	}
	return best
}
