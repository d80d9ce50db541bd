package loader

import (
	"context"
	"path/filepath"

	"leadload/converter"
	"leadload/loader/account"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
	"leadload/loader/target"
	"leadload/mapping"
)

// Metadata returns the account's metadata for a mapping, kept for a day in the
// state folder. With refresh it is asked for anew.
func (s *Session) Metadata(ctx context.Context, m *mapping.Mapping, refresh bool) (*account.Metadata, error) {
	folder := ""
	if s.o.StateDir != "" {
		folder = filepath.Join(s.o.StateDir, "metadata")
	}
	return s.o.Account.Describe(ctx, s.line, m, folder, refresh, s.o.Notify)
}

// Hints are what the account knows that makes the draft of a mapping better.
type Hints struct {
	Fields    []mapping.DraftField
	EventCode int                           // as asked for, or the account's only type
	Types     []leadsquared.OpportunityType // of which one is to be chosen
	TimeZone  string                        // the account's, IANA; "" is unknown
}

// Hints asks the account for the display names of its fields. eventCode may be 0.
func (s *Session) Hints(ctx context.Context, name mapping.Target, eventCode int) (Hints, error) {
	h := Hints{EventCode: eventCode}
	self, out, err := line.Ask(ctx, s.line, s.line.Client.Self)
	if err != nil {
		return h, err
	}
	if out.Verdict == leadsquared.Applied {
		if _, err := converter.LoadZone(self.TimeZone); err == nil {
			h.TimeZone = self.TimeZone
		}
	}
	known, err := target.For(name).Known(ctx, s.line, eventCode)
	h.EventCode, h.Types = known.Code, known.Types
	for _, list := range []struct {
		kind   mapping.FieldKind
		fields []leadsquared.Field
	}{{mapping.LeadField, known.Lead}, {mapping.OpportunityField, known.Opportunity}, {mapping.ActivityField, known.Activity}} {
		for _, f := range list.fields {
			if !f.ReadOnly {
				h.Fields = append(h.Fields, mapping.DraftField{Kind: list.kind, Schema: f.SchemaName, Display: f.DisplayName, DataType: f.DataType})
			}
		}
	}
	return h, err
}

// AllFields asks the account for its fields: those of "lead", "opportunity" or
// "sales-activity", or with "" of all three. code is the opportunity type; with 0
// the fields of the account's only type are read, and of several the Types alone,
// or none where the account does not list them.
func (s *Session) AllFields(ctx context.Context, kind string, code int) (target.Known, error) {
	var all target.Known
	if kind == "lead" {
		lead, err := target.LeadFields(ctx, s.line)
		return target.Known{Fields: target.Fields{Lead: lead}}, err
	}
	if kind != string(mapping.SalesActivity) {
		known, err := target.For(mapping.Opportunity).Known(ctx, s.line, code)
		if err != nil {
			return known, err
		}
		all = known
	}
	if kind == string(mapping.Opportunity) {
		all.Lead = nil
		return all, nil
	}
	known, err := target.For(mapping.SalesActivity).Known(ctx, s.line, 0)
	all.Activity = known.Activity
	return all, err
}
