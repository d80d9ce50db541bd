package ledger

import (
	"context"
	"iter"
)

// AllOpen yields the open operations of an account from After of q on, by the numbers
// of their records. They are read some at a time: Limit is not looked at.
func AllOpen(ctx context.Context, s Store, q Query) iter.Seq2[Operation, error] {
	return func(yield func(Operation, error) bool) {
		for q.Limit = 1000; ; {
			page, err := s.Open(ctx, q)
			if err != nil {
				yield(Operation{}, err)
				return
			}
			for _, o := range page {
				if q.After = o.Record; !yield(o, nil) {
					return
				}
			}
			if len(page) < q.Limit {
				return
			}
		}
	}
}
