package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
)

// testBaselines says what stays known of the values that the account made of ours,
// and of what leads were sent.
func testBaselines(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	lead := GUID(100)
	run := f.Run()
	rec := f.Plan(run, Entry(2, "A", "Name", "a", "City", "Pune"))[0].Record
	f.Load(rec, GUID(1))
	read := func(ids ...string) string {
		t.Helper()
		list, err := f.Store.Baselines(t.Context(), f.Acct, ids)
		f.Check(err)
		var out []string
		for _, b := range list {
			out = append(out, fmt.Sprintf("%s %v %d %d %v", b.Field, b.Lead, b.Sent, b.Second, b.At.UnixMilli()))
			if b.New || b.ID == "" {
				t.Errorf("%+v", b)
			}
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	at := time.UnixMilli(1_700_000_000_123)
	update := func(list ...ledger.Baseline) {
		t.Helper()
		e := &ledger.Edit{ID: GUID(1), LeadID: lead, Names: []string{"Name"}, Prints: []byte{1, 2, 3, 4}, Body: make([]byte, 16)}
		for _, b := range list {
			e.SetBaseline(b)
		}
		e.Base = append(e.Base, ledger.Baseline{ID: GUID(1), Field: "known already", Sent: 1})
		in := intent(rec)
		in.Op, in.Payload.Edit = ledger.Update, &ledger.Edit{Back: true}
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Update, State: ledger.Loaded, Edit: e}))
	}
	if got := read(GUID(1), lead); got != "" {
		t.Errorf("nothing was written, and %s is known", got)
	}
	update(ledger.Baseline{Field: "Name", Sent: 7, At: at}, ledger.Baseline{Field: "City", Sent: 4294967295, Second: 4294967294}, ledger.Baseline{Lead: true, Field: "Phone", Sent: 9, At: at})
	want := fmt.Sprintf("City false 4294967295 4294967294 %d, Name false 7 0 1700000000123", time.Time{}.UnixMilli())
	if got := read(GUID(1)); got != want {
		t.Errorf("known: %s, want %s", got, want)
	}
	update(ledger.Baseline{Field: "Name", Sent: 8, Second: 5, At: at})
	f.Reopen()
	if got := read(GUID(1), lead, GUID(3)); got != strings.Replace(want, "7 0", "8 5", 1)+", Phone true 9 0 1700000000123" {
		t.Errorf("known after the second update: %s", got)
	}
	// When an update wrote serves as long as the values that it met; the rest stays.
	update(ledger.Baseline{Field: "Zip", Sent: 3, At: at})
	f.Check(f.Store.Drop(t.Context(), at.Add(time.Hour)))
	if got := read(GUID(1), lead); strings.Contains(got, "Zip") || !strings.Contains(got, "Name") || !strings.Contains(got, "Phone") {
		t.Errorf("known after a while: %s", got)
	}
	if n, err := f.Store.Forget(t.Context(), f.Lease, []int64{rec}); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if got := read(GUID(1), lead); got != "Phone true 9 0 1700000000123" {
		t.Errorf("known of a row that was forgotten: %s", got)
	}

	// Two deals of one lead, and one of another.
	sent := func() map[string]uint32 {
		t.Helper()
		list, err := f.Store.SentToLeads(t.Context(), f.Acct, []string{lead, GUID(101), GUID(102)}, []string{"LeadDetails.City", "LeadDetails.Zip"})
		f.Check(err)
		out := map[string]uint32{}
		for _, b := range list {
			if !b.Lead || b.At.IsZero() {
				t.Errorf("%+v", b)
			}
			out[b.ID+b.Field] = b.Sent
		}
		return out
	}
	if got := sent(); len(got) != 0 {
		t.Errorf("no row is loaded, and %v were sent", got)
	}
	rows := f.Plan(f.Run(), Entry(2, "B", "LeadDetails.City", "Pune", "LeadDetails.Zip", "1"), Entry(3, "C", "LeadDetails.City", "Goa"), Entry(4, "D", "LeadDetails.City", "Agra"), Entry(5, "E", "LeadDetails.City", "Never sent"))
	for i, id := range []string{lead, lead, GUID(101)} {
		in := intent(rows[i].Record)
		in.At = at.Add(time.Duration(i) * time.Second)
		f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
		f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rows[i].Record, State: ledger.Loaded, ID: GUID(10 + i), LeadID: id}))
	}
	got := sent()
	for field, value := range map[string]string{lead + "LeadDetails.City": "Goa", lead + "LeadDetails.Zip": "1", GUID(101) + "LeadDetails.City": "Agra"} {
		if got[field] != ledger.Print(value) {
			t.Errorf("%s: the newest is not %q", field, value)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d values, want 3", len(got))
	}
}

