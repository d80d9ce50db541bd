package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// What a sheet can hold; anything beyond is damage.
const maxRows = 1048576

// sheetReader scans the rows of one sheet. Numbers and inline texts are views
// of the buffer, shared texts views of the arena, so that a row costs no
// allocation.
type sheetReader struct {
	w    *workbook
	part string
	name string // of the sheet
	rc   io.Closer
	x    xmlScanner

	number int // the last row
	first  int // the columns that matter; n < 0: all
	n      int
	done   bool

	row        rawRow
	most       int // cells of the last row, which must be emptied
	hiddenCols []string
	merged     []area        // still to come, in the order of their rows
	values     []mergedValue // of the merged cells that this row has
	arrays     []area        // of array formulas whose results may be stand-ins
}

func (w *workbook) open(s sheet) (*sheetReader, error) {
	rc, p, err := w.part(s.part)
	if err != nil {
		return nil, err
	}
	// The archive's own limit is the size that it declares; part has looked at that.
	r := &sheetReader{w: w, part: p.Name, name: s.name, rc: rc, x: xmlScanner{r: rc, size: p.UncompressedSize64}, n: -1}
	if err := r.prolog(); err != nil {
		rc.Close()
		return nil, r.damage(err)
	}
	return r, nil
}

func (s *sheetReader) columns(first, n int) {
	s.first, s.n = first, n
	s.merged = s.w.ofTable(s.w.merged)
}

func (s *sheetReader) close() { s.rc.Close() }

func (s *sheetReader) notes() []string {
	if len(s.hiddenCols) == 0 {
		return nil
	}
	return []string{"hidden columns are read as well: " + strings.Join(s.hiddenCols, ", ")}
}

// damage gives err a place. What is an *Error has one.
func (s *sheetReader) damage(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	e = damaged(s.part, err).(*Error)
	if s.number > 0 {
		e.Msg += fmt.Sprintf(", after row %d", s.number)
	}
	return e
}

// prolog reads up to the first row.
func (s *sheetReader) prolog() error {
	closed := false
	if err := s.x.piece(func(b []byte) (int, error) { return root(b, "worksheet", &closed) }); err != nil {
		return err
	}
	if closed {
		s.done = true
		return s.x.rest("/")
	}
	ready := false
	for !ready {
		err := s.x.piece(func(b []byte) (int, error) {
			i, err := tagStart(b, 0)
			if err != nil {
				return 0, err
			}
			t, after, err := tagAt(b, i)
			if err != nil {
				return 0, err
			}
			switch name := string(t.name); {
			case t.end && name == "worksheet":
				s.done, ready = true, true
				n, _, err := tagEnd(b, after)
				return n, err
			case t.end:
				return 0, fmt.Errorf("</%s> stands where it does not belong", name)
			case name == "sheetData":
				n, closed, err := tagEnd(b, after)
				if err == nil {
					s.done, ready = closed, true
				}
				return n, err
			case name == "cols":
				n, err := skip(b, after)
				if err == nil {
					s.hiddenCols = hiddenColumns(b[after:n])
				}
				return n, err
			}
			return skip(b, after)
		})
		if err != nil {
			return err
		}
	}
	if s.done {
		return s.x.rest("worksheet")
	}
	return nil
}

// hiddenColumns lists the letters of the columns that the sheet hides.
func hiddenColumns(b []byte) []string {
	var out []string
	for {
		k := bytes.IndexByte(b, '<')
		if k < 0 {
			return out
		}
		t, i, err := tagAt(b, k)
		if err != nil {
			return out
		}
		from, to, hidden := 0, 0, false
		for {
			name, value, next, _, err := attr(b, i)
			if err != nil {
				return out
			}
			i = next
			if name == nil {
				break
			}
			switch string(name) {
			case "min":
				from, _ = number(value)
			case "max":
				to, _ = number(value)
			case "hidden":
				hidden = truth(value)
			}
		}
		b = b[i:]
		if string(t.name) != "col" || !hidden || from < 1 || to < from {
			continue
		}
		if from == to {
			out = append(out, letters(from-1))
		} else {
			out = append(out, letters(from-1)+"–"+letters(min(to, maxColumns)-1))
		}
	}
}

func truth(b []byte) bool { return string(b) == "1" || string(b) == "true" }

