package reports

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"leadload/converter"
	"leadload/loader/ledger"
)

// sheetRows is how many rows below the header fit on one sheet of Excel.
var sheetRows = 1_048_575

// sampleRows is how many rows are looked at before the columns get their widths; fewer
// where they have more than sampleCells.
var sampleRows, sampleCells = 500, 128 << 10

// maxColumns is how many columns a sheet of Excel has.
var maxColumns = 16384

// fittedColumns is how many columns get a width of their own: excelize takes
// time by the square of their number.
const fittedColumns = 250

// sheet is a streamed sheet with a header and one row for each line given to
// it. It goes on to a second sheet, "All rows (2)", when one is full.
type sheet struct {
	table
	book    *book
	header  []string                 // columns
	first   int                      // place of the input's first column
	own     int                      // how many columns of the input's there are
	order   []int                    // the input's columns in the order in which they are shown; nil: their own
	extra   func(*ledger.Row) string // text of the column before the input's; nil: there is none
	faulty  *faultFinder             // nil: no cells are marked
	notes   int                      // notes written
	sample  []line                   // waiting for the widths
	sampled int                      // cells of these
	trims   *trims                   // what could not be written as it was
	values  []any                    // of the row being written
}

// add takes the next line.
func (s *sheet) add(l line) error {
	if s.widths == nil {
		s.sample, s.sampled = append(s.sample, l), s.sampled+len(l.cells)
		if len(s.sample) < sampleRows && s.sampled < sampleCells {
			return nil
		}
		return s.begin()
	}
	return s.write(&l)
}

// begin fixes the widths and writes what has waited for them.
func (s *sheet) begin() error {
	s.widths = s.measure()
	s.arrange()
	if err := s.open(); err != nil {
		return err
	}
	for i := range s.sample {
		if err := s.write(&s.sample[i]); err != nil {
			return err
		}
	}
	s.sample = nil
	return nil
}

// finish begins a sheet that never filled its sample.
func (s *sheet) finish() error {
	if s.widths == nil {
		return s.begin()
	}
	return nil
}

// open starts the next sheet: what must be said before its rows.
func (s *sheet) open() error {
	sw, err := s.start(s.book.f)
	if err != nil {
		return err
	}
	// Rows that somebody adds below keep their leading zeros, too.
	if err := sw.SetColStyle(1, min(len(s.header), fittedColumns), s.book.styles.text); err != nil {
		return err
	}
	head := make([]any, len(s.header))
	for i, h := range s.header {
		style := s.book.styles.header
		if i >= s.first && i < s.first+s.own {
			style = s.book.styles.own
		}
		head[i] = excelize.Cell{StyleID: style, Value: s.trims.fit(h)}
	}
	return s.head(head, s.book.styles.text)
}

// write puts one line on the sheet.
func (s *sheet) write(l *line) error {
	if s.full() {
		if err := s.open(); err != nil {
			return err
		}
	}
	st, fit, row := s.book.styles, s.trims, &l.row
	s.values = s.values[:0]
	text := func(v string) {
		if v == "" {
			s.values = append(s.values, nil)
			return
		}
		s.values = append(s.values, fit.fit(v))
	}
	wrapped := func(v string) {
		if v == "" {
			s.values = append(s.values, nil)
			return
		}
		s.values = append(s.values, excelize.Cell{StyleID: st.wrapped, Value: fit.fit(v)})
	}
	s.values = append(s.values, excelize.Cell{StyleID: st.number, Value: origin(row)})
	text(row.Key)
	s.values = append(s.values, excelize.Cell{StyleID: st.results[row.Result], Value: row.Result.String()})
	wrapped(row.Error)
	wrapped(row.Hint)
	if s.extra != nil {
		wrapped(s.extra(row))
	}
	var marked []int
	if s.faulty != nil && len(l.cells) > 0 {
		marked = s.faulty.find(row)
	}
	for i := range s.own {
		if s.order != nil {
			i = s.order[i]
		}
		switch {
		case i >= len(l.cells):
			s.values = append(s.values, nil)
		case slices.Contains(marked, i):
			s.values = append(s.values, s.fault(&l.cells[i]))
		default:
			s.values = append(s.values, s.cell(&l.cells[i]))
		}
	}
	text(row.ID)
	text(row.LeadID)
	if row.Attempts > 0 {
		s.values = append(s.values, excelize.Cell{StyleID: st.number, Value: row.Attempts})
	} else {
		s.values = append(s.values, nil)
	}
	if row.SentAt.IsZero() {
		s.values = append(s.values, nil)
	} else {
		s.values = append(s.values, row.SentAt.UTC().Format(stamp))
	}
	last := len(s.parts) - 1
	if err := s.note(last, s.rows[last]+2, row, marked); err != nil {
		return err
	}
	return s.put(s.values, excelize.RowOpts{StyleID: st.text, Height: s.height(row)})
}

