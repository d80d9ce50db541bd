package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"leadload/loader/ledger"
)

// testRosters says that a store keeps which records a file has had and which are
// gone from it, and names those that are in the account.
func testRosters(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run := f.Run()
	if used, err := f.Store.Used(t.Context(), f.Acct); used || err != nil {
		t.Errorf("a new ledger is used: %v, %v", used, err)
	}
	var entries []ledger.Entry
	for n := range 40 {
		entries = append(entries, Entry(n+2, fmt.Sprint("K", n), "Name", "a"))
	}
	var all, gone ledger.Set
	var records []int64
	for n, e := range f.Plan(run, entries...) {
		records = append(records, e.Record)
		all.Add(e.Record)
		if n%2 == 0 {
			f.Load(e.Record, GUID(n))
		}
		if n >= 30 {
			gone.Add(e.Record)
		}
	}
	file := ledger.WholeFile{Scope: f.Scope, Path: "/in/deals.csv"}
	if _, known, err := f.Store.Roster(t.Context(), file); known || err != nil {
		t.Errorf("before it was written: %v, %v", known, err)
	}
	if none, err := f.Store.Gone(t.Context(), run); none.Len() != 0 || err != nil {
		t.Errorf("gone before it was written: %d, %v", none.Len(), err)
	}
	for account, want := range map[int64]bool{f.Acct: true, f.Acct + 1: false} {
		if used, err := f.Store.Used(t.Context(), account); used != want || err != nil {
			t.Errorf("used %v, %v; want %v", used, err, want)
		}
	}
	f.Check(f.Store.Enlist(t.Context(), f.Lease, run, file, nil, nil))
	f.Check(f.Store.Enlist(t.Context(), f.Lease, run, file, all, gone))
	f.Check(f.Store.Enlist(t.Context(), f.Lease, run, ledger.WholeFile{Scope: f.Scope, Path: file.Path, Sheet: "Other"}, nil, nil))
	old := f.Lease
	f.Reopen()
	back, known, err := f.Store.Roster(t.Context(), file)
	if err != nil || !known || !slices.Equal(slices.Collect(back.All()), slices.Collect(all.All())) {
		t.Errorf("roster of %d, %v, %v", back.Len(), known, err)
	}
	if other, known, err := f.Store.Roster(t.Context(), ledger.WholeFile{Scope: f.Scope, Path: file.Path, Sheet: "Other"}); err != nil || !known || other.Len() != 0 {
		t.Errorf("roster of another sheet: %d, %v, %v", other.Len(), known, err)
	}
	missing, err := f.Store.Gone(t.Context(), run)
	if err != nil || !slices.Equal(slices.Collect(missing.All()), slices.Collect(gone.All())) {
		t.Errorf("%d gone, %v", missing.Len(), err)
	}
	// Those that are in the account are named, in the order of their numbers.
	rows, err := f.Store.Named(t.Context(), append(records, 1<<40))
	if err != nil || len(rows) != 20 {
		t.Fatalf("%d named, %v", len(rows), err)
	}
	var asked ledger.Set
	for _, record := range append(records[3:], 1<<40) {
		asked.Add(record)
	}
	here, err := f.Store.Here(t.Context(), asked)
	if f.Check(err); here.Len() != 18 || here.Has(records[2]) || !here.Has(records[4]) || here.Has(records[5]) {
		t.Errorf("%d of some records are in the account: %v", here.Len(), slices.Collect(here.All()))
	}
	for i, r := range rows {
		if n := 2 * i; r.Record != records[n] || r.Number != n+2 || r.Key != fmt.Sprint("K", n) || r.ID != GUID(n) || r.State != ledger.Loaded {
			t.Errorf("named %+v", r)
		}
	}
	if err := f.Store.Enlist(t.Context(), old, run, file, nil, nil); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("with a lost lease: %v", err)
	}
}
