package reports

import (
	"context"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"

	"leadload/loader/ledger"
)

// The columns of the Summary: facts on the left, results in the middle, the
// chart on the right; the errors below use the same ones.
var overviewWidths = []float64{14, 50, 2, 18, 11, 9, 2, 66}

// overview is the Summary while it is written, an ordinary sheet.
type overview struct {
	f   *excelize.File
	err error // the first one
	// Styles.
	title, small, warn, link, head, headRight, value, count, countLeft, share, wrap, code, shell, next int
}

func (j *job) writeSummary(ctx context.Context, b *book, t *tally) error {
	errs, err := j.rows.Errors(ctx, j.Run.ID, topErrors)
	if err != nil {
		return err
	}
	o := newOverview(b)
	o.set("A1", j.headline(t), o.title)
	sub, look := j.title(), o.small
	if j.Run.Stop != "" {
		sub, look = sub+" · ended early: "+cutRunes(j.Run.Stop, 140), o.warn
	}
	if n := b.failed.total(); n > 0 {
		sub += " · " + counted(int64(n), "row") + " to look at: sheet Failed"
		if j.Run.Stop == "" {
			look = o.link
		}
		o.do(b.f.SetCellHyperLink(titleSummary, "A2", "'"+titleFailed+"'!A1", "Location"))
	}
	o.set("A2", b.trims.fit(sub), look)
	advice := b.trims.fit(j.advice(t, errs))
	o.across(3, advice, o.next)

	// Facts and results stand side by side from row 4.
	o.set("A4", "The run", o.head)
	o.set("B4", nil, o.head)
	row := 5
	for _, f := range j.facts() {
		o.set(at("A", row), f.name, o.small)
		o.set(at("B", row), f.value, o.value)
		row++
	}
	row = max(row, o.results(b, t), leastChart)
	if with := t.shown(); len(with) > 0 {
		o.chart(with, t, row-4)
	}
	row++
	if len(errs) > 0 {
		row = o.errors(row, errs) + 1
	}
	if len(j.Next) > 1 || len(j.Next) == 1 && !strings.HasSuffix(advice, j.Next[0]) {
		o.heading(row, "Commands")
		for _, c := range j.Next {
			row++
			o.across(row, b.trims.fit(c), o.shell)
		}
		row += 2
	}
	notes := append([]string{`Times in the column "Sent at" are UTC.`}, t.remarks(j.input != nil, b.trims)...)
	if n := b.moved.total(); n > 0 {
		notes = append(notes, fmt.Sprintf("The sheet %s lists %s: each value that changed, as the account had it and as the file has it.", titleChanges, counted(int64(n), "line")))
	}
	if n := b.gone.total(); n > 0 {
		notes = append(notes, fmt.Sprintf("The sheet %s lists %s of earlier runs that the file no longer has. Nothing was done about them.", titleRemoved, counted(int64(n), "row")))
	}
	notes = append(notes, j.Notes...)
	o.heading(row, "Notes")
	for _, n := range notes {
		row++
		o.across(row, b.trims.fit(n), o.wrap)
	}
	o.page(row)
	return o.err
}

func newOverview(b *book) *overview {
	o := &overview{f: b.f}
	add := func(s excelize.Style, a excelize.Alignment) int {
		if a.Vertical == "" {
			a.Vertical = "top"
		}
		s.Alignment = &a
		id, err := b.f.NewStyle(&s)
		o.do(err)
		return id
	}
	const dark, grey = "1F3864", "595959"
	plain, wrap, right := excelize.Alignment{}, excelize.Alignment{WrapText: true}, excelize.Alignment{Horizontal: "right"}
	big, link, shell := font(dark, true), font("1B456E", false), font("1F1F1F", false)
	big.Size, link.Underline, shell.Family = 16, "single", "Consolas"
	percent := "0.0%"
	o.title = add(excelize.Style{NumFmt: asText, Font: big}, excelize.Alignment{Vertical: "center"})
	o.small = add(excelize.Style{NumFmt: asText, Font: font(grey, false)}, plain)
	o.warn = add(excelize.Style{NumFmt: asText, Font: font(looks[ledger.ResultRejected].ink, true)}, plain)
	o.link = add(excelize.Style{NumFmt: asText, Font: link}, plain)
	o.head = add(excelize.Style{NumFmt: asText, Font: font("FFFFFF", true), Fill: solid(dark)}, plain)
	o.headRight = add(excelize.Style{NumFmt: 3, Font: font("FFFFFF", true), Fill: solid(dark)}, right)
	o.value = add(excelize.Style{NumFmt: asText}, excelize.Alignment{ShrinkToFit: true})
	o.count = add(excelize.Style{NumFmt: 3}, right)
	o.countLeft = add(excelize.Style{NumFmt: 3}, excelize.Alignment{Horizontal: "left"})
	o.share = add(excelize.Style{CustomNumFmt: &percent, Font: font(grey, false)}, right)
	o.next = add(excelize.Style{NumFmt: asText, Font: font(dark, true), Fill: solid("FFF2CC")}, excelize.Alignment{Vertical: "center", WrapText: true})
	o.wrap = add(excelize.Style{NumFmt: asText}, wrap)
	o.code = add(excelize.Style{NumFmt: asText, Font: font(grey, false)}, wrap)
	o.shell = add(excelize.Style{NumFmt: asText, Fill: solid("F2F2F2"), Font: shell}, excelize.Alignment{Vertical: "center", WrapText: true})
	hide := false
	o.do(b.f.SetSheetView(titleSummary, 0, &excelize.ViewOptions{ShowGridLines: &hide}))
	for i, w := range overviewWidths {
		c, err := excelize.ColumnNumberToName(i + 1)
		o.do(err)
		o.do(b.f.SetColWidth(titleSummary, c, c, w))
	}
	o.do(b.f.SetRowHeight(titleSummary, 1, 26))
	return o
}

