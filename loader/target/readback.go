package target

import (
	"context"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Wanted names a record that is to be read back.
type Wanted struct {
	ID   string
	Lead string // id of its lead; "" where it is not known
}

// ReadQuestion is what a Read is to bring.
type ReadQuestion struct {
	Code   int // the opportunity type
	Wanted []Wanted
	Fields []string // names of a mapping's fields, such as "Fields.mx_Custom_1"
	// Since is when the oldest of the records was made, by the account's clock:
	// where pages of what was modified begin.
	Since time.Time
	// Memory remembers for the account which calls it does not have. It may be nil.
	Memory Memory
	// Progress is told how many records have been read; it may be nil.
	Progress func(done int)
}

// Memory remembers which calls an account does not have, for a day.
type Memory interface {
	Missing(call string) bool
	SetMissing(call string)
}

// Presence is what is known of a record that was to be read.
type Presence uint8

// The ends of reading one record.
const (
	Unread  Presence = iota // it could not be read: Back.Why says why
	Present                 // it is there, with Values
	Gone                    // it is certainly not there
)

// Back is a record as the account has it now.
type Back struct {
	Wanted
	Presence Presence
	Why      string
	// Created and Modified are by the account's clock; zero where the answer
	// has none. Sales have neither.
	Created, Modified time.Time
	// Values has the fields that were asked for and that the account shows, by
	// their names in the mapping. A field without a value is "".
	Values map[string]string
}

// Value returns the account's value of a field, and whether the answer had it.
// The account may write the field's name in another case.
func (b Back) Value(field string) (value string, shown bool) {
	if value, shown = b.Values[field]; shown {
		return value, true
	}
	for name, value := range b.Values {
		if strings.EqualFold(name, field) {
			return value, true
		}
	}
	return "", false
}

// asMade is how far a record's two times may be apart although nobody has
// touched it: the account may take each from its clock anew, or keep one of them
// in whole seconds. No person is as fast.
const asMade = time.Second

// AsMade reports whether a record was not changed since it was made, by the
// account's two times of it. certain is false where the answer lacks one, or
// where they differ by less than a second: a program may be as fast.
func (b Back) AsMade() (as, certain bool) {
	if b.Created.IsZero() || b.Modified.IsZero() {
		return false, false
	}
	after := b.Modified.Sub(b.Created)
	return after < asMade, after <= 0 || after >= asMade
}

// Reader is a Target whose records can be read back.
type Reader interface {
	Target
	// Shows reports whether a read brings a field of a mapping. Fields of the
	// lead are read with the lead, and OpportunityDateTime by no known call.
	Shows(field string) bool
	// Read reads records back: as many as possible with one call, the rest one
	// by one. It returns them by the ids that were asked for, in lower case,
	// each exactly once. The error ends the run.
	Read(ctx context.Context, l *line.Line, q ReadQuestion) (map[string]Back, error)
	// Calls estimates how many calls Read makes for n records of so many leads.
	ReadCalls(n, leads int, m Memory) int
}

// ReadLeads reads the attributes of leads, one call each, by their ids in lower
// case. An attribute is named as in a mapping: "LeadDetails.mx_City".
func ReadLeads(ctx context.Context, l *line.Line, ids []string) (map[string]Back, error) {
	all := make(map[string]Back, len(ids))
	for _, id := range ids {
		leads, out, err := line.Ask(ctx, l, line.With(l.Client.LeadByID, id))
		if err != nil {
			return all, err
		}
		b := Back{Wanted: Wanted{ID: id, Lead: id}, Why: "its lead could not be read: " + out.Message}
		switch {
		case out.Verdict == leadsquared.Applied && len(leads) == 0:
			b.Presence = Gone
		case out.Verdict == leadsquared.Applied:
			b.Presence, b.Why, b.Values = Present, "", map[string]string{}
			b.Created, b.Modified = leads[0].CreatedOn, leads[0].ModifiedOn
			for name, value := range leads[0].Attributes {
				b.Values["LeadDetails."+name] = value
			}
		}
		all[strings.ToLower(id)] = b
	}
	return all, nil
}

// knowsLead reports whether the account knows a lead by its id.
func knowsLead(ctx context.Context, l *line.Line, id string) (bool, error) {
	leads, out, err := line.Ask(ctx, l, line.With(l.Client.LeadByID, id))
	return err == nil && out.Verdict == leadsquared.Applied && len(leads) == 1, err
}

// goneWithLead takes a record for gone that its lead does not list, if the
// account knows the lead itself. Otherwise b stays as it is.
func goneWithLead(ctx context.Context, l *line.Line, b Back) (Back, error) {
	known, err := knowsLead(ctx, l, b.Lead)
	if known {
		return Back{Wanted: b.Wanted, Presence: Gone}, nil
	}
	return b, err
}

// shown leaves out the fields that no read of the target brings.
func (q ReadQuestion) shown(t Reader) ReadQuestion {
	var fields []string
	for _, f := range q.Fields {
		if t.Shows(f) {
			fields = append(fields, f)
		}
	}
	q.Fields = fields
	return q
}

// column returns the account's name of a mapping's field: the part behind the dot.
func column(field string) string { return field[strings.IndexByte(field, '.')+1:] }

// valuesOf picks the fields that were asked for out of what the account showed.
func valuesOf(fields []string, got map[string]string, name func(field string) string) map[string]string {
	folded := make(map[string]string, len(got))
	for n, v := range got {
		folded[strings.ToLower(n)] = v
	}
	values := make(map[string]string, len(fields))
	for _, f := range fields {
		if n := name(f); n != "" {
			if v, shown := folded[strings.ToLower(n)]; shown {
				values[f] = v
			}
		}
	}
	return values
}

func told(progress func(int), done int) {
	if progress != nil {
		progress(done)
	}
}
