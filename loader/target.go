package loader

import (
	"context"
	"fmt"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/mapping"
)

// target is all that a run must know of one target.
type target struct {
	// scope names the part of the account within which a key names one record.
	scope func(*mapping.Mapping) string
	send  func(*leadsquared.Client, context.Context, leadsquared.Slot, []byte) leadsquared.Outcome
	parse func(body []byte) (leadsquared.Sent, error)
	see   func(*run, context.Context, *sight, look) error
	// makesLead says that its call makes the lead where there is none, so that
	// the account's records may name a lead that no look-up finds.
	makesLead bool
	queued    bool // its calls are queued, and asked about later
	metadata  func(*Session, context.Context, *mapping.Mapping, *Metadata) error
	hints     func(*Session, context.Context, *Hints) error
}

var targets map[mapping.Target]*target

func init() { // the functions lead back to the table
	targets = map[mapping.Target]*target{
		mapping.Opportunity: {scope: opportunityScope, send: (*leadsquared.Client).CaptureOpportunity, parse: leadsquared.ParseCapture,
			see: (*run).seeOpportunities, makesLead: true, metadata: (*Session).opportunityMetadata, hints: (*Session).opportunityHints},
		mapping.OpportunityAsync: {scope: opportunityScope, send: (*leadsquared.Client).SubmitOpportunity, parse: leadsquared.ParseCapture,
			see: (*run).seeQueued, makesLead: true, queued: true, metadata: (*Session).opportunityMetadata, hints: (*Session).opportunityHints},
		mapping.SalesActivity: {scope: salesScope, send: (*leadsquared.Client).CreateSalesActivity, parse: leadsquared.ParseSale,
			see: (*run).seeSales, metadata: (*Session).salesMetadata, hints: (*Session).salesHints},
	}
}

// targetOf returns what a run must know of a target. It panics on an unknown
// one: to treat it as another would make the wrong records.
func targetOf(t mapping.Target) *target {
	if f := targets[t]; f != nil {
		return f
	}
	panic("loader: nothing is known of target " + string(t))
}

// openTarget is targetOf for a record read back from a ledger, which may come
// from a program that knows more targets.
func openTarget(rec *ledger.OpenRecord) (*target, error) {
	if f := targets[mapping.Target(rec.Payload.Target)]; f != nil {
		return f, nil
	}
	return nil, &ledger.Error{Code: "ledger.newer", Msg: fmt.Sprintf("record %d is of target %q, which this leadload does not know", rec.Record, rec.Payload.Target),
		Hint: "use the version of leadload that wrote it"}
}

func targetScope(m *mapping.Mapping) string { return targetOf(m.Target).scope(m) }

// opportunityScope is one for sync and async captures: they make the same opportunities.
func opportunityScope(m *mapping.Mapping) string {
	return fmt.Sprintf("%s:%d", mapping.Opportunity, m.EventCode)
}

func salesScope(*mapping.Mapping) string { return string(mapping.SalesActivity) }
