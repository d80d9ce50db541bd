package target

import (
	"context"
	"strings"

	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// Taking is what is known of a record that was to be taken back.
type Taking uint8

// The ends of looking at one.
const (
	Unclear    Taking = iota
	StillThere        // as if nothing had been called
	TakenBack         // deleted or cancelled
)

// Taker is a Target whose records can be taken back: Calls has a Delete.
type Taker interface {
	Reader
	// Taken looks at a record with one read, which is not repeated, and asks
	// another witness where the answer does not settle it. why says why it is
	// Unclear. The error ends the run. trails keeps what it sees for the records
	// that are looked at next; each of them was taken back before.
	Taken(ctx context.Context, l *line.Line, code int, w Wanted, trails Trails) (t Taking, why string, err error)
	// Cancelled reports whether a record that is there was taken back.
	Cancelled(b Back) bool
}

// unknown reports a refusal that says the record is not there. Other refusals,
// such as that of a right, say nothing about it.
func unknown(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.Rejected && strings.HasPrefix(out.ExceptionType, "MXInvalid")
}

func (opportunity) Cancelled(Back) bool { return false }

// Taken reads the details of an opportunity, and the trail of its lead where they
// do not settle it: a deleted one reads back as 500, 404 or without fields.
func (t opportunity) Taken(ctx context.Context, l *line.Line, code int, w Wanted, trails Trails) (Taking, string, error) {
	_, out, err := line.Once(ctx, l, line.With(l.Client.Opportunity, w.ID))
	switch {
	case err != nil:
		return Unclear, "", err
	case out.Verdict == leadsquared.Applied:
		return StillThere, "", nil
	case unknown(out):
		return TakenBack, "", nil
	}
	r := &opportunityRead{line: l, q: ReadQuestion{Code: code}, trails: trails}
	b, err := r.witness(ctx, w, out.Message)
	if err == nil && b.Presence == Gone {
		return TakenBack, "", nil
	}
	return Unclear, b.Why, err
}

// cancelled reports whether a sale's status says that it was cancelled: Cancelled,
// in this spelling or another (assumed). The other statuses are Open, Won and Lost.
func cancelled(status string) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(status)), "cancel")
}

// statusField has the status of a sale.
const statusField = "SalesActivity.Status"

func (sale) Cancelled(b Back) bool {
	return b.Presence == Present && cancelled(b.Values[statusField])
}

// Taken reads the list of the sale's lead, where a cancelled one has the status
// Cancelled, or the sale by itself where its lead is not known.
func (t sale) Taken(ctx context.Context, l *line.Line, _ int, w Wanted, _ Trails) (Taking, string, error) {
	if w.Lead != "" {
		list, out, err := line.Once(ctx, l, line.With(l.Client.SalesActivitiesOf, w.Lead))
		if err != nil {
			return Unclear, "", err
		}
		for _, s := range list {
			if out.Verdict == leadsquared.Applied && strings.EqualFold(s.ID, w.ID) {
				return takingOf(s), "", nil
			}
		}
	}
	s, out, err := line.Once(ctx, l, line.With(l.Client.SalesActivity, w.ID))
	switch {
	case err != nil:
		return Unclear, "", err
	case out.Verdict == leadsquared.Applied:
		return takingOf(s), "", nil
	case unknown(out):
		return TakenBack, "", nil
	}
	return Unclear, "it could not be read: " + out.Message, nil
}

func takingOf(s leadsquared.SalesActivity) Taking {
	if cancelled(s.Fields["Status"]) {
		return TakenBack
	}
	return StillThere
}

// TypesToDelete reads which opportunity types allow that their records are deleted.
// It returns nil where the account does not list its types.
func TypesToDelete(ctx context.Context, l *line.Line) (map[int]leadsquared.OpportunityType, error) {
	list, err := types(ctx, l)
	if list == nil || err != nil {
		return nil, err
	}
	all := make(map[int]leadsquared.OpportunityType, len(list))
	for _, t := range list {
		all[t.Code] = t
	}
	return all, nil
}
