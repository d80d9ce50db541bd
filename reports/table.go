package reports

import (
	"fmt"
	"strconv"

	"github.com/xuri/excelize/v2"
)

// table is a sheet of rows in the making. Rows beyond what a sheet takes stand
// on further sheets, its parts, each with the header.
type table struct {
	title  string
	tab    string                   // colour, as AARRGGBB
	frozen int                      // columns from the left that stay in sight
	widths []float64                // of the columns, in characters; known before the first sheet is begun
	parts  []*excelize.StreamWriter // one a sheet
	names  []string                 // of the sheets
	rows   []int                    // written to each, without the header
}

// full is whether the next row needs a sheet that is not begun yet.
func (t *table) full() bool {
	last := len(t.parts) - 1
	return last < 0 || t.rows[last] == sheetRows
}

// total is the number of rows on all parts.
func (t *table) total() (n int) {
	for _, r := range t.rows {
		n += r
	}
	return n
}

// start begins the next sheet. Styles of columns come next, then head.
func (t *table) start(f *excelize.File) (*excelize.StreamWriter, error) {
	name := t.title
	if n := len(t.parts); n > 0 {
		name = fmt.Sprintf("%s (%d)", t.title, n+1)
	}
	if _, err := f.NewSheet(name); err != nil {
		return nil, err
	}
	fit := true
	if err := f.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit, TabColorRGB: &t.tab}); err != nil {
		return nil, err
	}
	// A stream cannot know its size at its start, and a wrong one makes some
	// readers stop too soon.
	if err := f.SetSheetDimension(name, ""); err != nil {
		return nil, err
	}
	part, err := f.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for i, w := range t.widths[:min(len(t.widths), fittedColumns)] {
		if err := part.SetColWidth(i+1, i+1, w); err != nil {
			return nil, err
		}
	}
	first, err := excelize.CoordinatesToCellName(t.frozen+1, 2)
	if err != nil {
		return nil, err
	}
	t.parts, t.names, t.rows = append(t.parts, part), append(t.names, name), append(t.rows, 0)
	return part, part.SetPanes(&excelize.Panes{Freeze: true, XSplit: t.frozen, YSplit: 1, TopLeftCell: first, ActivePane: "bottomRight"})
}

// head writes the header of the sheet begun last.
func (t *table) head(cells []any, style int) error {
	return t.parts[len(t.parts)-1].SetRow("A1", cells, excelize.RowOpts{Height: 21, StyleID: style})
}

// put writes a row on the sheet begun last.
func (t *table) put(cells []any, opts excelize.RowOpts) error {
	last := len(t.parts) - 1
	t.rows[last]++
	return t.parts[last].SetRow("A"+strconv.Itoa(t.rows[last]+1), cells, opts)
}

// pageWidth is how many characters are still readable across one printed page.
const pageWidth = 260

// close writes what stands behind the rows: the filter of the header and how
// the sheets are printed, each page with the header and the frozen columns. The
// order of the workbook's sheets must be final: filters and print titles are
// kept by the sheet's place.
func (t *table) close(f *excelize.File) error {
	if len(t.parts) == 0 {
		return nil
	}
	right, err := excelize.ColumnNumberToName(len(t.widths))
	if err != nil {
		return err
	}
	kept, err := excelize.ColumnNumberToName(t.frozen)
	if err != nil {
		return err
	}
	total := 0.0
	for _, w := range t.widths {
		total += w
	}
	landscape, a4, high, wide, over := "landscape", 9, 0, int(total/pageWidth)+1, "overThenDown"
	for i, name := range t.names {
		area := fmt.Sprintf("A1:%s%d", right, t.rows[i]+1)
		if err := f.AutoFilter(name, area, nil); err != nil {
			return err
		}
		// A text that looks like a number is meant; no green corner for it.
		if err := f.AddIgnoredErrors(name, area, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
			return err
		}
		if err := f.SetPageLayout(name, &excelize.PageLayoutOptions{
			Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high, PageOrder: &over,
		}); err != nil {
			return err
		}
		if err := setMargins(f, name); err != nil {
			return err
		}
		if err := f.SetDefinedName(&excelize.DefinedName{
			Name: "_xlnm.Print_Titles", Scope: name, RefersTo: fmt.Sprintf("'%s'!$A:$%s,'%s'!$1:$1", name, kept, name),
		}); err != nil {
			return err
		}
		if err := t.parts[i].Flush(); err != nil {
			return err
		}
	}
	return nil
}

// setMargins gives narrow margins and a foot that says which page this is.
func setMargins(f *excelize.File, name string) error {
	side, top, foot := 0.4, 0.5, 0.25
	if err := f.SetPageMargins(name, &excelize.PageLayoutMarginsOptions{
		Left: &side, Right: &side, Top: &top, Bottom: &top, Header: &foot, Footer: &foot,
	}); err != nil {
		return err
	}
	return f.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddFooter: "&L&F · &A&RPage &P of &N"})
}

// inOrder puts the sheets of a workbook in this order and shows the first.
func inOrder(f *excelize.File, names []string) error {
	for i := len(names) - 2; i >= 0; i-- {
		if err := f.MoveSheet(names[i], names[i+1]); err != nil {
			return err
		}
	}
	f.SetActiveSheet(0)
	return nil
}
