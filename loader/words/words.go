// Package words has the results of the commands that read the account back. Each
// has one table: the words in its workbook, its last line, its JSON, and which of
// them need a person.
//
//	c := words.Verify.Counts()
//	c.Add(words.Same, 280)
//	fmt.Println(c)  // same 280 · differs 0 · … of 280 rows
package words

import (
	"fmt"
	"strings"
)

// Tone is how a result is shown.
type Tone uint8

// The tones.
const (
	Good  Tone = iota // as it should be
	Known             // as it was before
	Open              // something is left to do
	Odd               // somebody has to look at it
	Bad               // something is lost or wrong
	Quiet             // left out
)

// Result is one word of a table.
type Result struct {
	Word   string
	Person bool // somebody has to look at the row
	Tone   Tone
}

// Name returns the word as JSON has it.
func (r Result) Name() string { return strings.ReplaceAll(r.Word, " ", "_") }

// Table is the results of a command in the order of its last line.
type Table []Result

// The results of verify, as places in Verify.
const (
	Same = iota
	Differs
	Missing
	NotLoaded
	Unreadable
	VerifySkipped
)

// Verify is the results of leadload verify.
var Verify = Table{
	Same:          {Word: "same", Tone: Good},
	Differs:       {Word: "differs", Person: true, Tone: Odd},
	Missing:       {Word: "missing", Person: true, Tone: Bad},
	NotLoaded:     {Word: "not loaded", Person: true, Tone: Open},
	Unreadable:    {Word: "unreadable", Person: true, Tone: Bad},
	VerifySkipped: {Word: "skipped", Tone: Quiet},
}

// The results of adopt, as places in Adopt.
const (
	Adopted = iota
	KnownBefore
	Absent
	Several
	AdoptSkipped
)

// Adopt is the results of leadload adopt.
var Adopt = Table{
	Adopted:      {Word: "adopted", Tone: Good},
	KnownBefore:  {Word: "known", Tone: Known},
	Absent:       {Word: "absent", Tone: Open},
	Several:      {Word: "several", Person: true, Tone: Odd},
	AdoptSkipped: {Word: "skipped", Tone: Quiet},
}

// The results of ledger import, as places in LedgerImport.
const (
	WrittenDown = iota
	InLedger
	StillOpen
	NotThere
	NeverLoaded
	Unmapped
	Unchecked
)

// LedgerImport is the results of leadload ledger import.
var LedgerImport = Table{
	WrittenDown: {Word: "restored", Tone: Good},
	InLedger:    {Word: "known", Tone: Known},
	StillOpen:   {Word: "in doubt", Tone: Open},
	NotThere:    {Word: "missing", Person: true, Tone: Bad},
	NeverLoaded: {Word: "not loaded", Tone: Open},
	Unmapped:    {Word: "no longer mapped", Person: true, Tone: Bad},
	Unchecked:   {Word: "unreadable", Person: true, Tone: Bad},
}

// Counts are numbers of rows by the results of a table.
type Counts struct {
	Table Table
	N     []int64
}

// Counts returns counts of nothing.
func (t Table) Counts() Counts { return Counts{t, make([]int64, len(t))} }

// Add counts n rows under the result at a place of the table.
func (c Counts) Add(result int, n int64) { c.N[result] += n }

// Sum returns the number of rows counted.
func (c Counts) Sum() (sum int64) {
	for _, n := range c.N {
		sum += n
	}
	return sum
}

// Person returns the number of rows that somebody has to look at.
func (c Counts) Person() (sum int64) {
	for i, n := range c.N {
		if c.Table[i].Person {
			sum += n
		}
	}
	return sum
}

// String returns the sentence that ends the command. Its parts add up to its total.
func (c Counts) String() string {
	var parts []string
	for i, n := range c.N {
		parts = append(parts, fmt.Sprintf("%s %d", c.Table[i].Word, n))
	}
	return fmt.Sprintf("%s of %d rows", strings.Join(parts, " · "), c.Sum())
}

// MarshalJSON writes an object: the sum as "rows", then every name with its count.
func (c Counts) MarshalJSON() ([]byte, error) {
	out := fmt.Appendf(nil, `{"rows":%d`, c.Sum())
	for i, n := range c.N {
		out = fmt.Appendf(out, `,%q:%d`, c.Table[i].Name(), n)
	}
	return append(out, '}'), nil
}
