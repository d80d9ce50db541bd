package source

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// Merged cells stand behind the rows of a sheet, and their value in the first
// cell alone. A sheet of ordinary size is looked through for them before its
// rows are read, so that each row of a merged column gets the value that people
// see there. In a larger one, which that would slow down, they end the reading.

// mergedLook is the size up to which a sheet is looked through twice.
var mergedLook uint64 = 16 << 20

// maxMerged bounds how many merged cells are kept: about as many as fit into a
// sheet of mergedLook.
const maxMerged = 500_000

// mergeFinder collects the merged cells from the text of a sheet, which it is
// given piece by piece.
type mergeFinder struct {
	found  []area
	behind bool   // the rows have ended
	rest   []byte // the beginning of a tag
}

var (
	rowsEnd   = []byte("sheetData>")
	mergeName = []byte("mergeCell ")
	refName   = []byte("ref=")

	// maxPrefix is how long the prefix of an element's name is taken to be.
	maxPrefix = 40
)

func (m *mergeFinder) Write(b []byte) (int, error) {
	n := len(b)
	if len(m.rest) > 0 {
		b = append(m.rest, b...)
	}
	for !m.behind {
		k := bytes.Index(b, rowsEnd)
		if k < 0 {
			m.keep(b, len(rowsEnd)+maxPrefix)
			return n, nil
		}
		// </sheetData> or </x:sheetData>, not the tag that begins the rows.
		from := k
		for from > 0 && k-from < maxPrefix && b[from-1] != '<' && b[from-1] != '/' {
			from--
		}
		m.behind, b = from > 0 && b[from-1] == '/', b[k+len(rowsEnd):]
	}
	for {
		k := bytes.Index(b, mergeName)
		if k < 0 {
			m.keep(b, len(mergeName)-1)
			return n, nil
		}
		end := bytes.IndexByte(b[k:], '>')
		if end < 0 {
			m.keep(b, min(len(b)-k, 4096))
			return n, nil
		}
		tag := b[k : k+end]
		b = b[k+end:]
		at := bytes.Index(tag, refName)
		if at < 0 || len(tag) <= at+len(refName) {
			continue
		}
		ref := tag[at+len(refName)+1:]
		if q := bytes.IndexByte(ref, tag[at+len(refName)]); q >= 0 && len(m.found) < maxMerged {
			if a, ok := parseArea(ref[:q]); ok {
				m.found = append(m.found, a)
			}
		}
	}
}

func (m *mergeFinder) keep(b []byte, n int) {
	m.rest = append(m.rest[:0:0], b[max(0, len(b)-n):]...)
}

// findMerged looks a sheet through for merged cells, unless it is too large.
func (w *workbook) findMerged(s sheet) error {
	rc, p, err := w.part(s.part)
	if err != nil {
		return err
	}
	defer rc.Close()
	if p.UncompressedSize64 > mergedLook {
		w.unlooked = true
		return nil
	}
	var m mergeFinder
	if _, err := io.Copy(&m, rc); err != nil {
		return damaged(p.Name, err)
	}
	w.merged = m.found
	slices.SortStableFunc(w.merged, func(a, b area) int { return cmp.Compare(a.top, b.top) })
	return nil
}

// ofTable leaves the merged cells that matter: below the header, in columns of
// the table.
func (w *workbook) ofTable(all []area) []area {
	t := &w.f.table
	return slices.DeleteFunc(slices.Clone(all), func(a area) bool {
		return a.top <= t.row || a.right < t.first || a.left >= t.end
	})
}

// mergedNote says which merged cells are read how; "" for none.
func (w *workbook) mergedNote() string {
	all := w.ofTable(w.merged)
	if len(all) == 0 {
		return ""
	}
	return "merged cells: " + w.describe(all) + "; the value of the first one counts for each row"
}

// describe lists a handful of merged cells by column and rows.
func (w *workbook) describe(all []area) string {
	const most = 5
	var out []string
	for _, a := range all[:min(len(all), most)] {
		name := fmt.Sprintf("%q", w.f.column(a.left))
		if a.right > a.left {
			name += fmt.Sprintf(" to %q", w.f.column(a.right))
		}
		if a.bottom > a.top {
			name += fmt.Sprintf(" in rows %d–%d", a.top, a.bottom)
		} else {
			name += fmt.Sprintf(" in row %d", a.top)
		}
		out = append(out, name)
	}
	if n := len(all) - most; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}

// mergedValue is the value of merged cells while their rows are read.
type mergedValue struct {
	area
	cell converter.Cell
}

// fillMerged gives the cells of a row that are merged with one above them its
// value. A cell that is merged with one at its left has no value of its own and
// becomes a fault. A row that has nothing but merged cells stays as it is: it
// is a title among the rows, or blank.
func (s *sheetReader) fillMerged() {
	row := &s.row
	s.values = slices.DeleteFunc(s.values, func(v mergedValue) bool { return v.bottom < row.number })
	for len(s.merged) > 0 && s.merged[0].top <= row.number {
		a := s.merged[0]
		s.merged = s.merged[1:]
		if a.bottom < row.number {
			continue
		}
		v := mergedValue{area: a}
		if a.top == row.number && a.left < len(row.cells) {
			v.cell = row.cells[a.left]
			v.cell.Text = strings.Clone(v.cell.Text)
		}
		s.values = append(s.values, v)
	}
	if len(s.values) == 0 {
		return
	}
	others := slices.IndexFunc(row.cells, func(c converter.Cell) bool { return !unseen(&c) })
	for ; others >= 0 && others < len(row.cells); others++ {
		if !unseen(&row.cells[others]) && !slices.ContainsFunc(s.values, func(v mergedValue) bool { return others >= v.left && others <= v.right }) {
			break
		}
	}
	if others < 0 || others == len(row.cells) {
		return
	}
	for _, v := range s.values {
		for col := max(v.left, s.first); col <= v.right && col < len(row.cells); col++ {
			c := &row.cells[col]
			switch {
			case !unseen(c):
			case col == v.left:
				*c = v.cell
			default:
				*c = converter.Cell{Kind: converter.FaultCell, Text: markMerged}
				row.faults = append(row.faults, rawFault{col, &Error{Code: codeMerged,
					Msg:  fmt.Sprintf("the cell is merged with %s%d, so that it has no value of its own", letters(v.left), v.top),
					Hint: "unmerge the cells in the spreadsheet and fill in each one"}})
			}
			s.most = max(s.most, col+1)
		}
	}
}

// unseenMerged reports merged cells that came to light behind the rows of a
// sheet which was not looked through for them: the rows that were read lack
// their value.
func (s *sheetReader) unseenMerged(found []area) error {
	f := s.w.f
	bad := slices.DeleteFunc(s.w.ofTable(found), func(a area) bool {
		for col := a.left; col <= a.right; col++ {
			if i := f.table.index(col); i >= 0 && (f.needed == nil || f.needed[i]) {
				return false
			}
		}
		return true
	})
	if len(bad) == 0 {
		return nil
	}
	return &Error{Code: codeMergedSheet, Place: fault.Place{Row: bad[0].top}, Msg: "the sheet has merged cells: " + s.w.describe(bad),
		Hint: "unmerge them in the spreadsheet and fill in each cell; in a sheet of this size they are not filled in"}
}

// behindRows reads the rest of the sheet behind its rows.
func (s *sheetReader) behindRows() error {
	if !s.w.unlooked || s.n < 0 {
		return s.x.rest("worksheet")
	}
	m := mergeFinder{behind: true}
	s.x.watch = &m
	if err := s.x.rest("worksheet"); err != nil {
		return err
	}
	return s.unseenMerged(m.found)
}
