package ledgertest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// Run runs the suite, or those of its tests that are named. fresh makes the place of a
// new ledger, and returns what opens it.
func Run(t *testing.T, fresh func(testing.TB) Open, only ...string) {
	ran := 0
	for _, c := range []struct {
		name string
		test func(*testing.T, func(testing.TB) Open)
	}{
		{"Decide", testDecide},
		{"OpenRowsStay", testOpenRowsStay},
		{"Steps", testSteps},
		{"OperationsBesideRecords", testOperations},
		{"Updates", testUpdates},
		{"Baselines", testBaselines},
		{"Keep", testKeep},
		{"TakenBack", testTakenBack},
		{"Forget", testForget},
		{"Accept", testAccept},
		{"Rosters", testRosters},
		{"Model", testModel},
		{"Recover", testRecover},
		{"Fence", testFence},
		{"Calls", testCalls},
		{"CallsOfSome", testCallsOfSome},
		{"Resends", testResends},
		{"NoSuchRecord", testNoSuchRecord},
		{"Owners", testOwners},
		{"Outcomes", testOutcomes},
		{"Open", testOpen},
		{"Newest", testNewest},
		{"Identities", testIdentities},
		{"Marks", testMarks},
		{"Chunks", testChunks},
		{"Errors", testErrors},
		{"Tally", testTally},
		{"Twice", testTwice},
		{"Who", testWho},
		{"Borrowed", testBorrowed},
		{"Shared", testShared},
		{"Taken", testTaken},
		{"Runs", testRuns},
		{"Trusted", testTrusted},
		{"Records", testRecords},
		{"Mappings", testMappings},
		{"Prune", testPrune},
		{"Traces", testTraces},
		{"Adopt", testAdopt},
		{"Copy", testCopy},
		{"Memo", testMemo},
		{"Together", testTogether},
	} {
		if len(only) > 0 && !slices.Contains(only, c.name) {
			continue
		}
		ran++
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh) })
	}
	if len(only) > 0 && ran != len(only) {
		t.Errorf("%d of the tests %v are in the suite", ran, only)
	}
}

// verdicts names what was decided about entries.
func verdicts(entries []ledger.Entry) string {
	names := map[ledger.Verdict]string{ledger.Due: "due", ledger.Invalid: "invalid", ledger.Already: "already", ledger.Skipped: "skipped", ledger.Repeated: "repeated", ledger.Changed: "changed", ledger.Changing: "changing"}
	var out []string
	for _, e := range entries {
		out = append(out, names[e.Verdict])
	}
	return strings.Join(out, " ")
}

func testDecide(t *testing.T, fresh func(testing.TB) Open) {
	type rows = []ledger.Entry
	row := func(n int, key, value string) ledger.Entry { return Entry(n, key, "Name", value, "City", "Pune") }
	unfit := func(e ledger.Entry) ledger.Entry {
		e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, "x.code", "words", "do it"
		return e
	}
	for _, c := range []struct {
		name          string
		first, second rows // the first are loaded before the second are planned
		want          string
		msg           string // of the last entry
	}{
		{"nothing known", nil, rows{row(2, "A", "a"), row(3, "B", "b")}, "due due", ""},
		{"loaded rows are skipped", rows{row(2, "A", "a")}, rows{row(2, "A", "a"), row(3, "B", "b")}, "already due", ""},
		{"reordered", rows{row(2, "A", "a"), row(3, "B", "b")}, rows{row(2, "B", "b"), row(3, "A", "a")}, "already already", ""},
		{"a row inserted above", rows{row(2, "A", "a"), row(3, "B", "b")}, rows{row(2, "N", "n"), row(3, "A", "a"), row(4, "B", "b")}, "due already already", ""},
		{"a row deleted", rows{row(2, "A", "a"), row(3, "B", "b")}, rows{row(2, "B", "b")}, "already", ""},
		{"same key, other value", rows{row(2, "A", "a")}, rows{row(2, "A", "new")}, "changed", "Name changed"},
		{"same key, a field more", rows{row(2, "A", "a")}, rows{Entry(2, "A", "Name", "a", "City", "Pune", "Zip", "1")}, "changed", "Zip changed"},
		{"same key, a field less", rows{row(2, "A", "a")}, rows{Entry(2, "A", "Name", "a")}, "already", ""},
		{"key twice in a file", nil, rows{row(2, "A", "a"), row(3, "A", "other")}, "due repeated", "that of row 2"},
		{"key twice, the first loaded", rows{row(2, "A", "a")}, rows{row(2, "A", "a"), row(3, "A", "a")}, "already repeated", "that of row 2"},
		{"key three times", nil, rows{row(2, "B", "b"), row(3, "A", "a"), row(4, "A", "b"), row(5, "A", "c")}, "due due repeated repeated", "that of row 3"},
		{"no key, same row three times", nil, rows{row(2, "", "a"), row(3, "", "a"), row(4, "", "a")}, "due due due", ""},
		{"no key, one of two loaded", rows{row(2, "", "a")}, rows{row(2, "", "a"), row(3, "", "a")}, "already due", ""},
		{"no key, two loaded and reordered", rows{row(2, "", "a"), row(3, "", "b"), row(4, "", "a")}, rows{row(2, "", "a"), row(3, "", "a"), row(4, "", "b")}, "already already already", ""},
		{"no key, one of three deleted", rows{row(2, "", "a"), row(3, "", "a"), row(4, "", "a")}, rows{row(9, "", "a"), row(10, "", "a")}, "already already", ""},
		{"no key, inserted between equals", rows{row(2, "", "a"), row(3, "", "a")}, rows{row(2, "", "a"), row(3, "", "n"), row(4, "", "a")}, "already due already", ""},
		{"no key, changed is a new row", rows{row(2, "", "a")}, rows{row(2, "", "b")}, "due", ""},
		{"a key is no body", rows{row(2, "A", "a")}, rows{row(2, "", "a")}, "due", ""},
		{"invalid now, and loaded under its key", rows{row(2, "A", "a"), row(3, "B", "b")}, rows{unfit(row(2, "A", "x")), row(3, "B", "b")}, "already already", ""},
		{"invalid now, and the row is there as well", rows{row(2, "A", "a")}, rows{unfit(row(2, "A", "x")), row(3, "A", "a")}, "already already", ""},
		{"invalid and never loaded", rows{row(2, "A", "a")}, rows{unfit(row(2, "B", "x")), row(3, "A", "a")}, "invalid already", ""},
		{"invalid, without a key", rows{row(2, "", "a")}, rows{unfit(row(2, "", "a"))}, "invalid", ""},
		{"decided already", nil, rows{{Number: 2, Verdict: ledger.Invalid, Code: "x"}, {Number: 3, Verdict: ledger.Skipped}}, "invalid skipped", ""},
	} {
		// In one batch and row by row: batches end anywhere.
		for _, size := range []int{100, 1, 2} {
			t.Run(fmt.Sprint(c.name, ", batches of ", size), func(t *testing.T) {
				f := New(t, fresh(t))
				for i, e := range f.Plan(f.Run(), slices.Clone(c.first)...) {
					f.Load(e.Record, GUID(i))
				}
				run := f.Run()
				p := f.Planner(run)
				got := slices.Clone(c.second)
				for part := range slices.Chunk(got, size) {
					f.Check(p.Plan(t.Context(), part))
				}
				if v := verdicts(got); v != c.want {
					t.Errorf("%s, want %s", v, c.want)
				}
				last := got[len(got)-1]
				if c.msg != "" && (!strings.Contains(last.Msg, c.msg) || last.Hint == "") {
					t.Errorf("message %q, want %q in it, and a hint", last.Msg, c.msg)
				}
				records := map[int64]bool{}
				for i, r := range f.Rows(run) {
					if e := got[i]; r.Number != e.Number || r.Verdict != e.Verdict || r.Record != e.Record || r.Error != e.Msg || r.Fingerprint != e.Fingerprint || r.Key != e.KeyText {
						t.Errorf("line %d of the report is %+v, want %+v", i, r, e)
					}
					if e := got[i]; e.Record != 0 && e.Verdict != ledger.Repeated && records[e.Record] {
						t.Errorf("row %d shares record %d", e.Number, e.Record)
					}
					records[got[i].Record] = !got[i].Unfit
				}
				if n := len(f.Rows(run)); n != len(c.second) {
					t.Errorf("%d rows in the report, want %d", n, len(c.second))
				}
				if strings.Contains(c.want, "repeated") && last.Record == 0 {
					t.Error("a repeated row does not name the record of the first")
				}
			})
		}
	}
}

