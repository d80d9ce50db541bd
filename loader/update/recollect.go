package update

import (
	"context"
	"strings"

	"leadload/loader/ledger"
	"leadload/mapping"
)

// Recollect puts beside updates what the ledger knows of their records and leads:
// what the account has made of our values, and what rows have sent last into a lead.
func (u *Updater) Recollect(ctx context.Context, list []*ledger.Payload) error {
	var ids, leads, fields []string
	for _, p := range list {
		e := p.Edit
		ids = append(ids, e.ID)
		if e.LeadID == "" || !needs(e, mapping.OfLead, true) {
			continue
		}
		ids, leads = append(ids, e.LeadID), append(leads, e.LeadID)
		for i := range e.Changes {
			if c := &e.Changes[i]; c.Part == string(mapping.OfLead) {
				fields = addNew(fields, c.Field)
			}
		}
	}
	known, err := u.Ledger.Baselines(ctx, u.Lease.Account, ids)
	if err != nil {
		return err
	}
	if len(leads) > 0 {
		sent, err := u.Ledger.SentToLeads(ctx, u.Lease.Account, leads, fields)
		if err != nil {
			return err
		}
		known = ledger.NewestSent(append(known, sent...))
	}
	of := map[string][]ledger.Baseline{}
	for _, b := range known {
		of[strings.ToLower(b.ID)] = append(of[strings.ToLower(b.ID)], b)
	}
	for _, p := range list {
		e := p.Edit
		e.Base = append(e.Base, of[strings.ToLower(e.ID)]...)
		if e.LeadID != "" && needs(e, mapping.OfLead, true) {
			e.Base = append(e.Base, of[strings.ToLower(e.LeadID)]...)
		}
	}
	return nil
}
