package reports

import (
	"strconv"

	"leadload/loader/ledger"
	"leadload/loader/source"
)

// The places of source.ResultColumns.
const (
	colRow = iota
	colResult
	colID
	colLead
	colError
	colHint
	colAttempts
	colSent
	colKey
	colInput // the first of the input's own
)

// result is the fixed part of a line as text, in the order of
// source.ResultColumns.
type result struct {
	Row      string `csv:"Row"` // in the file that the row first came from
	Result   string `csv:"Result"`
	ID       string `csv:"ID"`
	Lead     string `csv:"Lead ID"`
	Error    string `csv:"Error"`
	WhatToDo string `csv:"What to do"`
	Attempts string `csv:"Attempts"` // empty when nothing was sent
	SentAt   string `csv:"Sent at"`  // UTC, yyyy-MM-dd HH:mm:ss
	Key      string `csv:"Key"`
}

func resultOf(r *ledger.Row) result {
	out := result{
		Row: strconv.Itoa(origin(r)), Result: string(r.Result), ID: r.ID, Lead: r.LeadID,
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

// header is the names of all columns; extra stand between the fixed ones and
// the input's own.
func (j *job) header(extra ...string) []string {
	h := append([]string(nil), source.ResultColumns...)
	h = append(h, extra...)
	if j.input != nil {
		h = append(h, j.input.Header()...)
	}
	return h
}
