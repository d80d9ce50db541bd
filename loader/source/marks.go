package source

import (
	"fmt"
	"slices"
	"strings"

	"leadload/converter"
	"leadload/internal/fault"
)

// A results file keeps the faults of the rows that it repeats. A cell that
// could not be read begins with a mark, a word in capitals behind a hash sign,
// and goes on with what could be shown of it. Reading takes a marked cell for
// the same fault, so that a row which nobody touched is refused again.

// mark is one word of that kind.
type mark struct {
	word string
	code fault.Code
	row  bool   // the fault concerns the whole row, whatever columns are needed
	msg  string // with %q for what follows the word
	hint string
}

// The words of marks. Words and codes belong together for good, since results
// files of earlier versions have them.
const (
	markBytes   = "#INVALID BYTES!"
	markNUL     = "#NUL BYTE!"
	markValue   = "#UNREADABLE!"
	markError   = "#ERROR!"
	markQuote   = "#QUOTES!"
	markMissing = "#MISSING CELL!"
	markExtra   = "#EXTRA CELLS!"
	markMerged  = "#MERGED!"
	markRow     = "#UNREADABLE ROW!"
)

var marks = []mark{
	{markBytes, codeBytes, false, "the cell still has bytes that are not valid in the first file: %q", "write what the cell should say, without the mark"},
	{markNUL, codeNUL, false, "the cell still has the NUL byte of the first file: %q", "write what the cell should say, without the mark"},
	{markValue, codeCellValue, false, "the cell still has what could not be read in the first file: %q", "write what the cell should say, without the mark"},
	{markError, codeCellValue, false, "the cell still has the error of the first file: %q", "write the value that the cell should have, without the mark"},
	{markQuote, codeAfterQuote, true, "the cell still has the quotes that do not fit in the first file: %q", "write what the cell should say, without the mark"},
	{markMissing, codeTooShort, true, "the row of the first file has no such cell", "write the value, or empty the cell if it has none"},
	{markExtra, codeTooLong, true, "the row of the first file has more cells than its header; its last ones are %q", "put each value into its column, without the mark"},
	{markMerged, codeMerged, false, "the cell is merged with another one in the first file", "write the value, or empty the cell if it has none"},
	{markRow, codeUnreadRow, true, "the row of the first file cannot be read: %q", "check the row's cells against the first file, and take the mark away"},
}

// CutMark ends a text that was too long for a cell of a results workbook. A
// cell that ends in it has lost the rest of its text.
const CutMark = "… (cut, see the input)"

// extraSeparator stands between the cells behind markExtra.
const extraSeparator = " | "

// markOf finds the mark at the beginning of a cell's text.
func markOf(text string) *mark {
	if len(text) < 2 || text[0] != '#' {
		return nil
	}
	for i := range marks {
		m := &marks[i]
		if rest, ok := strings.CutPrefix(text, m.word); ok && (rest != "" && rest[0] == ' ' || rest == "" && m.word != markError) {
			return m
		}
	}
	return nil
}

// isFaultText reports a text that stands for a fault: an error's name or a mark.
func isFaultText(s string) bool { return isErrorName(s) || markOf(s) != nil }

// badRow is what is wrong with a row of the file.
type badRow struct {
	at    []cellFault
	short int              // how many cells the row has, where it has fewer than the header
	extra []converter.Cell // cells beyond the header
}

// cellFault is a fault of one cell, or of the row where col is -1.
type cellFault struct {
	col  int // of Row.Cells
	code fault.Code
}

// Kept returns the row's cells as a results file repeats them: cells at fault
// begin with a mark, cells that the row lacks are marked as missing, and cells
// beyond the header stand in the last one. The cells are valid as long as
// the row's own; the row stays as it is.
func (r *Row) Kept() []converter.Cell {
	bad := r.bad
	if bad == nil {
		bad = &badRow{}
	}
	if len(bad.at) == 0 && !slices.ContainsFunc(r.Cells, func(c converter.Cell) bool { return c.Kind == converter.FaultCell }) {
		return r.Cells
	}
	out := slices.Clone(r.Cells)
	put := func(i int, word, text string) {
		if markOf(out[i].Text) != nil {
			return
		}
		if out[i] = (converter.Cell{Kind: converter.FaultCell, Text: word}); text != "" {
			out[i].Text += " " + text
		}
	}
	for _, f := range bad.at {
		switch {
		case f.col >= 0:
			put(f.col, wordOf(f.code), out[f.col].Text)
		case f.code == codeTooShort:
			for i := bad.short; i < len(out); i++ {
				put(i, markMissing, "")
			}
		case f.code == codeTooLong:
			last := len(out) - 1
			texts := []string{out[last].Text}
			for i := range bad.extra {
				texts = append(texts, bad.extra[i].Text)
			}
			put(last, markExtra, strings.Join(texts, extraSeparator))
		default:
			put(0, markRow, out[0].Text)
		}
	}
	for i := range out {
		c := &out[i]
		if m := markOf(c.Text); c.Kind == converter.FaultCell && m != nil && m.row && len(bad.at) == 0 {
			c.Text = markError + " " + c.Text // it was written so in a file of somebody's, where it says nothing of the row
		}
		if c.Kind == converter.FaultCell && !isFaultText(c.Text) && !strings.HasSuffix(c.Text, CutMark) {
			put(i, markError, c.Text)
		}
	}
	return out
}

func wordOf(code fault.Code) string {
	for i := range marks {
		if marks[i].code == code {
			return marks[i].word
		}
	}
	return markValue
}

// marked reports the faults that the cells of a results file keep.
func (p *pass) marked(own []converter.Cell) {
	for i := range own {
		c := &own[i]
		switch {
		case c.Kind == converter.TextCell && strings.HasSuffix(c.Text, CutMark):
			c.Kind = converter.FaultCell
			p.cellFault(i, &Error{Code: codeCut, Msg: "the end of the text was cut off, because it was too long for a cell of a workbook",
				Hint: "put the whole text back from the first file, or shorten it and take the mark at its end away"}, false)
		case c.Kind == converter.FaultCell:
			if m := markOf(c.Text); m != nil {
				text := strings.TrimPrefix(strings.TrimPrefix(c.Text, m.word), " ")
				msg := m.msg
				if strings.Contains(msg, "%q") {
					msg = fmt.Sprintf(msg, shorten(text))
				}
				p.cellFault(i, &Error{Code: m.code, Msg: msg, Hint: m.hint}, m.row)
			}
		}
	}
}
