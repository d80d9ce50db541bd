package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"leadload/loader/ledger"
)

// SummaryVersion is the version of the Summary's shape. Members are added
// under the same version; it goes up when one changes its meaning or leaves.
const SummaryVersion = 1

// Summary is a run as programs read it.
type Summary struct {
	Version     int            `json:"version"` // SummaryVersion; WriteJSON fills it in
	Run         int64          `json:"run"`     // number of the run in the ledger; 0 when none was begun
	Command     string         `json:"command"` // import, check, settle
	File        string         `json:"file"`    // the input as the user named it; "" for settle
	Sheet       string         `json:"sheet"`
	Mapping     string         `json:"mapping"`
	Target      string         `json:"target"`
	TimeZones   string         `json:"time_zones"` // the release of the time zone data, such as "2026f (built in)"; "" when it is not known
	Account     string         `json:"account"`
	Started     time.Time      `json:"started"`               // UTC
	Ended       *time.Time     `json:"ended"`                 // UTC; null: cut off
	Duration    float64        `json:"duration_s"`            // seconds; 0 when the run has no end
	Calls       int64          `json:"calls"`                 // throttled ones too
	CallsPerS   float64        `json:"calls_per_s"`           // over the whole run
	Bulk        int64          `json:"bulk_calls"`            // of Calls, those that took many records
	Limit       string         `json:"limit"`                 // "25/5s", "off" or "25/5s + bulk 5/5s"
	Throttled   int64          `json:"throttled"`             // calls that the account turned away for their rate
	Stop        string         `json:"stopped"`               // why the run ended early, in words; "" when it did not
	Totals      Totals         `json:"totals"`                // of rows
	Errors      []SummaryError `json:"errors"`                // the most common first, at most ten; never null
	ResultsFile string         `json:"results_file"`          // "" for none, "-" for standard output
	ExitCode    int            `json:"exit_code"`             // of the process
	Error       *Failure       `json:"error"`                 // what stopped the program; null when nothing did
	Warnings    []string       `json:"warnings"`              // what the plan warned of; never null
	Faults      []Fault        `json:"faults,omitempty"`      // check: every fault, as far as --max-faults goes
	FaultsLeft  int64          `json:"faults_left,omitempty"` // check: faults beyond it
	Bodies      []Body         `json:"bodies,omitempty"`      // check --show
	Next        []string       `json:"next"`                  // commands to type next; never null
	Line        string         `json:"line"`                  // the sentence that ends the run
}

// Totals are the rows of a run by their results, and beside them the rows of earlier
// runs that its file no longer has.
type Totals struct {
	ledger.Counts
	Removed int64
}

// MarshalJSON writes the counts with "removed" at the end.
func (t Totals) MarshalJSON() ([]byte, error) {
	text, err := t.Counts.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(text[:len(text)-1], `,"removed":%d}`, t.Removed), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Totals) UnmarshalJSON(text []byte) error {
	var beside struct {
		Removed int64 `json:"removed"`
	}
	if err := json.Unmarshal(text, &beside); err != nil {
		return err
	}
	t.Removed = beside.Removed
	return t.Counts.UnmarshalJSON(text)
}

// SummaryError is one kind of error and the number of rows that have it.
type SummaryError struct {
	Code     string `json:"code"`
	Count    int64  `json:"count"`
	Row      int    `json:"row"`     // the first such row
	Example  string `json:"example"` // its message
	WhatToDo string `json:"what_to_do"`
}

// Fault is one fault of one row.
type Fault struct {
	Row      int    `json:"row"`            // as the spreadsheet counts
	Line     int    `json:"line,omitempty"` // CSV: physical line
	Column   string `json:"column,omitempty"`
	Field    string `json:"field,omitempty"` // of the request body
	Code     string `json:"code"`
	Message  string `json:"message"`
	WhatToDo string `json:"what_to_do,omitempty"`
}

// Body is the request body of a row.
type Body struct {
	Row    int             `json:"row"`
	Result string          `json:"result"` // "would send", or what became of the row before
	Body   json.RawMessage `json:"body"`
}

// Failure is the error that stopped the program.
type Failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// topErrors is how many kinds of errors a report lists.
const topErrors = 10

// Summarize fills in all of a Summary that the run, its totals and the ledger
// tell. resultsFile is the name that Write gave, "-" or "". ExitCode is that
// of the run's record; the caller sets another, and Error, where it knows better.
func Summarize(ctx context.Context, r Report, resultsFile string) (Summary, error) {
	return newJob(r).summarize(ctx, resultsFile)
}

func (j *job) summarize(ctx context.Context, resultsFile string) (Summary, error) {
	run, t := j.Run, j.Totals
	s := Summary{
		Version: SummaryVersion, Run: run.ID, Command: run.Command, File: run.Input, Sheet: run.Sheet,
		Mapping: run.Mapping, Target: run.Target, TimeZones: j.Zones, Account: run.AccountName, Started: run.Started.UTC(),
		Duration: round(duration(run).Seconds(), 3), Calls: run.Calls, Bulk: run.Bulk, CallsPerS: round(callsPerSecond(run), 3),
		Limit: run.Limit, Throttled: run.Throttled, Stop: run.Stop,
		Totals:      Totals{Counts: t},
		ResultsFile: resultsFile, ExitCode: run.Exit, Warnings: []string{}, Next: j.Next, Line: Line(t, resultsFile),
	}
	if !run.Ended.IsZero() {
		ended := run.Ended.UTC()
		s.Ended = &ended
	}
	if err := j.eachRemoved(ctx, func(*ledger.Row) error { s.Totals.Removed++; return nil }); err != nil {
		return s, err
	}
	errs, err := j.rows.Errors(ctx, run.ID, topErrors)
	for _, e := range errs {
		s.Errors = append(s.Errors, SummaryError{Code: e.Code, Count: e.Count, Row: e.Row, Example: e.Example, WhatToDo: e.Hint})
	}
	return s, err
}

// WriteJSON writes s as one indented JSON object and a line break.
func WriteJSON(w io.Writer, s Summary) error {
	s.Version = SummaryVersion
	if s.Errors == nil {
		s.Errors = []SummaryError{}
	}
	if s.Warnings == nil {
		s.Warnings = []string{}
	}
	if s.Next == nil {
		s.Next = []string{}
	}
	s.Duration, s.CallsPerS = finite(s.Duration), finite(s.CallsPerS)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// duration is the time that a run took; 0 while it has no end.
func duration(r ledger.Run) time.Duration {
	if r.Ended.IsZero() || r.Started.IsZero() {
		return 0
	}
	return max(r.Ended.Sub(r.Started), 0)
}

func callsPerSecond(r ledger.Run) float64 {
	d := duration(r).Seconds()
	if d <= 0 {
		return 0
	}
	return float64(r.Calls) / d
}

func round(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

// finite keeps a value that JSON cannot hold from spoiling the whole summary.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
