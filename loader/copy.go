package loader

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/line"
)

// CopyOptions say how CopyLedger keeps others away.
type CopyOptions struct {
	StateDir string        // with the locks of this machine
	WaitLock time.Duration // how long to wait for runs of the accounts to end
	Notify   func(string)  // is told what is waited for
}

// CopyLedger takes all that a ledger holds over into another, and marks the first
// as moved. Meanwhile it holds every account of the first.
func CopyLedger(ctx context.Context, from, to ledger.Copier, o CopyOptions) (n ledger.Copied, err error) {
	var names []string
	accounts := map[int64]bool{}
	for i := range ledger.Tables {
		if ledger.Tables[i].Name != "account_names" {
			continue
		}
		for row, err := range from.Dump(ctx, &ledger.Tables[i]) {
			if err != nil {
				return n, err
			}
			names = append(names, string(row[0].([]byte)))
			accounts[row[1].(int64)] = true
		}
	}
	slices.Sort(names)
	var locks []*line.Lock
	defer func() {
		for _, l := range locks {
			err = errors.Join(err, l.Release())
		}
	}()
	for _, name := range names {
		l, err := line.Hold(ctx, filepath.Join(o.StateDir, "locks"), nameHash(name), "ledger copy", o.WaitLock, o.Notify)
		if err != nil {
			return n, err
		}
		locks = append(locks, l)
	}
	for account := range accounts {
		if _, err := takeLease(ctx, from, account, thisProcess("ledger copy", time.Minute), o.WaitLock, o.Notify); err != nil {
			return n, err
		}
	}
	return ledger.Copy(ctx, from, to)
}
