package line

import (
	"context"

	"leadload/loader/leadsquared"
)

// Ask makes a reading call, again where that can help, and returns its value.
// The value may be used when the outcome is Applied; the outcome is otherwise
// Rejected, or InDoubt when no answer was had. The error ends the run.
func Ask[T any](ctx context.Context, l *Line, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	return ask(ctx, l, patient, call)
}

func ask[T any](ctx context.Context, l *Line, how patience, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	var value T
	out, err := l.read(ctx, how, func(ctx context.Context, slot leadsquared.Slot) (o leadsquared.Outcome) {
		value, o = call(ctx, slot)
		return o
	})
	return value, out, err
}

// Once is Try for a call about one record that may be gone. The account may answer
// for such a record as if it were out of order. That is therefore no sign of an
// outage, and the call is not repeated once its answer was lost or of no use.
func Once[T any](ctx context.Context, l *Line, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	return try(ctx, l, once, call)
}

// Either is Try for a call beside which there is another way to learn the same.
// Where the account's own program fails on it, that is no outage, and it is not
// repeated: the other way may work.
func Either[T any](ctx context.Context, l *Line, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	return try(ctx, l, either, call)
}

// Try is Ask for a call that the account may not have: a missing path is a
// read that failed, and no reason to stop the run.
func Try[T any](ctx context.Context, l *Line, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	return try(ctx, l, patient, call)
}

func try[T any](ctx context.Context, l *Line, how patience, call func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome)) (T, leadsquared.Outcome, error) {
	value, out, err := ask(ctx, l, how, call)
	if MissingPath(out) {
		err = nil
	}
	return value, out, err
}

// MissingPath reports that the account does not have the call. A call that makes
// something is in doubt all the same when a page says so and not the account.
func MissingPath(out leadsquared.Outcome) bool {
	return (out.Verdict == leadsquared.Fatal || out.Stop) && (out.Status == 404 || out.Status == 405 || out.Status == 410)
}

// Barred reports that a call is refused in front of the application, as one that this
// account may not make: others may still be made.
func Barred(out leadsquared.Outcome) bool {
	return (out.Verdict == leadsquared.Fatal || out.Stop) && out.StatedWindow == 0 && out.Status >= 400 && out.Status <= 499 && out.RightHost == ""
}

// KeysRefused reports that a call was refused with the words for keys that are not
// valid. That may be meant of this call alone.
func KeysRefused(out leadsquared.Outcome) bool {
	return out.Verdict == leadsquared.Fatal && out.Status == 401 && out.RightHost == ""
}

// With binds the one argument of a call.
func With[A, T any](call func(context.Context, leadsquared.Slot, A) (T, leadsquared.Outcome), a A) func(context.Context, leadsquared.Slot) (T, leadsquared.Outcome) {
	return func(ctx context.Context, slot leadsquared.Slot) (T, leadsquared.Outcome) { return call(ctx, slot, a) }
}
