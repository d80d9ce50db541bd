package loader

import (
	"context"
	"slices"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// Pick names rows that the ledger knows: those of a run, or those with keys.
type Pick struct {
	Run  int64 // 0: Keys
	Keys []string
}

// picked is what a Pick names.
type picked struct {
	records []int64        // each once, in ascending order
	changed map[int64]bool // of a run: its row changed since it was loaded
	open    map[int64]bool // records of the account whose fate is open
	unknown []string       // keys that the ledger does not know
	input   string         // the run's file
}

// pick finds the records that people have named.
func (s *Session) pick(ctx context.Context, of Pick) (p picked, err error) {
	if of.Run == 0 {
		for _, key := range of.Keys {
			list, err := ledger.Named(ctx, s.led, s.acct, key)
			if err != nil {
				return p, err
			}
			if len(list) == 0 {
				p.unknown = append(p.unknown, key)
			}
			p.records = append(p.records, list...)
		}
	} else {
		runs, err := s.led.Runs(ctx, ledger.RunQuery{ID: of.Run})
		switch {
		case err != nil:
			return p, err
		case len(runs) == 0:
			return p, fault.New("usage", "type leadload runs to see the numbers", "the ledger knows no run %d", of.Run)
		case runs[0].Account != s.acct:
			return p, fault.New("undo.account", "name that account with --account, or set its LEADSQUARED_… variables", "run %d loaded into another account, %s", of.Run, s.other(&runs[0]))
		}
		p.input, p.changed = runs[0].Input, map[int64]bool{}
		for r, err := range s.led.Rows(ctx, of.Run) {
			if err != nil {
				return p, err
			}
			if r.Record == 0 || r.Verdict == ledger.Repeated {
				continue
			}
			p.records = append(p.records, r.Record)
			if r.Verdict == ledger.Changed || r.Verdict == ledger.Changing {
				p.changed[r.Record] = true
			}
		}
	}
	slices.Sort(p.records)
	p.records = slices.Compact(p.records)
	p.open, err = s.openRecords(ctx)
	return p, err
}

// openRecords returns the account's records whose fate is open.
func (s *Session) openRecords(ctx context.Context) (map[int64]bool, error) {
	open := map[int64]bool{}
	for o, err := range ledger.AllOpen(ctx, s.led, ledger.Query{Account: s.acct}) {
		if err != nil {
			return nil, err
		}
		open[o.Record] = true
	}
	return open, nil
}

// inParts calls do with some of the records at a time, and returns the sum of what
// it returns.
func inParts(records []int64, do func([]int64) (int64, error)) (sum int64, err error) {
	for part := range slices.Chunk(records, 1000) {
		n, err := do(part)
		if sum += n; err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// other names the account of a run that is not the session's. A host alone does not
// tell two accounts apart.
func (s *Session) other(run *ledger.Run) string {
	if run.AccountName == s.o.Account.Display() {
		return run.AccountName + " with another access key"
	}
	return run.AccountName
}
