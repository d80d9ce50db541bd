package update

import (
	"strconv"
	"strings"

	"leadload/loader/ledger"
	"leadload/mapping"
)

// Policy returns what a mapping says of rows that changed, and of fields that it
// has gained or makes in another way now.
func Policy(m *mapping.Mapping, update, remake bool) ledger.Policy {
	seen := map[string]mapping.Change{}
	of := func(field string) mapping.Change {
		c, known := seen[field]
		if !known {
			c = m.ChangeOf(field)
			seen[strings.Clone(field)] = c
		}
		return c
	}
	return ledger.Policy{
		Update:  update,
		Remake:  remake,
		Ignored: func(field string) bool { return of(field).Ignored },
		Refused: func(field string) (string, bool) { c := of(field); return c.Why, c.Blocks },
	}
}

// Of returns the update that a row asks for. known is what the ledger has of its
// record, e the row as Decide left it, rec the row as it is mapped.
func Of(m *mapping.Mapping, known *ledger.Record, e *ledger.Entry, rec *mapping.Record) *ledger.Edit {
	d := &e.Digest
	edit := &ledger.Edit{
		ID: known.Remote, LeadID: known.Lead, Code: m.EventCode, Own: known.Fate == ledger.Present, Key: e.KeyText,
		Names: d.Names, Prints: d.Prints, Body: d.Body[:],
	}
	for _, i := range e.Differs {
		name := d.Names[i]
		c := ledger.FieldChange{Field: strings.Clone(name)}
		how := m.ChangeOf(name)
		c.Part, c.Why = string(how.Part), how.Why
		if i < len(rec.Fields) {
			c.Value = strings.Clone(rec.Fields[i].Value)
		}
		for k, n := range known.Names {
			if n == name && 4*k+4 <= len(known.Prints) {
				c.Sent = printAt(known.Prints, k)
			}
		}
		edit.Changes = append(edit.Changes, c)
	}
	for _, f := range rec.Fields {
		if f.Name == "Opportunity.OpportunityEventCode" {
			edit.Code, _ = strconv.Atoi(f.Value) // a mapped code is a whole number
		}
	}
	// What the row leaves out stays known as it was sent.
	own := map[string]bool{}
	for _, n := range edit.Names {
		own[n] = true
	}
	for k, n := range known.Names {
		if !own[n] && 4*k+4 <= len(known.Prints) {
			edit.Names = append(edit.Names[:len(edit.Names):len(edit.Names)], n)
			edit.Prints = append(edit.Prints[:len(edit.Prints):len(edit.Prints)], known.Prints[4*k:4*k+4]...)
		}
	}
	return edit
}

func printAt(prints []byte, i int) uint32 {
	p := prints[4*i : 4*i+4]
	return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
}

// Cost returns the calls that an update makes at most, beside reads of many records.
func Cost(e *ledger.Edit) int {
	parts := map[string]bool{}
	for i := range e.Changes {
		if p := e.Changes[i].Part; p != "" {
			parts[p] = true
		}
	}
	n := len(parts)
	if parts[string(mapping.OfLead)] || parts[string(mapping.OfSale)] {
		n++ // they are read one by one
	}
	return max(n, 1)
}
