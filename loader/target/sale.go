package target

import (
	"context"
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/mapping"
)

// sale is a sales activity of a lead that is there.
type sale struct{}

func (sale) Scope(*mapping.Mapping) Scope { return Scope{Kind: string(mapping.SalesActivity)} }

func (sale) Calls(op ledger.Op) (Calls, bool) {
	if op == ledger.Delete {
		return deletion(func(c *leadsquared.Client, ctx context.Context, slot leadsquared.Slot, id string) leadsquared.Outcome {
			return c.CancelSalesActivity(ctx, slot, id, "taken back by leadload undo")
		}), true
	}
	return creation(op, leadsquared.MakeSalesActivity)
}

func (sale) Sent(body []byte) (leadsquared.Sent, error) { return leadsquared.ParseFlat(body, saleForm) }

// saleForm says what the members of a sale's body are called.
var saleForm = leadsquared.Flat{Lead: "ProspectId", Stored: func() map[string]string {
	names := map[string]string{}
	for name, s := range mapping.SalesActivity.Stored() {
		if names[name] = s.Schema; s.OtherForm {
			names[name] = ""
		}
	}
	return names
}()}

func (sale) MakesLead() bool { return false }

// Look reads the sales of the leads.
func (sale) Look(ctx context.Context, l *line.Line, q Question) (Sight, error) {
	var s Sight
	s.Reads = 2
	for _, lead := range q.Leads {
		sales, out, err := line.Try(ctx, l, line.With(l.Client.SalesActivitiesOf, lead))
		if err != nil {
			return s, err
		}
		if out.Verdict != leadsquared.Applied {
			s.blind("the sales activities of its lead could not be read: " + out.Message)
			continue
		}
		s.Shown = s.Shown || len(sales) > 0
		var found []Record
		for _, a := range sales {
			owned, err := q.Owned(ctx, lead, a.ID)
			if err != nil {
				return s, err
			}
			if !owned {
				found = append(found, Record{ID: a.ID, Lead: lead, Readable: true, Fields: a.Fields, Loose: true})
			}
		}
		if found, err = dateSales(ctx, l, &q, &s, lead, sales, found); err != nil {
			return s, err
		}
		for _, r := range found {
			if q.fresh(r.Created) || len(q.Keys) > 0 {
				s.Records = append(s.Records, r)
			}
		}
	}
	return s, nil
}

// salesEvent is the activity code of sales on a lead's trail (field report).
const salesEvent = 30

// dateSales takes the moments of sales from the lead's trail, where the trail
// has them, and adds sales that the trail has and the list does not show yet.
func dateSales(ctx context.Context, l *line.Line, q *Question, s *Sight, lead string, listed []leadsquared.SalesActivity, found []Record) ([]Record, error) {
	trail, why, err := Trail(ctx, l, lead, salesEvent)
	if err != nil || why != "" {
		s.Reads = 1
		return found, err // the list has been read; without the trail its sales have no date
	}
	s.Shown = s.Shown || len(trail) > 0
	if !s.Shown {
		if s.Shown, err = shows(ctx, l, lead); err != nil {
			return found, err
		}
	}
	for _, a := range trail {
		known := slices.ContainsFunc(listed, func(s leadsquared.SalesActivity) bool { return strings.EqualFold(s.ID, a.ID) })
		if !known {
			owned, err := q.Owned(ctx, lead, a.ID)
			if err != nil {
				return found, err
			}
			if !owned {
				found = append(found, Record{ID: a.ID, Lead: lead, Created: a.CreatedOn, Loose: true})
			}
			continue
		}
		for i := range found {
			if strings.EqualFold(found[i].ID, a.ID) {
				found[i].Created, found[i].Untouched = a.CreatedOn, untouched(a.CreatedOn, a.ModifiedOn)
			}
		}
	}
	return found, nil
}

func (sale) Fields(ctx context.Context, l *line.Line, m *mapping.Mapping) (Fields, error) {
	var f Fields
	var err error
	if f.Activity, err = saleFields(ctx, l); err != nil {
		return f, err
	}
	if m.Uses("ProductSku") {
		f.HasProducts = true
		f.Products, err = products(ctx, l)
	}
	return f, err
}

func saleFields(ctx context.Context, l *line.Line) ([]leadsquared.Field, error) {
	return read(ctx, l, "the settings of sales activities", l.Client.SalesActivitySettings)
}

func (sale) Known(ctx context.Context, l *line.Line, code int) (Known, error) {
	k := Known{Code: code}
	var err error
	k.Activity, err = saleFields(ctx, l)
	return k, err
}

// productPages bounds how many pages of products are read.
const productPages = 500

func products(ctx context.Context, l *line.Line) ([]leadsquared.Product, error) {
	var all []leadsquared.Product
	seen := map[string]bool{}
	for page := 1; page <= productPages; page++ {
		got, out, err := line.Try(ctx, l, line.With(l.Client.Products, page))
		if err == nil {
			err = unread("the list of products", out)
		}
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, p := range got.List {
			if id := p.ID + "\x1f" + p.Sku; !seen[id] {
				seen[id] = true
				all = append(all, p)
				fresh++
			}
		}
		if len(all) >= got.Total || fresh == 0 {
			if len(all) < got.Total {
				break
			}
			return all, nil
		}
	}
	return nil, fault.New("online.unread", "run the same command again later, or check without --online", "the list of products could not be read whole")
}
