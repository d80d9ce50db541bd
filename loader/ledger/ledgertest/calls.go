package ledgertest

import (
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
