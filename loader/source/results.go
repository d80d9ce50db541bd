package source

import (
	"fmt"
	"strconv"
	"strings"
)

// isResults reports that a header begins with ResultColumns.
func isResults(names []string) bool {
	if len(names) < len(ResultColumns) {
		return false
	}
	for i, n := range ResultColumns {
		if names[i] != n {
			return false
		}
	}
	return true
}

// origin reads the row number that a results file keeps of the file it came from.
func (p *pass) origin(c *Cell) {
	text := strings.TrimSpace(c.Text)
	if text == "" {
		return // a row that somebody added by hand
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		p.fault(&Error{Code: codeOrigin, Column: ResultColumns[0], Msg: fmt.Sprintf("%q is no row number", shorten(text)),
			Hint: "put back the number of the row in the first file, or empty the cell"})
		return
	}
	p.row.Origin = n
}

// guarded are the beginnings that make a spreadsheet take a CSV cell for a
// formula or drop a character, and the mark itself, so that Guard can be undone.
const guarded = "=+-@\t\r\n'"

// Guard makes a text safe in a CSV that people open in a spreadsheet, by an
// apostrophe before what would be taken for a formula ("=1+1", "+91-98…").
// Reading a results CSV takes exactly that apostrophe away again, so that a
// results CSV must be written with every cell of the input guarded.
func Guard(text string) string {
	if text != "" && strings.IndexByte(guarded, text[0]) >= 0 {
		return "'" + text
	}
	return text
}

// unguard undoes Guard.
func unguard(text string) string {
	if len(text) > 1 && text[0] == '\'' && strings.IndexByte(guarded, text[1]) >= 0 {
		return text[1:]
	}
	return text
}
