package update

import (
	"time"

	"leadload/loader/compare"
	"leadload/loader/ledger"
	"leadload/loader/target"
	"leadload/mapping"
)

// AmongMany returns an update's object in a call that changes many records. It
// reports false unless all that the update has to write goes in such a call: it was
// looked at lately, and writes fields of an opportunity alone.
func (u *Updater) AmongMany(e *ledger.Edit) ([]byte, bool) {
	if e == nil || e.Read.IsZero() || e.Gone || u.stale(e, mapping.OfOpportunity) || next(e) != mapping.OfOpportunity || needs(e, mapping.OfLead, true) {
		return nil, false
	}
	return mapping.UpdateAmongMany(nil, e.ID, e.Code, fieldsOf(e, mapping.OfOpportunity))
}

// Stale reports whether what is known of an update's record is too old to write it.
func (u *Updater) Stale(e *ledger.Edit) bool { return u.stale(e, mapping.OfOpportunity) }

// due calls each for the fields of a part that are to be written now.
func due(e *ledger.Edit, part mapping.Part, each func(*ledger.FieldChange)) {
	for i := range e.Changes {
		if c := &e.Changes[i]; c.Part == string(part) && !c.Done && c.Why == "" && compare.Finding(c.Finding) == compare.Send {
			each(c)
		}
	}
}

// fieldsOf returns the fields of a part that are to be written now.
func fieldsOf(e *ledger.Edit, part mapping.Part) (fields []mapping.Field) {
	due(e, part, func(c *ledger.FieldChange) { fields = append(fields, mapping.Field{Name: c.Field, Value: c.Value}) })
	return fields
}

// tried notes that a call with all that is due of a part is about to leave, or with
// false that it certainly has not arrived.
func tried(e *ledger.Edit, part mapping.Part, left bool) {
	at := time.Time{}
	if left {
		at = time.Now()
	}
	due(e, part, func(c *ledger.FieldChange) { c.Tried, c.At = left, at })
}

// done notes that the account has written all that was due of a part.
func (u *Updater) done(e *ledger.Edit, part mapping.Part) {
	due(e, part, func(c *ledger.FieldChange) {
		c.Done, c.Wrote, c.At = true, true, time.Now()
		e.SetBaseline(ledger.Baseline{Lead: part == mapping.OfLead, Field: c.Field, Sent: compare.Print(c.Value), At: c.At})
		if part == mapping.OfLead {
			u.wrote(e.LeadID, c)
		}
	})
}

// refused notes that the account has refused what was due of a part.
func refused(e *ledger.Edit, part mapping.Part, words string) {
	due(e, part, func(c *ledger.FieldChange) { c.Why = refusedWhy + words })
}

// Tried notes that a call of many records with an update is about to leave, or with
// false that it certainly has not arrived.
func Tried(e *ledger.Edit, left bool) { tried(e, mapping.OfOpportunity, left) }

// Wrote ends an update that a call of many records has written.
func (u *Updater) Wrote(record int64, e *ledger.Edit) ledger.Outcome {
	u.done(e, mapping.OfOpportunity)
	return ended(record, e, ledger.Outcome{})
}

// Refused ends an update that the account has refused in a call of many records. o is
// what it said.
func Refused(record int64, e *ledger.Edit, words string, o ledger.Outcome) ledger.Outcome {
	refused(e, mapping.OfOpportunity, words)
	return ended(record, e, o)
}

// Looked ends an update that has nothing to write after a look; it reports false
// where something is left.
func Looked(record int64, e *ledger.Edit) (ledger.Outcome, bool) {
	if next(e) != "" || needs(e, mapping.OfLead, true) {
		return ledger.Outcome{}, false
	}
	return ended(record, e, ledger.Outcome{}), true
}

// Due returns the names of the fields that a call of many records is to write.
func Due(e *ledger.Edit) (names []string) {
	for _, f := range fieldsOf(e, mapping.OfOpportunity) {
		names = append(names, f.Name)
	}
	return names
}

// Shows reports whether a record that was read has every value that was due.
func Shows(e *ledger.Edit, b target.Back) bool {
	all := b.Presence == target.Present
	due(e, mapping.OfOpportunity, func(c *ledger.FieldChange) {
		value, _ := b.Value(c.Field)
		all = all && compare.Print(value) == compare.Print(c.Value)
	})
	return all
}
