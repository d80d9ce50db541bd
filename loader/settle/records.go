package settle

import (
	"context"

	"leadload/loader/ledger"
)

// Everything that settling asks of the ledger, apart from what it writes down.

// open calls each for the account's open records, oldest first.
func (s *Settler) open(ctx context.Context, each func(ledger.Operation)) error {
	for rec, err := range ledger.AllOpen(ctx, s.Ledger, ledger.Query{Account: s.Lease.Account}) {
		if err != nil {
			return err
		}
		each(rec)
	}
	return nil
}

func (s *Settler) owned(ctx context.Context, id string) (bool, error) {
	owners, err := s.Ledger.Owners(ctx, s.Lease.Account, id)
	return len(owners) > 0, err
}
