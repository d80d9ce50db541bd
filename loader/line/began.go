package line

import (
	"context"
	"time"
)

type beganKey struct{}

// WithBegan returns a context in which the first reading call that finds *at zero
// sets it to the moment at which it left: what it reads is no older, however long
// the call has waited for its place.
func WithBegan(ctx context.Context, at *time.Time) context.Context {
	return context.WithValue(ctx, beganKey{}, at)
}

func began(ctx context.Context) {
	if at, ok := ctx.Value(beganKey{}).(*time.Time); ok && at.IsZero() {
		*at = time.Now()
	}
}