// testOpenRowsStay says that a row in doubt is never planned to be sent,
// whatever the file says by now, and that a rejected one is.
func testOpenRowsStay(t *testing.T, fresh func(testing.TB) Open) {
	for _, c := range []struct {
		name  string
		state ledger.State
		value string
		want  ledger.State
		code  string
	}{
		{"in doubt", ledger.InDoubt, "a", ledger.InDoubt, ""},
		{"in doubt and changed", ledger.InDoubt, "b", ledger.InDoubt, "row.changed"},
		{"pending", ledger.Pending, "a", ledger.Pending, ""},
		{"pending and changed", ledger.Pending, "b", ledger.Pending, "row.changed"},
		{"sending, its outcome could not be written", ledger.Sending, "a", ledger.Sending, ""},
		{"rejected", ledger.Rejected, "a", ledger.Ready, ""},
		{"rejected and corrected", ledger.Rejected, "b", ledger.Ready, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := New(t, fresh(t))
			rec := f.Plan(f.Run(), Entry(2, "A", "Name", "a"))[0].Record
			f.Check(f.Sending(rec))
			if c.state != ledger.Sending {
				f.Check(f.Settle(rec, c.state, ""))
			}
			run := f.Run()
			e := f.Plan(run, Entry(3, "A", "Name", c.value))[0]
			if e.Verdict != ledger.Due || e.State != c.want || e.Code != c.code || f.State(rec) != c.want {
				t.Errorf("verdict %d, state %s (written %s), code %q; want due, %s, %q", e.Verdict, e.State, f.State(rec), e.Code, c.want, c.code)
			}
			if c.state != ledger.InDoubt {
				return
			}
			open := f.Open()
			if len(open) != 1 || open[0].Changed != (c.code != "") || open[0].Ended.IsZero() || open[0].Payload.Lead != "x" || open[0].Run != run || open[0].Number != 3 || open[0].Target != "opportunity:12000" {
				t.Errorf("open operations %+v", open)
			}
		})
	}
}

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
			f.Check(f.Store.Drop(t.Context(), time.Now().Add(time.Hour)))
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

func testRecover(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4"), Entry(6, "E", "x", "5"))
	f.Check(f.Reserve(e[0].Record))
	f.Check(f.Sending(e[1].Record))
	f.Load(e[2].Record, "id")
	f.Check(f.Sending(e[4].Record))
	f.Check(f.Settle(e[4].Record, ledger.Pending, ""))
	if n, err := f.Store.Recover(t.Context(), f.Lease); err != nil || n != 0 {
		t.Errorf("%d of its own calls recovered, %v", n, err)
	}
	other, err := f.Store.Enroll(t.Context(), "other", []string{"keys:other:1"})
	f.Check(err)
	otherLease, err := f.Store.Lease(t.Context(), other, ledger.Holder{})
	f.Check(err)
	if n, err := f.Store.Recover(t.Context(), otherLease); err != nil || n != 0 {
		t.Errorf("%d rows of another account recovered, %v", n, err)
	}
	f.enroll()
	n, err := f.Store.Recover(t.Context(), f.Lease)
	f.Check(err)
	var states []string
	for i := range e {
		states = append(states, f.State(e[i].Record).String())
	}
	if got, want := strings.Join(states, ", "), "in doubt, in doubt, loaded, ready, pending"; n != 2 || got != want {
		t.Errorf("%d recovered, want 2; states %s, want %s", n, got, want)
	}
	for _, o := range f.Open() {
		if o.State == ledger.InDoubt && o.Ended.IsZero() {
			t.Errorf("record %d: it is not known when its call had ended", o.Record)
		}
	}
	// Whoever took over may settle them all.
	f.Check(f.Settle(e[0].Record, ledger.Ready, ""))
	f.Check(f.Settle(e[1].Record, ledger.Loaded, "one"))
	f.Check(f.Settle(e[4].Record, ledger.Loaded, "two"))
}