// testKeep says what stands beside the values that an update met: what the account
// had of them afterwards.
func testKeep(t *testing.T, fresh func(testing.TB) Open) {
	f := New(t, fresh(t))
	run := f.Run()
	rec := f.Plan(run, Entry(2, "A", "Name", "a"))[0].Record
	f.Load(rec, GUID(1))
	e := &ledger.Edit{ID: GUID(1), Names: []string{"Name"}, Prints: []byte{1, 2, 3, 4}, Body: make([]byte, 16),
		Changes: []ledger.FieldChange{{Field: "Name", Value: "b", Had: "a", Done: true, Wrote: true}, {Field: "City", Value: "Goa", Had: "Pune", Done: true, Wrote: true}}}
	in := intent(rec)
	in.Op = ledger.Update
	f.Check(f.Store.Intend(t.Context(), f.Lease, ledger.Sending, in))
	f.Check(f.Store.Settle(t.Context(), f.Lease, ledger.Outcome{Record: rec, Op: ledger.Update, State: ledger.Loaded, Edit: e}))
	moved := func(field, became string) ledger.Kept {
		return ledger.Kept{Record: rec, Run: run, Row: 2, Field: field, Result: ledger.ResultChanged, At: time.Now(), Moved: true, Became: became}
	}
	f.Check(f.Store.Keep(t.Context(), f.Lease, []ledger.Kept{moved("City", ""), moved("Zip", "\x00\xff")}))
	var got []string
	for k, err := range f.Store.Kept(t.Context(), run) {
		f.Check(err)
		got = append(got, fmt.Sprintf("%s %s>%s %s %v %q", k.Field, k.Had, k.Has, k.Result, k.Moved, k.Became))
		if k.Record != rec || k.Run != run || k.Row != 2 || k.At.IsZero() {
			t.Errorf("kept %+v", k)
		}
	}
	slices.Sort(got)
	if want := `City Pune>Goa updated true "", Name a>b updated false "", Zip > changed true "\x00\xff"`; strings.Join(got, ", ") != want {
		t.Errorf("kept %s, want %s", strings.Join(got, ", "), want)
	}
	wrote, err := f.Store.Wrote(t.Context(), []int64{rec, rec + 1})
	if err != nil || len(wrote) != 1 || len(wrote[rec]) != 2 || wrote[rec][0].Has+wrote[rec][1].Has != "bGoa" && wrote[rec][0].Has+wrote[rec][1].Has != "Goab" || wrote[rec][0].Run != run {
		t.Errorf("updates wrote %+v, %v", wrote, err)
	}

	// The values of a row that is only reported stand with the run that reports it.
	again := f.Run()
	p := f.Planner(again)
	p.Decided = func(_ context.Context, entries []ledger.Entry) error {
		if entries[0].Verdict != ledger.Changed {
			t.Errorf("planned as %s", verdicts(entries))
		}
		entries[0].Moved = []ledger.Kept{{Record: rec, Row: 2, Field: "Name", Had: "b", Has: "c", Result: ledger.ResultChanged}}
		return nil
	}
	f.Check(p.Plan(t.Context(), []ledger.Entry{Entry(2, "A", "Name", "c")}))
	n := 0
	for k, err := range f.Store.Kept(t.Context(), again) {
		f.Check(err)
		if n++; k.Record != rec || k.Row != 2 || k.Had != "b" || k.Has != "c" || k.Result != ledger.ResultChanged || k.Moved || k.At.IsZero() {
			t.Errorf("kept %+v", k)
		}
	}
	if n != 1 {
		t.Errorf("%d fields are kept of a row that is reported, want 1", n)
	}
	old := f.Lease
	f.enroll()
	if err := f.Store.Keep(t.Context(), old, []ledger.Kept{moved("Name", "x")}); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("under a lease that is lost: %v", err)
	}
}
