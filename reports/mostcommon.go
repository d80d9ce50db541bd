package reports

import "leadload/loader/ledger"

// errors writes the most common errors from a row on, and gives the row below.
func (o *overview) errors(row int, errs []ledger.ErrorCount) int {
	title := "The most common errors"
	if len(errs) == 1 {
		title = "The error"
	}
	o.heading(row, "Rows")
	o.set(at("B", row), title, o.head)
	o.set(at("D", row), "Code", o.head)
	o.set(at("H", row), "What to do", o.head)
	for _, e := range errs {
		row++
		example, hint := cutRunes(e.Example, 150), cutRunes(e.Hint, 200)
		o.set(at("A", row), e.Count, o.countLeft)
		o.set(at("B", row), example, o.wrap)
		o.do(o.f.MergeCell(titleSummary, at("D", row), at("F", row)))
		o.set(at("D", row), e.Code, o.code)
		o.set(at("H", row), hint, o.wrap)
		n := max(lines(example, int(overviewWidths[1]*0.95)), lines(hint, int(overviewWidths[7]*0.95)),
			lines(e.Code, int((overviewWidths[3]+overviewWidths[4]+overviewWidths[5])*0.95)))
		o.high(row, n)
	}
	return row + 1
}
