package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Peek is what was read of many leads together, before each of them is looked at: their
// trails, and the details of what stands there, thousands in one call. It serves a look
// that finds what it looks for. What is missing in it proves nothing.
type Peek struct {
	trails  map[string][]leadsquared.Activity
	details map[string]leadsquared.Opportunity // by the id in lower case
}

// PeekQuestion asks for the opportunities of a lead that no row owns.
type PeekQuestion struct {
	Lead   string
	Code   int
	Since  time.Time // older ones are left to the look
	Fields []string  // schema names of all that a look compares
}

func trailName(lead string, code int) string { return fmt.Sprint(code, " ", strings.ToLower(lead)) }

// Shows reports whether a record of a lead was read, so that a look may find one there.
func (p *Peek) Shows(lead string, code int) bool {
	trail, _ := p.trail(lead, code)
	return slices.ContainsFunc(trail, func(a leadsquared.Activity) bool { _, read := p.detail(a.ID); return read })
}

// trail returns the trail of a lead, where it was read.
func (p *Peek) trail(lead string, code int) ([]leadsquared.Activity, bool) {
	if p == nil {
		return nil, false
	}
	trail, ok := p.trails[trailName(lead, code)]
	return trail, ok
}

// detail returns the details of an opportunity, where they were read.
func (p *Peek) detail(id string) (leadsquared.Opportunity, bool) {
	if p == nil {
		return leadsquared.Opportunity{}, false
	}
	o, ok := p.details[strings.ToLower(id)]
	return o, ok
}

// PeekAt reads the trails of leads, some side by side, and then the details of their
// records in as few calls as there are. What cannot be read like that is left out. most
// bounds the calls for one lead.
func PeekAt(ctx context.Context, l *line.Line, m Memory, list []PeekQuestion, owned func(ctx context.Context, id string) (bool, error), atOnce, most int) (*Peek, error) {
	p := &Peek{trails: map[string][]leadsquared.Activity{}, details: map[string]leadsquared.Opportunity{}}
	ids, fields := map[int][]string{}, map[int][]string{}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, q := range list {
		g.Go(func() error {
			bounded, _ := line.WithBudget(gctx, most)
			trail, why, err := Trail(bounded, l, q.Lead, q.Code)
			if err != nil || why != "" {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			p.trails[trailName(q.Lead, q.Code)] = trail
			for _, a := range trail {
				if a.CreatedOn.Before(q.Since) {
					continue
				}
				if is, err := owned(gctx, a.ID); err != nil {
					return err
				} else if !is {
					ids[q.Code] = append(ids[q.Code], a.ID)
				}
			}
			for _, f := range q.Fields {
				if !slices.Contains(fields[q.Code], f) {
					fields[q.Code] = append(fields[q.Code], f)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for code, open := range ids {
		for len(open) > 1 { // the details of one record are read by the look
			chunk := open[:min(len(open), leadsquared.MaxIDs)]
			open = open[len(chunk):]
			if m != nil && m.Missing(callByID) {
				return p, nil
			}
			found, out, err := line.Either(ctx, l, func(ctx context.Context, slot leadsquared.Slot) ([]leadsquared.Opportunity, leadsquared.Outcome) {
				return l.Client.OpportunitiesByID(ctx, slot, code, chunk, append([]string{"CreatedOn", "ModifiedOn", "OpportunityNote"}, fields[code]...))
			})
			switch {
			case err != nil:
				return nil, err
			case line.MissingPath(out) && m != nil:
				m.SetMissing(callByID)
			case out.Verdict == leadsquared.Applied:
				for _, o := range found {
					p.details[strings.ToLower(o.ID)] = o
				}
			}
		}
	}
	return p, nil
}
