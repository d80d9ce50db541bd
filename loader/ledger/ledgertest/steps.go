package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// reach takes a new record to a state.
func reach(f *Fixture, n int, s ledger.State) int64 {
	f.T.Helper()
	rec := f.Plan(f.Run(), Entry(n, fmt.Sprint("K", n), "x", "1"))[0].Record
	switch s {
	case ledger.Ready:
	case ledger.Reserved:
		f.Check(f.Reserve(rec))
	case ledger.Sending:
		f.Check(f.Sending(rec))
	case ledger.Missing:
		f.Check(f.Sending(rec))
		f.Check(f.Settle(rec, ledger.InDoubt, ""))
		f.Check(f.Settle(rec, s, ""))
	default:
		f.Check(f.Sending(rec))
		f.Check(f.Settle(rec, s, GUID(n)))
	}
	if got := f.State(rec); got != s {
		f.T.Fatalf("the record is %s, want %s", got, s)
	}
	return rec
}

// testSteps tries every step from every state: what Step does not allow is
// refused and changes nothing.
func testSteps(t *testing.T, fresh func(testing.TB) Open) {
	all := []ledger.State{ledger.Ready, ledger.Reserved, ledger.Sending, ledger.InDoubt, ledger.Pending, ledger.Loaded, ledger.Duplicate, ledger.Rejected, ledger.Missing}
	f, n := New(t, fresh(t)), 2
	for _, from := range all {
		for _, to := range all {
			n++
			rec := reach(f, n, from)
			var err error
			switch to {
			case ledger.Reserved:
				err = f.Reserve(rec)
			case ledger.Sending:
				err = f.Sending(rec)
			default:
				err = f.Settle(rec, to, GUID(n))
			}
			want := ledger.Step(ledger.Create, from, to)
			end := to
			if !want {
				end = from
			}
			if want != (err == nil) || !want && !errors.Is(err, ledger.ErrState) || f.State(rec) != end {
				t.Errorf("%s to %s: error %v, now it is %s", from, to, err, f.State(rec))
			}
		}
	}
	if f.Store.Broken() != nil {
		t.Errorf("a refusal broke the ledger: %v", f.Store.Broken())
	}
}

// testOperations says that a call about a record that is loaded never touches
// what is known of the record, however the call ends.
func testOperations(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	intend := func(op ledger.Op, rec int64) error {
		in := intent(rec)
		in.Op = op
		return f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in)
	}
	settle := func(op ledger.Op, rec int64, s ledger.State) error {
		return f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: op, State: s, Code: "x.code", Msg: "words"})
	}
	for i, op := range []ledger.Op{ledger.Update, ledger.Delete} {
		rec := f.Plan(f.Run(), Entry(2+i, fmt.Sprint("A", i), "Name", "a"))[0].Record
		if err := intend(op, rec); !errors.Is(err, ledger.ErrState) {
			t.Errorf("%s of what is not there: %v", op, err)
		}
		f.Load(rec, GUID(i))
		for _, s := range []ledger.State{ledger.Rejected, ledger.InDoubt, ledger.Ready} {
			if s != ledger.Ready { // after InDoubt it is looked up, and was not applied
				if err := intend(op, rec); err != nil && s != ledger.InDoubt {
					t.Fatalf("%s: %v", op, err)
				} else if err != nil {
					f.Check(settle(op, rec, ledger.Ready)) // refused: a person has to agree first
					f.Check(intend(op, rec))
				}
			}
			f.Check(settle(op, rec, s))
			if k := f.Known(rec); k.Fate != ledger.Present || k.Remote != GUID(i) || k.State() != ledger.Loaded {
				t.Errorf("%s %s: the record is %+v", op, s, k)
			}
			if err := f.Sending(rec); !errors.Is(err, ledger.ErrState) {
				t.Errorf("%s %s: it may be made again: %v", op, s, err)
			}
			if open := f.Open(); len(open) > 0 != s.Open() || len(open) > 0 && open[0].Op != op {
				t.Errorf("%s %s: %d open", op, s, len(open))
			}
			run := f.Run()
			planned := ledger.Already
			if op == ledger.Update && s.Open() {
				planned = ledger.Changing // it is asked about first
			}
			if e := f.Plan(run, Entry(2+i, fmt.Sprint("A", i), "Name", "a"))[0]; e.Verdict != planned {
				t.Errorf("%s %s: planned as %s", op, s, verdicts([]ledger.Entry{e}))
			}
			if owners, err := f.Store.Owners(t.Context(), f.Acct, GUID(i)); err != nil || owners[GUID(i)] != rec {
				t.Errorf("%s %s: owners %v, %v", op, s, owners, err)
			}
		}
		f.Check(intend(op, rec))
		f.Check(settle(op, rec, ledger.Loaded))
		if k := f.Known(rec); k.Fate != op.After(ledger.Loaded) {
			t.Errorf("%s that ended well leaves the record %+v", op, k)
		}
	}
}