// testFence says that whoever lost the lease neither sends nor settles.
func testFence(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"))
	f.Check(f.Sending(e[0].Record))
	f.Check(f.Reserve(e[1].Record))
	old := f.Lease
	f.enroll()
	now := f.Lease
	if now.Token <= old.Token {
		t.Fatalf("lease %d after %d", now.Token, old.Token)
	}
	_, err := f.Store.Recover(t.Context(), now)
	f.Check(err)
	f.Lease = old
	for what, err := range map[string]error{
		"an intent":                        f.Sending(e[2].Record),
		"a reservation":                    f.Reserve(e[2].Record),
		"sending what was reserved":        f.Sending(e[1].Record),
		"an outcome that came late":        f.Settle(e[0].Record, ledger.Loaded, "id"),
		"a reservation that is taken back": f.Settle(e[1].Record, ledger.Ready, ""),
		"a refusal without a call":         f.Settle(e[2].Record, ledger.Rejected, ""),
	} {
		if !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("%s under a lease that is lost: %v", what, err)
		}
		var own *ledger.Error
		if !errors.As(err, &own) || own.Hint == "" {
			t.Errorf("%s: the error has no hint: %v", what, err)
		}
	}
	f.Lease = now
	for i, want := range []ledger.State{ledger.InDoubt, ledger.InDoubt, ledger.Ready} {
		if got := f.State(e[i].Record); got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
	if f.Store.Broken() != nil {
		t.Errorf("a refusal broke the ledger: %v", f.Store.Broken())
	}
	f.Check(f.Sending(e[2].Record))
}

// testCalls says that each call is counted once: one that was reserved is not
// counted again, one that never left is no attempt of the row's own.
func testCalls(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run := f.Run()
	e := f.Plan(run, Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4"), Entry(6, "E", "x", "5"))
	f.Check(f.Reserve(e[0].Record))
	f.Check(f.Sending(e[0].Record)) // it waited so long that its intent is written anew
	f.Check(f.Settle(e[0].Record, ledger.Loaded, "id"))
	f.Check(f.Sending(e[1].Record))
	f.Check(f.Settle(e[1].Record, ledger.Ready, "")) // throttled
	f.Load(e[1].Record, "id2")
	f.Check(f.Sending(e[2].Record))
	f.Check(f.Settle(e[2].Record, ledger.InDoubt, ""))
	f.Check(f.Settle(e[2].Record, ledger.Ready, "")) // looked up, not there
	f.Load(e[2].Record, "id3")
	// Two rows of one call, which is one call.
	many := []ledger.Intent{intent(e[3].Record), intent(e[4].Record)}
	many[0].Call, many[1].Call = e[3].Record, e[3].Record
	f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, many...))
	for i, id := range []string{"id4", "id5"} {
		f.Check(f.Settle(e[3+i].Record, ledger.Loaded, id))
	}
	n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, time.Now())
	f.Check(err)
	if n != 6 {
		t.Errorf("%d calls counted, want 6", n)
	}
	var attempts []int
	for _, r := range f.Rows(run) {
		attempts = append(attempts, r.Attempts)
	}
	if !slices.Equal(attempts, []int{1, 1, 2, 1, 1}) {
		t.Errorf("attempts %v, want 1, 1, 2, 1, 1", attempts)
	}
}

// testResends says that sends which were never found are counted until the account
// refuses the row: then it knows the row, and has not made it.
func testResends(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"))[0]
	for _, end := range []ledger.State{ledger.Rejected, ledger.Rejected, ledger.Loaded} {
		for lost := range 3 {
			f.Check(f.Sending(e.Record))
			f.Check(f.Settle(e.Record, ledger.InDoubt, ""))
			if open := f.Open(); len(open) != 1 || open[0].Resends != lost {
				t.Fatalf("before it ends as %s: %+v, want %d sends that were not found", end, open, lost)
			}
			f.Check(f.Settle(e.Record, ledger.Missing, ""))
		}
		f.Check(f.Sending(e.Record))
		f.Check(f.Settle(e.Record, end, map[bool]string{true: GUID(1)}[end == ledger.Loaded]))
		if end == ledger.Rejected {
			f.Check(f.Settle(e.Record, ledger.Ready, ""))
		}
	}
}

// testCallsOfSome says that intents written together count their own calls, whatever
// stands beside them: one that is refused, or rows whose one call is counted already.
func testCallsOfSome(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4"), Entry(6, "E", "x", "5"))
	list := make([]ledger.Intent, len(e))
	for i := range e {
		list[i] = intent(e[i].Record)
		list[i].At = list[0].At
	}
	count := func(want int64) {
		t.Helper()
		if n, err := f.Store.Memo().CallsOn(t.Context(), f.Acct, list[0].At); err != nil || n != want {
			t.Errorf("%d calls counted, %v; want %d", n, err, want)
		}
	}
	f.Load(e[1].Record, "id")
	count(1)
	if err := f.Store.Intend(t.Context(), f.Lease, ledger.Sending, list[0], list[1]); !errors.Is(err, ledger.ErrState) {
		t.Errorf("a loaded row is sent again: %v", err)
	}
	count(2)
	list[2].Call, list[3].Call = 7, 7
	f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Reserved, list[2], list[3]))
	count(3)
	f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, list[2:]...))
	count(4)
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

func testOpen(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	first, second := f.Run(), f.Run()
	var entries []ledger.Entry
	for i := range 25 {
		entries = append(entries, Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i)))
	}
	all := append(f.Plan(first, entries[:15]...), f.Plan(second, entries[15:]...)...)
	var want []int64
	for i, e := range all {
		in := intent(e.Record)
		in.Payload.Body = fmt.Sprint("body ", i)
		in.Payload.KeyFields = []string{"Fields.mx_Custom_2"}
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		switch i % 3 {
		case 0:
			f.Check(f.Settle(e.Record, ledger.Loaded, GUID(i)))
		case 1:
			f.Check(f.Settle(e.Record, ledger.InDoubt, ""))
			want = append(want, e.Record)
		default:
			f.Check(f.Settle(e.Record, ledger.Pending, ""))
			want = append(want, e.Record)
		}
	}
	var got []int64
	for after := int64(0); ; {
		page, err := f.Store.Open(t.Context(), ledger.Query{Account: f.Acct, After: after, Limit: 4})
		f.Check(err)
		for _, o := range page {
			after = o.Record
			got = append(got, o.Record)
			if i := slices.IndexFunc(all, func(e ledger.Entry) bool { return e.Record == o.Record }); o.Payload.Body != fmt.Sprint("body ", i) || len(o.Payload.KeyFields) != 1 || o.Attempts != 1 || o.Number != all[i].Number {
				t.Errorf("operation %+v of row %d", o, i)
			}
		}
		if len(page) < 4 {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("open %v, want %v", got, want)
	}
	mine, err := f.Store.Open(t.Context(), ledger.Query{Account: f.Acct, Run: second, Limit: 100})
	f.Check(err)
	if len(mine) != 6 {
		t.Errorf("%d of the second run are open, want 6", len(mine))
	}
	open, err := f.Store.CountOpen(t.Context(), f.Acct)
	if want := (ledger.OpenCount{InDoubt: 8, Pending: 8}); err != nil || open != want {
		t.Errorf("open %+v, %v; want %+v", open, err, want)
	}
}

