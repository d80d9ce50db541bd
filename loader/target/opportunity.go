package target

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/mapping"
)

// opportunityKind names the scope of opportunities, captured at once or queued.
const opportunityKind = "opportunity"

// opportunity is made by a capture, which makes its lead as well.
type opportunity struct{}

func (opportunity) Scope(m *mapping.Mapping) Scope { return Scope{opportunityKind, m.EventCode} }

func (opportunity) Calls(op ledger.Op) (Calls, bool) {
	if op == ledger.Delete {
		return deletion((*leadsquared.Client).DeleteOpportunity), true
	}
	return creation(op, leadsquared.MakeOpportunity)
}

func (opportunity) Sent(body []byte) (leadsquared.Sent, error) { return leadsquared.ParseCapture(body) }

func (opportunity) MakesLead() bool { return true }

// Look reads the trails of the leads, and the details of what stands there.
func (opportunity) Look(ctx context.Context, l *line.Line, q Question) (Sight, error) {
	var s Sight
	for _, lead := range q.Leads {
		for _, code := range q.Codes {
			if err := lookAtTrail(ctx, l, &q, &s, lead, code); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

func lookAtTrail(ctx context.Context, l *line.Line, q *Question, s *Sight, lead string, code int) error {
	trail, why, err := Trail(ctx, l, lead, code)
	if err != nil {
		return err
	}
	if why != "" {
		s.blind(why)
		return nil
	}
	for _, a := range trail {
		if !q.fresh(a.CreatedOn) {
			continue
		}
		owned, err := q.Owned(ctx, a.ID)
		if err != nil {
			return err
		}
		if owned {
			continue
		}
		r := Record{ID: a.ID, Lead: lead, Code: code, Created: a.CreatedOn}
		opp, out, err := line.Try(ctx, l, line.With(l.Client.Opportunity, a.ID))
		if err != nil {
			return err
		}
		if out.Verdict == leadsquared.Applied {
			r.Readable, r.Note, r.Fields = true, opp.Note, opp.Fields
		} else {
			r.Fields = a.Data // few, but the key may be among them
		}
		s.Records = append(s.Records, r)
	}
	if len(s.Records) < q.Count {
		return lookAtIndex(ctx, l, q, s, lead, code)
	}
	return nil
}

// lookAtIndex asks the account's index for opportunities that the trail did
// not show, before a row is taken for absent. The index lags, so only what it
// has means something; an index that cannot be read means nothing.
func lookAtIndex(ctx context.Context, l *line.Line, q *Question, s *Sight, lead string, code int) error {
	page, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
		return l.Client.OpportunitiesOfLead(ctx, slot, lead, code, 0)
	})
	if err != nil || out.Verdict != leadsquared.Applied {
		return err
	}
	for _, o := range page.List {
		known := slices.ContainsFunc(s.Records, func(r Record) bool { return strings.EqualFold(r.ID, o.ID) })
		if known || o.CreatedOn.IsZero() || !q.fresh(o.CreatedOn) {
			continue
		}
		owned, err := q.Owned(ctx, o.ID)
		if err != nil {
			return err
		}
		if !owned {
			s.Records = append(s.Records, Record{ID: o.ID, Lead: lead, Code: code, Created: o.CreatedOn, Readable: true, Note: o.Note, Fields: o.Fields})
		}
	}
	return nil
}

func (opportunity) Fields(ctx context.Context, l *line.Line, m *mapping.Mapping) (Fields, error) {
	var f Fields
	var err error
	if f.Lead, err = leadFields(ctx, l); err != nil {
		return f, err
	}
	if m.EventCode == 0 {
		return f, nil // each row has a type of its own, so no list of fields fits all
	}
	f.Opportunity, err = typeFields(ctx, l, m.EventCode)
	var own *fault.Fault
	if errors.As(err, &own) && own.Code == "online.refused" {
		own.Msg = fmt.Sprintf("the account refuses opportunity type %d: %s", m.EventCode, own.Msg)
		own.Hint = "correct OpportunityEventCode in the mapping: Settings > Opportunities > Opportunity Types lists the codes"
	}
	return f, err
}

func typeFields(ctx context.Context, l *line.Line, code int) ([]leadsquared.Field, error) {
	return read(ctx, l, fmt.Sprintf("the fields of opportunity type %d", code), line.With(l.Client.OpportunityTypeMetadata, code))
}

func (opportunity) Known(ctx context.Context, l *line.Line, code int) (Known, error) {
	k := Known{Code: code}
	var err error
	if k.Lead, err = leadFields(ctx, l); err != nil {
		return k, err
	}
	if k.Code == 0 {
		if k.Types, err = read(ctx, l, "the list of opportunity types", l.Client.OpportunityTypes); err != nil {
			return k, err
		}
		if len(k.Types) != 1 {
			return k, nil
		}
		k.Code = k.Types[0].Code
	}
	k.Opportunity, err = typeFields(ctx, l, k.Code)
	return k, err
}
