package line

import (
	"context"
	"sync/atomic"

	"leadload/loader/leadsquared"
)

// Budget bounds the reading calls that answer one question, so that an account
// with endless pages ends it, too.
type Budget struct {
	most int64
	left atomic.Int64
}

type budgetKey struct{}

// WithBudget returns a context in which at most so many reading calls are made.
// Further ones end in doubt without a call.
func WithBudget(ctx context.Context, calls int) (context.Context, *Budget) {
	b := &Budget{most: int64(calls)}
	b.left.Store(b.most)
	return context.WithValue(ctx, budgetKey{}, b), b
}

// Spent reports whether a call was not made for want of budget.
func (b *Budget) Spent() bool { return b.left.Load() < 0 }

// Calls returns how many calls the budget allowed.
func (b *Budget) Calls() int { return int(b.most) }

// spend takes one call of the context's budget; false says that none is left.
func spend(ctx context.Context) bool {
	b, ok := ctx.Value(budgetKey{}).(*Budget)
	return !ok || b.left.Add(-1) >= 0
}

// overBudget is the outcome of a call that is not made.
func overBudget() leadsquared.Outcome {
	return leadsquared.Outcome{Verdict: leadsquared.InDoubt, Message: "it would take too many calls"}
}
