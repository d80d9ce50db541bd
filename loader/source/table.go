package source

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"leadload/converter"
	"leadload/internal/fault"
)

// table is where the columns are.
type table struct {
	row        int      // of the header
	first      int      // the column of the first name in names
	names      []string // without those of a results file
	cells      int      // CSV: how many cells the header has, nameless ones at its end included
	begin, end int      // the columns that are read, those of a results file included
	places     []int    // results file: the column of each of ResultColumns
	types      int      // results CSV: the column of TypesColumn; 0: there is none
	own        int      // results file: how many names stand together from first on; the others were added behind ours
}

// at is the column of the i-th name.
func (t *table) at(i int) int {
	if t.places == nil || i < t.own {
		return t.first + i
	}
	return t.behind() + i - t.own
}

// behind is the first column that somebody added behind those of a results file.
func (t *table) behind() int { return max(t.places[len(t.places)-1], t.types) + 1 }

// index is the place of a column among the names, or -1.
func (t *table) index(col int) int {
	if i := col - t.first; i >= 0 && i < t.own {
		return i
	}
	if t.places != nil && col >= max(t.behind(), t.first+t.own) && col < t.end {
		return t.own + col - t.behind()
	}
	return -1
}

// pass goes once over the rows below the header.
type pass struct {
	f     *File
	raw   rowReader
	row   Row
	cells []converter.Cell // a short row, padded
	own   []converter.Cell // of a results file with columns added behind ours
	out   []converter.Cell // Row.Outcome
	texts *textKeeper      // keeps the cells' texts; nil where the reader does, or nobody asks
}

// textKeeper keeps copies of texts, many in one piece of memory.
type textKeeper struct{ chunk []byte }

const textChunk = 64 << 10

func (t *textKeeper) keep(s string) string {
	if s == "" {
		return ""
	}
	if len(t.chunk)+len(s) > cap(t.chunk) {
		t.chunk = make([]byte, 0, max(textChunk, len(s)))
	}
	from := len(t.chunk)
	t.chunk = append(t.chunk, s...)
	return view(t.chunk[from:])
}

func (p *pass) close() { p.raw.close() }

// next gives the next row with any content.
func (p *pass) next() (*Row, error) {
	t := &p.f.table
	from, to := t.first, t.end
	csv := p.f.info.Format == "csv"
	for {
		r, err := p.raw.next()
		if err != nil {
			return nil, err
		}
		if r.number <= t.row {
			continue
		}
		cells := r.cells
		n := len(cells)
		if n < to {
			p.cells = append(p.cells[:0], cells...)
			for len(p.cells) < to {
				p.cells = append(p.cells, converter.Cell{})
			}
			cells = p.cells
		}
		beyond := csv && n > t.cells && !empty(cells[t.cells:n])
		own := cells[from:to:to]
		if p.f.info.Results {
			own = p.ownCells(cells)
		}
		if !beyond && len(r.faults) == 0 && empty(own) {
			continue
		}
		if p.texts != nil {
			for i := range own {
				own[i].Text = p.texts.keep(own[i].Text)
			}
		}
		p.row = Row{Number: r.number, Line: r.line, Origin: r.number, Cells: own, Hidden: r.hidden}
		if csv && (beyond || n < to) {
			bad := p.bad()
			for bad.short < len(own) && t.at(bad.short) < n {
				bad.short++
			}
			if beyond {
				bad.extra = cells[max(to, t.types+1):n]
			}
			p.ragged(n, to, beyond)
		}
		for _, f := range r.faults {
			if f.err.Column == "" && f.col >= 0 {
				f.err.Column = p.f.column(f.col)
			}
			if i := t.index(f.col); i >= 0 {
				p.cellFault(i, f.err, f.err.Code == codeAfterQuote)
			} else if f.err.Code == codeAfterQuote || p.f.needed == nil || f.col < 0 {
				p.fault(f.err)
			}
		}
		if p.f.info.Results {
			p.out = p.out[:0]
			for _, at := range t.places {
				p.out = append(p.out, cells[at])
			}
			p.row.Outcome = p.out
			p.origin(&p.out[0])
			for i := range own {
				if csv && own[i].Kind == converter.TextCell {
					own[i].Text = unguard(own[i].Text)
				}
			}
			if t.types > 0 && t.types < len(cells) {
				letters := cells[t.types].Text
				for i := range min(len(own), len(letters)) {
					retype(&own[i], letters[i])
				}
			}
			p.marked(own)
		}
		return &p.row, nil
	}
}

// ownCells are the cells of the input's own columns in a row of a results file.
func (p *pass) ownCells(cells []converter.Cell) []converter.Cell {
	t := &p.f.table
	own := cells[t.first : t.first+t.own : t.first+t.own]
	if t.own == len(t.names) {
		return own
	}
	p.own = append(append(p.own[:0], own...), cells[t.at(t.own):t.end]...)
	return p.own
}

