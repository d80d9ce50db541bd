package ledgertest

import (
	"errors"
	"fmt"
	"testing"

	"leadload/loader/ledger"
)

// testTakenBack says what a deletion that ended well leaves: a row as if it had
// never been sent, that knows what it was, and that may be made and taken back again.
func testTakenBack(t *testing.T, fresh func(testing.TB) Open) {
	for _, looked := range []bool{false, true} {
		t.Run(fmt.Sprintf("a look was enough: %v", looked), func(t *testing.T) {
			f := New(t, fresh(t))
			run := f.Run()
			rec := f.Plan(run, Entry(2, "A", "Name", "a"))[0].Record
			for n := range 2 {
				f.Check(f.Sending(rec))
				// The account left something out: the creation has something to say.
				f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, State: ledger.Loaded, ID: GUID(n), Code: "x.code", Msg: "words"}))
				if !looked {
					in := intent(rec)
					in.Op = ledger.Delete
					f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
				}
				f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Delete, State: ledger.Loaded, Code: "undo.done", Msg: "gone"}))
				if k := f.Known(rec); k.State() != ledger.Ready || k.Fate != ledger.Absent || k.Remote != "" {
					t.Errorf("the record is %+v", k)
				}
				list := planned(f, run)
				if len(list) != 1 || list[0].Undo != ledger.Loaded || list[0].UndoID != GUID(n) || list[0].Run != run || list[0].Key != "A" {
					t.Errorf("planned: %+v", list)
				}
				if owners, err := f.Store.Owners(t.Context(), f.Acct, GUID(n)); err != nil || len(owners) != 0 {
					t.Errorf("owners %v, %v", owners, err)
				}
				run = f.Run()
				if e := f.Plan(run, Entry(2, "A", "Name", "a"))[0]; e.Verdict != ledger.Due || e.Record != rec {
					t.Errorf("planned as %s", verdicts([]ledger.Entry{e}))
				}
			}
		})
	}
}

func planned(f *Fixture, run int64) (out []ledger.Planned) {
	f.T.Helper()
	for p, err := range f.Store.Planned(f.T.Context(), run) {
		f.Check(err)
		out = append(out, p)
	}
	return out
}

// testForget says that a forgotten row is new, that one whose fate is open stays,
// and what the history of a row says.
func testForget(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run := f.Run()
	list := f.Plan(run, Entry(2, "A", "Name", "a"), Entry(3, "B", "Name", "b"))
	a, b := list[0].Record, list[1].Record
	f.Load(a, GUID(1))
	f.Check(f.Sending(b))
	f.Check(f.Settle(b, ledger.InDoubt, ""))
	if n, err := f.Store.Forget(t.Context(), f.Lease, []int64{a, b}); n != 1 || err != nil {
		t.Errorf("%d forgotten, %v", n, err)
	}
	if k := f.Known(a); k.State() != ledger.Ready || k.Remote != "" || f.State(b) != ledger.InDoubt {
		t.Errorf("A is %+v, B %s", k, f.State(b))
	}
	keyed, err := f.Store.Keyed(t.Context(), f.Acct, "A")
	if err != nil || len(keyed) != 1 || keyed[0] != a {
		t.Errorf("keyed: %v, %v", keyed, err)
	}
	if other, err := f.Store.Keyed(t.Context(), f.Acct+1, "A"); err != nil || len(other) != 0 {
		t.Errorf("in another account: %v, %v", other, err)
	}
	second := f.Run()
	if e := f.Plan(second, Entry(7, "A", "Name", "a"))[0]; e.Verdict != ledger.Due {
		t.Errorf("planned as %s", verdicts([]ledger.Entry{e}))
	}
	f.Load(a, GUID(2))
	var told string
	for e, err := range f.Store.History(t.Context(), keyed) {
		f.Check(err)
		told += fmt.Sprintf("%d:%d:%d ", e.Run.ID, e.Row.Number, e.Last)
	}
	if want := fmt.Sprintf("%d:2:%d %d:7:%d ", run, second, second, second); told != want {
		t.Errorf("history %s, want %s", told, want)
	}
	old := f.Lease
	f.Reopen()
	if _, err := f.Store.Forget(t.Context(), old, keyed); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("with a lost lease: %v", err)
	}
	if f.State(a) != ledger.Loaded {
		t.Errorf("A is %s", f.State(a))
	}
}