// testUpdates takes updates through their ends, and reads what is known afterwards.
func testUpdates(t *testing.T, fresh func(testing.TB) Open) {
	update := ledger.Policy{Update: true}
	plan := func(f *Fixture, e ledger.Entry) (run int64, planned ledger.Entry) {
		run = f.Run()
		p := f.Planner(run)
		p.Policy = update
		list := []ledger.Entry{e}
		f.Check(p.Plan(t.Context(), list))
		return run, list[0]
	}
	loaded := Entry(2, "A", "Name", "a", "City", "Pune")
	now := Entry(2, "A", "Name", "b", "City", "Delhi", "Zip", "1")
	edit := func() *ledger.Edit {
		return &ledger.Edit{ID: GUID(1), Names: now.Digest.Names, Prints: now.Digest.Prints, Body: now.Digest.Body[:], Changes: []ledger.FieldChange{
			{Field: "Name", Part: "x", Value: "b", Sent: ledger.Print("a"), Had: "a"}, {Field: "City", Part: "x", Value: "Delhi", Sent: ledger.Print("Pune"), Had: "Goa"}, {Field: "Zip", Part: "x", Value: "1"},
		}}
	}
	for _, c := range []struct {
		name   string
		done   []string // fields that were written
		state  ledger.State
		result ledger.Result
		kept   string
		again  ledger.Verdict // of the same row the next night
		differ int            // fields
		back   ledger.Verdict // of the row as it was loaded
	}{
		{"all written", []string{"Name", "City", "Zip"}, ledger.Loaded, ledger.ResultUpdated, "Name a>b updated, City Goa>Delhi updated, Zip >1 updated", ledger.Already, 0, ledger.Changing},
		{"a conflict in one", []string{"Name", "Zip"}, ledger.Contested, ledger.ResultConflict, "Name a>b updated, City Goa>Delhi conflict, Zip >1 updated", ledger.Changing, 1, ledger.Changing},
		{"one was never sent, and is not now", []string{"Name", "City"}, ledger.Withheld, ledger.ResultChanged, "Name a>b updated, City Goa>Delhi updated, Zip >1 changed", ledger.Changing, 1, ledger.Changing},
		{"refused", nil, ledger.Rejected, ledger.ResultRejected, "Name a>b rejected, City Goa>Delhi rejected, Zip >1 rejected", ledger.Changing, 3, ledger.Already},
		{"not now", nil, ledger.Ready, ledger.ResultNotSent, "", ledger.Changing, 3, ledger.Already},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := New(t, fresh(t))
			first := f.Run()
			rec := f.Plan(first, loaded)[0].Record
			f.Load(rec, GUID(1))
			run, e := plan(f, now)
			if e.Verdict != ledger.Changing || e.State != ledger.Ready || e.Record != rec || len(e.Differs) != 3 {
				t.Fatalf("planned as %s, %s with %v", verdicts([]ledger.Entry{e}), e.State, e.Differs)
			}
			known := make([]ledger.Record, 1)
			f.Check(f.Store.Recall(t.Context(), []int64{rec}, known))
			if k := known[0]; k.ID != rec || k.Remote != GUID(1) || k.Form != ledger.Canonical || len(k.Names) != 2 {
				t.Errorf("recalled as %+v", k)
			}
			up := edit()
			in := intent(rec)
			in.Op, in.Payload.Edit = ledger.Update, up
			f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
			for i := range up.Changes {
				ch := &up.Changes[i]
				switch ch.Tried = c.state == ledger.Rejected; {
				case slices.Contains(c.done, ch.Field):
					ch.Done, ch.Wrote = true, true
				case c.state == ledger.Withheld:
					ch.Why = "no call writes it"
				}
			}
			f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Update, State: c.state, Code: "x.code", Msg: "words", Edit: up}))
			row := f.Rows(run)[0]
			if row.Result != c.result || row.ID != GUID(1) || row.Error != "words" || row.Attempts != 2 {
				t.Errorf("row %+v, want %s", row, c.result)
			}
			tally, err := f.Store.Tally(t.Context(), run)
			if err != nil || tally.Counts()[c.result] != 1 || tally.Counts().Sum() != 1 {
				t.Errorf("tally %v, %v", tally, err)
			}
			if r := f.Rows(first)[0]; r.Result != ledger.ResultLoaded {
				t.Errorf("the run that loaded it says %s", r.Result)
			}
			var kept []string
			for k, err := range f.Store.Kept(t.Context(), run) {
				f.Check(err)
				kept = append(kept, fmt.Sprintf("%s %s>%s %s", k.Field, k.Had, k.Has, k.Result))
				if k.Record != rec || k.Run != run || k.Row != 2 || k.At.IsZero() {
					t.Errorf("kept %+v", k)
				}
			}
			slices.Sort(kept)
			want := strings.Split(c.kept, ", ")
			slices.Sort(want)
			if strings.Join(kept, ", ") != strings.Join(want, ", ") {
				t.Errorf("kept %v, want %v", kept, want)
			}
			_, e = plan(f, now)
			if e.Verdict != c.again || len(e.Differs) != c.differ {
				t.Errorf("the next night: %s with %v, want %d with %d", verdicts([]ledger.Entry{e}), e.Differs, c.again, c.differ)
			}
			if _, e = plan(f, loaded); e.Verdict != c.back {
				t.Errorf("as it was loaded: %s, want %d", verdicts([]ledger.Entry{e}), c.back)
			}
			f.Check(f.Store.Unkeep(t.Context(), first))
			n := 0
			for range f.Store.Kept(t.Context(), run) {
				n++
			}
			if n != len(kept) {
				t.Errorf("%d values are kept once those of another run are forgotten, want %d", n, len(kept))
			}
			if c.state == ledger.Loaded {
				f.Check(f.Store.Drop(t.Context(), time.Now().Add(time.Hour)))
			} else {
				f.Check(f.Store.Unkeep(t.Context(), run))
			}
			for k := range f.Store.Kept(t.Context(), run) {
				t.Errorf("still kept: %+v", k)
			}
		})
	}
	t.Run("of what the account's rule matched", func(t *testing.T) {
		f := New(t, fresh(t))
		rec := f.Plan(f.Run(), loaded)[0].Record
		f.Check(f.Sending(rec))
		f.Check(f.Settle(rec, ledger.Duplicate, GUID(1)))
		in := intent(rec)
		in.Op, in.Payload.Edit = ledger.Update, edit()
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Update, State: ledger.Loaded}))
		if k := f.Known(rec); k.Fate != ledger.Matched {
			t.Errorf("the record is %+v", k)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		f := New(t, fresh(t))
		rec := f.Plan(f.Run(), loaded)[0].Record
		f.Load(rec, GUID(1))
		run, _ := plan(f, now)
		in := intent(rec)
		in.Op, in.Payload.Edit = ledger.Update, edit()
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		f.enroll()
		if n, err := f.Store.Recover(t.Context(), f.Lease); err != nil || n != 1 {
			t.Errorf("%d recovered, %v", n, err)
		}
		open := f.Open()
		if len(open) != 1 || open[0].Op != ledger.Update || open[0].Payload.Edit == nil || open[0].Payload.Edit.Changes[1].Had != "Goa" || open[0].Run != run {
			t.Fatalf("open %+v", open)
		}
		if _, e := plan(f, now); e.Verdict != ledger.Changing || e.State != ledger.InDoubt {
			t.Errorf("planned as %s, %s", verdicts([]ledger.Entry{e}), e.State)
		}
	})
}

