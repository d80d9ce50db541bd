package target

import (
	"context"
	"slices"
	"strings"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// LeadName is the value under which a lead is remembered: an e-mail address
// names one lead whatever its letters' case.
func LeadName(field, value string) string {
	if field == "EmailAddress" {
		return strings.ToLower(value)
	}
	return value
}

// Search says how leads are looked for.
type Search struct {
	Field, Value string
	// Made says that the row's own call may have made the lead just now, so that
	// every way to it is tried.
	Made bool
	// Patient says that a call which the account does not have is a search that
	// failed, and no reason to stop the run.
	Patient bool
}

// Found is what a search came to.
type Found struct {
	Leads []leadsquared.Lead
	// Out is Applied when the search worked; otherwise it says why not.
	Out leadsquared.Outcome
	// Lagging says that only opportunities were searched, whose index lags: no
	// lead found means nothing yet.
	Lagging bool
	// Reads is how many different calls have answered.
	Reads int
}

// Leads looks leads up by a unique field. Opportunities name their lead
// too. They are asked where the account has no look-up by that field, and for
// a lead that was perhaps just made: of several leads with one phone the
// look-up returns only the one that was active last, and it may lag.
func Leads(ctx context.Context, l *line.Line, q Search) (Found, error) {
	leads, out, err := line.Ask(ctx, l, func(ctx context.Context, slot leadsquared.Slot) ([]leadsquared.Lead, leadsquared.Outcome) {
		return l.Client.LeadsBy(ctx, slot, q.Field, q.Value)
	})
	found := Found{Leads: leads, Out: out}
	if out.Verdict == leadsquared.Applied {
		found.Reads++
	}
	switch {
	case err != nil && !line.MissingPath(out):
		return found, err
	case q.Made && (out.Verdict != leadsquared.Applied || len(leads) == 0 || strings.EqualFold(q.Field, "Phone") || strings.EqualFold(q.Field, "Mobile")):
	case line.MissingPath(out) && !hasOwnLookup(q.Field):
	case q.Patient:
		return found, nil
	default:
		return found, err
	}
	page, other, err := line.Ask(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
		if q.Patient {
			return l.Client.OpportunitiesByLeadField(ctx, slot, q.Field, q.Value, 1)
		}
		// A record is sent to the lead that is found: the answer must show that it is the right one.
		return l.Client.OpportunitiesByLeadField(ctx, slot, q.Field, q.Value, 1, q.Field)
	})
	if err != nil && !(q.Patient && line.MissingPath(other)) {
		return Found{Out: other}, err
	}
	if other.Verdict != leadsquared.Applied {
		if !q.Patient {
			found.Out = other
		}
		return found, nil
	}
	found.Reads++
	found.Lagging = out.Verdict != leadsquared.Applied
	for _, o := range page.List {
		known := slices.ContainsFunc(found.Leads, func(have leadsquared.Lead) bool { return strings.EqualFold(have.ID, o.LeadID) })
		if o.LeadID != "" && !known {
			found.Leads = append(found.Leads, leadsquared.Lead{ID: o.LeadID, CreatedOn: o.CreatedOn})
		}
	}
	if found.Lagging {
		if found.Out = other; len(found.Leads) == 0 && !q.Made {
			// A lead may have no opportunity.
			found.Out.Verdict, found.Out.Message = leadsquared.InDoubt, "the account has no search of leads by "+q.Field+"; find them by EmailAddress or Phone"
		}
	}
	return found, nil
}

// hasOwnLookup reports a field for which the account has a call of its own.
func hasOwnLookup(field string) bool {
	return slices.Contains([]string{"EmailAddress", "Phone", "Mobile", "ProspectID"}, field)
}
