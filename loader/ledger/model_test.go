package ledger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// model is one row on its way, with what is really in the account beside
// what the ledger believes. A program that works by the rules of this package
// drives it; another that does not tries to break them.
type model struct {
	*fixture
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
		m.t.Errorf("sent again without a look in between: %s", strings.Join(m.trace, ", "))
	}
	m.sends++
	m.looked = false
	if arrives {
		m.applied++
	}
	if m.applied > 1 {
		m.t.Errorf("the account has it twice: %s", strings.Join(m.trace, ", "))
	}
}

// sent is a send whose intent was written down; false where the ledger forbids it.
func (m *model) sent(arrives bool) bool {
	if m.sending(m.record) != nil {
		return false
	}
	m.leaves(arrives)
	return true
}

func (m *model) crash() {
	if m.r.IntN(4) == 0 { // a new process opens the file; mostly what it does first will do
		path := m.l.path
		check(m.t, m.l.Close())
		l, err := Open(path, Options{Unsafe: true})
		check(m.t, err)
		m.l = l
	}
	_, err := m.l.Recover(m.t.Context(), m.acct)
	check(m.t, err)
}

var events = []event{
	{"sent, loaded", func(m *model) {
		if m.sent(true) {
			check(m.t, m.settle(m.record, Loaded, "id"))
		}
	}},
	{"sent, certainly not applied", func(m *model) {
		if m.sent(false) {
			m.looked = true // as good as a look
			check(m.t, m.settle(m.record, Ready, ""))
		}
	}},
	{"sent, rejected", func(m *model) {
		if m.sent(false) {
			m.looked = true
			check(m.t, m.settle(m.record, Rejected, ""))
		}
	}},
	{"sent, answer lost, applied", func(m *model) {
		if m.sent(true) {
			check(m.t, m.settle(m.record, InDoubt, ""))
		}
	}},
	{"sent, answer lost, not applied", func(m *model) {
		if m.sent(false) {
			check(m.t, m.settle(m.record, InDoubt, ""))
		}
	}},
	{"intent, then a crash before it leaves", func(m *model) {
		if m.sending(m.record) == nil {
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
		if m.l.Reserve(m.t.Context(), []Intent{{Record: m.record, Account: m.acct, At: time.Now()}}) == nil {
			m.crash()
		}
	}},
	{"reserved, sent, applied, then a crash", func(m *model) {
		if m.l.Reserve(m.t.Context(), []Intent{{Record: m.record, Account: m.acct, At: time.Now()}}) == nil {
			m.leaves(true)
			m.crash()
		}
	}},
	{"reserved, sent anew, answer lost", func(m *model) {
		if m.l.Reserve(m.t.Context(), []Intent{{Record: m.record, Account: m.acct, At: time.Now()}}) == nil && m.sent(true) {
			check(m.t, m.settle(m.record, InDoubt, ""))
		}
	}},
	{"reserved, taken back", func(m *model) {
		if m.l.Reserve(m.t.Context(), []Intent{{Record: m.record, Account: m.acct, At: time.Now()}}) == nil {
			check(m.t, m.settle(m.record, Ready, ""))
		}
	}},
	{"crash", func(m *model) { m.crash() }},
	{"looked up", func(m *model) {
		if m.state(m.record) != InDoubt {
			return
		}
		m.looked = true
		if m.applied > 0 {
			check(m.t, m.l.Claim(m.t.Context(), m.acct, Outcome{Record: m.record, ID: "id"}))
		} else {
			check(m.t, m.settle(m.record, Ready, ""))
		}
	}},
	{"looked up, then a crash before it is written", func(m *model) { m.crash() }},
	{"looked up to no avail", func(m *model) {
		if m.state(m.record) == InDoubt {
			check(m.t, m.settle(m.record, InDoubt, ""))
		}
	}},
	{"queued", func(m *model) {
		if m.sent(true) {
			check(m.t, m.settle(m.record, Pending, ""))
		}
	}},
	{"polled, loaded", func(m *model) {
		if m.state(m.record) == Pending {
			check(m.t, m.settle(m.record, Loaded, "id"))
		}
	}},
	{"planned again", func(m *model) { m.plan(m.run(), entry(2, "A", "Name", "a")) }},
	{"planned again with other values", func(m *model) { m.plan(m.run(), entry(2, "A", "Name", "b")) }},
}

// TestModel drives a row with random events and says: never two sends without
// a look in between (unless the account said that it did not apply the first),
// and what was sent is never forgotten.
func TestModel(t *testing.T) {
	runs := 60
	if testing.Short() {
		runs = 50
	}
	seen := map[State]int{}
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		path := filepath.Join(t.TempDir(), "l.db")
		check(t, fixtureAt(t, path).l.Close())
		l, err := Open(path, Options{Unsafe: true})
		check(t, err)
		f := &fixture{t: t, l: l}
		f.acct, err = l.Account(t.Context(), "a", []string{"keys:api.example.com:1"})
		check(t, err)
		f.scope, err = l.Scope(t.Context(), f.acct, "opportunity:12000")
		check(t, err)
		m := &model{fixture: f, r: r, looked: true}
		m.record = m.plan(m.run(), entry(2, "A", "Name", "a"))[0].Record
		for range 14 {
			ev := events[r.IntN(len(events))]
			m.trace = append(m.trace, ev.name)
			ev.do(m)
			state := m.state(m.record)
			seen[state]++
			if m.applied > 0 && (state == Ready || state == Rejected || state == Reserved) {
				t.Errorf("it is in the account and the ledger says %s: %s", state, strings.Join(m.trace, ", "))
			}
			if m.applied == 0 && state == Loaded {
				t.Errorf("it is not in the account and the ledger says loaded: %s", strings.Join(m.trace, ", "))
			}
			if state == Sending || state == Reserved {
				t.Errorf("%s outlives its event: %s", state, strings.Join(m.trace, ", "))
			}
			if t.Failed() {
				t.FailNow()
			}
		}
		check(t, m.l.Close())
	}
	for _, s := range []State{Ready, InDoubt, Pending, Loaded, Rejected} {
		if seen[s] == 0 {
			t.Errorf("no sequence came to %s", s)
		}
	}
}

