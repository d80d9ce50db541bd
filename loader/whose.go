package loader

import (
	"context"
	"time"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
	"leadload/loader/line"
)

// About is what an account says of itself.
type About struct {
	Self      leadsquared.Self
	CheckedIn bool
	LastSeen  time.Time // LastCheckedOn; zero: unknown
	Presence  bool      // CheckedIn is known
	Queue     leadsquared.Queue
	HasQueue  bool          // Queue is known
	QueueWhy  string        // why it is not
	Ahead     time.Duration // the account's clock minus ours
	HasAhead  bool
	Limit     string        // of both kinds of calls
	Bulk      []BulkAnswers // of an account with a limit for bulk calls
	Throttled bool          // the account refused one of these few calls for their rate
}

// About asks an account whose keys these are, whether the user is checked in,
// how its async queue stands, and what its clock says. The error says that
// the keys or the host are wrong; everything else that fails is left out.
func (s *Session) About(ctx context.Context) (About, error) {
	var a About
	self, out, err := line.Ask(ctx, s.line, s.line.Client.Self)
	if err != nil {
		return a, err
	}
	a.Self = self
	if out.Verdict != leadsquared.Applied {
		return a, fault.New(fault.Code(leadsquared.Code(out)), "check host in the account file", "the account did not say whose keys these are: %s", out.Refusal())
	}
	// Paths that are missing or forbidden are no reason to stop.
	state, out, err := line.Ask(ctx, s.line, s.line.Client.CheckedIn)
	if err != nil && out.Verdict != leadsquared.Fatal {
		return a, err
	}
	a.CheckedIn, a.LastSeen, a.Presence = state.In, state.Last, out.Verdict == leadsquared.Applied
	if s.o.Account.AsyncProblem() == nil {
		queue, out, err := line.Ask(ctx, s.line, s.line.Client.QueueMetrics)
		if err != nil && out.Verdict != leadsquared.Fatal {
			return a, err
		}
		a.Queue = queue
		if a.HasQueue = out.Verdict == leadsquared.Applied; !a.HasQueue {
			a.QueueWhy = out.Refusal()
		}
	} else {
		a.QueueWhy = "async_host or async_key is not set"
	}
	lo, hi, known := s.line.Ahead()
	a.Ahead, a.HasAhead = (lo+hi)/2, known
	a.Limit, a.Throttled, a.Bulk = s.limits(), s.pacer.State().Throttled > 0, s.bulkAnswers()
	return a, nil
}
