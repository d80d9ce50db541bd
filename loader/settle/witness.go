package settle

import (
	"context"
	"slices"
	"strings"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
	"leadload/loader/target"
)

// witnesses remembers what the account has shown in this run of records that
// the ledger knows to be loaded. Until it has shown one, it is asked again.
type witnesses struct {
	turn    chan struct{}   // one at a time asks, the others wait for its answer
	records map[string]bool // by kind of target
	leads   map[string]bool // by kind of target and field
}

// showsRecords reports whether the account shows, where records of a kind are
// looked for, one that this ledger knows to be loaded.
func (s *Settler) showsRecords(ctx context.Context, kind string) (bool, error) {
	s.seen.turn <- struct{}{}
	defer func() { <-s.seen.turn }()
	if s.seen.records[kind] {
		return true, nil
	}
	shown := false
	err := s.eachKnown(ctx, kind, func(ctx context.Context, k ledger.KnownRecord) (err error) {
		shown, err = target.Shows(ctx, s.Line, target.ParseScope(k.Target), k.LeadID, k.ID)
		return err
	}, func() bool { return shown })
	if shown {
		s.seen.records[kind] = true
	}
	return shown, err
}

// showsLeads reports whether the account's search of leads by a field finds one
// that it must know: the lead of a record that this ledger knows to be loaded.
func (s *Settler) showsLeads(ctx context.Context, kind, field string) (bool, error) {
	if shown, err := s.showsRecords(ctx, kind); err != nil || !shown {
		return false, err
	}
	s.seen.turn <- struct{}{}
	defer func() { <-s.seen.turn }()
	name := kind + "\x00" + field
	if s.seen.leads[name] {
		return true, nil
	}
	shown := false
	err := s.eachKnown(ctx, kind, func(ctx context.Context, k ledger.KnownRecord) error {
		leads, out, err := line.Try(ctx, s.Line, line.With(s.Line.Client.LeadByID, k.LeadID))
		if err != nil || out.Verdict != leadsquared.Applied || len(leads) == 0 {
			return err
		}
		value := valueOf(leads[0].Attributes, field)
		if value == "" {
			return nil
		}
		found, err := target.Leads(ctx, s.Line, target.Search{Field: field, Value: value, Patient: true})
		shown = err == nil && found.Out.Verdict == leadsquared.Applied && slices.ContainsFunc(found.Leads, func(l leadsquared.Lead) bool { return strings.EqualFold(l.ID, k.LeadID) })
		return err
	}, func() bool { return shown })
	if shown {
		s.seen.leads[name] = true
	}
	return shown, err
}

// found notes that the account has shown a row in doubt, and its lead by the
// value that was sent: it shows others as well.
func (s *Settler) found(rec *ledger.Operation, byLead bool) {
	s.seen.turn <- struct{}{}
	defer func() { <-s.seen.turn }()
	kind := target.ParseScope(rec.Target).Kind
	s.seen.records[kind] = true
	if byLead {
		s.seen.leads[kind+"\x00"+rec.Payload.LeadField] = true
	}
}

// eachKnown calls do for some records of a kind that are known to be loaded, until done.
func (s *Settler) eachKnown(ctx context.Context, kind string, do func(context.Context, ledger.KnownRecord) error, done func() bool) error {
	known, err := s.Ledger.Newest(ctx, s.Lease.Account, kind, calibrators)
	if err != nil {
		return err
	}
	ctx, _ = line.WithBudget(ctx, callsForADoubt)
	for _, k := range known {
		if err := do(ctx, k); err != nil || done() {
			return err
		}
	}
	return nil
}

// valueOf finds a value by its name in any case.
func valueOf(attributes map[string]string, name string) string {
	for n, v := range attributes {
		if strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
