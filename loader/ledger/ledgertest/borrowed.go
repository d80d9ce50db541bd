package ledgertest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

// testBorrowed says that an answer which names another row's record is no
// success, however it was written down before and whoever else is in the transaction.
func testBorrowed(t *testing.T, fresh func(testing.TB) Open) {
	one := GUID(1)
	settle := func(f *Fixture, record int64, id string) error {
		return f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: record, State: ledger.Loaded, ID: id, LeadID: GUID(9)})
	}
	for _, c := range []struct {
		name  string
		owner string // the id that the other row has
		reach func(f *Fixture, record int64)
	}{
		{"sent", one, func(f *Fixture, r int64) { f.Check(f.Sending(r)) }},
		{"reserved", one, func(f *Fixture, r int64) { f.Check(f.Reserve(r)) }},
		{"queued", one, func(f *Fixture, r int64) { f.Check(f.Sending(r)); f.Check(f.Settle(r, ledger.Pending, "")) }},
		{"told in another spelling", one, func(f *Fixture, r int64) { f.Check(f.Sending(r)) }},
		{"no GUID", "P-17", func(f *Fixture, r int64) { f.Check(f.Sending(r)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := New(t, fresh(t))
			first := f.Plan(f.Run(), Entry(2, "A", "x", "1"))[0].Record
			f.Load(first, c.owner)
			run := f.Run()
			record := f.Plan(run, Entry(2, "B", "x", "2"))[0].Record
			c.reach(f, record)
			told := c.owner
			if strings.Contains(c.name, "spelling") {
				told = "{" + strings.ToUpper(c.owner) + "}"
			}
			if err := settle(f, record, told); !errors.Is(err, ledger.ErrBorrowed) {
				t.Fatalf("%v, want ErrBorrowed", err)
			}
			f.Reopen()
			open := f.Open()
			if len(open) != 1 || open[0].Record != record || open[0].State != ledger.InDoubt || open[0].Code != ledger.BorrowedCode || !slices.Equal(open[0].Candidates, []string{told}) || open[0].Payload.Body == "" {
				t.Errorf("open operations %+v", open)
			}
			if owners, err := f.Store.Owners(t.Context(), f.Acct, c.owner); err != nil || owners[c.owner] != first {
				t.Errorf("owners %v, %v", owners, err)
			}
			if row := f.Rows(run)[0]; row.Result != ledger.ResultInDoubt || row.ID != "" || !strings.Contains(row.Error, told) {
				t.Errorf("the report says %+v", row)
			}
			// Its own id is welcome.
			f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: record, State: ledger.Loaded, Unowned: true, ID: GUID(2)}))
		})
	}
	t.Run("two in one transaction", func(t *testing.T) {
		f := New(t, fresh(t))
		entries := make([]ledger.Entry, 40)
		for i := range entries {
			entries[i] = Entry(i+2, GUID(i), "x", "1")
		}
		done := make(chan error, len(entries))
		for _, e := range f.Plan(f.Run(), entries...) {
			f.Check(f.Sending(e.Record))
			f.Store.SettleLater(f.Lease, ledger.Outcome{Record: e.Record, State: ledger.Loaded, ID: one}, func(err error) { done <- err })
		}
		loaded := 0
		for range entries {
			switch err := <-done; {
			case err == nil:
				loaded++
			case !errors.Is(err, ledger.ErrBorrowed):
				t.Error(err)
			}
		}
		if loaded != 1 || len(f.Open()) != len(entries)-1 {
			t.Errorf("%d rows have the one id, %d are in doubt", loaded, len(f.Open()))
		}
	})
	t.Run("its own, and another account's", func(t *testing.T) {
		f := New(t, fresh(t))
		e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"))
		f.Load(e[0].Record, "")
		f.Load(e[1].Record, "") // an answer without an id names no record
		other, err := f.Store.Enroll(t.Context(), "other", []string{"keys:other:1"})
		f.Check(err)
		scope, err := f.Store.Scope(t.Context(), other, "opportunity:12000")
		f.Check(err)
		a := Entry(2, "A", "x", "1")
		a.Ident = a.IdentOf(1)
		_, err = f.Store.Adopt(t.Context(), scope, []ledger.Adopted{{Entry: a, State: ledger.Loaded, ID: one}})
		f.Check(err)
		c := f.Plan(f.Run(), Entry(4, "C", "x", "3"))[0].Record
		f.Load(c, one)
		f.Load(f.Plan(f.Run(), Entry(5, "D", "x", "4"))[0].Record, GUID(2))
	})
}

