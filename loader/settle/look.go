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
	span   time.Duration // how long after its call a record may have been made by it
}

func (s sight) leadOf(id string) string {
	for _, r := range s.Records {
		if r.ID == id {
			return r.Lead
		}
	}
	return ""
}

// look reads what the account has of the lead of some rows. The error ends the run.
func (s *Settler) look(ctx context.Context, rows []ledger.Operation, wants []want) (sight, error) {
	seen := sight{span: s.Timeout + s.SettleAfter}
	var err error
	ctx, budget := line.WithBudget(ctx, callsForADoubt*len(rows))
	seen.Sight, err = s.ask(ctx, rows, wants)
	if seen.spent = budget.Spent(); seen.spent {
		seen.Blind, seen.Later = fmt.Sprintf("the account has more about its lead than %d calls can read", budget.Calls()), false
	}
	// Each of these reads has shown the account's time. In a run whose every
	// answer was lost they are the first to.
	seen.lo, seen.proved = s.clockLo()
	return seen, err
}

func (s *Settler) ask(ctx context.Context, rows []ledger.Operation, wants []want) (target.Sight, error) {
	t := target.For(mapping.Target(rows[0].Payload.Target))
	leads, blind, err := s.leadsOf(ctx, t, rows, wants)
	if err != nil || blind != "" {
		return target.Sight{Blind: blind, Later: true}, err
	}
	lo, proved := s.clockLo() // for the width of what is read
	q := target.Question{Leads: leads, Count: len(wants), Since: sight{lo: lo, proved: proved}.widest(wants[0].sent), Owned: s.owned}
	for _, w := range wants {
		if w.vague {
			q.Since = time.Time{}
		}
		if !slices.Contains(q.Codes, w.event) {
			q.Codes = append(q.Codes, w.event)
		}
	}
	return t.Look(ctx, s.Line, q)
}

// leadsOf finds the ids of the lead of some rows. No ids without a reason
// means that there is no such lead, and so no record either.
func (s *Settler) leadsOf(ctx context.Context, t target.Target, rows []ledger.Operation, wants []want) (ids []string, blind string, err error) {
	for i, rec := range rows {
		for _, id := range []string{rec.LeadID, wants[i].body.ProspectID} {
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > 0 {
		return ids, "", nil
	}
	p := rows[0].Payload
	if p.LeadField == "" || p.LeadValue == "" {
		return nil, "what its lead is found by is not known", nil
	}
	found, err := target.Leads(ctx, s.Line, target.Search{Field: p.LeadField, Value: p.LeadValue, Made: t.MakesLead(), Patient: true})
	switch {
	case err != nil:
		return nil, "", err
	case found.Out.Verdict != leadsquared.Applied:
		return nil, "its lead could not be looked up: " + found.Out.Message, nil
	case len(found.Leads) == 0 && found.Lagging && time.Since(rows[len(rows)-1].Sent) < unsureBefore:
		return nil, "the account's search does not know its lead, but it may lag by minutes", nil
	case len(found.Leads) == 0 && !found.Lagging && t.MakesLead() && !strings.EqualFold(p.LeadField, "EmailAddress"):
		// A search by a field of the account's own may not know a lead that was made just now.
		return s.leadsByEmail(ctx, wants)
	}
	return leadIDs(ids, found.Leads), "", nil
}

// leadsByEmail finds the leads whose e-mail addresses were sent with some rows.
func (s *Settler) leadsByEmail(ctx context.Context, wants []want) (ids []string, blind string, err error) {
	for _, w := range wants {
		email := w.body.LeadValue("EmailAddress")
		if email == "" {
			continue
		}
		found, err := target.Leads(ctx, s.Line, target.Search{Field: "EmailAddress", Value: email, Patient: true})
		if err != nil {
			return nil, "", err
		}
		if found.Out.Verdict != leadsquared.Applied {
			return nil, "its lead could not be looked up: " + found.Out.Message, nil
		}
		ids = leadIDs(ids, found.Leads)
	}
	return ids, "", nil
}

func leadIDs(ids []string, leads []leadsquared.Lead) []string {
	for _, l := range leads {
		if !slices.Contains(ids, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	return ids
}