// number reads a small whole number of XML attributes.
func number(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// next gives the next row that the sheet holds, with or without cells.
func (s *sheetReader) next() (*rawRow, error) {
	if s.done {
		return nil, io.EOF
	}
	// Not through piece: a closure for each row would be an allocation.
	for {
		n, err := s.scan(s.x.buf[s.x.pos:s.x.end])
		if err == nil && s.x.pos < s.x.suspect && !validXML(s.x.buf[s.x.pos:s.x.pos+n]) {
			err = errBytes
		}
		if err == nil {
			s.x.pos += n
			break
		}
		if err == errPartial {
			err = s.x.fill()
		}
		if err != nil {
			return nil, s.damage(err)
		}
	}
	if s.done {
		if err := s.behindRows(); err != nil {
			return nil, s.damage(err)
		}
		return nil, io.EOF
	}
	s.number = s.row.number
	if len(s.merged) > 0 || len(s.values) > 0 {
		s.fillMerged()
	}
	return &s.row, nil
}

// scan reads one row, or the end of all rows.
func (s *sheetReader) scan(b []byte) (int, error) {
	s.x.scratch = s.x.scratch[:0]
	i := 0
	for {
		var err error
		if i, err = tagStart(b, i); err != nil {
			return 0, err
		}
		t, after, err := tagAt(b, i)
		if err != nil {
			return 0, err
		}
		i = after
		if t.end {
			if string(t.name) != "sheetData" {
				return 0, fmt.Errorf("</%s> stands where it does not belong", t.name)
			}
			n, _, err := tagEnd(b, i)
			s.done = err == nil
			return n, err
		}
		if string(t.name) == "row" {
			break
		}
		if i, err = skip(b, i); err != nil {
			return 0, err
		}
	}
	row := &s.row
	row.number, row.hidden, row.faults = s.number+1, false, nil
	closed := false
	for {
		name, value, next, c, err := attr(b, i)
		if err != nil {
			return 0, err
		}
		i = next
		if name == nil {
			closed = c
			break
		}
		switch string(name) {
		case "r":
			n, ok := number(value)
			if !ok || n < 1 || n > maxRows {
				return 0, fmt.Errorf("it has a row numbered %q", value)
			}
			row.number = n
		case "hidden":
			row.hidden = truth(value)
		}
	}
	if row.number <= s.number {
		return 0, &Error{Code: codeRowOrder, Place: fault.Place{Row: row.number}, Msg: fmt.Sprintf("the row stands after row %d: the sheet's rows are out of order or there twice", s.number),
			Hint: "open the workbook in Excel or LibreOffice, look at these rows, and save it again"}
	}
	if row.number > maxRows {
		return 0, errors.New("it has more rows than a sheet can hold")
	}
	cells := row.cells[:cap(row.cells)]
	clear(cells[:s.most])
	last := -1
	for !closed {
		var (
			t     tag
			after int
			err   error
		)
		if i, err = tagStart(b, i); err != nil {
			return 0, err
		}
		// <c and </row are nearly all there is.
		if i+2 < len(b) && b[i+1] == 'c' && b[i+2] <= ' ' {
			after = i + 2
		} else {
			if t, after, err = tagAt(b, i); err != nil {
				return 0, err
			}
			if t.end {
				if string(t.name) != "row" {
					return 0, fmt.Errorf("<row> is closed by <%s>", t.name)
				}
				if i, _, err = tagEnd(b, after); err != nil {
					return 0, err
				}
				break
			}
			if string(t.name) != "c" {
				if i, err = skip(b, after); err != nil {
					return 0, err
				}
				continue
			}
		}
		var c storedCell
		if i, err = s.x.cell(b, after, &c); err != nil {
			return 0, err
		}
		col := last + 1
		if c.ref != nil {
			var r int
			var ok bool
			if col, r, ok = reference(c.ref); !ok {
				return 0, fmt.Errorf("in row %d it has a cell named %q", row.number, c.ref)
			}
			if r != row.number {
				return 0, s.outOfOrder(row.number, col, fmt.Sprintf("the cell names itself %s, but stands in row %d", c.ref, row.number))
			}
		}
		if col <= last {
			return 0, s.outOfOrder(row.number, col, "the row's cells are out of order or there twice")
		}
		if col >= maxColumns {
			return 0, fmt.Errorf("row %d has more cells than a row can hold", row.number)
		}
		last = col
		if c.array != nil && s.w.recalc {
			s.noteArray(c.array)
		}
		if s.n >= 0 && (col < s.first || col >= s.first+s.n) {
			continue
		}
		for col >= len(cells) {
			cells = append(cells, converter.Cell{})
			cells = cells[:cap(cells)]
			row.cells = cells[:0]
		}
		s.most = max(s.most, col+1)
		if err := s.value(&c, col, &cells[col]); err != nil {
			return 0, err
		}
	}
	n := last + 1
	if s.n >= 0 {
		n = s.first + s.n
		for n > len(cells) {
			cells = append(cells, converter.Cell{})
			cells = cells[:cap(cells)]
		}
	}
	row.cells = cells[:n]
	return i, nil
}

func (s *sheetReader) outOfOrder(row, col int, msg string) error {
	return &Error{Code: codeCellOrder, Place: fault.Place{Row: row, Column: s.w.f.column(col)}, Msg: msg,
		Hint: "open the workbook in Excel or LibreOffice, look at this row, and save it again"}
}
