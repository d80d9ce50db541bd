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

	// A person has chosen a record: what was sent is not needed any more.
	chosen := adopted(3, "B", ledger.Loaded, GUID(8))
	chosen.Chosen, chosen.Sent = true, time.Time{}
	if n, err := f.Store.Adopt(t.Context(), f.Scope, []ledger.Adopted{chosen}); err != nil || n != 1 {
		t.Errorf("%d rows in doubt taken, %v; want 1", n, err)
	}
	if open := f.Open(); len(open) != 0 {
		t.Errorf("open %+v", open)
	}
	if row := f.Rows(run)[1]; row.ID != GUID(8) || row.State != ledger.Loaded {
		t.Errorf("the row that was taken is %+v", row)
	}
}
