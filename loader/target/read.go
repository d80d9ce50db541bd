package target

import (
	"context"
	"slices"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Trail reads the whole activity trail of a lead, of one event code. why says
// why it could not be read.
func Trail(ctx context.Context, l *line.Line, lead string, code int) (all []leadsquared.Activity, why string, err error) {
	reader := l.Client.NewTrailReader(code)
	for offset, more := reader.Next(); more; offset, more = reader.Next() {
		page, out, err := line.Try(ctx, l, func(ctx context.Context, slot leadsquared.Slot) (leadsquared.TrailPage, leadsquared.Outcome) {
			return l.Client.TrailPage(ctx, slot, lead, code, offset)
		})
		if err != nil {
			return nil, "", err
		}
		if out.Verdict != leadsquared.Applied {
			return nil, "the activity trail of its lead could not be read: " + out.Message, nil
		}
		reader.Add(page)
	}
	all, err = reader.Activities()
	if err != nil {
		return nil, "the activity trail of its lead could not be read: " + err.Error(), nil
	}
	if len(all) == 0 && reader.Others() > 0 {
		return nil, "the activity trail of its lead has entries of other kinds only", nil
	}
	return all, "", nil
}

// Shows reports whether the account shows a record where the records of its lead are looked for.
func Shows(ctx context.Context, l *line.Line, scope Scope, lead, id string) (bool, error) {
	if scope.Kind == opportunityKind {
		trail, _, err := Trail(ctx, l, lead, scope.Code)
		return slices.ContainsFunc(trail, func(a leadsquared.Activity) bool { return strings.EqualFold(a.ID, id) }), err
	}
	sales, _, err := line.Try(ctx, l, line.With(l.Client.SalesActivitiesOf, lead))
	return slices.ContainsFunc(sales, func(a leadsquared.SalesActivity) bool { return strings.EqualFold(a.ID, id) }), err
}

// LeadFields reads the fields of leads.
func LeadFields(ctx context.Context, l *line.Line) ([]leadsquared.Field, error) {
	return read(ctx, l, "the fields of leads", l.Client.LeadFields)
}

// read makes a call for metadata. The error says what could not be read.
func read[T any](ctx context.Context, l *line.Line, what string, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, error) {
	value, out, err := line.Ask(ctx, l, call)
	if err != nil {
		return value, err
	}
	return value, unread(what, out)
}

// unread returns the error of a call for metadata that was not answered.
func unread(what string, out leadsquared.Outcome) error {
	switch out.Verdict {
	case leadsquared.Applied:
		return nil
	case leadsquared.Rejected:
		return fault.New("online.refused", "ask the account's administrator for the right to read it, or check without --online", "%s cannot be read: %s", what, out.Refusal())
	}
	return fault.New("online.unread", "run the same command again later, or check without --online", "%s could not be read: %s", what, out.Message)
}