// fault reports what is wrong with the row as a whole.
func (p *pass) fault(e *Error) {
	e.Row, e.Line = p.row.Number, p.row.Line
	p.f.place(e)
	p.row.Faults = append(p.row.Faults, e)
	p.bad().at = append(p.bad().at, cellFault{-1, e.Code})
}

// bad returns what is noted of a row that something is wrong with.
func (p *pass) bad() *badRow {
	if p.row.bad == nil {
		p.row.bad = &badRow{}
	}
	return p.row.bad
}

// cellFault reports what is wrong with cell i of the row. Where the column is
// not needed, the row can be used in spite of it, unless the fault is one of
// the row, such as a stray quote that may have moved cells.
func (p *pass) cellFault(i int, e *Error, row bool) {
	if e.Column == "" {
		e.Column = p.f.column(p.f.table.at(i))
	}
	if n := p.f.needed; row || n == nil || i < len(n) && n[i] {
		e.Row, e.Line = p.row.Number, p.row.Line
		p.f.place(e)
		p.row.Faults = append(p.row.Faults, e)
	}
	p.bad().at = append(p.bad().at, cellFault{i, e.Code})
}

// ragged reports a row that has fewer or more cells than the header.
func (p *pass) ragged(n, want int, beyond bool) {
	has := func(n int) string {
		if n == 1 {
			return "1 cell"
		}
		return strconv.Itoa(n) + " cells"
	}
	if beyond {
		p.fault(&Error{Code: codeTooLong, Msg: fmt.Sprintf("the row has %s, the header has %d", has(n), p.f.table.cells),
			Hint: "a cell that holds the delimiter or a quote must be quoted; give the column a name if it is meant"})
		return
	}
	p.fault(&Error{Code: codeTooShort, Msg: fmt.Sprintf("the row has %s, the header has %d", has(n), max(want, p.f.table.cells)),
		Hint: "add the missing cells; a line break inside a cell must be within quotes"})
}

// column names a column for people: by its header, or its letter.
func (f *File) column(i int) string {
	t := &f.table
	if k := slices.Index(t.places, i); k >= 0 {
		return ResultColumns[k]
	}
	for k, name := range t.names {
		if name != "" && t.at(k) == i {
			return name
		}
	}
	return letters(i)
}

// letters is a spreadsheet's name for column i, counted from 0.
func letters(i int) string {
	var b [8]byte
	p := len(b)
	for i++; i > 0; i = (i - 1) / 26 {
		p--
		b[p] = byte('A' + (i-1)%26)
	}
	return string(b[p:])
}

// empty reports that no cell shows anything.
func empty(cells []converter.Cell) bool {
	for i := range cells {
		if !unseen(&cells[i]) {
			return false
		}
	}
	return true
}

func unseen(c *converter.Cell) bool {
	switch c.Kind {
	case converter.EmptyCell:
		return true
	case converter.TextCell:
		// The first byte settles nearly every cell.
		if b := c.Text[0]; b > ' ' && b < 0x7f {
			return false
		}
		for _, r := range c.Text {
			if !unicode.IsSpace(r) && !invisible(r) {
				return false
			}
		}
		return true
	}
	return false
}

// invisible are characters without a glyph: controls, zero-width characters
// and marks of direction.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// headerLook is how many rows below a lone title are searched for the table.
const headerLook = 20

// findHeader finds the header among the rows of r: the row asked for, or the
// first with any text. Lone cells above a table are its title: one or more
// rows of one cell, then a row of at least two names, then a row of at least
// two cells. Anything less clear leaves the first row the header, and the
// caller can be told the right one.
func (f *File) findHeader(r rowReader, want int) (*rawRow, error) {
	if want < 0 {
		return nil, &Error{Code: codeHeaderRow, Msg: fmt.Sprintf("the header row is given as %d", want),
			Hint: "count rows from 1, or leave it out"}
	}
	var first, second *rawRow
	looked := 0
	for {
		row, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if want > 0 {
			if row.number < want {
				continue
			}
			if row.number > want || empty(row.cells) {
				return nil, f.noHeader(want)
			}
			return keep(row), nil
		}
		filled, names := 0, 0
		text := false
		for i := range row.cells {
			c := &row.cells[i]
			if unseen(c) {
				continue
			}
			filled++
			text = text || c.Kind == converter.TextCell || len(row.faults) > 0
			if c.Kind == converter.TextCell && strings.ContainsFunc(c.Text, unicode.IsLetter) {
				names++
			}
		}
		switch {
		case filled == 0:
			continue
		case first == nil:
			if !text {
				continue
			}
			first = keep(row)
			if filled > 1 {
				return first, nil
			}
			continue
		}
		looked++
		if second != nil {
			if filled > 1 {
				return second, nil
			}
			return first, nil
		}
		if filled > 1 {
			if names < 2 || names*3 < filled*2 {
				return first, nil // more like data than like names
			}
			second = keep(row)
		}
		if looked >= headerLook {
			break
		}
	}
	if want > 0 {
		return nil, f.noHeader(want)
	}
	if first == nil {
		if f.info.Sheet != "" {
			return nil, &Error{Code: codeSheetEmpty, Msg: "the sheet has no row with any text",
				Hint: "name the sheet that holds the data"}
		}
		return nil, &Error{Code: codeEmpty, Msg: "the file has no row with any text", Hint: "export it again with a header row"}
	}
	return first, nil
}

