package loader

import (
	"context"
	"fmt"
	"strings"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
	"leadload/loader/target"
)

// callsOfLead is how many calls it takes to find a lead and read its records.
const callsOfLead = 2

// read reads the account, by the way that takes fewer calls. Rows that were not
// found are looked for once more when the account's reads have caught up.
func (a *adopter) read(ctx context.Context) error {
	began := time.Now()
	byLead := callsOfLead * len(a.order)
	paged := false
	if !a.job.ByValues {
		total, counted, err := a.finder.Total(ctx, a.line, a.code)
		if err != nil {
			return err
		}
		if pages := target.PagesFor(total); counted && pages < byLead {
			a.cost(fmt.Sprintf("all %d records of the account are read in pages of 1,000: fewer calls than %s", total, fault.Plural(int64(byLead), "look-up of a lead", "look-ups of leads")), int64(pages))
			if paged, err = a.pages(ctx, time.Time{}); err != nil {
				return err
			}
		}
	}
	if !paged {
		a.cost(fmt.Sprintf("the records of %s are read one lead at a time", fault.Plural(int64(len(a.order)), "lead", "leads")), int64(byLead))
		if err := a.readLeads(ctx, a.order); err != nil {
			return err
		}
	}
	late := a.absent()
	if len(late) == 0 {
		return nil
	}
	wait := a.o.SettleAfter - time.Since(began)
	if wait > 0 {
		a.o.Notify(fmt.Sprintf("%s not found: looked for again in %d s, because the account shows new records late (--settle-after)",
			fault.Plural(int64(len(late)), "lead has a row that was", "leads have rows that were"), int((wait+time.Second-1)/time.Second)))
	}
	if err := line.Sleep(ctx, wait); err != nil {
		return err
	}
	if !paged {
		return a.readLeads(ctx, late)
	}
	paged, err := a.pages(ctx, began.Add(-clockMargin))
	switch {
	case err != nil:
		return err
	case paged:
		return a.secondList(ctx, a.absent())
	}
	return a.readLeads(ctx, a.absent())
}

// pages reads all records that were modified since a moment. It reports false where
// the account has no pages, or none that can be relied on.
func (a *adopter) pages(ctx context.Context, since time.Time) (paged bool, err error) {
	paged, err = a.finder.All(ctx, a.line, target.ReadQuestion{Code: a.code, Fields: a.fields, Since: since}, a.offer)
	if f := fault.Of(err); f != nil && f.Code == "account.pages" {
		a.o.Notify(f.Error())
		return false, nil
	}
	return paged, err
}

// asked is how many leads are asked about rows that the pages did not show.
const asked = 20

// secondList asks the leads themselves about some of the rows that the pages did not
// show. One list alone does not prove that a record is not there. Where the pages
// left out a record of these leads, all the others are asked, too.
func (a *adopter) secondList(ctx context.Context, absent []*lead) error {
	some, rest := absent[:min(asked, len(absent))], absent[min(asked, len(absent)):]
	before := a.live.read.Load()
	if err := a.readLeads(ctx, some); err != nil {
		return err
	}
	if a.live.read.Load() == before {
		for _, l := range some {
			for h := range l.hashes {
				a.match[h].why = "" // a lead that cannot be read is no witness against the pages
			}
		}
		return nil
	}
	if len(rest) == 0 {
		return nil
	}
	a.cost(fmt.Sprintf("the pages did not show every record, so %s read one at a time", fault.Plural(int64(len(rest)), "lead is", "leads are")), int64(callsOfLead*len(rest)))
	return a.readLeads(ctx, rest)
}

func (a *adopter) cost(how string, calls int64) {
	if a.job.OnCost != nil {
		a.job.OnCost(how, calls)
	}
}

// absent returns the leads of rows for which no record was found.
func (a *adopter) absent() []*lead {
	var out []*lead
	for _, l := range a.order {
		for h := range l.hashes {
			if of := a.match[h]; of != nil && len(of.records) < of.rows {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

// offer keeps a record that a row may be.
func (a *adopter) offer(b target.Back) { a.keep(a.hashOf(b), b) }

func (a *adopter) keep(hash [16]byte, b target.Back) {
	of := a.match[hash]
	if of == nil {
		return
	}
	for i := range of.records {
		if strings.EqualFold(of.records[i].id, b.ID) {
			return
		}
	}
	of.records = append(of.records, candidate{b.ID, b.Lead, b.Created})
	a.live.read.Add(1)
}

// readLeads reads the records of leads.
func (a *adopter) readLeads(ctx context.Context, leads []*lead) error {
	for _, l := range leads {
		why := ""
		ids := []string{l.value}
		if !strings.EqualFold(l.field, "ProspectId") {
			found, err := target.Leads(ctx, a.line, target.Search{Field: l.field, Value: l.value, Patient: true})
			if err != nil {
				return err
			}
			if found.Out.Verdict != leadsquared.Applied {
				why = "its lead could not be looked up: " + found.Out.Message
			}
			ids = ids[:0]
			for _, one := range found.Leads {
				ids = append(ids, one.ID)
			}
		}
		for _, id := range ids {
			all, blind, err := a.finder.OfLead(ctx, a.line, id, target.ReadQuestion{Code: a.code, Fields: a.fields})
			if err != nil {
				return err
			}
			if blind != "" {
				why = blind
			}
			for _, b := range all {
				if !a.job.ByValues {
					a.offer(b)
					continue
				}
				for h := range l.hashes {
					if a.hashOf(b, l.name) == h {
						a.keep(h, b)
					}
				}
			}
		}
		for h := range l.hashes {
			if of := a.match[h]; of != nil {
				of.why = why
			}
		}
	}
	return nil
}