// testNewest says that only records of which it is known when they were made
// serve to compare clocks.
func testNewest(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4"), Entry(6, "E", "x", "5"))
	load := func(i int, lead string) {
		f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: e[i].Record, State: ledger.Loaded, ID: GUID(i), LeadID: lead}))
	}
	f.Check(f.Sending(e[0].Record))
	load(0, GUID(100))
	f.Check(f.Sending(e[1].Record))
	f.Check(f.Settle(e[1].Record, ledger.InDoubt, ""))
	load(1, GUID(101)) // found after its answer was lost
	f.Check(f.Sending(e[2].Record))
	f.Check(f.Settle(e[2].Record, ledger.InDoubt, ""))
	f.Check(f.Settle(e[2].Record, ledger.Ready, ""))
	f.Check(f.Sending(e[2].Record))
	load(2, GUID(102)) // sent again
	f.Check(f.Sending(e[3].Record))
	load(3, "") // its lead is not known
	old := intent(e[4].Record)
	old.At = time.Now().Add(-25 * time.Hour)
	f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, old))
	load(4, GUID(104))
	list, err := f.Store.Newest(t.Context(), f.Acct, "opportunity", 10)
	f.Check(err)
	if len(list) != 1 || list[0].ID != GUID(0) || list[0].LeadID != GUID(100) || list[0].Target != "opportunity:12000" || time.Since(list[0].Sent) > time.Minute {
		t.Errorf("newest %+v", list)
	}
	if list, err := f.Store.Newest(t.Context(), f.Acct, "sales", 10); err != nil || len(list) != 0 {
		t.Errorf("of another target %+v, %v", list, err)
	}
}

// testIdentities says that no two records are ever taken for one: identities
// that share their first or their last half, and the same key in two scopes.
func testIdentities(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	ident := func(a, b byte) (i ledger.Ident) {
		for k := range i[:8] {
			i[k] = a
		}
		rest := sha256.Sum256([]byte{b}) // like that of a real one: damage would leave most of it
		copy(i[8:], rest[:])
		return i
	}
	list := []ledger.Ident{ident(1, 1), ident(1, 2), ident(1, 3), ident(2, 1), ident(2, 2)}
	for i := range 40 { // so many that some are written in groups
		list = append(list, ident(byte(10+i), 1))
	}
	list = append(list, ident(1, 4), ident(40, 2))
	var entries []ledger.Entry
	for i, id := range list {
		entries = append(entries, ledger.Entry{Number: i + 2, HasKey: true, Verdict: ledger.Due, State: ledger.Ready, Ident: id, KeyText: fmt.Sprint(i), Digest: Entry(0, "", "x", fmt.Sprint(i)).Digest})
	}
	sales, err := f.Store.Scope(t.Context(), f.Acct, "sales-activity")
	f.Check(err)
	numbers := map[int64]bool{}
	for _, scope := range []int64{f.Scope, sales} {
		for i := range entries {
			entries[i].Record = 0
		}
		// In two parts: some meet what stands there already.
		f.Check(f.Store.Plan(t.Context(), f.Lease, f.Run(), scope, entries[:30]))
		f.Check(f.Store.Plan(t.Context(), f.Lease, f.Run(), scope, entries[30:]))
		out := make([]ledger.Record, len(list)+1)
		f.Check(f.Store.Known(t.Context(), scope, append(slices.Clone(list), ident(1, 9)), out))
		for i, e := range entries {
			if e.Record == 0 || numbers[e.Record] {
				t.Errorf("identity %d got record %d, which another has", i, e.Record)
			}
			numbers[e.Record] = true
			if out[i].ID != e.Record || string(out[i].Prints) != string(e.Digest.Prints) {
				t.Errorf("identity %d is known as record %d, want %d", i, out[i].ID, e.Record)
			}
		}
		if out[len(list)].ID != 0 {
			t.Errorf("an identity that was never planned is known as %d", out[len(list)].ID)
		}
		prefixes, err := f.Store.Idents(t.Context(), scope, 1000)
		f.Check(err)
		for _, id := range list {
			var n uint64
			for k := 7; k >= 0; k-- {
				n = n<<8 | uint64(id[k])
			}
			if _, ok := prefixes[n]; !ok {
				t.Errorf("the first half of %x is missing", id)
			}
		}
		if none, err := f.Store.Idents(t.Context(), scope, len(list)-1); err != nil || none != nil {
			t.Errorf("more than most: %d, %v", len(none), err)
		}
	}
	if found, err := f.Store.Find(t.Context(), []string{"keys:none:1", "keys:api.example.com:1"}, "sales-activity"); err != nil || found != sales {
		t.Errorf("found scope %d, %v; want %d", found, err, sales)
	}
	if found, err := f.Store.Find(t.Context(), []string{"keys:none:1"}, "sales-activity"); err != nil || found != 0 {
		t.Errorf("found scope %d of an unknown account, %v", found, err)
	}
	// Nobody plans a row twice, not even past the planner.
	again := entries[:1]
	again[0].Record = 0
	if err := f.Store.Plan(t.Context(), f.Lease, f.Run(), f.Scope, again); err == nil {
		t.Error("a row was planned twice as a new one")
	}
}

