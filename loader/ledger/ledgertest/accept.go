package ledgertest

import (
	"errors"
	"testing"

	"leadload/loader/ledger"
)

// testAccept says which values stand beside a record that does not have them, for
// which runs, and that the record is known by them once they are accepted.
func testAccept(t *testing.T, fresh func(testing.TB) Open) {
	won := func(n int) ledger.Entry { return Entry(n, "A", "Stage", "Won", "City", "Pune") }
	open := func(n int) ledger.Entry { return Entry(n, "A", "Stage", "Open", "City", "Pune", "Zip", "1") }
	begin := func(t *testing.T) (*Fixture, int64) {
		f := New(t, fresh(t))
		rec := f.Plan(f.Run(), open(2), Entry(3, "B", "Stage", "Open"))[0].Record
		f.Load(rec, GUID(1))
		return f, rec
	}
	offer := func(f *Fixture, rec int64) ledger.Offer {
		list, err := f.Store.Offers(t.Context(), []int64{rec, rec + 1, 1 << 40})
		f.Check(err)
		if len(list) > 1 || len(list) == 1 && list[rec] == (ledger.Offer{}) {
			f.T.Errorf("offers %v", list)
		}
		return list[rec]
	}
	verdict := func(f *Fixture, update bool, e ledger.Entry) (int64, string) {
		run := f.Run()
		p := f.Planner(run)
		p.Policy.Update = update
		list := []ledger.Entry{e, Entry(3, "B", "Stage", "Open")}
		f.Check(p.Plan(t.Context(), list))
		return run, verdicts(list[:1])
	}
	accept := func(f *Fixture, rec int64, want int64) {
		f.T.Helper()
		if n, err := f.Store.Accept(t.Context(), f.Lease, []int64{rec, rec + 1}); n != want || err != nil {
			f.T.Errorf("%d accepted, %v; want %d", n, err, want)
		}
	}
	t.Run("the same change two nights", func(t *testing.T) {
		f, rec := begin(t)
		accept(f, rec, 0)
		first, v := verdict(f, false, won(2))
		last, _ := verdict(f, false, won(9))
		if o := offer(f, rec); v != "changed" || o != (ledger.Offer{First: first, Last: last}) || !o.Of(first) || !o.Of(last) || o.Of(last+1) || o.Of(first-1) {
			t.Errorf("%s, offer %+v", v, o)
		}
		old := f.Lease
		f.Reopen()
		if _, err := f.Store.Accept(t.Context(), old, []int64{rec}); !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("with a lost lease: %v", err)
		}
		accept(f, rec, 1)
		accept(f, rec, 0)
		if _, v := verdict(f, true, won(2)); v != "already" {
			t.Errorf("accepted, and then %s", v)
		}
		// What the row left out is known as it was sent.
		if _, v := verdict(f, true, Entry(2, "A", "Stage", "Won", "City", "Pune", "Zip", "1")); v != "already" {
			t.Errorf("with the field that was left out: %s", v)
		}
		if _, v := verdict(f, true, open(2)); v != "changing" {
			t.Errorf("as it was loaded: %s", v)
		}
	})
	t.Run("another change", func(t *testing.T) {
		f, rec := begin(t)
		verdict(f, false, won(2))
		second, _ := verdict(f, false, Entry(2, "A", "Stage", "Lost", "City", "Pune"))
		if o := offer(f, rec); o != (ledger.Offer{First: second, Last: second}) {
			t.Errorf("offer %+v", o)
		}
	})
	t.Run("the row is again as it was sent", func(t *testing.T) {
		f, rec := begin(t)
		verdict(f, false, won(2))
		if _, v := verdict(f, false, open(2)); v != "already" || offer(f, rec) != (ledger.Offer{}) {
			t.Errorf("%s, offer %+v", v, offer(f, rec))
		}
		accept(f, rec, 0)
	})
	t.Run("forgotten", func(t *testing.T) {
		f, rec := begin(t)
		verdict(f, false, won(2))
		_, err := f.Store.Forget(t.Context(), f.Lease, []int64{rec})
		f.Check(err)
		accept(f, rec, 0)
	})
	for _, c := range []struct {
		name  string
		ends  ledger.State
		again bool // the row was reported as changed before
		offer bool
	}{
		{"an update that met a conflict", ledger.Contested, false, true},
		{"an update that no call takes", ledger.Withheld, true, true},
		{"an update that was written", ledger.Loaded, true, false},
		{"an update that the account has already", ledger.Same, true, false},
		{"an update that is not sent now", ledger.Ready, true, true},
		{"an update that was refused", ledger.Rejected, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, rec := begin(t)
			first := int64(0)
			if c.again {
				first, _ = verdict(f, false, won(2))
			}
			run, v := verdict(f, true, won(2))
			if v != "changing" {
				t.Fatal(v)
			}
			e := won(2)
			edit := &ledger.Edit{ID: GUID(1), Names: []string{"Stage", "City", "Zip"}, Body: e.Digest.Body[:]}
			was := f.Known(rec)
			all := was.With(e.Digest)
			edit.Prints = all.Prints
			edit.Changes = []ledger.FieldChange{{Field: "Stage", Part: "x", Value: "Won", Sent: ledger.Print("Open"), Had: "Lost", Done: c.ends == ledger.Loaded || c.ends == ledger.Same}}
			in := intent(rec)
			in.Op, in.Payload.Edit = ledger.Update, edit
			f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
			accept(f, rec, 0) // its fate is open
			f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Update, State: c.ends, Code: "x.code", Msg: "words", Edit: edit}))
			o := offer(f, rec)
			if (o != ledger.Offer{}) != c.offer || c.offer && c.again && o.First != first || c.offer && !c.again && !o.Of(run) {
				t.Fatalf("offer %+v", o)
			}
			if !c.offer {
				accept(f, rec, 0)
				return
			}
			accept(f, rec, 1)
			if _, v := verdict(f, true, won(2)); v != "already" {
				t.Errorf("accepted, and then %s", v)
			}
		})
	}
}