// testOutcomes reads back all that an outcome says, now and in the next process.
func testOutcomes(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	outcomes := []ledger.Outcome{
		{State: ledger.Loaded, ID: GUID(1), LeadID: GUID(2)},
		{State: ledger.Loaded, ID: "P-17", LeadID: strings.ToUpper(GUID(3)), Code: "account.partial", Msg: "left out", Hint: "look"},
		{State: ledger.Loaded, ID: "00000000-0000-0000-0000-000000000000"},
		{State: ledger.Duplicate, ID: GUID(4), LeadID: GUID(5), Code: "account.duplicate", Msg: "matched", Hint: "nothing"},
		{State: ledger.Rejected, LeadID: GUID(6), Code: "account.rejected", Msg: "no", Hint: "correct it"},
		{State: ledger.Rejected},
		{State: ledger.InDoubt, LeadID: GUID(7), Code: "call.timeout", Msg: "no answer", Hint: "settle", Candidates: []string{"a", "b"}},
		{State: ledger.Pending, RequestID: "R-1", Code: "account.pending", Msg: "queued", Hint: "later"},
		{State: ledger.Ready, Code: "account.unreachable", Msg: "down", Hint: "again"},
		{State: ledger.Ready},
	}
	run := f.Run()
	var entries []ledger.Entry
	for i := range outcomes {
		entries = append(entries, Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i)))
	}
	sent := time.Date(2026, 11, 22, 4, 30, 0, 123_000_000, time.UTC)
	for i, e := range f.Plan(run, entries...) {
		outcomes[i].Record = e.Record
		in := intent(e.Record)
		in.At = sent
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		f.Check(f.Store.Settle(t.Context(), f.Lease, outcomes[i]))
	}
	for round := range 2 {
		rows := f.Rows(run)
		if len(rows) != len(outcomes) {
			t.Fatalf("%d rows, want %d", len(rows), len(outcomes))
		}
		for i, r := range rows {
			o := outcomes[i]
			attempts := 1
			if o.State == ledger.Ready {
				attempts = 0
			}
			if r.State != o.State || r.ID != o.ID || r.LeadID != o.LeadID || r.Code != o.Code || r.Error != o.Msg || r.Hint != o.Hint || r.RequestID != o.RequestID ||
				!slices.Equal(r.Candidates, o.Candidates) || r.Key != entries[i].KeyText || !r.SentAt.Equal(sent) || r.Attempts != attempts {
				t.Errorf("outcome %d, round %d:\n got %+v\nwant %+v", i, round, r, o)
			}
		}
		tally, err := f.Store.Tally(t.Context(), run)
		f.Check(err)
		want := ledger.Counts{ledger.ResultLoaded: 3, ledger.ResultDuplicate: 1, ledger.ResultPending: 1, ledger.ResultRejected: 2, ledger.ResultInDoubt: 1, ledger.ResultNotSent: 2}
		if got := tally.Counts(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		states, err := f.Store.States(t.Context())
		f.Check(err)
		if states[ledger.Loaded] != 3 || states[ledger.Duplicate] != 1 || states[ledger.Rejected] != 2 || states[ledger.Ready] != 2 || states[ledger.InDoubt] != 1 || states[ledger.Pending] != 1 {
			t.Errorf("states %v", states)
		}
		f.Reopen()
	}
	// What is sent again says nothing of the call before.
	rec := outcomes[8].Record
	f.Check(f.Sending(rec))
	if r := f.Rows(run)[8]; r.State != ledger.Sending || r.Code != "" || r.Error != "" {
		t.Errorf("sent again: %+v", r)
	}
}

