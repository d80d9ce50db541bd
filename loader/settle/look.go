package settle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// callsForADoubt is how many reading calls one row in doubt is worth: the trails of
// busy leads have some hundred pages.
const callsForADoubt = 250

// sight is what the account shows about a group's lead.
type sight struct {
	target.Sight
	lo time.Duration // how far the account's clock is ahead of ours, at least
	// proved says that lo was measured on records, and not on the Date header
	// alone, which may come from another clock.
	proved bool
	spent  bool          // the budget of calls was not enough to see all
	byLead bool          // the account has found the lead by its value
	code   string        // of Blind; "" is that something could not be read
	span   time.Duration // how long after its call a record may have been made by it
	owned  []owned       // records that rows have
}

func (s sight) leadOf(id string) string {
	for _, r := range s.Records {
		if r.ID == id {
			return r.Lead
		}
	}
	return ""
}

// look reads what the account has of the lead of some rows, records whose rows
// are open to doubt among them. The error ends the run.
//
// whole asks for all that the account has; else a call is left out when nothing seems to
// be missed, and peek is used, which may be nil.
func (s *Settler) look(ctx context.Context, rows []ledger.Operation, wants []want, open contested, whole bool, peek *target.Peek) (sight, error) {
	seen := sight{span: s.Timeout + s.SettleAfter}
	ctx, budget := line.WithBudget(ctx, callsForADoubt*len(rows))
	err := s.ask(ctx, rows, wants, open, whole, peek, &seen)
	if seen.spent = budget.Spent(); seen.spent {
		seen.Blind, seen.Later, seen.code = fmt.Sprintf("the account has more about its lead than %d calls can read", budget.Calls()), false, ""
	}
	// Each of these reads has shown the account's time. In a run whose every
	// answer was lost they are the first to.
	seen.lo, seen.proved = s.clockLo(wants...)
	return seen, err
}

func (s *Settler) ask(ctx context.Context, rows []ledger.Operation, wants []want, open contested, whole bool, peek *target.Peek, seen *sight) error {
	t := target.For(mapping.Target(rows[0].Payload.Target))
	leads, err := s.leadsOf(ctx, t, rows, wants)
	if err != nil {
		return err
	}
	seen.byLead = leads.found
	lo, proved := s.clockLo(wants...) // for the width of what is read
	q := target.Question{Leads: leads.ids, Count: len(wants), Whole: whole, Peek: peek, Since: sight{lo: lo, proved: proved}.earliest(wants[0].sent)}
	q.Owned = func(ctx context.Context, lead, id string) (bool, error) {
		if _, is := open[id]; is {
			return false, nil
		}
		is, err := s.owned(ctx, id)
		if is {
			seen.owned = append(seen.owned, owned{id, lead})
		}
		return is, err
	}
	for _, w := range wants {
		if w.vague {
			q.Since = time.Time{}
		}
		if !slices.Contains(q.Codes, w.event) {
			q.Codes = append(q.Codes, w.event)
		}
		for _, k := range w.keys {
			if !slices.Contains(q.Keys, k) {
				q.Keys = append(q.Keys, k)
			}
		}
	}
	if seen.Sight, err = t.Look(ctx, s.Line, q); err != nil {
		return err
	}
	if seen.Blind != "" || seen.Short {
		return nil
	}
	if err := s.elsewhere(ctx, t, wants, leads, seen); err != nil || seen.Blind != "" {
		return err
	}
	why, code, err := s.doubtAbsence(ctx, rows, leads, seen.Sight)
	seen.Blind, seen.Later, seen.code = why, why != "", code
	return err
}

// peek reads the trails of the leads of many groups, and the details of what stands
// there in one call: those of a call that took many records, whose answer was lost. A
// lead that is only remembered is good enough, for what a peek does not show is looked
// for as ever.
func (s *Settler) peek(ctx context.Context, groups []*group) error {
	asked := map[*group]*target.PeekQuestion{}
	names := map[string][]string{} // of leads that are not known, by field
	now := time.Now()
	for _, g := range groups {
		wants, err := wantsOf(g.rows, func(sent time.Time) (time.Time, bool) { return s.moment(sent, now) })
		if err != nil {
			return err
		}
		rec, w := &g.rows[0], &wants[0]
		if w.event == 0 || w.vague || !target.ParseScope(rec.Target).OfOpportunities() {
			continue
		}
		lo, proved := s.clockLo(wants...)
		q := &target.PeekQuestion{Lead: rec.LeadID, Code: w.event, Since: sight{lo: lo, proved: proved}.earliest(w.sent)}
		for _, f := range w.body.Fields {
			q.Fields = append(q.Fields, f.Name)
		}
		if p := &rec.Payload; q.Lead == "" {
			names[p.LeadField] = append(names[p.LeadField], target.LeadName(p.LeadField, p.LeadValue))
		}
		asked[g] = q
	}
	if len(asked) < 2 {
		return nil
	}
	for field, some := range names {
		known, err := s.Ledger.Memo().Leads(ctx, s.Lease.Account, field, some, s.Sender.LeadAge)
		if err != nil {
			return err
		}
		for g, q := range asked {
			if p := &g.rows[0].Payload; q.Lead == "" && p.LeadField == field {
				q.Lead = known[target.LeadName(field, p.LeadValue)]
			}
		}
	}
	var list []target.PeekQuestion
	for _, g := range groups { // in their order
		if q := asked[g]; q != nil && q.Lead != "" {
			list = append(list, *q)
		}
	}
	if len(list) < 2 {
		return nil
	}
	peek, err := target.PeekAt(ctx, s.Line, s.Memory, list, s.owned, settleAtOnce, callsForADoubt)
	for g, q := range asked {
		if err == nil && peek.Shows(q.Lead, q.Code) {
			g.peek = peek
		}
	}
	return err
}

