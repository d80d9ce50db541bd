package target

import (
	"context"
	"fmt"

	"leadload/loader/leadsquared"
	"leadload/loader/ledger"
	"leadload/loader/line"
)

// queued is an opportunity whose capture goes into the account's queue.
type queued struct{ opportunity }

func (queued) Calls(op ledger.Op) (Calls, bool) {
	return creation(op, leadsquared.QueueOpportunity)
}

// Look is blind while the queue may still hold the rows.
func (t queued) Look(ctx context.Context, l *line.Line, q Question) (Sight, error) {
	queue, out, err := t.Queue(ctx, l)
	if err != nil {
		return Sight{}, err
	}
	s, err := t.opportunity.Look(ctx, l, q)
	switch {
	case err != nil || s.Blind != "":
	case out.Verdict != leadsquared.Applied:
		s.blind("whether the account's queue still holds it could not be read: " + out.Message)
	case queue.Pending > 0:
		s.blind(fmt.Sprintf("the account's queue still holds %d requests, and this row may be among them", queue.Pending))
	}
	return s, err
}

func (queued) Status(ctx context.Context, l *line.Line, requestID string) (leadsquared.Task, leadsquared.Outcome, error) {
	return line.Try(ctx, l, line.With(l.Client.CaptureStatus, requestID))
}

func (queued) Queue(ctx context.Context, l *line.Line) (leadsquared.Queue, leadsquared.Outcome, error) {
	return line.Try(ctx, l, l.Client.QueueMetrics)
}
