package settle

import (
	"context"

	"leadload/loader/ledger"
)

// Everything that settling asks of the ledger, apart from what it writes down.

// open calls each for the account's open records, oldest first.
func (s *Settler) open(ctx context.Context, each func(ledger.Operation)) error {
	const many = 1000
	for after := int64(0); ; {
		page, err := s.Ledger.Open(ctx, ledger.Query{Account: s.Lease.Account, After: after, Limit: many})
		if err != nil {
			return err
		}
		for _, rec := range page {
			after = rec.Record
			each(rec)
		}
		if len(page) < many {
			return nil
		}
	}
}

func (s *Settler) owned(ctx context.Context, id string) (bool, error) {
	owners, err := s.Ledger.Owners(ctx, s.Lease.Account, id)
	return len(owners) > 0, err
}
