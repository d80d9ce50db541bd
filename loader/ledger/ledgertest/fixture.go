// Package ledgertest is the suite that every store of the ledger must pass,
// and the helpers that tests of one share.
package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// Open opens a ledger at one place. It may be called again once the ledger
// that it returned is closed.
type Open func(testing.TB) ledger.Store

// Fixture is a ledger with one account, one scope, and a lease of the account.
type Fixture struct {
	T     testing.TB
	Store ledger.Store
	Acct  int64
	Scope int64
	Lease ledger.Lease

	open   Open
	idents map[int64]ledger.Ident
}

// New opens a ledger and makes a fixture of it.
func New(t testing.TB, open Open) *Fixture {
	t.Helper()
	f := &Fixture{T: t, Store: open(t), open: open, idents: map[int64]ledger.Ident{}}
	t.Cleanup(func() { f.Store.Close() })
	f.enroll()
	return f
}

// enroll finds the account and takes a lease of it.
func (f *Fixture) enroll() {
	f.T.Helper()
	var err error
	f.Acct, err = f.Store.Enroll(f.T.Context(), "api.example.com", []string{"keys:api.example.com:1"})
	f.Check(err)
	f.Scope, err = f.Store.Scope(f.T.Context(), f.Acct, "opportunity:12000")
	f.Check(err)
	f.Lease, err = f.Store.Lease(f.T.Context(), f.Acct, ledger.Holder{Who: "a test", Command: "import"})
	f.Check(err)
}

// Reopen closes the ledger and opens it again, as the next process does.
func (f *Fixture) Reopen() {
	f.T.Helper()
	f.Check(f.Store.Close())
	f.Store = f.open(f.T)
	f.enroll()
}

// Check ends the test when there is an error.
func (f *Fixture) Check(err error) {
	f.T.Helper()
	if err != nil {
		f.T.Fatal(err)
	}
}

// Run begins a run.
func (f *Fixture) Run() int64 {
	f.T.Helper()
	id, err := f.Store.Begin(f.T.Context(), ledger.Run{Account: f.Acct, Command: "import", Started: time.Now()})
	f.Check(err)
	return id
}

// Entry is a row with a key ("" is none) and named values.
func Entry(n int, key string, pairs ...string) ledger.Entry {
	var d ledger.Digester
	e := ledger.Entry{Number: n, Line: n, Origin: n, Fingerprint: uint64(n) * 0x9e3779b97f4a7c15, KeyText: key}
	e.Digest = d.Digest(len(pairs)/2, func(i int) (string, string) { return pairs[2*i], pairs[2*i+1] })
	if e.HasKey = key != ""; e.HasKey {
		e.Identity = ledger.HashIdentity(key)
	} else {
		e.Identity = e.Digest.Body
	}
	return e
}

// Planner returns a planner of a run.
func (f *Fixture) Planner(run int64) *ledger.Planner {
	return &ledger.Planner{Store: f.Store, Lease: f.Lease, Run: run, Scope: f.Scope}
}

// Plan plans rows that are all of a run's.
func (f *Fixture) Plan(run int64, entries ...ledger.Entry) []ledger.Entry {
	f.T.Helper()
	f.Check(f.Planner(run).Plan(f.T.Context(), entries))
	for _, e := range entries {
		if e.Record != 0 {
			f.idents[e.Record] = e.Ident
		}
	}
	return entries
}

// Reserve writes down that a record may be sent at any moment.
func (f *Fixture) Reserve(record int64) error {
	return f.Store.Intend(f.T.Context(), f.Lease, ledger.Reserved, intent(record))
}

// Sending writes down that a record is being sent.
func (f *Fixture) Sending(record int64) error {
	return f.Store.Intend(f.T.Context(), f.Lease, ledger.Sending, intent(record))
}

func intent(record int64) ledger.Intent {
	return ledger.Intent{Record: record, At: time.Now(), Payload: ledger.Payload{Target: "opportunity", Body: "{}", Lead: "x"}}
}

// Settle writes down what became of a record.
func (f *Fixture) Settle(record int64, s ledger.State, id string) error {
	return f.Store.Settle(f.T.Context(), f.Lease, ledger.Outcome{Record: record, State: s, ID: id})
}

// Load takes a record all the way.
func (f *Fixture) Load(record int64, id string) {
	f.T.Helper()
	f.Check(f.Sending(record))
	f.Check(f.Settle(record, ledger.Loaded, id))
}

// Known returns what the ledger knows of a record that Plan has planned.
func (f *Fixture) Known(record int64) ledger.Record {
	f.T.Helper()
	ident, ok := f.idents[record]
	if !ok {
		f.T.Fatalf("record %d was not planned here", record)
	}
	out := make([]ledger.Record, 1)
	f.Check(f.Store.Known(f.T.Context(), f.Scope, []ledger.Ident{ident}, out))
	if out[0].ID != record {
		f.T.Fatalf("record %d is known as %d", record, out[0].ID)
	}
	return out[0]
}

// State returns where a record stands.
func (f *Fixture) State(record int64) ledger.State {
	f.T.Helper()
	known := f.Known(record)
	return known.State()
}

// Open returns the account's open operations.
func (f *Fixture) Open() []ledger.Operation {
	f.T.Helper()
	list, err := f.Store.Open(f.T.Context(), ledger.Query{Account: f.Acct, Limit: 1000})
	f.Check(err)
	return list
}

// Rows returns the rows of a run.
func (f *Fixture) Rows(run int64) (out []ledger.Row) {
	f.T.Helper()
	for r, err := range f.Store.Rows(f.T.Context(), run) {
		f.Check(err)
		out = append(out, r)
	}
	return out
}

// GUID returns an id as the account has them.
func GUID(n int) string {
	return fmt.Sprintf("%08x-72a4-4f31-9d06-%012x", uint32(n)*2654435761, n)
}
