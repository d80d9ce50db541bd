// Package plan goes through a file once and decides about each of its rows,
// for an import (Import) and for a check (Check). Both map a row with an
// Examiner, and decide by ledger.Decide.
package plan

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"leadload/converter"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/source"
	"leadload/loader/target"
	"leadload/mapping"
)

// Examiner turns rows into entries of the plan. It serves one goroutine.
type Examiner struct {
	// Record is the row that was examined last, mapped.
	Record mapping.Record
	// Brief leaves out what only a row that was loaded before is compared by.
	Brief bool

	m        *mapping.Mapping
	runner   *mapping.Runner
	digester ledger.Digester
	numbers  map[string]bool // fields whose values are numbers
	judge    Judge           // nil: none
	again    bool            // the row at hand was examined before
}

// Judge holds rows against what the account says of its fields. It adds what
// it finds to the record's problems.
type Judge interface {
	Row(number int, rec *mapping.Record)
}

// NewExaminer returns an examiner of rows of a mapping.
func NewExaminer(m *mapping.Mapping, r *mapping.Runner) *Examiner {
	ex := &Examiner{m: m, runner: r, numbers: map[string]bool{}, digester: ledger.Digester{Canonical: leadsquared.Canonical}}
	for _, f := range m.Fields() {
		if f.Type == "number" || f.Type == "integer" {
			ex.numbers[f.Name] = true
		}
	}
	return ex
}

// bareEntry is what an entry says of a row that was not looked at.
func bareEntry(row *source.Row) ledger.Entry {
	return ledger.Entry{Number: row.Number, Line: row.Line, Origin: row.Origin, Fingerprint: row.Fingerprint()}
}

// Entry examines one row. The mapped row stays in ex.Record until the next call.
func (ex *Examiner) Entry(row *source.Row) ledger.Entry {
	e := bareEntry(row)
	if len(row.Faults) > 0 {
		unusable(&e, row.Faults)
		return e
	}
	ex.examine(&e, row.Cells)
	return e
}

// unusable marks a row that could not be read whole.
func unusable(e *ledger.Entry, faults []*source.Error) {
	var msgs, hints []string
	for _, f := range faults {
		msgs = appendNew(msgs, inColumn(f.Column, f.Msg))
		hints = appendNew(hints, f.Advice())
	}
	e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, string(faults[0].Code), strings.Join(msgs, "; "), strings.Join(hints, "; ")
}

// examine maps a row's cells and fills in what they say about it.
func (ex *Examiner) examine(e *ledger.Entry, cells []converter.Cell) {
	if ex.again {
		ex.runner.Again(cells, &ex.Record)
	} else {
		ex.runner.Map(cells, &ex.Record)
	}
	rec := &ex.Record
	e.KeyText = rec.KeyText
	if rec.Skipped {
		e.Verdict, e.Code, e.Msg = ledger.Skipped, "row.skipped", "skip_when of the mapping holds for this row"
		ex.aside(e)
		return
	}
	if ex.judge != nil {
		ex.judge.Row(e.Number, rec)
	}
	if len(rec.Problems) > 0 {
		var msgs, hints []string
		for _, p := range rec.Problems {
			msgs = appendNew(msgs, inColumn(p.Column, p.Msg))
			hints = appendNew(hints, p.Hint)
		}
		e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, rec.Problems[0].Code, strings.Join(msgs, "; "), strings.Join(hints, "; ")
		ex.aside(e)
		return
	}
	ex.identify(e)
}

// aside names a row that is not to be sent by its key, where it has one.
func (ex *Examiner) aside(e *ledger.Entry) {
	if e.HasKey = ex.Record.Key != ""; e.HasKey && !ex.Brief {
		ex.keyed(e)
	}
}

// faulty names a row by its key that has faults of the file, in other cells.
func (ex *Examiner) faulty(e *ledger.Entry, cells []converter.Cell) {
	ex.runner.Key(cells, &ex.Record)
	e.KeyText = ex.Record.KeyText
	ex.aside(e)
}

// keyStands reports whether faults of the file leave a row's key as it is: they are
// in other cells, and have moved none.
func keyStands(key []string, faults []*source.Error) bool {
	for _, f := range faults {
		if f.Column == "" || f.Code == "cell.after-quote" || f.Code == "row.origin" || slices.Contains(key, f.Column) {
			return false
		}
	}
	return len(key) > 0
}