// do keeps the first error.
func (o *overview) do(err error) {
	if o.err == nil {
		o.err = err
	}
}

func at(column string, row int) string { return fmt.Sprintf("%s%d", column, row) }

// set writes a cell; nil gives it its style alone.
func (o *overview) set(cell string, value any, style int) {
	if s, ok := value.(string); ok {
		value = s
		o.do(o.f.SetCellStr(titleSummary, cell, s))
	} else if value != nil {
		o.do(o.f.SetCellValue(titleSummary, cell, value))
	}
	o.do(o.f.SetCellStyle(titleSummary, cell, cell, style))
}

// heading begins a block that goes across the sheet.
func (o *overview) heading(row int, text string) {
	for _, c := range []string{"B", "C", "D", "E", "F", "G", "H"} {
		o.set(at(c, row), nil, o.head)
	}
	o.set(at("A", row), text, o.head)
}

// across writes a text over the whole width, in as many lines as it needs.
func (o *overview) across(row int, text string, style int) {
	text = cutRunes(text, 1000)
	o.do(o.f.MergeCell(titleSummary, at("A", row), at("H", row)))
	o.set(at("A", row), text, style)
	for _, c := range []string{"B", "C", "D", "E", "F", "G", "H"} {
		o.do(o.f.SetCellStyle(titleSummary, at(c, row), at(c, row), style))
	}
	all := 0.0
	for _, w := range overviewWidths {
		all += w
	}
	o.high(row, lines(text, letters(all)))
}

// high makes a row high enough for n lines: merged and wrapped cells do not
// grow by themselves.
func (o *overview) high(row, n int) {
	if n > 1 {
		o.do(o.f.SetRowHeight(titleSummary, row, min(float64(n)*lineHeight, 400)))
	}
}

// letters is how many letters go into a column of a width, which counts
// digits: in Calibri most letters are narrower. It is a tenth less than was
// seen to fit.
func letters(width float64) int { return int(width * 1.08) }

// lines is how many lines a text takes in a cell of a width, broken between words.
func lines(text string, wide int) int {
	wide = max(wide, 1)
	n := 0
	for l := range strings.SplitSeq(text, "\n") {
		n++
		used := 0
		for word := range strings.SplitSeq(l, " ") {
			w := width(word)
			switch {
			case used == 0:
				used = w
			case used+1+w <= wide:
				used += 1 + w
				continue
			default:
				n++
				used = w
			}
			for used > wide { // a word longer than the line is cut
				n++
				used -= wide
			}
		}
	}
	return n
}

// leastChart is the last row that the chart covers at least: two bars need
// some room for its title.
const leastChart = 11

// results writes the table of results and its chart, and returns the row below.
func (o *overview) results(b *book, t *tally) int {
	o.set("D4", "Result", o.head)
	o.set("E4", "Rows", o.headRight)
	o.set("F4", "Share", o.headRight)
	with := t.shown()
	row, total := 5, t.totals.Sum()
	for _, r := range with {
		o.set(at("D", row), r.String(), b.styles.results[r])
		o.set(at("E", row), t.totals[r], o.count)
		o.set(at("F", row), float64(t.totals[r])/float64(total), o.share)
		row++
	}
	o.set(at("D", row), "All rows", o.head)
	o.set(at("E", row), total, o.headRight)
	o.set(at("F", row), nil, o.head)
	return row + 1
}

// page sets up the Summary's print: one page, landscape.
func (o *overview) page(last int) {
	fit, landscape, a4, one := true, "landscape", 9, 1
	o.do(o.f.SetSheetProps(titleSummary, &excelize.SheetPropsOptions{FitToPage: &fit}))
	o.do(o.f.SetPageLayout(titleSummary, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &one, FitToHeight: &one}))
	o.do(setMargins(o.f, titleSummary))
	o.do(o.f.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Area", Scope: titleSummary, RefersTo: fmt.Sprintf("%s!$A$1:$H$%d", titleSummary, last),
	}))
}
