package target

import (
	"context"
	"strings"
	"time"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Finder is a Reader whose records can be looked for without their ids.
type Finder interface {
	Reader
	// OfLead reads all records that a lead has, named by its id. why says why they
	// could not be read. The error ends the run.
	OfLead(ctx context.Context, l *line.Line, lead string, q ReadQuestion) (all []Back, why string, err error)
	// Total counts the records of a type with one call. It reports false where the
	// account cannot count them, or where they cannot be read in pages.
	Total(ctx context.Context, l *line.Line, code int) (n int, counted bool, err error)
	// All calls each for every record of a type that was modified since a moment,
	// each at least once, in pages of 1,000. It reports false, and has called each for
	// none, where the account has no such pages.
	All(ctx context.Context, l *line.Line, q ReadQuestion, each func(Back)) (paged bool, err error)
}

// PagesFor returns how many calls All makes for so many records.
func PagesFor(total int) int { return pagesOf(total) }

// beginning is before every record of every account.
var beginning = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// manyPages bounds the pages that are read of one lead's records.
const manyPages = 100

func (t opportunity) OfLead(ctx context.Context, l *line.Line, lead string, q ReadQuestion) ([]Back, string, error) {
	q = q.shown(t)
	all := map[string]Back{}
	for page := 1; page <= manyPages; page++ {
		got, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.OpportunityPage, leadsquared.Outcome) {
			return l.Client.OpportunitiesOfLead(ctx, slot, lead, q.Code, page)
		})
		if err != nil {
			return nil, "", err
		}
		if out.Verdict != leadsquared.Applied {
			return nil, "the opportunities of its lead could not be read: " + out.Message, nil
		}
		before := len(all)
		for _, o := range got.List {
			all[strings.ToLower(o.ID)] = opportunityBack(q.Fields, Wanted{ID: o.ID, Lead: lead}, o)
		}
		if len(all) >= got.Total || len(all) == before {
			if len(all) < got.Total {
				break
			}
			list := make([]Back, 0, len(all))
			for _, b := range all {
				list = append(list, b)
			}
			return list, "", nil
		}
	}
	return nil, "the account does not list all opportunities of its lead", nil
}

func (opportunity) Total(ctx context.Context, l *line.Line, code int) (int, bool, error) {
	if code == 0 {
		return 0, false, nil
	}
	n, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (int, leadsquared.Outcome) {
		return l.Client.CountOfType(ctx, slot, code, beginning, time.Now().Add(everyClock))
	})
	return n, out.Verdict == leadsquared.Applied, err
}

func (t opportunity) All(ctx context.Context, l *line.Line, q ReadQuestion, each func(Back)) (bool, error) {
	q = q.shown(t)
	err := Pages(ctx, l, q.Code, q.Since, nil, func(o leadsquared.Opportunity) {
		each(opportunityBack(q.Fields, Wanted{ID: o.ID, Lead: o.LeadID}, o))
	})
	if err == errNoPages {
		return false, nil
	}
	return true, err
}

func (t sale) OfLead(ctx context.Context, l *line.Line, lead string, q ReadQuestion) ([]Back, string, error) {
	r := &saleRead{line: l, q: q.shown(t), all: map[string]Back{}, listed: map[string]int{}}
	sales, out, err := line.Try(ctx, l, line.With(l.Client.SalesActivitiesOf, lead))
	if err != nil {
		return nil, "", err
	}
	if out.Verdict != leadsquared.Applied {
		return nil, "the sales of its lead could not be read: " + out.Message, nil
	}
	var all []Back
	for _, s := range sales {
		if cancelled(s.Fields["Status"]) {
			continue // taken back: no row's record any more
		}
		if err := r.present(ctx, Wanted{ID: s.ID, Lead: lead}, s); err != nil {
			return nil, "", err
		}
		all = append(all, r.all[strings.ToLower(s.ID)])
	}
	return all, "", nil
}

// Total reports that sales cannot be counted: no call reads those of all leads.
func (sale) Total(context.Context, *line.Line, int) (int, bool, error) { return 0, false, nil }

func (sale) All(context.Context, *line.Line, ReadQuestion, func(Back)) (bool, error) {
	return false, nil
}
