package fault

import (
	"slices"
	"strings"
)

// Code is the stable name of a fault, such as "file.missing". It stands in
// results files and in people's scripts.
type Code string

// The codes of what is not a Fault.
const (
	codeInterrupted Code = "interrupted"
	codeProgram     Code = "program"
)

// Trait is how a run ends because of a fault. A greater Trait says more when
// several files were loaded.
type Trait uint8

// The traits.
const (
	Done        Trait = iota // every row is loaded, or was already
	Person                   // finished, some rows need a person
	Usage                    // wrong usage, mapping or file; nothing was sent
	Stopped                  // stopped early; the same command later goes on
	Busy                     // another run holds the account
	Bug                      // an error inside the program or of this machine
	Interrupted              // Ctrl-C
)

// Exit returns the exit code of the process.
func (t Trait) Exit() int {
	return [...]int{Done: 0, Bug: 1, Usage: 2, Stopped: 3, Person: 4, Busy: 5, Interrupted: 130}[t]
}

// Entry is a line of the catalogue.
type Entry struct {
	Code Code
	What string // one sentence without a full stop
	Do   string // what to do
}

// Trait returns how a run ends that ends with this code.
func (c Code) Trait() Trait {
	if e, ok := byCode[c]; ok {
		return e.trait
	}
	if strings.HasPrefix(string(c), "account.") { // an exception that is not listed
		return Stopped
	}
	return Bug
}

// Advice returns what to do about the code, or "" for a code that is not listed.
func (c Code) Advice() string {
	e, _ := c.Entry()
	return e.Do
}

// Entry returns the code's line in the catalogue, whatever the case of its
// letters. Exceptions of the account that are not listed share one line.
func (c Code) Entry() (Entry, bool) {
	if e, ok := byCode[c]; ok {
		return e.Entry, true
	}
	for code, e := range byCode {
		if strings.EqualFold(string(code), string(c)) {
			return e.Entry, true
		}
	}
	if rest, ok := strings.CutPrefix(string(c), "account."); ok && strings.HasPrefix(rest, "MX") {
		return Entry{c, "the account refused the row with an exception of its own, " + rest, "read the account's own words beside the code, correct the row and load it again"}, true
	}
	return Entry{}, false
}

type traitEntry struct {
	Entry
	trait Trait
}

var byCode = func() map[Code]traitEntry {
	out := map[Code]traitEntry{}
	for _, group := range catalogue {
		for _, e := range group.entries {
			out[e.Code] = traitEntry{e, group.trait}
		}
	}
	return out
}()

// Catalogue returns every code, sorted.
func Catalogue() []Entry {
	var out []Entry
	for _, group := range catalogue {
		out = append(out, group.entries...)
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return out
}
