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
	edit := &ledger.Edit{
		ID: known.Remote, LeadID: known.Lead, Code: m.EventCode, Own: known.Fate == ledger.Present, Key: e.KeyText,
		Names: e.Offer.Names, Prints: e.Offer.Prints, Body: e.Offer.Body[:],
	}
	for _, i := range e.Differs {
		name := e.Digest.Names[i]
		c := ledger.FieldChange{Field: strings.Clone(name), Sent: known.Print(name)}
		how := m.ChangeOf(name)
		c.Part, c.Why = string(how.Part), how.Why
		if i < len(rec.Fields) {
			c.Value = strings.Clone(rec.Fields[i].Value)
		}
		edit.Changes = append(edit.Changes, c)
	}
	for _, f := range rec.Fields {
		if f.Name == "Opportunity.OpportunityEventCode" {
			edit.Code, _ = strconv.Atoi(f.Value) // a mapped code is a whole number
		}
	}
	return edit
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