// testChunks reads back many rows of every sort, in the order of the file.
func testChunks(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run, other := f.Run(), f.Run()
	p, q := f.Planner(run), f.Planner(other)
	var want []ledger.Entry
	number, line := 1, 1
	for i := range 5000 {
		number++
		line++
		if i%97 == 0 {
			number += 3 // empty rows
			line += 5
		}
		key := fmt.Sprint("K", i)
		if i%13 == 12 {
			key = fmt.Sprint("K", i-5) // repeated
		}
		e := Entry(number, key, "x", fmt.Sprint(i))
		e.Line, e.Origin = line, number
		if i%50 < 3 {
			e.Origin = number * 2
		}
		switch i % 17 {
		case 3:
			e.Verdict, e.Code, e.Msg, e.Hint = ledger.Invalid, "email.syntax", fmt.Sprint("no address: ", i), "correct it"
		case 4:
			e.Verdict, e.Code, e.Msg, e.Hint = ledger.Skipped, "row.not-chosen", "not among the rows named by --rows", "leave --rows out to load it"
		}
		want = append(want, e)
	}
	at := 0
	for _, size := range []int{64, 128, 256, 512, 700, 1024, 1500, 816} {
		part := want[at : at+size]
		others := slices.Clone(part)
		f.Check(p.Plan(t.Context(), part))
		f.Check(q.Plan(t.Context(), others)) // another run's rows between them
		at += size
	}
	rows := f.Rows(run)
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, r := range rows {
		e := want[i]
		if r.Number != e.Number || r.Line != e.Line || r.Origin != e.Origin || r.Fingerprint != e.Fingerprint || r.Verdict != e.Verdict || r.Record != e.Record ||
			r.Key != e.KeyText || r.Code != e.Code || r.Error != e.Msg || r.Hint != e.Hint {
			t.Fatalf("row %d:\n got %+v\nwant %+v", i, r, e)
		}
	}
	// Whoever has read enough may stop.
	n := 0
	for _, err := range f.Store.Rows(t.Context(), run) {
		f.Check(err)
		if n++; n == 1500 {
			break
		}
	}
	if got := len(f.Rows(0)) + len(f.Rows(999)); got != 0 {
		t.Errorf("runs that are not there have %d rows", got)
	}
}

// testErrors says that the example of an error is that of its first row.
func testErrors(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run := f.Run()
	bad := func(n int, code, msg string) ledger.Entry {
		return ledger.Entry{Number: n, Origin: n + 100, Verdict: ledger.Invalid, Code: code, Msg: msg, Hint: "correct " + code}
	}
	e := f.Plan(run, bad(2, "b.code", "second"), bad(3, "a.code", "z first"), bad(4, "a.code", "a second"), Entry(5, "K", "x", "y"), Entry(6, "L", "x", "y"), Entry(7, "M", "x", "y"),
		ledger.Entry{Number: 8, Verdict: ledger.Skipped, Code: "row.skipped"}, bad(9, "c.code", "one"), bad(10, "c.code", "two"), bad(11, "c.code", "three"))
	f.Check(f.Sending(e[3].Record))
	f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: e[3].Record, State: ledger.Rejected, Code: "a.code", Msg: "from the account", Hint: "x"}))
	f.Check(f.Sending(e[4].Record))
	f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: e[4].Record, State: ledger.Duplicate, ID: "id", Code: "account.duplicate", Msg: "x"}))
	got, err := f.Store.Errors(t.Context(), run, 10)
	f.Check(err)
	want := []ledger.ErrorCount{
		{Code: "a.code", Example: "z first", Row: 103, Hint: "correct a.code", Count: 3},
		{Code: "c.code", Example: "one", Row: 109, Hint: "correct c.code", Count: 3},
		{Code: "b.code", Example: "second", Row: 102, Hint: "correct b.code", Count: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("errors\n got %+v\nwant %+v", got, want)
	}
	if two, err := f.Store.Errors(t.Context(), run, 2); err != nil || len(two) != 2 {
		t.Errorf("%d errors, %v; want 2", len(two), err)
	}
	if none, err := f.Store.Errors(t.Context(), 0, 2); err != nil || len(none) != 0 {
		t.Errorf("run 0 has %d errors, %v", len(none), err)
	}
}

// testMarks finds records that are in the account by what their rows are known by.
func testMarks(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	entry := func(n int, source uint64) ledger.Entry {
		e := Entry(n, fmt.Sprint("K", n), "x", fmt.Sprint(n))
		e.Source = source
		return e
	}
	other, err := f.Store.Scope(t.Context(), f.Acct, "other")
	f.Check(err)
	beside := []ledger.Entry{entry(2, 1<<40)}
	f.Check((&ledger.Planner{Store: f.Store, Lease: f.Lease, Run: f.Run(), Scope: other}).Plan(t.Context(), beside))
	f.Load(beside[0].Record, "elsewhere")
	var list []ledger.Entry
	for n := range 9 {
		list = append(list, entry(n+2, uint64(n+1)<<40))
	}
	list[8].Source = 0 // it is not known
	e := f.Plan(f.Run(), list...)
	for n := range 9 {
		if n != 0 { // that one is due still
			f.Check(f.Sending(e[n].Record))
		}
	}
	for n, o := range []ledger.Outcome{1: {State: ledger.Loaded}, 2: {State: ledger.Loaded}, 3: {State: ledger.Duplicate}, 4: {State: ledger.Rejected}, 5: {State: ledger.Loaded, Msg: "words"}, 6: {State: ledger.InDoubt}, 8: {State: ledger.Loaded}} {
		if o.State != 0 {
			o.Record, o.ID = e[n].Record, fmt.Sprint("id-", n)
			f.Check(f.Store.Settle(t.Context(), f.Lease, o))
		}
	}
	found := func(want string) {
		t.Helper()
		marks, err := f.Store.Marks(t.Context(), f.Scope, 1000)
		f.Check(err)
		got := ""
		for n := range 9 {
			record := marks.Find(uint64(n+1)<<40, e[n].Record)
			if got += "-"; record != 0 && record == e[n].Record {
				got = got[:len(got)-1] + fmt.Sprint(n)
			}
		}
		if got != want {
			t.Errorf("found %s, want %s", got, want)
		}
		if marks.Find(1<<40, beside[0].Record) != 0 {
			t.Error("a record of another scope is found")
		}
	}
	found("-12------")
	// A row that says the same gives its record its mark; one that changed does not.
	again := []ledger.Entry{entry(10, 9<<40), entry(3, 99<<40), entry(4, 77<<40)}
	again[2].Digest = Entry(4, "K4", "x", "changed").Digest
	f.Plan(f.Run(), again...)
	found("--2-----8")
	if marks, err := f.Store.Marks(t.Context(), f.Scope, 2); err != nil || marks != nil {
		t.Errorf("marks of a ledger with more records than two: %v", err)
	}
}

