package reports

import (
	"fmt"

	"leadload/loader/ledger"
)

// overviewErrors is how many errors the Summary lists, which is to fit a screen.
const overviewErrors = 6

// errors writes the most common errors from a row on, and gives the row below.
func (o *overview) errors(row int, errs []ledger.ErrorCount) int {
	title := "The most common errors, each with an example"
	if len(errs) == 1 {
		title = "The error, with an example"
	}
	if len(errs) > overviewErrors {
		title = fmt.Sprintf("The %d most common errors, each with an example", overviewErrors)
		errs = errs[:overviewErrors]
	}
	o.heading(row, "Rows")
	o.set(at("B", row), title, o.head)
	o.set(at("D", row), "Code", o.head)
	o.set(at("H", row), "What to do", o.head)
	for _, e := range errs {
		row++
		example, hint := cutRunes(fmt.Sprintf("row %d: %s", e.Row, e.Example), 150), cutRunes(e.Hint, 200)
		o.set(at("A", row), e.Count, o.countLeft)
		o.set(at("B", row), example, o.wrap)
		o.do(o.f.MergeCell(titleSummary, at("D", row), at("F", row)))
		o.set(at("D", row), e.Code, o.code)
		o.set(at("H", row), hint, o.wrap)
		n := max(lines(example, letters(overviewWidths[1])), lines(hint, letters(overviewWidths[7])),
			lines(e.Code, letters(overviewWidths[3]+overviewWidths[4]+overviewWidths[5])))
		o.high(row, n)
	}
	return row + 1
}
