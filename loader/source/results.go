package source

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadload/converter"
	"leadload/internal/fault"
)

// firstColumns are the columns of the results files of the first version, all
// of which stand before the input's own.
var firstColumns = []string{"Row", "Result", "ID", "Lead ID", "Error", "What to do", "Attempts", "Sent at", "Key"}

// resultPlaces finds ResultColumns among the names of a header: the place of
// each one, and the places from which to which the input's own columns stand.
// ok is false unless the header is that of a results file.
func resultPlaces(names []string) (places []int, from, to int, ok bool) {
	if hasAt(names, 0, firstColumns) {
		for _, c := range ResultColumns {
			places = append(places, slices.Index(firstColumns, c))
		}
		return places, len(firstColumns), len(names), true
	}
	if !hasAt(names, 0, ResultColumns[:ResultsBefore]) {
		return nil, 0, 0, false
	}
	behind := ResultColumns[ResultsBefore:]
	// The last ones are ours: the input may have columns of these names, too.
	for to = len(names) - len(behind); to >= ResultsBefore; to-- {
		if hasAt(names, to, behind) {
			for i := range ResultColumns {
				if i >= ResultsBefore {
					i += to - ResultsBefore
				}
				places = append(places, i)
			}
			return places, ResultsBefore, to, true
		}
	}
	return nil, 0, 0, false
}

// hasAt reports whether want stands in names from a place on.
func hasAt(names []string, at int, want []string) bool {
	return at >= 0 && at+len(want) <= len(names) && slices.Equal(names[at:at+len(want)], want)
}

// origin reads the row number that a results file keeps of the file it came from.
func (p *pass) origin(c *converter.Cell) {
	text := strings.TrimSpace(c.Text)
	if text == "" {
		return // a row that somebody added by hand
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		p.fault(&Error{Code: codeOrigin, Place: fault.Place{Column: ResultColumns[0]}, Msg: fmt.Sprintf("%q is no row number", shorten(text)),
			Hint: "put back the number of the row in the first file, or empty the cell"})
		return
	}
	p.row.Origin = n
}

// guarded are the beginnings that make a spreadsheet take a CSV cell for a
// formula or drop a character, and the mark itself, so that Guard can be undone.
// formulaSigns are those that do so after blanks, too, and in full width.
const (
	guarded      = "=+-@\t\r\n'"
	formulaSigns = "=+-@＝＋－＠"
)

// Guard makes a text safe in a CSV that people open in a spreadsheet, by an
// apostrophe before what would be taken for a formula ("=1+1", "+91-98…").
// Reading a results CSV takes exactly that apostrophe away again, so that a
// results CSV must be written with every cell of the input guarded.
func Guard(text string) string {
	if formulaLike(text) {
		return "'" + text
	}
	return text
}

// formulaLike reports whether a text needs the apostrophe.
func formulaLike(text string) bool {
	switch {
	case text == "":
		return false
	case strings.IndexByte(guarded, text[0]) >= 0:
		return true
	case text[0] > ' ' && text[0] < utf8.RuneSelf:
		return false
	}
	text = strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || invisible(r) })
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && strings.ContainsRune(formulaSigns, r)
}

// unguard undoes Guard.
func unguard(text string) string {
	if len(text) > 1 && text[0] == '\'' && formulaLike(text[1:]) {
		return text[1:]
	}
	return text
}