// testShared says that rows of older ledgers which share an id are found, and that
// one which is disowned waits for what was sent, to be looked up.
func testShared(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	var list []ledger.Adopted
	for i, id := range []string{GUID(1), GUID(2), GUID(1), "", "", GUID(1)} {
		e := Entry(i+2, GUID(i), "x", "1")
		e.Ident = e.IdentOf(1)
		list = append(list, ledger.Adopted{Entry: e, State: ledger.Loaded, ID: id, LeadID: GUID(7)})
	}
	_, err := f.Store.Adopt(t.Context(), f.Scope, list)
	f.Check(err)
	shared, err := f.Store.Shared(t.Context(), f.Acct)
	if err != nil || len(shared) != 3 || shared[0].ID != GUID(1) || shared[2].ID != GUID(1) || shared[0].Record >= shared[1].Record || shared[0].Target != "opportunity:12000" || shared[0].Lead != GUID(7) {
		t.Fatalf("shared %+v, %v", shared, err)
	}
	for _, r := range shared[1:] {
		f.Check(f.Store.Disown(t.Context(), f.Lease, ledger.Disowned(r.Record, r.ID)))
	}
	if err := f.Store.Disown(t.Context(), f.Lease, ledger.Disowned(shared[1].Record, GUID(1))); !errors.Is(err, ledger.ErrState) {
		t.Errorf("disowned twice: %v", err)
	}
	if err := f.Store.Disown(t.Context(), ledger.Lease{Account: f.Acct, Token: f.Lease.Token - 1}, ledger.Disowned(shared[0].Record, GUID(1))); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("disowned by a run that lost the account: %v", err)
	}
	if shared, err := f.Store.Shared(t.Context(), f.Acct); err != nil || len(shared) != 0 {
		t.Errorf("still shared %+v, %v", shared, err)
	}
	f.Reopen()
	open := f.Open()
	if n, err := f.Store.CountOpen(t.Context(), f.Acct); err != nil || n.InDoubt != 2 || len(open) != 2 || open[0].Payload.Target != "" || open[0].Code != ledger.BorrowedCode || !slices.Equal(open[0].Candidates, []string{GUID(1)}) {
		t.Fatalf("open %+v, counted %+v, %v", open, n, err)
	}
	// Its file has what was sent.
	o := ledger.Disowned(open[0].Record, GUID(1))
	o.Payload = &ledger.Payload{Target: "opportunity", Body: "{}", Lead: "x"}
	f.Check(f.Store.Settle(t.Context(), f.Lease, o))
	if again := f.Open(); len(again) != 2 || again[0].Payload.Body != "{}" || again[1].Payload.Target != "" {
		t.Errorf("open with what was sent: %+v", again)
	}
	// One of which nothing was sent again may be forgotten, the other not.
	if n, err := f.Store.Forget(t.Context(), f.Lease, []int64{open[0].Record, open[1].Record}); err != nil || n != 1 || len(f.Open()) != 1 {
		t.Errorf("forgot %d, %v, %d open", n, err, len(f.Open()))
	}
	f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: open[0].Record, State: ledger.Loaded, Unowned: true, ID: GUID(3)}))
	f.Check(f.Store.Check(t.Context()))
}

// testTaken says that a row which was there when a run began, and whose record proves to
// be another row's in it, is in doubt in the run's rows, its counts and its errors.
func testTaken(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	list := func() []ledger.Entry {
		return []ledger.Entry{Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3")}
	}
	rows := f.Plan(f.Run(), list()...)
	for i, e := range rows {
		f.Load(e.Record, GUID(i+1))
	}
	run := f.Run()
	f.Plan(run, list()...)
	f.Check(f.Store.Disown(t.Context(), f.Lease, ledger.Disowned(rows[1].Record, GUID(2))))
	got := f.Rows(run)
	if r := got[1]; r.Result != ledger.ResultInDoubt || r.ID != "" || r.Code != ledger.BorrowedCode || r.Error == "" || !slices.Equal(r.Candidates, []string{GUID(2)}) || got[0].Result != ledger.ResultAlready || got[2].Result != ledger.ResultAlready {
		t.Errorf("rows %+v", got)
	}
	tally, err := f.Store.Tally(t.Context(), run)
	if n := tally.Counts(); err != nil || n[ledger.ResultInDoubt] != 1 || n[ledger.ResultAlready] != 2 || n.Sum() != 3 {
		t.Errorf("counts %s, %v", n, err)
	}
	errs, err := f.Store.Errors(t.Context(), run, 5)
	if err != nil || len(errs) != 1 || errs[0].Code != ledger.BorrowedCode || errs[0].Count != 1 {
		t.Errorf("errors %+v, %v", errs, err)
	}
}