// maxNotes bounds the notes of a sheet. Each is a shape in a drawing, which
// spreadsheets open slowly; the fill and the error stand beside it anyway.
const maxNotes = 500

// note puts the error into a note at each marked cell.
func (s *sheet) note(part, n int, r *ledger.Row, marked []int) error {
	for _, i := range marked {
		if s.notes >= maxNotes {
			return nil
		}
		if s.order != nil {
			i = slices.Index(s.order, i)
		}
		if i < 0 || i >= s.own {
			continue
		}
		at, err := excelize.CoordinatesToCellName(s.first+i+1, n)
		if err != nil {
			return err
		}
		words := r.Error
		if r.Hint != "" {
			words += "\n→ " + r.Hint
		}
		words = s.trims.fit(cutRunes(words, 400))
		s.notes++
		if err := s.book.f.AddComment(s.names[part], excelize.Comment{
			Cell: at, Author: "leadload", Width: noteWidth, Height: uint(noteLine * (lines(words, noteWidth/noteChar) + 1)),
			Paragraph: []excelize.RichTextRun{{Text: words, Font: &excelize.Font{Family: "Calibri", Size: 10}}},
		}); err != nil {
			return err
		}
	}
	return nil
}

// The sizes of a note in pixels: its width, a character and a line.
const noteWidth, noteChar, noteLine = 320, 6, 17

// height is the row's height in points where it has a text of several lines;
// 0 leaves it as it is. Not every program finds it out by itself.
func (s *sheet) height(r *ledger.Row) float64 {
	n := 1
	fit := func(text string, column int) {
		if text != "" {
			n = max(n, lines(text, letters(s.widths[column])))
		}
	}
	fit(r.Error, colError)
	fit(r.Hint, colHint)
	if s.extra != nil {
		fit(s.extra(r), before)
	}
	return heightOf(n)
}

// heightOf is the height in points of a row of n lines; 0 leaves it as it is.
func heightOf(n int) float64 {
	if n <= 1 {
		return 0
	}
	return min(float64(n)*lineHeight, 400)
}

// lineHeight is the height of a line of text in points.
const lineHeight = 15

// fault is the value of a cell that is at fault: as cell returns it, filled.
func (s *sheet) fault(c *converter.Cell) any {
	st := s.book.styles
	switch v := s.cell(c).(type) {
	case nil:
		return excelize.Cell{StyleID: st.fault}
	case excelize.Cell:
		v.StyleID = st.filled(v.StyleID)
		return v
	default:
		return excelize.Cell{StyleID: st.fault, Value: v}
	}
}

// cell is the value of one of the input's cells: text as text, and a date as
// the same date with the same number format, so that the sheet converts as the
// input did. A number with decimals stays a number: as text, 1.234 would be
// read as one thousand and more where the mapping has a decimal comma.
func (s *sheet) cell(c *converter.Cell) any {
	switch c.Kind {
	case converter.EmptyCell:
		return nil
	case converter.DateCell:
		if v, ok := exactNumber(c.Text); ok {
			return excelize.Cell{StyleID: s.book.styles.date(c.Format), Value: v}
		}
	case converter.NumberCell:
		if v, ok := exactNumber(c.Text); ok && c.Format != "" {
			return excelize.Cell{StyleID: s.book.styles.date(c.Format), Value: v}
		} else if ok && strings.IndexByte(c.Text, '.') >= 0 {
			return excelize.Cell{StyleID: s.book.styles.plain, Value: v}
		}
		if v, ok := inexactWhole(c.Text); ok {
			return excelize.Cell{StyleID: s.book.styles.number, Value: v}
		}
	}
	if c.Text == "" {
		return nil
	}
	return s.trims.fit(c.Text)
}

