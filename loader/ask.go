package loader

import (
	"context"

	"leadload/loader/leadsquared"
)

// ask makes a reading call, again where that can help, and returns its value.
// The value may be used when the outcome is Applied; the outcome is otherwise
// Rejected, or InDoubt when no answer was had. The error ends the run.
func ask[T any](ctx context.Context, s *Session, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	var value T
	out, err := s.read(ctx, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		value, o = call(ctx, slot)
		return o
	})
	return value, out, err
}

// try is ask for a call that the account may not have: a missing path is a
// read that failed, and no reason to stop the run.
func try[T any](ctx context.Context, s *Session, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	value, out, err := ask(ctx, s, call)
	if missingPath(out) {
		err = nil
	}
	return value, out, err
}

// missingPath reports that the account does not have the call.
func missingPath(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.Fatal && (out.Status == 404 || out.Status == 405 || out.Status == 410)
}

// with binds the one argument of a call.
func with[A, T any](call func(context.Context, leadsquared.Slot, A) (T, leadsquared.Outcome), a A) func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome) {
	return func(ctx context.Context, slot leadsquared.Slot) (T, leadsquared.Outcome) { return call(ctx, slot, a) }
}
