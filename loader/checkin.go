package loader

import (
	"context"
	"fmt"

	"leadload/loader/leadsquared"
)

// presence turns the account file's check_in into a check-in.
func presence(m map[string]any) leadsquared.Presence {
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
	p := presence(s.o.Account.CheckIn)
	tell := func(what string, o leadsquared.Outcome, err error) {
		switch {
		case err != nil:
			s.o.Notify(what + " failed: " + err.Error() + "; the run goes on")
		case o.Verdict != leadsquared.Applied:
			s.o.Notify(what + " failed: " + refusal(o) + "; the run goes on")
		}
	}
	o, err := s.once(ctx, func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
		return s.client.CheckIn(ctx, slot, p)
	})
	tell("check-in", o, err)
	if err != nil || o.Verdict != leadsquared.Applied {
		return func() {}
	}
	return func() {
		p.AvailabilityStatus = "Offline" // the only one that a check-out takes
		// Also after Ctrl-C and failure: a user left checked in would be given leads.
		o, err := s.once(context.WithoutCancel(ctx), func(ctx context.Context, slot leadsquared.Slot) leadsquared.Outcome {
			return s.client.CheckOut(ctx, slot, p)
		})
		tell("check-out", o, err)
	}
}

// once makes one call that is not worth repeating, unless the limit was in the way.
func (s *Session) once(ctx context.Context, call func(context.Context, leadsquared.Slot) leadsquared.Outcome) (leadsquared.Outcome, error) {
	for try := 0; ; try++ {
		c, err := s.slot(ctx, try > 0)
		if err != nil {
			return leadsquared.Outcome{}, err
		}
		out := call(context.WithoutCancel(ctx), c)
		if err := s.finish(c, out); err != nil {
			return out, err
		}
		if out.Verdict != leadsquared.Throttled || try >= readTries {
			return out, nil
		}
	}
}
