package send

import (
	"context"
	"errors"
	"strings"
	"sync"

	"leadload/loader/ledger"
)

// neighbours remembers whether the account names its records by GUIDs, as far as
// this run and the ledger have seen.
type neighbours struct {
	mu    sync.Mutex
	asked bool
	guids bool
}

// recent is how many loaded records say what form the account's ids have.
const recent = 20

// isGUID reports whether an id has the form of a GUID.
func isGUID(id string) bool {
	id = strings.Trim(id, "{}")
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (id[i] == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(id[i])) {
			return false
		}
	}
	return true
}

// Doubt turns an outcome into one in doubt when its id has another form than
// those of the account's other records: then it was damaged on its way.
func (s *Sender) Doubt(ctx context.Context, o *ledger.Outcome) error {
	if !o.Claims() {
		return nil
	}
	n := &s.neighbours
	n.mu.Lock()
	defer n.mu.Unlock()
	if isGUID(o.ID) {
		n.guids = true
		return nil
	}
	if !n.asked {
		known, err := s.Ledger.Newest(context.WithoutCancel(ctx), s.Lease.Account, "", recent)
		if err != nil {
			return err
		}
		n.asked = true
		for _, k := range known {
			n.guids = n.guids || isGUID(k.ID)
		}
	}
	if n.guids {
		*o = ledger.Outcome{Record: o.Record, Op: o.Op, State: ledger.InDoubt, RequestID: o.RequestID, Code: "doubt.odd-id",
			Msg: "the answer named the record " + o.ID + ", which has not the form of the account's ids", Hint: ledger.DoubtHint}
	}
	return nil
}

// Kept takes note of how an outcome was written down. A row whose answer named
// another row's record is in doubt, and the run goes on.
func (s *Sender) Kept(o ledger.Outcome, err error) error {
	if !errors.Is(err, ledger.ErrBorrowed) {
		return err
	}
	s.Tally(o.State, -1)
	s.Tally(ledger.InDoubt, 1)
	return nil
}