func (f *File) noHeader(want int) error {
	return &Error{Code: codeHeaderRow, Place: fault.Place{Row: want}, Msg: "the header is said to be here, but the row is empty or not there",
		Hint: "count rows as the spreadsheet shows them, blank ones too"}
}

// keep copies a row out of its reader's buffer.
func keep(r *rawRow) *rawRow {
	row := Row{Cells: r.cells}
	return &rawRow{number: r.number, line: r.line, cells: row.Clone().Cells, faults: r.faults, hidden: r.hidden}
}

// setHeader makes the table from its header row.
func (f *File) setHeader(h *rawRow) error {
	if len(h.faults) > 0 {
		x := h.faults[0]
		e := *x.err
		if e.Column == "" && x.col >= 0 {
			e.Column = letters(x.col)
		}
		if e.Code == codeBytes || e.Code == codeNUL {
			e.Code = codeHeaderBytes
		} else {
			e.Code = codeHeaderQuote
		}
		e.Msg = "the header cannot be read: " + e.Msg
		return &e
	}
	t := &f.table
	t.row, t.cells = h.number, len(h.cells)
	names := make([]string, len(h.cells))
	last := -1
	t.first = -1
	for i := range h.cells {
		names[i] = cleanName(h.cells[i].Text)
		if names[i] != "" {
			last = i
			if t.first < 0 {
				t.first = i
			}
		}
	}
	if t.first < 0 {
		return f.noHeader(h.number)
	}
	t.names = names[t.first : last+1]
	t.begin, t.end, t.own = t.first, last+1, len(t.names)
	if places, from, to, ok := resultPlaces(t.names); ok {
		f.info.Results = true
		for i := range places {
			places[i] += t.first
		}
		t.places, t.own = places, to-from
		if n := t.behind(); f.info.Format == "csv" && n < t.end && t.names[n-t.first] == TypesColumn {
			t.types = n
		}
		added := t.names[min(max(to, t.behind()-t.first), len(t.names)):]
		t.names = append(t.names[from:to:to], added...)
		t.first += from
		for i, n := range t.names {
			if f.info.Format == "csv" {
				t.names[i] = unguard(n)
			}
		}
		if n := len(t.names); f.info.Format == "csv" && n > 1 && t.names[n-1] == TypesColumn {
			t.names = t.names[:n-1]
			t.types = t.first + n - 1
		}
	}
	f.info.HeaderRow = t.row
	if t.row > 1 {
		f.info.Notes = append(f.info.Notes, fmt.Sprintf("the header is in row %d; what stands above it is not read", t.row))
	}
	return nil
}

// cleanName is a column's name as a mapping refers to it: trimmed, line
// breaks and tabs made single spaces, invisible characters left out.
func cleanName(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	rs := []rune(s)
	gap := false // a run of blanks with a line break or tab in it is one space
	for i := 0; i < len(rs); i++ {
		r := rs[i]
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			gap = true
		case unicode.IsSpace(r):
			j := i
			for j < len(rs) && unicode.IsSpace(rs[j]) {
				if strings.ContainsRune("\n\r\t\v\f\u2028\u2029\u0085", rs[j]) {
					gap = true
				}
				j++
			}
			if !gap {
				b.WriteString(strings.Repeat(" ", j-i))
			}
			i = j - 1
		case (r == '\u200c' || r == '\u200d') && i > 0 && i+1 < len(rs) && joins(rs[i-1]) && joins(rs[i+1]):
			b.WriteRune(r) // spells words in Persian and Indic scripts
		case invisible(r):
		default:
			if gap {
				b.WriteByte(' ')
				gap = false
			}
			b.WriteRune(r)
		}
	}
	return strings.TrimSpace(b.String())
}

// joins reports a letter or mark of a script in which joiners have meaning.
func joins(r rune) bool { return r >= 0x0600 && (unicode.IsLetter(r) || unicode.IsMark(r)) }
