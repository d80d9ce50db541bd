package update

import (
	"context"
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
			if f := e.Changes[i].Field; e.Changes[i].Part != string(mapping.OfLead) && e.Changes[i].Part != "" && !contains(q.Fields, f) {
				q.Fields = append(q.Fields, f)
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

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
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
		had := valueOf(back, c.Field)
		v := compare.Values{Sent: c.Sent, Account: had, File: c.Value}
		if ofLead {
			v.Second = u.written(e.LeadID, c.Field)
		}
		if e.Own && !ofLead && !back.Created.IsZero() && !back.Modified.IsZero() && !back.Modified.After(back.Created) {
			v.Touched = compare.Untouched // by the account's clock, which has whole seconds: no person is as fast
		}
		f := compare.Judge(v)
		switch f {
		case compare.Equal, compare.Same:
			c.Done, c.Wrote = true, c.Tried
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
}

const refusedWhy = "the account refused it: "

// valueOf returns the account's value of a field. One that an answer leaves out has none.
func valueOf(b target.Back, field string) string {
	if v, shown := b.Values[field]; shown {
		return v
	}
	for name, v := range b.Values {
		if strings.EqualFold(name, field) {
			return v
		}
	}
	return ""
}

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
