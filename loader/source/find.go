package source

import (
	"slices"

	"leadload/converter"
)

// Place is a row that has names of columns.
type Place struct {
	Sheet  string // "" for CSV
	Row    int    // as the spreadsheet counts
	Found  int    // how many of the names it has; 0: no row has any
	Chosen bool   // the row is the sheet's header without being told
}

// What is looked through for the columns of a mapping.
const (
	findSheets = 30
	findRows   = 60
)

// Find looks for the row that has most of the names, among the first rows of
// the file's sheets. It is for a message, so that a sheet which cannot be read
// is left out.
func (f *File) Find(names []string) Place {
	var best Place
	look := func(sheet string, open func() (rowReader, error)) {
		r, err := open()
		if err != nil {
			return
		}
		defer r.close()
		for range findRows {
			row, err := r.next()
			if err != nil {
				break
			}
			found := 0
			for _, name := range names {
				if slices.ContainsFunc(row.cells, func(c converter.Cell) bool { return c.Kind == converter.TextCell && cleanName(c.Text) == name }) {
					found++
				}
			}
			if found > best.Found {
				best = Place{Sheet: sheet, Row: row.number, Found: found}
			}
		}
		if best.Sheet != sheet || best.Found == 0 {
			return
		}
		again, err := open()
		if err != nil {
			return
		}
		defer again.close()
		h, err := f.findHeader(again, 0)
		best.Chosen = err == nil && h.number == best.Row
	}
	if f.book == nil {
		look("", f.raw)
		return best
	}
	n := 0
	for _, s := range f.book.sheets {
		if s.kind != "worksheet" || s.part == "" {
			continue
		}
		if n++; n > findSheets {
			break
		}
		look(s.name, func() (rowReader, error) { return f.book.open(s) })
	}
	return best
}
