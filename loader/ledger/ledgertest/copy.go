package ledgertest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// CopyBetween copies a ledger that holds something of everything from one store into
// a third and back, and goes on there. The second is in use.
func CopyBetween(t *testing.T, first, second, third Open) {
	f := New(t, first)
	run := f.Run()
	var entries []ledger.Entry
	for i := range 2100 { // more than are handed over at once
		entries = append(entries, Entry(i+2, fmt.Sprint("K\x00é\xff", i), "x", fmt.Sprint(i)))
	}
	entries = f.Plan(run, entries...)
	for i := range 9 {
		f.Load(entries[i].Record, GUID(i))
	}
	f.Load(entries[9].Record, "no GUID, upper case 4F")
	f.Check(f.Sending(entries[10].Record))
	f.Check(f.Sending(entries[11].Record))
	f.Check(f.Settle(entries[11].Record, ledger.InDoubt, ""))
	f.Check(f.Sending(entries[12].Record))
	f.Check(f.Settle(entries[12].Record, ledger.Rejected, ""))
	f.Store.Memo().RememberLead(f.Acct, "EmailAddress", "a@example.com", GUID(1))
	r := ledger.Run{ID: run, Started: time.Now(), Ended: time.Now(), Calls: 12, Stop: "bad \xff text", Did: ledger.Counts{ledger.ResultLoaded: 10}}
	f.Check(f.Store.End(t.Context(), r))
	var all, gone ledger.Set
	all.Add(entries[0].Record)
	all.Add(entries[1].Record)
	gone.Add(entries[1].Record)
	file := ledger.WholeFile{Scope: f.Scope, Path: "/in/\xff.csv"}
	f.Check(f.Store.Enlist(t.Context(), f.Lease, run, file, all, gone))
	f.Run() // one that has not ended
	f.Check(f.Store.Flush())

	see := func(s ledger.Store) (out []any) {
		t.Helper()
		f.Check(s.Check(t.Context()))
		runs, err := s.Runs(t.Context(), ledger.RunQuery{Newest: 9})
		f.Check(err)
		states, err := s.States(t.Context())
		f.Check(err)
		lead, err := s.Memo().Leads(t.Context(), f.Acct, "EmailAddress", []string{"a@example.com"}, time.Hour)
		f.Check(err)
		open, err := s.Open(t.Context(), ledger.Query{Account: f.Acct, Limit: 9})
		f.Check(err)
		roster, known, err := s.Roster(t.Context(), file)
		f.Check(err)
		missing, err := s.Gone(t.Context(), run)
		f.Check(err)
		out = append(out, runs, states, lead, open, slices.Collect(roster.All()), known, slices.Collect(missing.All()))
		for row, err := range s.Rows(t.Context(), run) {
			f.Check(err)
			out = append(out, row)
		}
		records := make([]ledger.Record, len(entries))
		idents := make([]ledger.Ident, len(entries))
		for i := range entries {
			idents[i] = entries[i].Ident
		}
		f.Check(s.Known(t.Context(), f.Scope, idents, records))
		for _, k := range records {
			out = append(out, k)
		}
		return out
	}
	want := see(f.Store)
	from, ok := f.Store.(ledger.Copier)
	if !ok {
		t.Fatal("the store cannot be copied")
	}
	other := New(t, second)
	var e *ledger.Error
	if _, err := ledger.Copy(t.Context(), from, other.Store.(ledger.Copier)); !errors.As(err, &e) || e.Code != "ledger.occupied" {
		t.Errorf("a ledger with an account of its own was replaced: %v", err)
	}
	between := third(t).(ledger.Copier)
	t.Cleanup(func() { between.Close() })
	for i, to := range []ledger.Copier{between, from} {
		n, err := ledger.Copy(t.Context(), from, to)
		f.Check(err)
		if want := (ledger.Copied{Accounts: 1, Runs: 2, Records: 2100, Open: 2}); n != want {
			t.Errorf("copied %+v, want %+v", n, want)
		}
		got := see(to)
		for k := range min(len(want), len(got)) {
			if !reflect.DeepEqual(got[k], want[k]) {
				t.Errorf("copy %d: %+v, want %+v", i+1, got[k], want[k])
				break
			}
		}
		if len(got) != len(want) {
			t.Errorf("copy %d has %d facts, want %d", i+1, len(got), len(want))
		}
		if _, err := ledger.Copy(t.Context(), from, to); !errors.As(err, &e) || e.Code != "ledger.moved" {
			t.Errorf("a ledger that was moved is copied again: %v", err)
		}
		from = to
	}
	if _, lerr := between.Lease(t.Context(), f.Acct, ledger.Holder{}); !errors.As(lerr, &e) || e.Code != "ledger.moved" {
		t.Errorf("a ledger that was moved since it was opened has a lease: %v", lerr)
	}
	// It goes on where the first one stood: open rows are found, numbers are new.
	f.Store = from
	var err error
	f.Lease, err = f.Store.Lease(t.Context(), f.Acct, ledger.Holder{Who: "another host", Command: "import"})
	f.Check(err)
	if n, err := f.Store.Recover(t.Context(), f.Lease); err != nil || n != 1 {
		t.Errorf("%d rows were cut off, %v; want 1", n, err)
	}
	if next := f.Run(); next <= run+1 {
		t.Errorf("run %d after run %d", next, run+1)
	}
	more := f.Plan(f.Run(), Entry(2, "new", "x", "y"))
	f.Load(more[0].Record, GUID(77))
}

// testCopy copies between stores of one kind.
func testCopy(t *testing.T, fresh func(testing.TB) Open) {
	CopyBetween(t, fresh(t), fresh(t), fresh(t))
}