// identify fills in what names the row: its key, or without one what it says.
func (ex *Examiner) identify(e *ledger.Entry) {
	rec := &ex.Record
	lead := ""
	if ex.m.Lead.FindBy != "" {
		// The lead is looked up, so its id is not in the body; what it is found by is part of what the row says.
		lead = rec.Lead
		e.WantField, e.WantValue = rec.LeadField, target.LeadName(rec.LeadField, strings.Clone(rec.LeadValue))
	} else if ex.m.LeadMustExist {
		e.WantField, e.WantValue = rec.LeadField, target.LeadName(rec.LeadField, strings.Clone(rec.LeadValue))
	}
	e.HasKey = len(ex.m.Key) > 0
	if ex.Brief {
		return
	}
	n := len(rec.Fields)
	extra := 0
	if lead != "" {
		extra = 1
	}
	e.Digest = ex.digester.Digest(n+extra, func(i int) (string, string) {
		if i == n {
			return "lead", lead
		}
		f := rec.Fields[i]
		if lead == "" && rec.LeadField != "" && strings.HasPrefix(f.Name, "LeadDetails.") && f.Name[len("LeadDetails."):] == rec.LeadField {
			return f.Name, rec.Lead // the same lead written differently is the same lead
		}
		if ex.numbers[f.Name] {
			// CSV has 1200.50 where a spreadsheet stores 1200.5: one number, one row.
			return f.Name, shortest(f.Value)
		}
		return f.Name, f.Value
	})
	if e.HasKey {
		ex.keyed(e)
	} else {
		e.Identity = e.Digest.Body
		if set := ex.m.Set; set != "" {
			e.Identity = ledger.HashIdentity("set", set, string(e.Identity[:]))
		}
	}
}

// keyed names the row that was examined last by its key. Spellings of a key that
// differ only in the way accents are composed name one row; what is sent stays as it
// is written.
func (ex *Examiner) keyed(e *ledger.Entry) {
	key := ex.Record.Key
	e.Identity, e.Spellings = ex.identityOf(key), nil
	if plainKey(key) {
		return
	}
	nfc, nfd := norm.NFC.String(key), norm.NFD.String(key)
	if nfc == key && nfd == key {
		return
	}
	written := e.Identity
	e.Identity = ex.identityOf(nfc)
	e.Spellings = append(e.Spellings, written)
	for _, id := range [][16]byte{e.Identity, ex.identityOf(nfd)} {
		if !slices.Contains(e.Spellings, id) {
			e.Spellings = append(e.Spellings, id)
		}
	}
}

// plainKey reports that a key is ASCII, of which there is one spelling.
func plainKey(key string) bool {
	for i := range len(key) {
		if key[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (ex *Examiner) identityOf(key string) [16]byte {
	if ex.m.Set != "" {
		return ledger.HashIdentity("set", ex.m.Set, key)
	}
	return ledger.HashIdentity(key)
}

// ByKey names a row that cannot be used, or is skipped, by its key alone. It reports
// false where the row has no key that can be read.
func (ex *Examiner) ByKey(row *source.Row, e *ledger.Entry) bool {
	if len(ex.m.Key) == 0 {
		return false
	}
	ex.runner.Map(row.Cells, &ex.Record)
	if ex.Record.Key == "" {
		return false
	}
	*e = bareEntry(row)
	e.HasKey, e.KeyText = true, ex.Record.KeyText
	ex.keyed(e)
	return true
}

// shortest drops zeros that end a decimal fraction.
func shortest(number string) string {
	if !strings.Contains(number, ".") {
		return number
	}
	return strings.TrimSuffix(strings.TrimRight(number, "0"), ".")
}

func inColumn(column, msg string) string {
	if column == "" {
		return msg
	}
	return fmt.Sprintf("column %q: %s", column, msg)
}

func appendNew(list []string, s string) []string {
	if s == "" {
		return list
	}
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}

// RowSet is a set of rows as the spreadsheet counts them.
type RowSet []RowRange

// RowRange is rows From to To, both included.
type RowRange struct{ From, To int }

// Has reports whether the set holds row n; a nil set holds all.
func (s RowSet) Has(n int) bool {
	if s == nil {
		return true
	}
	for _, r := range s {
		if n >= r.From && n <= r.To {
			return true
		}
	}
	return false
}

// Seen is what a pass has seen of a file.
type Seen struct {
	Rows   int64
	Chosen int64 // rows named by the RowSet, or all
	Hidden int64 // rows that a spreadsheet does not show
}
