package loader

import (
	"context"
	"fmt"

	"leadload/internal/fault"
	"leadload/loader/leadsquared"
)

// presenceOf turns the account file's check_in into a check-in.
func presenceOf(m map[string]any) leadsquared.Presence {
	p := leadsquared.Presence{OtherDetails: map[string]string{}}
	number := func(v any) *float64 {
		var f float64
		if _, err := fmt.Sscan(fmt.Sprint(v), &f); err != nil {
			return nil
		}
		return &f
	}
	for k, v := range m {
		switch k {
		case "Source":
			p.Source = fmt.Sprint(v)
		case "Location":
			p.Location = fmt.Sprint(v)
		case "Latitude":
			p.Latitude = number(v)
		case "Longitude":
			p.Longitude = number(v)
		case "AvailabilityStatus":
			p.AvailabilityStatus = fmt.Sprint(v)
		case "OtherDetails":
			if d, ok := v.(map[string]any); ok {
				for k, v := range d {
					p.OtherDetails[k] = fmt.Sprint(v)
				}
			}
		}
	}
	return p
}

// checkIn checks the keys' user in before a run, where the account file asks
// for it, and gives what checks out after it. Neither failure fails the run.
func (s *Session) checkIn(ctx context.Context) (out func()) {
	if len(s.o.Account.CheckIn) == 0 {
		return func() {}
	}
	p := presenceOf(s.o.Account.CheckIn)
	tell := func(what string, o leadsquared.Outcome, err error) {
		switch {
		case err != nil:
			s.o.Notify(what + " failed: " + err.Error() + "; the run goes on")
		case o.Verdict != leadsquared.Applied:
			s.o.Notify(what + " failed: " + o.Refusal() + "; the run goes on")
		}
	}
	o, err := s.line.Make(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
		return s.line.Client.CheckIn(ctx, slot, p)
	})
	tell("check-in", o, err)
	if err != nil || o.Verdict != leadsquared.Applied {
		return func() {}
	}
	return func() {
		p.AvailabilityStatus = "Offline" // the only one that a check-out takes
		// Also after Ctrl-C and failure: a user left checked in would be given leads.
		o, err := s.line.Make(context.WithoutCancel(ctx), func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
			return s.line.Client.CheckOut(ctx, slot, p)
		})
		tell("check-out", o, err)
	}
}

// Presence checks the keys' user in, or out. The error says why it was not done.
func (s *Session) Presence(ctx context.Context, p leadsquared.Presence, in bool) (said string, err error) {
	problem, call := p.CheckOutProblem(), s.line.Client.CheckOut
	if in {
		problem, call = p.CheckInProblem(), s.line.Client.CheckIn
	}
	if problem != nil {
		return "", fault.New("presence", "type leadload check-in --help", "%s", problem)
	}
	out, err := s.line.Make(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome { return call(ctx, slot, p) })
	if err != nil {
		return "", err
	}
	if out.Verdict != leadsquared.Applied {
		return "", fault.New(fault.Code(leadsquared.Code(out)), "the user may or may not be checked in: leadload account tells", "the account did not confirm it: %s", out.Refusal())
	}
	return out.Message, nil
}
