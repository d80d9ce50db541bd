package ledger

import (
	"slices"
	"strings"
)

// Moves says of rows that changed and are only reported which values they had and
// have. The ledger knows a former value by its print alone: it is told where the
// print is that of a value at hand.
type Moves struct {
	Print  func(value string) uint32 // of the canonical form
	Column func(field string) string // from which a field is made, for people; "" is none

	seen map[string]map[uint32]string // by field and print
}

// mostSeen bounds the values of a field that are at hand, mostValue the letters of
// one in a message.
const (
	mostSeen  = 256
	mostValue = 40
)

// Learn takes a value of a field among those at hand.
func (m *Moves) Learn(field, value string) {
	of := m.seen[field]
	if of == nil {
		if m.seen == nil {
			m.seen = map[string]map[uint32]string{}
		}
		of = map[uint32]string{}
		m.seen[strings.Clone(field)] = of
	}
	if p := m.Print(value); len(of) < mostSeen && of[p] == "" {
		of[p] = strings.Clone(value)
	}
}

// Tell names in the message of a row the former and the new value of each field
// that changed, and keeps both for the sheet Changes. values are the row's, in the
// order of its digest; wrote are what updates have written into its record.
func (m *Moves) Tell(e *Entry, known *Record, values []string, wrote []Kept) {
	if e.Verdict != Changed || len(e.Differs) == 0 {
		return
	}
	var names, told []string
	for _, i := range e.Differs {
		field := e.Digest.Names[i]
		k := Kept{Record: e.Record, Row: e.Number, Field: strings.Clone(field), Result: ResultChanged}
		if i < len(values) {
			k.Has = strings.Clone(values[i])
		}
		k.Had = m.former(field, known, wrote)
		names = append(names, field)
		words := field
		if c := m.Column(field); c != "" {
			words += " (" + c + ")"
		}
		if k.Had != "" {
			words += " " + shortened(k.Had)
		}
		told = append(told, words+" → "+shortened(k.Has))
		e.Moved = append(e.Moved, k)
		m.Learn(field, k.Has)
	}
	e.Msg = strings.Replace(e.Msg, strings.Join(names, ", ")+" changed", strings.Join(told, ", "), 1)
}

// former returns what was sent last for a field, where it is at hand.
func (m *Moves) former(field string, known *Record, wrote []Kept) string {
	sent := known.Print(field)
	if sent == 0 {
		return ""
	}
	is := func(value string) bool { return m.Print(value) == sent || known.Form == Raw && Print(value) == sent }
	if i := slices.IndexFunc(wrote, func(k Kept) bool { return k.Field == field && is(k.Has) }); i >= 0 {
		return wrote[i].Has
	}
	if v, at := m.seen[field][sent]; at {
		return v
	}
	for _, v := range m.seen[field] {
		if is(v) {
			return v
		}
	}
	return ""
}

// shortened returns a value as a message shows it.
func shortened(value string) string {
	if value == "" {
		return "(empty)"
	}
	value = strings.Join(strings.Fields(value), " ")
	if r := []rune(value); len(r) > mostValue {
		return string(r[:mostValue]) + "…"
	}
	return value
}