// testNoSuchRecord says that an outcome of a record which is not there is a fault of
// the ledger: it has lost one.
func testNoSuchRecord(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	var own *ledger.Error
	if err := f.Settle(17, ledger.Loaded, GUID(1)); !errors.As(err, &own) || f.Store.Broken() == nil {
		t.Errorf("%v, and the ledger goes on: %v", err, f.Store.Broken() == nil)
	}
}

func testOwners(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"))
	claim := func(rec int64, id string) error {
		return f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, State: ledger.Loaded, ID: id, Unowned: true})
	}
	for _, x := range e {
		f.Check(f.Sending(x.Record))
		f.Check(f.Settle(x.Record, ledger.InDoubt, ""))
	}
	one := GUID(1)
	f.Check(claim(e[0].Record, one))
	if err := claim(e[1].Record, one); !errors.Is(err, ledger.ErrOwned) {
		t.Errorf("claiming it twice: %v", err)
	}
	if s := f.State(e[1].Record); s != ledger.InDoubt {
		t.Errorf("the loser is %s", s)
	}
	if err := claim(e[0].Record, "two"); !errors.Is(err, ledger.ErrState) {
		t.Errorf("claiming for a loaded row: %v", err)
	}
	// Alike, and not the same: another last byte, upper case, no GUID.
	others := []string{one[:35] + "f", strings.ToUpper(one), "P-17", strings.ReplaceAll(one, "-", ""), "00000000-0000-0000-0000-000000000000", ""}
	owners, err := f.Store.Owners(t.Context(), f.Acct, append(others, one)...)
	if err != nil || len(owners) != 1 || owners[one] != e[0].Record {
		t.Errorf("owners %v, %v", owners, err)
	}
	// Another account has ids of its own.
	other, err := f.Store.Enroll(t.Context(), "other", []string{"keys:other:1"})
	f.Check(err)
	if owners, err := f.Store.Owners(t.Context(), other, one); err != nil || len(owners) != 0 {
		t.Errorf("owners in another account %v, %v", owners, err)
	}
}

// testTwice says that an id on two records does not go unseen.
func testTwice(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	first := f.Run()
	for i, e := range f.Plan(first, Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2")) {
		f.Load(e.Record, GUID(i))
	}
	run := f.Run()
	e := f.Plan(run, Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4"), Entry(6, "E", "x", "5"), Entry(7, "F", "x", "6"))
	f.Load(e[0].Record, GUID(2))
	f.Load(e[1].Record, "")
	f.Load(e[2].Record, "")
	if id, n, err := f.Store.Twice(t.Context(), run); err != nil || n != 0 || id != "" {
		t.Errorf("%d ids twice, %s, %v", n, id, err)
	}
	f.Load(e[3].Record, GUID(3))
	again := Entry(8, "G", "x", "7")
	again.Ident = again.IdentOf(1)
	_, err := f.Store.Adopt(t.Context(), f.Scope, []ledger.Adopted{{Entry: again, State: ledger.Loaded, ID: GUID(3)}})
	f.Check(err)
	if id, n, err := f.Store.Twice(t.Context(), run); err != nil || n != 1 || id != GUID(3) {
		t.Errorf("%d ids twice, %s, %v; want 1, %s", n, id, err, GUID(3))
	}
}
