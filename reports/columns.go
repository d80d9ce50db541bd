package reports

import (
	"strconv"

	"leadload/loader/ledger"
	"leadload/loader/source"
)

// The places of source.ResultColumns in result.values. The first five stand
// before the input's own columns, the others behind them.
const (
	colRow = iota
	colKey
	colResult
	colError
	colHint
	colID
	colLead
	colAttempts
	colSent
	numColumns

	before = source.ResultsBefore
	behind = numColumns - before
)

// result is the fixed part of a line as text, in the order of
// source.ResultColumns.
type result struct {
	Row      string `csv:"Row"` // in the file that the row first came from
	Key      string `csv:"Key"`
	Result   string `csv:"Result"`
	Error    string `csv:"Error"`
	WhatToDo string `csv:"What to do"`
	ID       string `csv:"ID"`
	Lead     string `csv:"Lead ID"`
	Attempts string `csv:"Attempts"` // empty when nothing was sent
	SentAt   string `csv:"Sent at"`  // UTC, yyyy-MM-dd HH:mm:ss
}

func (r *result) values() [numColumns]string {
	return [numColumns]string{r.Row, r.Key, r.Result, r.Error, r.WhatToDo, r.ID, r.Lead, r.Attempts, r.SentAt}
}

func resultOf(r *ledger.Row) result {
	out := result{
		Row: strconv.Itoa(origin(r)), Result: r.Result.String(), ID: r.ID, Lead: r.LeadID,
		Error: r.Error, WhatToDo: r.Hint, Key: r.Key,
	}
	if r.Attempts > 0 {
		out.Attempts = strconv.Itoa(r.Attempts)
	}
	if !r.SentAt.IsZero() {
		out.SentAt = r.SentAt.UTC().Format(stamp)
	}
	return out
}

// origin is the row's number for people: that of the original file, which
// differs from the file read when that was a results workbook.
func origin(r *ledger.Row) int {
	if r.Origin > 0 {
		return r.Origin
	}
	return r.Number
}

// inputHeader is the names of the input's own columns.
func (j *job) inputHeader() []string {
	if j.input == nil {
		return nil
	}
	return j.input.Header()
}