// TestStep is the table of all steps: what is not in it is refused and
// changes nothing on disk.
func TestStep(t *testing.T) {
	may := map[State][]State{
		Ready:     {Reserved, Sending, Ready, Rejected},
		Reserved:  {Sending, Ready, InDoubt, Pending, Loaded, Duplicate, Rejected},
		Sending:   {Ready, InDoubt, Pending, Loaded, Duplicate, Rejected},
		InDoubt:   {Ready, InDoubt, Loaded, Duplicate, Rejected},
		Pending:   {InDoubt, Pending, Loaded, Duplicate, Rejected},
		Loaded:    {},
		Duplicate: {},
		Rejected:  {Ready},
	}
	all := []State{Ready, Reserved, Sending, InDoubt, Pending, Loaded, Duplicate, Rejected}
	f := newFixture(t)
	run, n := f.run(), 2
	for _, from := range all {
		for _, to := range all {
			want := false
			for _, s := range may[from] {
				want = want || s == to
			}
			if step(from, to) != want {
				t.Errorf("%s to %s: %v, want %v", from, to, !want, want)
			}
			rec := f.plan(run, entry(n, fmt.Sprint(n), "x", "1"))[0].Record
			n++
			check(t, f.l.write(func(w *writer) error {
				_, err := w.exec("UPDATE records SET state = ? WHERE id = ?", from, rec)
				return err
			}))
			var err error
			switch to {
			case Reserved:
				err = f.l.Reserve(t.Context(), []Intent{{Record: rec, Account: f.acct}})
			case Sending:
				err = f.sending(rec)
			default:
				err = f.settle(rec, to, "")
			}
			end := to
			if !want {
				end = from
			}
			if want != (err == nil) || !want && !errors.Is(err, ErrState) || f.state(rec) != end {
				t.Errorf("%s to %s: error %v, on disk %s", from, to, err, f.state(rec))
			}
		}
	}
}
