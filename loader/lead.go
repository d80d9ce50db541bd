package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// leadOf finds the id of the lead of a row: from memory, or by one paced
// look-up. An Outcome with a State says that the row is refused without a
// call; the error ends the run.
func (r *run) leadOf(ctx context.Context, j *job) (string, ledger.Outcome, error) {
	field, value := j.Payload.LeadField, j.Payload.LeadValue
	known, err := r.led.Lead(ctx, r.acct, field, leadName(field, value), r.o.LeadAge)
	if err != nil || known != "" {
		return known, ledger.Outcome{}, err
	}
	refuse := func(code, hint, format string, args ...any) ledger.Outcome {
		return ledger.Outcome{Record: j.Record, State: ledger.Rejected, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	found, err := r.findLeads(ctx, leadSearch{field: field, value: value})
	leads, out := found.leads, found.out
	switch {
	case err != nil:
		return "", ledger.Outcome{}, err
	case out.Verdict == leadsquared.Rejected:
		return "", refuse("lead.refused", "correct the value, or find the lead by another field", "the look-up of the lead by %s %q was refused: %s", field, value, refusal(out)), nil
	case out.Verdict != leadsquared.Applied:
		o := refuse("lead.unread", "run the same command again", "the lead with %s %q could not be looked up: %s", field, value, out.Message)
		o.State = ledger.Ready // nobody refused the row
		return "", o, nil
	case len(leads) == 0 && j.Payload.IfMissing == "create":
		return r.createLead(ctx, j)
	case len(leads) == 0:
		return "", refuse("lead.missing", "correct the value, or make the lead in the account first, and load the row again", "no lead has %s %q", field, value), nil
	case len(leads) > 1 && j.Payload.IfMany != "newest":
		ids := make([]string, len(leads))
		for i, l := range leads {
			ids[i] = l.ID
		}
		return "", refuse("lead.many", "merge the leads in the account, or write if_many: newest under lead: in the mapping", "%d leads have %s %q: %s", len(leads), field, value, strings.Join(ids, ", ")), nil
	}
	return r.newest(field, value, leads), ledger.Outcome{}, nil
}

// newest picks the lead that was made last, and remembers it.
func (r *run) newest(field, value string, leads []leadsquared.Lead) string {
	newest := slices.MaxFunc(leads, func(a, b leadsquared.Lead) int { return a.CreatedOn.Compare(b.CreatedOn) })
	r.led.RememberLead(r.acct, field, leadName(field, value), newest.ID)
	return newest.ID
}

// createTries bounds how often a lead is captured for one row.
const createTries = 3

// createLead makes the lead of a sales activity on the user's demand
// (if_missing: create). Whatever the call answers, the lead is looked up
// again: that gives its id, and after a lost answer it tells whether there is
// one. The row itself is sent only with an id that the account has shown.
func (r *run) createLead(ctx context.Context, j *job) (string, ledger.Outcome, error) {
	field, value := j.Payload.LeadField, j.Payload.LeadValue
	refuse := func(state ledger.State, code, hint, format string, args ...any) ledger.Outcome {
		return ledger.Outcome{Record: j.Record, State: state, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	attribute := value
	if j.Payload.LeadText != "" {
		attribute = j.Payload.LeadText
	}
	if !mapping.MakesLead(field) { // a mapping no longer says so; a row of an older ledger may
		return "", refuse(ledger.Rejected, "lead.uncreatable", "make the lead in the account first, or find it by EmailAddress or Phone",
			"no lead has %s %q, and the account makes leads by EmailAddress, Phone and Mobile only", field, value), nil
	}
	for try := 1; try <= createTries; try++ {
		out, err := r.once(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
			return r.client.CaptureLead(ctx, slot, field, attribute)
		})
		if err != nil {
			return "", ledger.Outcome{}, err
		}
		if out.Verdict != leadsquared.NotSent {
			r.led.CountCalls(r.acct, time.Now(), 1)
		}
		switch out.Verdict {
		case leadsquared.Rejected:
			return "", refuse(ledger.Rejected, "lead.refused", "correct the value, or make the lead in the account", "the account refused to make a lead with %s %q: %s", field, value, refusal(out)), nil
		case leadsquared.Applied:
		default:
			if err := sleep(ctx, backoff(try+1)); err != nil {
				return "", ledger.Outcome{}, err
			}
		}
		found, err := r.findLeads(ctx, leadSearch{field: field, value: value})
		leads, seen := found.leads, found.out
		switch {
		case err != nil:
			return "", ledger.Outcome{}, err
		case seen.Verdict != leadsquared.Applied:
			return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "a lead with %s %q was asked for, and could not be looked up: %s", field, value, seen.Message), nil
		case len(leads) > 1 && j.Payload.IfMany != "newest":
			return "", refuse(ledger.Rejected, "lead.many", "merge the leads in the account, or write if_many: newest under lead: in the mapping", "%d leads have %s %q since one was made", len(leads), field, value), nil
		case len(leads) > 0:
			return r.newest(field, value, leads), ledger.Outcome{}, nil
		case out.Verdict == leadsquared.Applied:
			return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "the lead with %s %q was made, but the account does not show it yet", field, value), nil
		}
		// Not there: the account matches by the value before it makes a lead, so asking again cannot make two.
	}
	return "", refuse(ledger.Ready, "lead.unread", "run the same command again", "a lead with %s %q could not be made: the answers got lost", field, value), nil
}

// leadName is the value under which a lead is remembered: an e-mail address
// names one lead whatever its letters' case.
func leadName(field, value string) string {
	if field == "EmailAddress" {
		return strings.ToLower(value)
	}
	return value
}

// leadSearch says how leads are looked for.
type leadSearch struct {
	field, value string
	// made says that the row's own call may have made the lead just now, so that
	// every way to it is tried.
	made bool
	// patient says that a call which the account does not have is a search that
	// failed, and no reason to stop the run.
	patient bool
}

// leadsFound is what a search came to.
type leadsFound struct {
	leads []leadsquared.Lead
	// out is Applied when the search worked; otherwise it says why not.
	out leadsquared.Outcome
	// lagging says that only opportunities were searched, whose index lags: no
	// lead found means nothing yet.
	lagging bool
}

// findLeads looks leads up by a unique field. Opportunities name their lead
// too. They are asked where the account has no look-up by that field, and for
// a lead that was perhaps just made: of several leads with one phone the
// look-up returns only the one that was active last, and it may lag.
func (s *Session) findLeads(ctx context.Context, q leadSearch) (leadsFound, error) {
	leads, out, err := ask(ctx, s, func(ctx context.Context, slot leadsquared.Slot) ([]leadsquared.Lead, leadsquared.Outcome) {
		return s.client.LeadsBy(ctx, slot, q.field, q.value)
	})
	found := leadsFound{leads: leads, out: out}
	switch {
	case err != nil && !missingPath(out):
		return found, err
	case q.made && (out.Verdict != leadsquared.Applied || len(leads) == 0 || strings.EqualFold(q.field, "Phone") || strings.EqualFold(q.field, "Mobile")):
	case missingPath(out) && !hasOwnLookup(q.field):
	case q.patient:
		return found, nil
	default:
		return found, err
	}
	page, other, err := ask(ctx, s, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
		return s.client.OpportunitiesByLeadField(ctx, slot, q.field, q.value, 1)
	})
	if err != nil && !(q.patient && missingPath(other)) {
		return leadsFound{out: other}, err
	}
	if other.Verdict != leadsquared.Applied {
		if !q.patient {
			found.out = other
		}
		return found, nil
	}
	found.lagging = out.Verdict != leadsquared.Applied
	for _, o := range page.List {
		known := slices.ContainsFunc(found.leads, func(l leadsquared.Lead) bool { return strings.EqualFold(l.ID, o.LeadID) })
		if o.LeadID != "" && !known {
			found.leads = append(found.leads, leadsquared.Lead{ID: o.LeadID, CreatedOn: o.CreatedOn})
		}
	}
	if found.lagging {
		if found.out = other; len(found.leads) == 0 && !q.made {
			// A lead may have no opportunity.
			found.out.Verdict, found.out.Message = leadsquared.InDoubt, "the account has no search of leads by "+q.field+"; find them by EmailAddress or Phone"
		}
	}
	return found, nil
}

// hasOwnLookup reports a field for which the account has a call of its own.
func hasOwnLookup(field string) bool {
	return slices.Contains([]string{"EmailAddress", "Phone", "Mobile", "ProspectID"}, field)
}