// testTally holds the counts of a run against its rows, while more and more of them
// come to an end and some are no longer one after another.
func testTally(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	same := func(run int64, when string) {
		t.Helper()
		var want ledger.Counts
		for _, r := range f.Rows(run) {
			want.Add(r.Result, 1)
		}
		got, err := f.Store.Tally(t.Context(), run)
		if f.Check(err); got.Counts() != want {
			t.Errorf("%s: counted %v, the rows are %v", when, got.Counts(), want)
		}
	}
	var entries []ledger.Entry
	for n := range 40 {
		entries = append(entries, Entry(n+2, fmt.Sprint("K", n%36), "x", fmt.Sprint(n))) // four come twice
	}
	entries[7] = ledger.Entry{Number: 9, Verdict: ledger.Invalid, Code: "x.code", Msg: "x"}
	run := f.Run()
	e := f.Plan(run, entries...)
	same(run, "planned")
	for n := range 20 {
		if e[n].Record != 0 {
			f.Load(e[n].Record, fmt.Sprint("id-", n))
		}
	}
	same(run, "half loaded")
	f.Check(f.Sending(e[21].Record))
	f.Check(f.Settle(e[21].Record, ledger.Duplicate, "id-1"))
	same(run, "a duplicate among them")
	f.Check(f.Sending(e[22].Record))
	same(run, "one on its way")
	f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: e[22].Record, State: ledger.Rejected, Code: "a.code", Msg: "no"}))
	same(run, "one refused")

	again := f.Run()
	f.Plan(again, Entry(2, "K30", "x", "30"), Entry(3, "K31", "x", "31"), Entry(4, "K29", "x", "29"), Entry(5, "K1", "x", "1"), Entry(6, "new", "x", "y"))
	same(again, "another order")
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

func testRuns(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	started := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	r := ledger.Run{Account: f.Acct, AccountName: "api.example.com", Command: "import", Input: "deals.csv", InputPath: "/x/deals.csv", Sheet: "S", Mapping: "m.yaml", MappingPath: "/x/m.yaml",
		MappingHash: "ab", Target: "opportunity", Timezone: "Asia/Kolkata", Who: "asha@pc", Version: "1", Limit: "25/5s", Started: started}
	var err error
	r.ID, err = f.Store.Begin(t.Context(), r)
	f.Check(err)
	later := f.Run()
	r.Did = ledger.Counts{ledger.ResultLoaded: 5, ledger.ResultConflict: 2, ledger.ResultNotSent: 1}
	r.Ended, r.Calls, r.Throttled, r.Bulk, r.Limit, r.Stop, r.Exit, r.Out = started.Add(time.Minute), 7, 2, 3, "off", "it is late", 3, "out.xlsx"
	f.Check(f.Store.End(t.Context(), r))
	got, err := f.Store.Runs(t.Context(), ledger.RunQuery{ID: r.ID})
	if err != nil || len(got) != 1 || got[0] != r {
		t.Errorf("run %+v, %v; want %+v", got, err, r)
	}
	newest, err := f.Store.Runs(t.Context(), ledger.RunQuery{Newest: 1})
	if err != nil || len(newest) != 1 || newest[0].ID != later || !newest[0].Ended.IsZero() {
		t.Errorf("newest %+v, %v; want %d", newest, err, later)
	}
	if none, err := f.Store.Runs(t.Context(), ledger.RunQuery{ID: 999}); err != nil || len(none) != 0 {
		t.Errorf("run 999: %+v, %v", none, err)
	}
}

// testMappings says which texts are kept for an account, the newest used first, and
// that a record says which of them made its values.
func testMappings(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	begin := func(command, hash string) int64 {
		id, err := f.Store.Begin(t.Context(), ledger.Run{Account: f.Acct, Command: command, Mapping: hash + ".yaml", MappingHash: hash, MappingText: "text of " + hash, Started: time.Now()})
		f.Check(err)
		return id
	}
	for _, hash := range []string{"a", "b", "c", "a"} {
		begin("import", hash)
	}
	begin("check", "d")
	for n, want := range map[int]string{9: "a c b ", 2: "a c "} {
		list, err := f.Store.Mappings(t.Context(), f.Scope, n)
		f.Check(err)
		got := ""
		for _, m := range list {
			got += m.Hash + " "
			if m.Name != m.Hash+".yaml" || m.Text != "text of "+m.Hash {
				t.Errorf("%+v", m)
			}
		}
		if got != want {
			t.Errorf("%d newest: %q, want %q", n, got, want)
		}
	}
	e := f.Plan(begin("import", "b"), Entry(2, "x", "Name", "Asha"))
	if got := f.Known(e[0].Record).Mapping; got != "b" {
		t.Errorf("made by %q", got)
	}
	e = f.Plan(begin("import", "c"), Entry(2, "x", "Name", "Bina"))
	if got := f.Known(e[0].Record); got.Mapping != "c" || len(got.Names) != 1 {
		t.Errorf("made by %q: %v", got.Mapping, got.Names)
	}
}

