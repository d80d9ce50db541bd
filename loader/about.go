package loader

import (
	"context"
	"time"

	"leadload/loader/leadsquared"
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
	Limit     string
	Throttled bool // the account refused one of these few calls for their rate
}

// About asks an account whose keys these are, whether the user is checked in,
// how its async queue stands, and what its clock says. The error says that
// the keys or the host are wrong; everything else that fails is left out.
func (s *Session) About(ctx context.Context) (About, error) {
	var a About
	self, out, err := ask(ctx, s, s.client.Self)
	if err != nil {
		return a, err
	}
	a.Self = self
	if out.Verdict != leadsquared.Applied {
		return a, stopped(leadsquared.Code(out), "check host in the account file", "the account did not say whose keys these are: %s", refusal(out))
	}
	// Paths that are missing or forbidden are no reason to stop.
	state, out, err := ask(ctx, s, s.client.CheckedIn)
	if err != nil && out.Verdict != leadsquared.Fatal {
		return a, err
	}
	a.CheckedIn, a.LastSeen, a.Presence = state.In, state.Last, out.Verdict == leadsquared.Applied
	if s.o.Account.asyncProblem() == nil {
		queue, out, err := ask(ctx, s, s.client.QueueMetrics)
		if err != nil && out.Verdict != leadsquared.Fatal {
			return a, err
		}
		a.Queue = queue
		if a.HasQueue = out.Verdict == leadsquared.Applied; !a.HasQueue {
			a.QueueWhy = refusal(out)
		}
	} else {
		a.QueueWhy = "async_host or async_key is not set"
	}
	lo, hi, known := s.clock.ahead()
	a.Ahead, a.HasAhead = (lo+hi)/2, known
	st := s.pacer.State()
	a.Limit, a.Throttled = st.Limit.String(), st.Throttled > 0
	return a, nil
}

// Presence checks the keys' user in, or out. The error says why it was not done.
func (s *Session) Presence(ctx context.Context, p leadsquared.Presence, in bool) (said string, err error) {
	problem, call := p.CheckOutProblem(), s.client.CheckOut
	if in {
		problem, call = p.CheckInProblem(), s.client.CheckIn
	}
	if problem != nil {
		return "", usage("presence", "type leadload check-in --help", "%s", problem)
	}
	out, err := s.once(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome { return call(ctx, slot, p) })
	if err != nil {
		return "", err
	}
	if out.Verdict != leadsquared.Applied {
		return "", stopped(leadsquared.Code(out), "the user may or may not be checked in: leadload account tells", "the account did not confirm it: %s", refusal(out))
	}
	return out.Message, nil
}
