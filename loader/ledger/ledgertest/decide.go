package ledgertest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

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