// testRecords says which records an import of a file has loaded, and which a run
// is to make.
func testRecords(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	begin := func(path string) int64 {
		id, err := f.Store.Begin(t.Context(), ledger.Run{Account: f.Acct, Command: "import", InputPath: path, Started: time.Now()})
		f.Check(err)
		return id
	}
	first := f.Plan(begin("/x/deals.csv"), Entry(2, "a", "Name", "Asha"), Entry(3, "b", "Name", "Bina"), Entry(4, "c", "Name", "Chand"))
	f.Load(first[0].Record, GUID(1))
	f.Load(first[1].Record, GUID(2))
	f.Check(f.Sending(first[2].Record))
	f.Check(f.Settle(first[2].Record, ledger.Rejected, ""))
	other := f.Plan(begin("/x/other.csv"), Entry(2, "d", "Name", "Dev"))
	f.Load(other[0].Record, GUID(3))
	run := begin("/x/deals.csv")
	second := f.Plan(run, Entry(2, "a", "Name", "Asha"), Entry(3, "e", "Name", "Eva"))
	for _, c := range []struct {
		q    ledger.RecordQuery
		want []int64
	}{
		{ledger.RecordQuery{Scope: f.Scope, Path: "/x/deals.csv"}, []int64{first[0].Record, first[1].Record}},
		{ledger.RecordQuery{Scope: f.Scope + 1, Path: "/x/deals.csv"}, nil},
		{ledger.RecordQuery{Scope: f.Scope, Run: run}, []int64{second[1].Record}},
	} {
		var got []int64
		for rec, err := range f.Store.Records(t.Context(), c.q) {
			f.Check(err)
			got = append(got, rec.ID)
			if rec.Print("Name") == 0 || rec.Print("City") != 0 {
				t.Errorf("record %d has the fields %v", rec.ID, rec.Names)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
}

// testTrusted says which mappings have loaded something into the account.
func testTrusted(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	begin := func(hash string) int64 {
		id, err := f.Store.Begin(t.Context(), ledger.Run{Account: f.Acct, Command: "import", MappingHash: hash, Started: time.Now()})
		f.Check(err)
		return id
	}
	refused := f.Plan(begin("refused"), Entry(2, "a"))
	f.Check(f.Sending(refused[0].Record))
	f.Check(f.Settle(refused[0].Record, ledger.Rejected, ""))
	loaded := f.Plan(begin("loaded"), Entry(2, "b"))
	f.Load(loaded[0].Record, GUID(1))
	for _, c := range []struct {
		account int64
		hash    string
		want    bool
	}{{f.Acct, "refused", false}, {f.Acct, "loaded", true}, {f.Acct + 1, "loaded", false}, {f.Acct, "other", false}} {
		if got, err := f.Store.Trusted(t.Context(), c.account, c.hash); err != nil || got != c.want {
			t.Errorf("account %d, mapping %s: %v, %v", c.account, c.hash, got, err)
		}
	}
}

// testPrune says that rows of old runs go and that all else stays: summaries,
// records, open rows.
func testPrune(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	plan := func(age time.Duration) (int64, []ledger.Entry) {
		started := time.Now().Add(-age)
		run, err := f.Store.Begin(t.Context(), ledger.Run{Account: f.Acct, Command: "import", Started: started})
		f.Check(err)
		entries := f.Plan(run, Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), ledger.Entry{Number: 5, Verdict: ledger.Invalid, Code: "x.bad"})
		f.Check(f.Store.End(t.Context(), ledger.Run{ID: run, Ended: started.Add(time.Minute), Exit: 4}))
		return run, entries
	}
	old, entries := plan(500 * 24 * time.Hour)
	f.Load(entries[0].Record, GUID(1))
	f.Check(f.Sending(entries[1].Record))
	f.Check(f.Settle(entries[1].Record, ledger.InDoubt, ""))
	before, err := f.Store.Tally(t.Context(), old)
	f.Check(err)
	young, _ := plan(300 * 24 * time.Hour)
	got, err := f.Store.Prune(t.Context(), time.Now().Add(-400*24*time.Hour))
	if err != nil || got.Runs != 1 || got.Rows != 4 {
		t.Errorf("pruned %+v, %v", got, err)
	}
	after, err := f.Store.Tally(t.Context(), old)
	f.Check(err)
	if a, b := after.Counts().String(), before.Counts().String(); a != b {
		t.Errorf("totals were %s, are %s", b, a)
	}
	var own *ledger.Error
	for _, err := range f.Store.Rows(t.Context(), old) {
		if !errors.As(err, &own) || own.Code != "ledger.pruned" {
			t.Errorf("reading rows that are gone: %v", err)
		}
	}
	if own == nil {
		t.Error("nothing says that the rows are gone")
	}
	if n := len(f.Rows(young)); n != 4 {
		t.Errorf("%d rows of the younger run, want 4", n)
	}
	if runs, err := f.Store.Runs(t.Context(), ledger.RunQuery{Newest: 9}); err != nil || len(runs) != 2 || runs[1].Exit != 4 {
		t.Errorf("runs %+v, %v", runs, err)
	}
	if f.State(entries[0].Record) != ledger.Loaded || f.State(entries[1].Record) != ledger.InDoubt || len(f.Open()) != 1 {
		t.Errorf("records are %s and %s", f.State(entries[0].Record), f.State(entries[1].Record))
	}
	if v := verdicts(f.Plan(f.Run(), Entry(2, "A", "x", "1"))); v != "already" {
		t.Errorf("a loaded row is %s after pruning", v)
	}
	if again, err := f.Store.Prune(t.Context(), time.Now().Add(-400*24*time.Hour)); err != nil || again.Runs != 0 {
		t.Errorf("pruned again %+v, %v", again, err)
	}
	f.Check(f.Store.Check(t.Context()))
}

// testTraces reads where records are, more of them than one statement asks for.
func testTraces(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	var entries []ledger.Entry
	for i := range 40 {
		entries = append(entries, Entry(i+2, fmt.Sprint("K", i), "x", "1"))
	}
	var records []int64
	for i, e := range f.Plan(f.Run(), entries...) {
		records = append(records, e.Record)
		if i < 20 {
			f.Load(e.Record, GUID(i))
		}
	}
	got, err := f.Store.Traces(t.Context(), append(records, 1<<40))
	if err != nil || len(got) != len(records) {
		t.Fatalf("%d traces, %v", len(got), err)
	}
	for i, r := range records {
		tr, want := got[r], ""
		if i < 20 {
			want = GUID(i)
		}
		if tr.ID != want || tr.Sent.IsZero() != (want == "") || !strings.HasPrefix(tr.Target, "opportunity") {
			t.Errorf("record %d: %+v, want the id %q", r, tr, want)
		}
	}
	if none, err := f.Store.Traces(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("nothing asked: %v, %v", none, err)
	}
}

// testAdopt writes what another ledger knew into one that lost it.
func testAdopt(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	e := f.Plan(f.Run(), Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "R", "x", "9"))
	f.Load(e[0].Record, GUID(1))
	f.Check(f.Sending(e[1].Record))
	f.Check(f.Settle(e[1].Record, ledger.InDoubt, ""))
	f.Check(f.Sending(e[3].Record))
	f.Check(f.Settle(e[3].Record, ledger.Rejected, ""))
	sent := time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC)
	adopted := func(n int, key string, s ledger.State, id string) ledger.Adopted {
		a := ledger.Adopted{Entry: Entry(n, key, "x", fmt.Sprint(n)), State: s, ID: id, LeadID: GUID(n + 100), Sent: sent, Payload: ledger.Payload{Lead: key}}
		a.Entry.Ident = a.Entry.IdentOf(1)
		return a
	}
	list := []ledger.Adopted{
		adopted(2, "A", ledger.Loaded, GUID(9)), adopted(3, "B", ledger.Loaded, GUID(8)), // known
		adopted(4, "C", ledger.Loaded, GUID(7)), adopted(5, "R", ledger.Duplicate, GUID(6)), // planned, refused
		adopted(6, "D", ledger.Loaded, GUID(5)), adopted(7, "E", ledger.InDoubt, ""), // new
	}
	n, err := f.Store.Adopt(t.Context(), f.Scope, list)
	if err != nil || n != 4 {
		t.Errorf("%d added, %v; want 4", n, err)
	}
	run := f.Run()
	got := f.Plan(run, Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "4"), Entry(5, "R", "x", "5"), Entry(6, "D", "x", "6"), Entry(7, "E", "x", "7"))
	if v, want := verdicts(got), "already due already already already due"; v != want {
		t.Errorf("%s, want %s", v, want)
	}
	rows := f.Rows(run)
	for i, want := range []string{GUID(1), "", GUID(7), GUID(6), GUID(5), ""} {
		if rows[i].ID != want || rows[i].Key == "" {
			t.Errorf("row %d has the id %q and the key %q, want %q", i, rows[i].ID, rows[i].Key, want)
		}
	}
	if rows[5].State != ledger.InDoubt || !rows[5].SentAt.Equal(sent) || rows[5].Code != ledger.CutOffCode {
		t.Errorf("in doubt: %+v", rows[5])
	}
	open := f.Open()
	if len(open) != 2 || open[1].Payload.Lead != "E" {
		t.Errorf("open %+v", open)
	}
	f.Check(f.Settle(open[1].Record, ledger.Loaded, GUID(4)))
}

