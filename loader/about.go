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
	out, err := s.read(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		a.Self, o = s.client.Self(ctx, slot)
		return o
	})
	if err != nil {
		return a, err
	}
	if out.Verdict != leadsquared.Applied {
		return a, stopped(leadsquared.Code(out), "check host in the account file", "the account did not say whose keys these are: %s", refusal(out))
	}
	out, err = s.lookUpQuiet(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		var state leadsquared.CheckInState
		state, o = s.client.CheckedIn(ctx, slot)
		a.CheckedIn, a.LastSeen = state.In, state.Last
		return o
	})
	if err != nil {
		return a, err
	}
	a.Presence = out.Verdict == leadsquared.Applied
	if s.o.Account.asyncProblem() == nil {
		out, err = s.lookUpQuiet(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
			a.Queue, o = s.client.QueueMetrics(ctx, slot)
			return o
		})
		if err != nil {
			return a, err
		}
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

// lookUpQuiet reads where a path that is missing or forbidden is no reason to stop.
func (s *Session) lookUpQuiet(ctx context.Context, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	out, err := s.read(ctx, call)
	if err != nil && out.Verdict == leadsquared.Fatal {
		err = nil
	}
	return out, err
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
