package loader

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
)

// leadOf finds the id of the lead of a row: from memory, or by one paced
// look-up. An Outcome with a State says that the row is refused without a
// call; the error ends the run.
func (r *run) leadOf(ctx context.Context, j *job) (string, ledger.Outcome, error) {
	field, value := j.Payload.LeadField, j.Payload.LeadValue
	known, err := r.led.Lead(ctx, r.acct, field, value, r.o.LeadAge)
	if err != nil || known != "" {
		return known, ledger.Outcome{}, err
	}
	refuse := func(code, hint, format string, args ...any) ledger.Outcome {
		return ledger.Outcome{Record: j.Record, State: ledger.Rejected, Code: code, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	leads, out, err := r.leadsBy(ctx, field, value)
	switch {
	case err != nil:
		return "", ledger.Outcome{}, err
	case out.Verdict == leadsquared.Rejected:
		return "", refuse("lead.refused", "correct the value, or find the lead by another field", "the look-up of the lead by %s %q was refused: %s", field, value, refusal(out)), nil
	case out.Verdict != leadsquared.Applied:
		return "", refuse("lead.unread", "run the same command again", "the lead with %s %q could not be looked up: %s", field, value, out.Message), nil
	case len(leads) == 0 && j.Payload.IfMissing == "create":
		return r.createLead(ctx, j)
	case len(leads) == 0:
		return "", refuse("lead.missing", "correct the value, or make the lead in the account first, and load the row again", "no lead has %s %q", field, value), nil
	case len(leads) > 1 && j.Payload.IfMany != "newest":
		ids := make([]string, len(leads))
		for i, l := range leads {
			ids[i] = l.ID
		}
		return "", refuse("lead.many", "merge the leads in the account, or write if_many: newest under lead: in the mapping", "%d leads have %s %q: %s", len(leads), field, value, strings.Join(ids, ", ")), nil
	}
	newest := slices.MaxFunc(leads, func(a, b leadsquared.Lead) int { return a.CreatedOn.Compare(b.CreatedOn) })
	r.led.RememberLead(r.acct, field, value, newest.ID)
	return newest.ID, ledger.Outcome{}, nil
}

// createLead makes the lead of a sales activity on the user's demand
// (if_missing: create).
func (r *run) createLead(ctx context.Context, j *job) (string, ledger.Outcome, error) {
	return "", ledger.Outcome{Record: j.Record, State: ledger.Rejected, Code: "lead.missing",
		Msg: fmt.Sprintf("no lead has %s %q", j.Payload.LeadField, j.Payload.LeadValue), Hint: "make the lead in the account first, and load the row again"}, nil
}

// leadsBy looks leads up by a unique field.
func (s *Session) leadsBy(ctx context.Context, field, value string) ([]leadsquared.Lead, leadsquared.Outcome, error) {
	var leads []leadsquared.Lead
	out, err := s.read(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		leads, o = s.client.LeadsBy(ctx, slot, field, value)
		return o
	})
	return leads, out, err
}
