package ledgertest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

// model is one row on its way, with what is really in the account beside
// what the ledger believes. A program that works by the rules of this package
// drives it; another that does not tries to break them.
type model struct {
	*Fixture
	r       *rand.Rand
	record  int64
	applied int // records that the account has of this row
	looked  bool
	sends   int
	trace   []string
}

// event is something that happens to the row. It may end in a crash, which
// drops whatever the program had in its head.
type event struct {
	name string
	do   func(m *model)
}

// leaves is the request itself. It may reach the account or not; only the
// model knows.
func (m *model) leaves(arrives bool) {
	if m.sends > 0 && !m.looked {
		m.T.Errorf("sent again without a look in between: %s", strings.Join(m.trace, ", "))
	}
	m.sends++
	m.looked = false
	if arrives {
		m.applied++
	}
	if m.applied > 1 {
		m.T.Errorf("the account has it twice: %s", strings.Join(m.trace, ", "))
	}
}

// sent is a send whose intent was written down; false where the ledger forbids it.
func (m *model) sent(arrives bool) bool {
	if m.Sending(m.record) != nil {
		return false
	}
	m.leaves(arrives)
	return true
}

func (m *model) crash() {
	if m.r.IntN(4) == 0 { // a new process opens the file; mostly what it does first will do
		m.Reopen()
	}
	var err error
	m.Lease, err = m.Store.Lease(m.T.Context(), m.Acct, ledger.Holder{})
	m.Check(err)
	_, err = m.Store.Recover(m.T.Context(), m.Lease)
	m.Check(err)
}

var events = []event{
	{"sent, loaded", func(m *model) {
		if m.sent(true) {
			m.Check(m.Settle(m.record, ledger.Loaded, "id"))
		}
	}},
	{"sent, certainly not applied", func(m *model) {
		if m.sent(false) {
			m.looked = true // as good as a look
			m.Check(m.Settle(m.record, ledger.Ready, ""))
		}
	}},
	{"sent, rejected", func(m *model) {
		if m.sent(false) {
			m.looked = true
			m.Check(m.Settle(m.record, ledger.Rejected, ""))
		}
	}},
	{"sent, answer lost, applied", func(m *model) {
		if m.sent(true) {
			m.Check(m.Settle(m.record, ledger.InDoubt, ""))
		}
	}},
	{"sent, answer lost, not applied", func(m *model) {
		if m.sent(false) {
			m.Check(m.Settle(m.record, ledger.InDoubt, ""))
		}
	}},
	{"intent, then a crash before it leaves", func(m *model) {
		if m.Sending(m.record) == nil {
			m.crash()
		}
	}},
	{"sent, applied, then a crash", func(m *model) {
		if m.sent(true) {
			m.crash()
		}
	}},
	{"sent, not applied, then a crash", func(m *model) {
		if m.sent(false) {
			m.crash()
		}
	}},
	{"reserved, then a crash", func(m *model) {
		if m.Reserve(m.record) == nil {
			m.crash()
		}
	}},
	{"reserved, sent, applied, then a crash", func(m *model) {
		if m.Reserve(m.record) == nil {
			m.leaves(true)
			m.crash()
		}
	}},
	{"reserved, sent anew, answer lost", func(m *model) {
		if m.Reserve(m.record) == nil && m.sent(true) {
			m.Check(m.Settle(m.record, ledger.InDoubt, ""))
		}
	}},
	{"reserved, taken back", func(m *model) {
		if m.Reserve(m.record) == nil {
			m.Check(m.Settle(m.record, ledger.Ready, ""))
		}
	}},
	{"crash", func(m *model) { m.crash() }},
	{"looked up", func(m *model) {
		if m.State(m.record) != ledger.InDoubt {
			return
		}
		m.looked = true
		if m.applied > 0 {
			m.Check(m.Store.Settle(m.T.Context(), m.Lease, ledger.Outcome{Record: m.record, State: ledger.Loaded, ID: "id", Unowned: true}))
		} else {
			m.Check(m.Settle(m.record, ledger.Ready, ""))
		}
	}},
	{"looked up and missing, to be sent again", func(m *model) {
		if m.State(m.record) == ledger.InDoubt && m.applied == 0 {
			m.looked = true
			m.Check(m.Settle(m.record, ledger.Missing, ""))
		}
	}},
	{"looked up, then a crash before it is written", func(m *model) { m.crash() }},
	{"looked up to no avail", func(m *model) {
		if m.State(m.record) == ledger.InDoubt {
			m.Check(m.Settle(m.record, ledger.InDoubt, ""))
		}
	}},
	{"queued", func(m *model) {
		if m.sent(true) {
			m.Check(m.Settle(m.record, ledger.Pending, ""))
		}
	}},
	{"polled, loaded", func(m *model) {
		if m.State(m.record) == ledger.Pending {
			m.Check(m.Settle(m.record, ledger.Loaded, "id"))
		}
	}},
	{"planned again", func(m *model) { m.Plan(m.Run(), Entry(2, "A", "Name", "a")) }},
	{"planned again with other values", func(m *model) { m.Plan(m.Run(), Entry(2, "A", "Name", "b")) }},
}

// testModel drives a row with random events and says: never two sends without
// a look in between (unless the account said that it did not apply the first),
// and what was sent is never forgotten.
func testModel(t *testing.T, fresh func(testing.TB) Open) {
	runs := 60
	if testing.Short() {
		runs = 50
	}
	seen := map[ledger.State]int{}
	for seed := range runs {
		m := &model{Fixture: New(t, fresh(t)), r: rand.New(rand.NewPCG(uint64(seed), 3)), looked: true}
		m.record = m.Plan(m.Run(), Entry(2, "A", "Name", "a"))[0].Record
		for range 14 {
			ev := events[m.r.IntN(len(events))]
			m.trace = append(m.trace, ev.name)
			ev.do(m)
			state := m.State(m.record)
			seen[state]++
			if m.applied > 0 && (state == ledger.Ready || state == ledger.Missing || state == ledger.Rejected || state == ledger.Reserved) {
				t.Errorf("it is in the account and the ledger says %s: %s", state, strings.Join(m.trace, ", "))
			}
			if m.applied == 0 && state == ledger.Loaded {
				t.Errorf("it is not in the account and the ledger says loaded: %s", strings.Join(m.trace, ", "))
			}
			if state == ledger.Sending || state == ledger.Reserved {
				t.Errorf("%s outlives its event: %s", state, strings.Join(m.trace, ", "))
			}
			if len(m.Open()) > 0 != state.Open() {
				t.Errorf("%s, and %d open: %s", state, len(m.Open()), strings.Join(m.trace, ", "))
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		m.Check(m.Store.Close())
	}
	for _, s := range []ledger.State{ledger.Ready, ledger.InDoubt, ledger.Pending, ledger.Loaded, ledger.Rejected, ledger.Missing} {
		if seen[s] == 0 {
			t.Errorf("no sequence came to %s", s)
		}
	}
}
