// Package compare says what three values of a field mean: what was sent last,
// what the account has, and what the file has now.
//
// It is pure. Whoever writes into a record that is in the account, compares one
// with the file or puts one back decides by Judge, so that nobody's work is
// overwritten in one place that is safe in another.
package compare

import (
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// Finding is what the values of a field say. Its numbers are on disk and never change.
type Finding uint8

// The findings.
const (
	Unread      Finding = iota // the account's value is not known
	Same                       // nothing changed
	Send                       // the file alone changed
	Conflict                   // file and account changed, to different values
	AccountOnly                // the account alone changed
	Equal                      // both have the same new value
)

// String returns the finding in words.
func (f Finding) String() string {
	return [...]string{"unread", "same", "send", "conflict", "account only", "equal already"}[f]
}

// Touched says whether a record changed in the account since our last write.
type Touched uint8

// What is known of it.
const (
	MaybeTouched Touched = iota
	Untouched            // certainly not: what differs is the account's own rewriting
)

// Values are those of one field.
type Values struct {
	Sent    uint32 // print of what was sent last; 0: the field was never sent
	Second  uint32 // print of what the account made of it; 0: not known
	Account string
	File    string
	Touched Touched
}

// Print returns the print of a value in its canonical form, in which spellings of
// one value are equal.
func Print(value string) uint32 { return ledger.Print(leadsquared.Canonical(value)) }

// Judge says what is to be done with a field. A field that was never sent has no
// past: it is sent where the account has nothing, and is a conflict where the
// account has something else.
func Judge(v Values) Finding {
	fileMoved := v.Sent == 0 || !Is(v.File, v.Sent)
	if Print(v.Account) == Print(v.File) {
		if fileMoved {
			return Equal
		}
		return Same
	}
	accountMoved := !Is(v.Account, v.Sent) && (v.Second == 0 || !Is(v.Account, v.Second)) && v.Touched != Untouched
	if v.Sent == 0 {
		accountMoved = leadsquared.Canonical(v.Account) != ""
	}
	switch {
	case fileMoved && accountMoved:
		return Conflict
	case fileMoved:
		return Send
	case accountMoved:
		return AccountOnly
	}
	return Same
}

// Is reports whether a print is that of a value. Records of older ledgers have
// prints of values as they were sent.
func Is(value string, print uint32) bool {
	return Print(value) == print || ledger.Print(value) == print
}