// inexactWhole parses a whole number whose last digits may not be what was
// typed: one beyond 2^53, and one of 16 digits that ends in 0. It must stay a
// number, since a text of these digits would be taken for exact.
func inexactWhole(s string) (any, bool) {
	digits := strings.TrimPrefix(s, "-")
	if n := len(digits); strings.Trim(digits, "0123456789") != "" || n < 16 || n == 16 && digits < "9007199254740992" && digits[15] != '0' {
		return nil, false
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v, true
	}
	if v, err := strconv.ParseUint(s, 10, 64); err == nil {
		return v, true
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// exactNumber gives the number that s stands for if it is written back as s.
func exactNumber(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && strconv.FormatFloat(v, 'f', -1, 64) == s
}

// bounds are the least and greatest width of the fixed columns, in characters.
var bounds = [numColumns][2]int{
	colRow: {7, 10}, colKey: {8, 22}, colResult: {11, 14}, colError: {16, 46}, colHint: {16, 40},
	colID: {10, 38}, colLead: {10, 38}, colAttempts: {11, 11}, colSent: {12, 20},
}

// ownWidth bounds the width of an input's column.
const ownWidth = 30

// measure finds widths that fit the header and the sample, within bounds.
func (s *sheet) measure() []float64 {
	widest := make([]int, len(s.header))
	for i, h := range s.header {
		widest[i] = width(h) + 3 // the filter's arrow
	}
	grow := func(i int, text string) {
		if text != "" && i < len(widest) {
			widest[i] = max(widest[i], width(text)+2)
		}
	}
	for i := range s.sample {
		l := &s.sample[i]
		r := resultOf(&l.row)
		for k, v := range r.values() {
			grow(s.place(k), v)
		}
		if s.extra != nil {
			grow(before, s.extra(&l.row))
		}
		for k, c := range l.cells {
			if k == s.own {
				break
			}
			if c.Kind == converter.DateCell {
				grow(s.first+k, cmp.Or(c.Format, defaultDateFormat))
				continue
			}
			grow(s.first+k, c.Text)
		}
	}
	out := make([]float64, len(widest))
	for i, w := range widest {
		out[i] = float64(min(max(w, 8), ownWidth))
	}
	for k, b := range bounds {
		i := s.place(k)
		out[i] = float64(min(max(widest[i], b[0]), b[1]))
	}
	if s.extra != nil {
		out[before] = float64(min(max(widest[before], 8), 40))
	}
	return out
}

// place is the sheet's column of one of the fixed ones.
func (s *sheet) place(fixed int) int {
	if fixed < before {
		return fixed
	}
	return s.first + s.own + fixed - before
}

// screen is how many pixels of columns are seen on a laptop's 1366: the rest
// is the window's frame, the row numbers and the scroll bar.
const screen = 1300

// arrange puts the faulty columns before the others where not all of them
// would be seen beside the error. A mapping finds columns by their names, so
// the sheet loads all the same.
func (s *sheet) arrange() {
	if s.faulty == nil || s.own == 0 {
		return
	}
	count := make([]int, s.own)
	last := -1
	for i := range s.sample {
		if len(s.sample[i].cells) == 0 {
			continue
		}
		for _, k := range s.faulty.find(&s.sample[i].row) {
			if k < s.own {
				count[k]++
				last = max(last, k)
			}
		}
	}
	right := 0
	for _, w := range s.widths[:s.first+last+1] {
		right += int(w*7) + 5
	}
	if last < 0 || right <= screen {
		return
	}
	s.order = make([]int, s.own)
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return count[b] - count[a] })
	header, widths := slices.Clone(s.header), slices.Clone(s.widths)
	for i, k := range s.order {
		s.header[s.first+i], s.widths[s.first+i] = header[s.first+k], widths[s.first+k]
	}
}
