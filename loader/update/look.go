package update

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"leadload/loader/compare"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// Look reads what the account has of the records that updates are about, as many
// as possible with one call, and judges their fields, but for those of their
// leads. The error ends the run; what could not be read stays unread.
func (u *Updater) Look(ctx context.Context, list []*ledger.Payload) error {
	type kind struct {
		target string
		code   int
	}
	groups := map[kind][]*ledger.Payload{}
	var kinds []kind
	for _, p := range list {
		k := kind{p.Target, p.Edit.Code}
		if groups[k] == nil {
			kinds = append(kinds, k)
		}
		groups[k] = append(groups[k], p)
	}
	for _, k := range kinds {
		if err := u.lookAt(ctx, k.target, k.code, groups[k]); err != nil {
			return err
		}
	}
	return nil
}

// lookAt is Look for records of one kind.
func (u *Updater) lookAt(ctx context.Context, name string, code int, list []*ledger.Payload) error {
	reader, can := target.For(mapping.Target(name)).(target.Reader)
	q := target.ReadQuestion{Code: code, Memory: u.Memory}
	asked := map[string]bool{}
	for _, p := range list {
		e := p.Edit
		if id := strings.ToLower(e.ID); can && (needs(e, mapping.OfLead, false) || e.LeadID == "") && !asked[id] {
			asked[id] = true
			q.Wanted = append(q.Wanted, target.Wanted{ID: e.ID, Lead: e.LeadID})
		}
		for i := range e.Changes {
			if f := e.Changes[i].Field; e.Changes[i].Part != string(mapping.OfLead) && e.Changes[i].Part != "" {
				q.Fields = addNew(q.Fields, f)
			}
		}
		for _, f := range e.Names {
			if can && reader.Shows(f) { // the others say what the account makes of values
				q.Fields = addNew(q.Fields, f)
			}
		}
	}
	if u.blind {
		for _, p := range list {
			u.assume(p.Edit)
		}
		return nil
	}
	var read time.Time
	var records map[string]target.Back
	if len(q.Wanted) > 0 {
		var err error
		if records, err = reader.Read(line.WithBegan(ctx, &read), u.Line, q); err != nil {
			return err
		}
	}
	if read.IsZero() {
		read = time.Now() // there was nothing to ask
	}
	for _, p := range list {
		e := p.Edit
		record := records[strings.ToLower(e.ID)]
		e.Read, e.Gone = read, false
		if e.LeadID == "" {
			e.LeadID = record.Lead
		}
		u.judge(e, false, reader, record)
	}
	return nil
}

// lookAtLead reads what the account has of the lead of an update's record, and
// judges its fields.
func (u *Updater) lookAtLead(ctx context.Context, e *ledger.Edit) error {
	e.Leads = time.Time{}
	var lead target.Back
	if e.LeadID != "" && !u.blind {
		all, err := target.ReadLeads(line.WithBegan(ctx, &e.Leads), u.Line, []string{e.LeadID})
		if err != nil {
			return err
		}
		lead = all[strings.ToLower(e.LeadID)]
	}
	if e.Leads.IsZero() {
		e.Leads = time.Now() // there was nothing to ask
	}
	if u.blind {
		u.assume(e)
		return nil
	}
	u.judge(e, true, nil, lead)
	return nil
}

// needs reports whether an update still has a field of a part, or with is false of
// any other part, that is to be looked at.
func needs(e *ledger.Edit, part mapping.Part, is bool) bool {
	for i := range e.Changes {
		if c := &e.Changes[i]; c.Part != "" && !c.Done && (c.Part == string(part)) == is {
			return true
		}
	}
	return false
}

func addNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// judge says of each field of the record, or with ofLead of its lead, what is to be
// done with it, unless it is done.
func (u *Updater) judge(e *ledger.Edit, ofLead bool, reader target.Reader, back target.Back) {
	for i := range e.Changes {
		c := &e.Changes[i]
		if c.Done || c.Part == "" || strings.HasPrefix(c.Why, refusedWhy) || ofLead != (c.Part == string(mapping.OfLead)) {
			continue
		}
		c.Finding, c.Why = uint8(compare.Unread), ""
		switch {
		case ofLead && e.LeadID == "":
			c.Why = "its lead is not known"
			continue
		case !ofLead && (reader == nil || !reader.Shows(c.Field)):
			// It cannot be looked at. Only who says so writes over what is there.
			if c.Why, c.Finding = "no read of the account shows it", uint8(compare.Conflict); u.Overwrite {
				c.Why, c.Finding = "", uint8(compare.Send)
			}
			continue
		case back.Presence == target.Gone && !ofLead:
			e.Gone = true
			c.Why = "it was deleted in the account"
			continue
		case back.Presence == target.Gone:
			c.Why, c.Finding = "its lead was deleted in the account", uint8(compare.Conflict)
			continue
		case back.Presence != target.Present:
			if c.Why = back.Why; c.Why == "" {
				c.Why = "it was not read"
			}
			continue
		}
		had, _ := back.Value(c.Field) // one that an answer leaves out has none
		v := compare.Values{Sent: c.Sent, Account: had, File: c.Value}
		base := e.Baseline(ofLead, c.Field)
		if ofLead {
			if base != nil {
				v.Sent = base.Sent // other rows write there too
			}
			v.Second = u.written(e.LeadID, c.Field)
		}
		if base != nil && base.Sent == v.Sent && v.Second == 0 {
			v.Second = base.Second
		}
		if u.untouched(e, ofLead, back, v.Sent, base) {
			v.Touched = compare.Untouched
			u.rewritten(e, ofLead, c.Field, v.Sent, had)
		}
		f := compare.Judge(v)
		switch f {
		case compare.Equal, compare.Same:
			c.Done, c.Wrote = true, c.Tried
			if at := c.At; ofLead || c.Tried {
				if !c.Tried {
					at = e.Leads
				}
				e.SetBaseline(ledger.Baseline{Lead: ofLead, Field: c.Field, Sent: compare.Print(c.Value), At: at})
			}
			if c.Tried {
				f = compare.Equal
			} else {
				c.Had = had
			}
		case compare.AccountOnly, compare.Conflict:
			f, c.Had = compare.Conflict, had
			if u.Overwrite {
				f = compare.Send
			}
		default:
			c.Had = had
		}
		c.Finding = uint8(f)
	}
	if !ofLead && back.Presence == target.Present {
		u.others(e, back)
		u.remember(e, back)
	}
}

// untouched reports whether it is certain that nobody has changed a field since we
// wrote it. What is there then is what the account has made of our value.
func (u *Updater) untouched(e *ledger.Edit, ofLead bool, back target.Back, sent uint32, base *ledger.Baseline) bool {
	if back.Modified.IsZero() || sent == 0 {
		return false
	}
	if as, _ := back.AsMade(); as && e.Own && !ofLead {
		return true
	}
	return base != nil && base.Sent == sent && u.ours(back.Modified, base.At)
}

// slowWrite is how long a call may take whose change is known by its date. A read
// that does not show the call yet dates the record before it.
const slowWrite = 5 * time.Second

// ours reports whether the account dates a record's last change to a call of ours
// that had ended at a moment of our clock, to a second. Nobody has changed it since.
func (u *Updater) ours(modified, at time.Time) bool {
	lo, hi, known := u.Line.Ahead()
	return known && !at.IsZero() && !modified.Before(at.Add(lo-slowWrite)) && !modified.After(at.Add(min(hi, lo+time.Second)))
}

// rewritten remembers what the account itself has made of a value that was sent.
func (u *Updater) rewritten(e *ledger.Edit, ofLead bool, field string, sent uint32, has string) {
	if compare.Is(has, sent) {
		return
	}
	b := ledger.Baseline{Lead: ofLead, Field: field, Sent: sent, Second: compare.Print(has)}
	if was := e.Baseline(ofLead, field); was != nil && was.Sent == sent {
		if b.At = was.At; was.Second == b.Second {
			return
		}
	}
	e.SetBaseline(b)
}

// others looks at the fields of a record that are not to be changed: once it is
// written, nobody can say any more whether the account has rewritten them or a person.
func (u *Updater) others(e *ledger.Edit, back target.Back) {
	for i, name := range e.Names {
		has, shown := back.Value(name)
		if !shown || 4*i+4 > len(e.Prints) || slices.ContainsFunc(e.Changes, func(c ledger.FieldChange) bool { return c.Field == name }) {
			continue
		}
		if sent := binary.LittleEndian.Uint32(e.Prints[4*i:]); u.untouched(e, false, back, sent, e.Baseline(false, name)) {
			u.rewritten(e, false, name, sent, has)
		}
	}
}

const refusedWhy = "the account refused it: "

// Together reports whether one call reads many records of a target. Others are
// looked at when their turn comes.
func (u *Updater) Together(name string) bool {
	reader, can := target.For(mapping.Target(name)).(target.Reader)
	const many = 100
	return can && reader.ReadCalls(many, 0, u.Memory) < many
}

// assume judges as if nobody had touched the account.
func (u *Updater) assume(e *ledger.Edit) {
	e.Read, e.Leads = time.Now(), time.Now()
	for i := range e.Changes {
		if c := &e.Changes[i]; c.Part != "" && !c.Done {
			c.Finding = uint8(compare.Send)
		}
	}
}