// doubtAbsence returns why it proves nothing that a look has not shown the rows, or
// "". Absence is believed only of an account that has just shown what it must
// know, and when two different calls agree about it.
func (s *Settler) doubtAbsence(ctx context.Context, rows []ledger.Operation, leads leadsSeen, seen target.Sight) (why, code string, err error) {
	const unproved = "doubt.unproved"
	kind := target.ParseScope(rows[0].Target).Kind
	if leads.why != "" {
		return leads.why, "", nil
	}
	if len(leads.ids) == 0 {
		// A lead that is not there has no records, but its index may lag, or may have lost it.
		if leads.reads < 2 {
			return "the account does not know its lead, and only one of its searches can be read", "doubt.no-lead", nil
		}
		shown, err := s.showsLeads(ctx, kind, rows[0].Payload.LeadField)
		if shown || err != nil || s.saidBefore(rows, "doubt.no-lead") {
			return "", "", err
		}
		return "the account does not know its lead, or not yet", "doubt.no-lead", nil
	}
	if !leads.found {
		if !seen.Shown {
			return "the account does not know its lead by " + leads.field + ": it may have been merged into another", unproved, nil
		}
	}
	if !seen.Shown {
		shown, err := s.showsRecords(ctx, kind)
		if err != nil || !shown {
			return "the account shows nothing of its lead, nor any record that it must have", unproved, err
		}
	}
	if seen.Reads < 2 {
		return "only one of the account's lists of its records can be read", unproved, nil
	}
	return "", "", nil
}

// saidBefore reports whether an earlier run has said the same of all rows, long
// enough after their calls.
func (s *Settler) saidBefore(rows []ledger.Operation, code string) bool {
	return !slices.ContainsFunc(rows, func(rec ledger.Operation) bool {
		return rec.Code != code || s.lookedAt(rec.Record) || time.Since(s.endOf(rec)) < 3*s.SettleAfter
	})
}

// leadsSeen is what the account knows of the lead of some rows.
type leadsSeen struct {
	ids   []string // of the lead, by what was sent and by what the account finds
	field string
	found bool      // the account finds it by the value that was sent
	made  time.Time // when the oldest of those found was made, by the account's clock; zero: not known
	reads int       // how many different calls have answered
	why   string    // why it could not be looked up
}

// leadsOf finds the lead of some rows by its value, beside the ids that were
// sent: a lead may have been merged since, and an id may have been damaged on its way.
func (s *Settler) leadsOf(ctx context.Context, t target.Target, rows []ledger.Operation, wants []want) (leadsSeen, error) {
	var seen leadsSeen
	for i, rec := range rows {
		for _, id := range []string{rec.LeadID, wants[i].body.ProspectID} {
			if id != "" && !slices.Contains(seen.ids, id) {
				seen.ids = append(seen.ids, id)
			}
		}
	}
	p := rows[0].Payload
	field, value := p.LeadField, p.LeadValue
	if field == "" || value == "" {
		if len(seen.ids) == 0 {
			seen.why = "what its lead is found by is not known"
			return seen, nil
		}
		field, value = "ProspectID", seen.ids[0]
	}
	seen.field = field
	found, err := target.Leads(ctx, s.Line, target.Search{Field: field, Value: value, Made: t.MakesLead(), Patient: true})
	switch {
	case err != nil:
		return seen, err
	case found.Out.Verdict != leadsquared.Applied:
		seen.why = "its lead could not be looked up: " + found.Out.Message
	case len(found.Leads) == 0 && found.Lagging && time.Since(rows[len(rows)-1].Sent) < unsureBefore:
		seen.why = "the account's search does not know its lead, but it may lag by minutes"
	case len(found.Leads) == 0 && !found.Lagging && t.MakesLead() && !strings.EqualFold(field, "EmailAddress"):
		// A search by a field of the account's own may not know a lead that was made just now.
		seen.reads = found.Reads
		return seen, s.leadsByEmail(ctx, wants, &seen)
	}
	seen.reads, seen.found = found.Reads, len(found.Leads) > 0
	seen.add(found.Leads)
	return seen, nil
}

// add takes leads that were found.
func (s *leadsSeen) add(leads []leadsquared.Lead) {
	for _, l := range leads {
		if !slices.ContainsFunc(s.ids, func(id string) bool { return strings.EqualFold(id, l.ID) }) {
			s.ids = append(s.ids, l.ID)
		}
		if !l.CreatedOn.IsZero() && (s.made.IsZero() || l.CreatedOn.Before(s.made)) {
			s.made = l.CreatedOn
		}
	}
}

// leadsByEmail finds the leads whose e-mail addresses were sent with some rows.
func (s *Settler) leadsByEmail(ctx context.Context, wants []want, seen *leadsSeen) error {
	for _, w := range wants {
		email := w.body.LeadValue("EmailAddress")
		if email == "" {
			continue
		}
		found, err := target.Leads(ctx, s.Line, target.Search{Field: "EmailAddress", Value: email, Patient: true})
		if err != nil {
			return err
		}
		if found.Out.Verdict != leadsquared.Applied {
			seen.why = "its lead could not be looked up: " + found.Out.Message
			return nil
		}
		seen.found = seen.found || len(found.Leads) > 0
		seen.add(found.Leads)
	}
	return nil
}
