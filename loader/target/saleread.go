package target

import (
	"context"
	"errors"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
	"leadload/mapping"
)

// saleColumns are the account's names of what a sale's body calls otherwise.
var saleColumns = func() map[string]string {
	names := map[string]string{}
	for name, s := range mapping.SalesActivity.Stored() {
		names[name] = s.Schema
	}
	names["ProductSku"] = "ProductSku" // made from the product's id, below
	return names
}()

// productColumn has the id of a sale's product.
var productColumn = mapping.SalesActivity.Stored()["ProductSku"].Schema

// Shows reports whether a read of sales brings a field. An owner that was sent by
// e-mail address comes back as the id of a user, which nothing here can compare.
func (sale) Shows(field string) bool {
	return strings.HasPrefix(field, "SalesActivity.") && field != "SalesActivity.SalesOwnerEmail" && field != "SalesActivity.ProspectId"
}

func (sale) ReadCalls(n, leads int, _ Memory) int {
	if leads > 0 {
		return min(n, leads)
	}
	return n
}

// Read reads sales by their leads where these are fewer, else one by one.
func (t sale) Read(ctx context.Context, l *line.Line, q ReadQuestion) (map[string]Back, error) {
	r := &saleRead{line: l, q: q.shown(t), all: make(map[string]Back, len(q.Wanted)), listed: map[string]int{}}
	by := map[string][]Wanted{} // lead → its sales
	for _, w := range q.Wanted {
		by[strings.ToLower(w.Lead)] = append(by[strings.ToLower(w.Lead)], w)
	}
	for _, w := range q.Wanted {
		lead := strings.ToLower(w.Lead)
		if _, done := r.all[strings.ToLower(w.ID)]; done {
			continue
		}
		if _, listed := r.listed[lead]; lead != "" && len(by[lead]) > 1 && !listed {
			own := by[lead]
			if err := r.ofLead(ctx, own); err != nil {
				return r.all, err
			}
			if _, done := r.all[strings.ToLower(w.ID)]; done {
				continue
			}
		}
		if err := r.one(ctx, w); err != nil {
			return r.all, err
		}
	}
	return r.all, nil
}

type saleRead struct {
	line     *line.Line
	q        ReadQuestion
	all      map[string]Back
	listed   map[string]int    // lead in lower case → how many sales its list has
	products map[string]string // id in lower case → SKU; nil: not read yet
}

// ofLead reads the sales of one lead with one call.
func (r *saleRead) ofLead(ctx context.Context, own []Wanted) error {
	sales, out, err := line.Try(ctx, r.line, line.With(r.line.Client.SalesActivitiesOf, own[0].Lead))
	if err != nil || out.Verdict != leadsquared.Applied {
		return err // each is asked for by itself
	}
	r.listed[strings.ToLower(own[0].Lead)] = len(sales)
	for _, w := range own {
		for _, s := range sales {
			if strings.EqualFold(s.ID, w.ID) {
				if err := r.present(ctx, w, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *saleRead) one(ctx context.Context, w Wanted) error {
	s, out, b, err := readOne(ctx, r.line, line.With(r.line.Client.SalesActivity, w.ID), w, r.witness)
	switch {
	case err != nil:
		return err
	case out.Verdict == leadsquared.Applied:
		return r.present(ctx, w, s)
	case b.Presence != Present: // the witness keeps what is there
		r.all[strings.ToLower(w.ID)] = b
	}
	told(r.q.Progress, len(r.all))
	return nil
}

// witness asks the lead's list about a sale that cannot be read by itself.
func (r *saleRead) witness(ctx context.Context, w Wanted, why string) (Back, error) {
	b := Back{Wanted: w, Why: "it could not be read: " + why}
	if w.Lead == "" {
		return b, nil
	}
	n, listed := r.listed[strings.ToLower(w.Lead)]
	if !listed {
		if err := r.ofLead(ctx, []Wanted{w}); err != nil {
			return b, err
		}
		if there, shown := r.all[strings.ToLower(w.ID)]; shown {
			return there, nil
		}
		if n, listed = r.listed[strings.ToLower(w.Lead)]; !listed {
			return b, nil
		}
	}
	if n > 0 {
		return Back{Wanted: w, Presence: Gone}, nil
	}
	return goneWithLead(ctx, r.line, b)
}

func (r *saleRead) present(ctx context.Context, w Wanted, s leadsquared.SalesActivity) error {
	values := valuesOf(r.q.Fields, s.Fields, func(field string) string {
		name := column(field)
		if own, other := saleColumns[name]; other {
			return own
		}
		return name
	})
	const sku = "SalesActivity.ProductSku"
	for _, f := range r.q.Fields {
		if f != sku {
			continue
		}
		got, err := r.skuOf(ctx, s.Fields[productColumn])
		if err != nil {
			return err
		}
		if got != "" {
			values[sku] = got
		}
	}
	r.all[strings.ToLower(w.ID)] = Back{Wanted: w, Presence: Present, Values: values}
	told(r.q.Progress, len(r.all))
	return nil
}

// skuOf returns the SKU of a product's id; "" where the account does not list
// it. The list of products is read once.
func (r *saleRead) skuOf(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	if r.products == nil {
		r.products = map[string]string{}
		list, err := products(ctx, r.line)
		var own *fault.Fault
		if err != nil && !(errors.As(err, &own) && strings.HasPrefix(string(own.Code), "online.")) {
			return "", err // the run ends; a list that may not be read only leaves the SKU unknown
		}
		for _, p := range list {
			r.products[strings.ToLower(p.ID)] = p.Sku
		}
	}
	return r.products[strings.ToLower(id)], nil
}
