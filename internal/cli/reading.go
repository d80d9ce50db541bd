package cli

import (
	"cmp"

	"leadload/internal/fault"
	"leadload/loader/words"
)

// readSummary is the machine-readable end of a command that reads the account.
type readSummary struct {
	Version int              `json:"version"`
	Command string           `json:"command"`
	Input   string           `json:"input,omitempty"`
	Run     int64            `json:"run,omitempty"`
	Totals  words.Counts     `json:"totals"`
	By      map[string]int64 `json:"differences_by,omitempty"`
	Removed *int64           `json:"removed,omitempty"`
	Calls   int64            `json:"calls"`
	Results string           `json:"results,omitempty"`
	Ledger  string           `json:"ledger,omitempty"`
	Notes   []string         `json:"notes,omitempty"`
	ending
}

// reading is a command that goes through files and reads the account.
type reading struct {
	*app
	common  *common
	command string
	table   words.Table
	list    []readSummary
	code    fault.Trait
}

// end tells how one file went; every way out of the command comes here.
func (r *reading) end(s readSummary, err error) {
	s.Version, s.Command = 1, r.command
	if s.Totals.Table == nil {
		s.Totals = r.table.Counts()
	}
	c := traitOf(err)
	if err == nil && s.Totals.Person() > 0 {
		c = fault.Person
	}
	r.code = max(r.code, c)
	written := fileWords(s.Results)
	if r.command == ledgerImport {
		written = cmp.Or(s.Ledger, "no ledger")
	}
	s.ending = r.ending(c, err, visible(s.Totals.String()+" → "+written, true))
	r.list = append(r.list, s)
	r.lastLine(r.common, s.Line)
}

// stops reports an error after which no further file is begun.
func (r *reading) stops(err error) bool {
	c := traitOf(err)
	return err != nil && (c == fault.Stopped || c == fault.Interrupted || c == fault.Busy || c == fault.Bug)
}

// done ends the command: with --json one object for one file, an array for several.
func (r *reading) done() error {
	if r.common.json {
		var v any = r.list
		if len(r.list) == 1 {
			v = r.list[0]
		}
		r.told(v)
	}
	return ended(r.code)
}

// close ends the connection.
func (r *reading) close(k *connection) {
	if err := k.close(); err != nil {
		r.explain(err)
		r.code = max(r.code, traitOf(err))
	}
}