func testMemo(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	m := f.Store.Memo()
	lead := func(value string, age time.Duration) string {
		t.Helper()
		known, err := m.Leads(t.Context(), f.Acct, "EmailAddress", []string{value}, age)
		f.Check(err)
		return known[value]
	}
	m.RememberLead(f.Acct, "EmailAddress", "a@example.com", GUID(1))
	m.RememberLead(f.Acct, "EmailAddress", "b@example.com", "L-2")
	f.Check(f.Store.Flush())
	if a, b, c := lead("a@example.com", time.Hour), lead("b@example.com", time.Hour), lead("c@example.com", time.Hour); a != GUID(1) || b != "L-2" || c != "" {
		t.Errorf("leads %q, %q, %q", a, b, c)
	}
	// Many in one call, of which few are remembered.
	var many []string
	want := map[string]string{}
	for i := range 150 {
		value := fmt.Sprintf("many%d@example.com", i)
		if many = append(many, value); i%3 == 0 {
			m.RememberLead(f.Acct, "EmailAddress", value, GUID(100+i))
			want[value] = GUID(100 + i)
		}
	}
	m.RememberLead(f.Acct, "Phone", many[1], GUID(99)) // another field's
	f.Check(f.Store.Flush())
	if got, err := m.Leads(t.Context(), f.Acct, "EmailAddress", many, time.Hour); err != nil || !maps.Equal(got, want) {
		t.Errorf("%d of %d leads, %v: %v", len(got), len(want), err, got)
	}
	if got, err := m.Leads(t.Context(), f.Acct, "EmailAddress", nil, time.Hour); err != nil || len(got) != 0 {
		t.Errorf("leads of no values: %v, %v", got, err)
	}
	if got := lead("a@example.com", -time.Second); got != "" {
		t.Errorf("a look-up that is too old gives %q", got)
	}
	m.ForgetLead(f.Acct, "EmailAddress", "a@example.com", time.Now().Add(-time.Hour)) // remembered since
	m.ForgetLead(f.Acct, "EmailAddress", "b@example.com", time.Now().Add(time.Hour))
	f.Check(f.Store.Flush())
	if a, b := lead("a@example.com", time.Hour), lead("b@example.com", time.Hour); a == "" || b != "" {
		t.Errorf("leads %q, %q", a, b)
	}
	wanted := []ledger.Entry{Entry(2, "A", "x", "1"), Entry(3, "B", "x", "2"), Entry(4, "C", "x", "3"), Entry(5, "D", "x", "4")}
	for i, v := range []string{"a@example.com", "n@example.com", "n@example.com", "o@example.com"} {
		wanted[i].WantField, wanted[i].WantValue = "EmailAddress", v
	}
	f.Plan(f.Run(), wanted...)
	if n, err := m.WantedLeads(t.Context(), f.Acct); err != nil || n != 2 {
		t.Errorf("%d leads are wanted, %v; want 2", n, err)
	}
	f.Check(m.ForgetLeads(t.Context(), f.Acct, time.Hour))
	if n, err := m.WantedLeads(t.Context(), f.Acct); err != nil || n != 0 || lead("a@example.com", time.Hour) == "" {
		t.Errorf("%d leads are wanted, %v", n, err)
	}
	day := time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)
	m.CountCalls(f.Acct, day, 3)
	m.CountCalls(f.Acct, day, 4)
	m.CountCalls(f.Acct, day.Add(time.Hour), 1)
	f.Check(f.Store.Flush())
	if n, err := m.CallsOn(t.Context(), f.Acct, day); err != nil || n != 7 {
		t.Errorf("%d calls, %v; want 7", n, err)
	}
}

// testTogether lets many callers write at once, while another reads: each
// finds its own outcome written when its call returns.
func testTogether(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	const n = 400
	run := f.Run()
	var entries []ledger.Entry
	for i := range n {
		entries = append(entries, Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i)))
	}
	entries = f.Plan(run, entries...)
	var wg sync.WaitGroup
	for i, e := range entries {
		wg.Go(func() {
			if err := f.Sending(e.Record); err != nil {
				t.Error(err)
				return
			}
			done := make(chan error, 1)
			o := ledger.Outcome{Record: e.Record, State: ledger.Loaded, ID: GUID(i)}
			if i%4 == 0 {
				f.Store.SettleLater(f.Lease, o, func(err error) { done <- err })
			} else {
				done <- f.Store.Settle(t.Context(), f.Lease, o)
			}
			if err := <-done; err != nil {
				t.Error(err)
				return
			}
			if owners, err := f.Store.Owners(t.Context(), f.Acct, GUID(i)); err != nil || owners[GUID(i)] != e.Record {
				t.Errorf("record %d is not owned when its outcome is written: %v, %v", e.Record, owners, err)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if got := len(f.Rows(run)); got != n {
				t.Errorf("%d rows, want %d", got, n)
			}
		}
	})
	wg.Wait()
	f.Reopen()
	tally, err := f.Store.Tally(t.Context(), run)
	f.Check(err)
	if got := tally[ledger.Due][ledger.Loaded]; got != n {
		t.Errorf("%d loaded, want %d", got, n)
	}
}
