package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

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

// Look reads the trails of the leads, the details of what stands there, and the
// account's index of opportunities.
func (opportunity) Look(ctx context.Context, l *line.Line, q Question) (Sight, error) {
	var s Sight
	for i, lead := range q.Leads {
		for k, code := range q.Codes {
			reads, err := lookAtTrail(ctx, l, &q, &s, lead, code)
			if err == nil {
				var more int
				more, err = lookAtIndex(ctx, l, &q, &s, lead, code)
				reads += more
			}
			if err != nil {
				return s, err
			}
			if i+k == 0 || reads < s.Reads {
				s.Reads = reads
			}
		}
	}
	return s, nil
}

// lookAtTrail returns how many calls have answered.
func lookAtTrail(ctx context.Context, l *line.Line, q *Question, s *Sight, lead string, code int) (int, error) {
	trail, read := q.Peek.trail(lead, code)
	var why string
	if !read {
		var err error
		if trail, why, err = Trail(ctx, l, lead, code); err != nil {
			return 0, err
		}
	}
	if why != "" {
		s.blind(why)
		return 0, nil
	}
	if len(trail) == 0 {
		shown, err := shows(ctx, l, lead)
		s.Shown = s.Shown || shown
		return 1, err
	}
	s.Shown = true
	for _, a := range trail {
		if err := lookAtOne(ctx, l, q, s, Record{ID: a.ID, Lead: lead, Code: code, Created: a.CreatedOn, Fields: a.Data}); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

// shows reports whether the trail of a lead has any entry.
func shows(ctx context.Context, l *line.Line, lead string) (bool, error) {
	page, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.TrailPage, leadsquared.Outcome) {
		return l.Client.TrailPage(ctx, slot, lead, 0, 0)
	})
	return err == nil && out.Verdict == leadsquared.Applied && len(page.Activities) > 0, err
}

// lookAtOne reads the details of an opportunity that no row owns. Of an older one
// only the key matters, which may be known already.
func lookAtOne(ctx context.Context, l *line.Line, q *Question, s *Sight, r Record) error {
	fresh := q.fresh(r.Created)
	if !fresh && len(q.Keys) == 0 {
		return nil
	}
	owned, err := q.Owned(ctx, r.Lead, r.ID)
	if err != nil || owned {
		return err
	}
	if !fresh && hasAll(r.Fields, q.Keys) {
		s.Records = append(s.Records, r)
		return nil
	}
	if opp, read := q.Peek.detail(r.ID); read {
		r.show(opp)
		s.Records = append(s.Records, r)
		return nil
	}
	// A record that was deleted may stand in the trail and answer as if the account
	// were out of order. That is asked twice, and is no sign of an outage.
	call := line.With(l.Client.Opportunity, r.ID)
	opp, out, err := line.Once(ctx, l, call)
	if err == nil && out.Verdict == leadsquared.InDoubt && out.Status != http.StatusOK {
		ask := line.Try[leadsquared.Opportunity]
		if out.Status == http.StatusInternalServerError {
			ask = line.Once
		}
		opp, out, err = ask(ctx, l, call)
	}
	if err != nil {
		return err
	}
	// Without details there are few fields, but the key may be among them.
	if out.Verdict == leadsquared.Applied {
		r.show(opp)
	}
	s.Records = append(s.Records, r)
	return nil
}

// show fills in what the details of an opportunity say.
func (r *Record) show(o leadsquared.Opportunity) {
	r.Readable, r.Note, r.Fields, r.Untouched = true, o.Note, o.Fields, untouched(o.CreatedOn, o.ModifiedOn)
}

func untouched(created, modified time.Time) bool {
	return !created.IsZero() && created.Equal(modified)
}

func hasAll(fields map[string]string, names []string) bool {
	for _, n := range names {
		if fields[n] == "" {
			return false
		}
	}
	return true
}

// lookAtIndex asks the account's index for opportunities that the trail did
// not show, before a row is taken for absent, and for the fields of records whose
// details could not be read. The index lags: it is a second witness, and what it
// has means something. It returns how many calls have answered.
func lookAtIndex(ctx context.Context, l *line.Line, q *Question, s *Sight, lead string, code int) (int, error) {
	if !q.Whole && len(s.Records) >= q.Count && !slices.ContainsFunc(s.Records, func(r Record) bool { return !r.Readable || !q.fresh(r.Created) }) {
		s.Short = true
		return 0, nil // nothing seems to be missed
	}
	page, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
		return l.Client.OpportunitiesOfLead(ctx, slot, lead, code, 0)
	})
	if err != nil || out.Verdict != leadsquared.Applied {
		return 0, err
	}
	for _, o := range page.List {
		if i := slices.IndexFunc(s.Records, func(r Record) bool { return strings.EqualFold(r.ID, o.ID) }); i >= 0 {
			if r := &s.Records[i]; !r.Readable && q.fresh(r.Created) { // the call for its details has failed
				r.Readable, r.Note, r.Fields, r.Untouched = true, o.Note, o.Fields, untouched(o.CreatedOn, o.ModifiedOn)
			}
			continue
		}
		if o.CreatedOn.IsZero() {
			continue
		}
		s.Shown = true
		if err := lookAtOne(ctx, l, q, s, Record{ID: o.ID, Lead: lead, Code: code, Created: o.CreatedOn, Note: o.Note, Fields: o.Fields}); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

func (opportunity) Fields(ctx context.Context, l *line.Line, m *mapping.Mapping) (Fields, error) {
	var f Fields
	var err error
	if f.Lead, err = LeadFields(ctx, l); err != nil {
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

// types lists the account's opportunity types; nil where it has no such call.
func types(ctx context.Context, l *line.Line) ([]leadsquared.OpportunityType, error) {
	list, out, err := line.Try(ctx, l, l.Client.OpportunityTypes)
	if err != nil || line.MissingPath(out) {
		return nil, err
	}
	return list, unread("the list of opportunity types", out)
}

func (opportunity) Known(ctx context.Context, l *line.Line, code int) (Known, error) {
	k := Known{Code: code}
	var err error
	if k.Lead, err = LeadFields(ctx, l); err != nil {
		return k, err
	}
	if k.Code == 0 {
		if k.Types, err = types(ctx, l); err != nil {
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
