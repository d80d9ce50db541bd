package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string, o Options) *Ledger {
	t.Helper()
	l, err := Open(path, o)
	check(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// fixture is a ledger with one account, one scope and the helpers of most tests.
type fixture struct {
	t           testing.TB
	l           *Ledger
	acct, scope int64
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return fixtureAt(t, filepath.Join(t.TempDir(), "ledger.db"))
}

func fixtureAt(t testing.TB, path string) *fixture {
	t.Helper()
	f := &fixture{t: t, l: open(t, path, Options{})}
	var err error
	f.acct, err = f.l.Account(t.Context(), "api.example.com", []string{"keys:api.example.com:1"})
	check(t, err)
	f.scope, err = f.l.Scope(t.Context(), f.acct, "opportunity:12000")
	check(t, err)
	return f
}

func (f *fixture) run() int64 {
	f.t.Helper()
	id, err := f.l.StartRun(f.t.Context(), Run{Account: f.acct, Command: "import", Started: time.Now()})
	check(f.t, err)
	return id
}

// entry is a row with a key ("" is none) and named values.
func entry(n int, key string, pairs ...string) Entry {
	var d Digester
	e := Entry{Number: n, Line: n, Origin: n, KeyText: key}
	e.Digest = d.Digest(len(pairs)/2, func(i int) (string, string) { return pairs[2*i], pairs[2*i+1] })
	if e.HasKey = key != ""; e.HasKey {
		e.Identity = HashIdentity(key)
	} else {
		e.Identity = e.Digest.Body
	}
	return e
}

func (f *fixture) plan(run int64, entries ...Entry) []Entry {
	f.t.Helper()
	check(f.t, f.l.Plan(f.t.Context(), run, f.scope, entries))
	return entries
}

func (f *fixture) sending(record int64) error {
	return f.l.Sending(f.t.Context(), Intent{Record: record, Account: f.acct, At: time.Now(), Payload: Payload{Target: "opportunity", Body: "{}", Lead: "x"}})
}

func (f *fixture) settle(record int64, s State, id string) error {
	return f.l.Settle(f.t.Context(), Outcome{Record: record, State: s, ID: id})
}

// load takes a record all the way.
func (f *fixture) load(record int64, id string) {
	f.t.Helper()
	check(f.t, f.sending(record))
	check(f.t, f.settle(record, Loaded, id))
}

func (f *fixture) state(record int64) (s State) {
	f.t.Helper()
	check(f.t, f.l.db.QueryRow("SELECT state FROM records WHERE id = ?", record).Scan(&s))
	return s
}

func codeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func verdicts(entries []Entry) string {
	names := map[Verdict]string{Due: "due", Invalid: "invalid", Already: "already", Skipped: "skipped", Repeated: "repeated", Changed: "changed"}
	var out []string
	for _, e := range entries {
		out = append(out, names[e.Verdict])
	}
	return strings.Join(out, " ")
}

func TestPlanDecides(t *testing.T) {
	row := func(n int, key, value string) Entry { return entry(n, key, "Name", value, "City", "Pune") }
	for _, c := range []struct {
		name          string
		first, second []Entry // the first are loaded before the second are planned
		want          string
		msg           string // of the last entry
	}{
		{"nothing known", nil, []Entry{row(2, "A", "a"), row(3, "B", "b")}, "due due", ""},
		{"loaded rows are skipped", []Entry{row(2, "A", "a")}, []Entry{row(2, "A", "a"), row(3, "B", "b")}, "already due", ""},
		{"reordered", []Entry{row(2, "A", "a"), row(3, "B", "b")}, []Entry{row(2, "B", "b"), row(3, "A", "a")}, "already already", ""},
		{"a row inserted above", []Entry{row(2, "A", "a"), row(3, "B", "b")}, []Entry{row(2, "N", "n"), row(3, "A", "a"), row(4, "B", "b")}, "due already already", ""},
		{"a row deleted", []Entry{row(2, "A", "a"), row(3, "B", "b")}, []Entry{row(2, "B", "b")}, "already", ""},
		{"same key, other value", []Entry{row(2, "A", "a")}, []Entry{row(2, "A", "new")}, "changed", "Name changed"},
		{"same key, a field more", []Entry{row(2, "A", "a")}, []Entry{entry(2, "A", "Name", "a", "City", "Pune", "Zip", "1")}, "changed", "Zip changed"},
		{"same key, a field less", []Entry{row(2, "A", "a")}, []Entry{entry(2, "A", "Name", "a")}, "changed", "City changed"},
		{"key twice in a file", nil, []Entry{row(2, "A", "a"), row(3, "A", "other")}, "due repeated", "that of row 2"},
		{"key twice, the first loaded", []Entry{row(2, "A", "a")}, []Entry{row(2, "A", "a"), row(3, "A", "a")}, "already repeated", "that of row 2"},
		{"no key, same row three times", nil, []Entry{row(2, "", "a"), row(3, "", "a"), row(4, "", "a")}, "due due due", ""},
		{"no key, one of two loaded", []Entry{row(2, "", "a")}, []Entry{row(2, "", "a"), row(3, "", "a")}, "already due", ""},
		{"no key, two loaded and reordered", []Entry{row(2, "", "a"), row(3, "", "b"), row(4, "", "a")}, []Entry{row(2, "", "a"), row(3, "", "a"), row(4, "", "b")}, "already already already", ""},
		{"no key, one of three deleted", []Entry{row(2, "", "a"), row(3, "", "a"), row(4, "", "a")}, []Entry{row(9, "", "a"), row(10, "", "a")}, "already already", ""},
		{"no key, inserted between equals", []Entry{row(2, "", "a"), row(3, "", "a")}, []Entry{row(2, "", "a"), row(3, "", "n"), row(4, "", "a")}, "already due already", ""},
		{"no key, changed is a new row", []Entry{row(2, "", "a")}, []Entry{row(2, "", "b")}, "due", ""},
		{"a key is no body", []Entry{row(2, "A", "a")}, []Entry{row(2, "", "a")}, "due", ""},
		{"decided already", nil, []Entry{{Number: 2, Verdict: Invalid, Code: "x"}, {Number: 3, Verdict: Skipped}}, "invalid skipped", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			for i, e := range f.plan(f.run(), append([]Entry{}, c.first...)...) {
				f.load(e.Record, fmt.Sprint("id", i))
			}
			// Preview must say the same as Plan, without writing anything.
			p, err := f.l.Preview(t.Context(), []string{"keys:api.example.com:1"}, "opportunity:12000")
			check(t, err)
			defer p.Close()
			preview := append([]Entry{}, c.second...)
			for i := range preview {
				check(t, p.Decide(t.Context(), &preview[i]))
			}
			if got := verdicts(preview); got != c.want {
				t.Errorf("Preview: %s, want %s", got, c.want)
			}
			// … and so must one that has read what the ledger knows.
			p2, err := f.l.Preview(t.Context(), []string{"keys:api.example.com:1"}, "opportunity:12000")
			check(t, err)
			defer p2.Close()
			if !p2.Empty() {
				check(t, p2.learn(t.Context()))
			}
			learnt := append([]Entry{}, c.second...)
			for i := range learnt {
				learnt[i].Fresh = !p2.Known(&learnt[i])
				check(t, p2.Decide(t.Context(), &learnt[i]))
			}
			if got := verdicts(learnt); got != c.want {
				t.Errorf("Preview that has learnt: %s, want %s", got, c.want)
			}
			run := f.run()
			got := f.plan(run, append([]Entry{}, c.second...)...)
			if v := verdicts(got); v != c.want {
				t.Errorf("Plan: %s, want %s", v, c.want)
			}
			last := got[len(got)-1]
			if c.msg != "" && (!strings.Contains(last.Msg, c.msg) || last.Hint == "" || preview[len(preview)-1].Msg != last.Msg) {
				t.Errorf("message %q (preview %q), want %q in it, and a hint", last.Msg, preview[len(preview)-1].Msg, c.msg)
			}
			n := 0
			for r, err := range f.l.Rows(t.Context(), run) {
				check(t, err)
				if r.Number != c.second[n].Number {
					t.Errorf("line %d of the report is row %d", n, r.Number)
				}
				n++
			}
			if n != len(c.second) {
				t.Errorf("%d rows in the report, want %d", n, len(c.second))
			}
		})
	}
}

// TestPlanKeepsOpenRows says that a row in doubt is never planned to be sent,
// whatever the file says by now, and that a rejected one is.
func TestPlanKeepsOpenRows(t *testing.T) {
	for _, c := range []struct {
		name  string
		state State
		value string
		want  State
		code  string
	}{
		{"in doubt", InDoubt, "a", InDoubt, ""},
		{"in doubt and changed", InDoubt, "b", InDoubt, "row.changed"},
		{"pending", Pending, "a", Pending, ""},
		{"pending and changed", Pending, "b", Pending, "row.changed"},
		{"sending, its outcome could not be written", Sending, "a", Sending, ""},
		{"rejected", Rejected, "a", Ready, ""},
		{"rejected and corrected", Rejected, "b", Ready, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			rec := f.plan(f.run(), entry(2, "A", "Name", "a"))[0].Record
			check(t, f.sending(rec))
			if c.state != Sending {
				check(t, f.settle(rec, c.state, ""))
			}
			e := f.plan(f.run(), entry(2, "A", "Name", c.value))[0]
			if e.Verdict != Due || e.State != c.want || e.Code != c.code || f.state(rec) != c.want {
				t.Errorf("verdict %d, state %s (on disk %s), code %q; want due, %s, %q", e.Verdict, e.State, f.state(rec), e.Code, c.want, c.code)
			}
			if c.state == InDoubt {
				open, err := f.l.OpenRecords(t.Context(), f.acct, 0, 0, 10)
				check(t, err)
				if len(open) != 1 || open[0].Changed != (c.code != "") || open[0].Ended.IsZero() || open[0].Payload.Lead != "x" {
					t.Errorf("open records %+v", open)
				}
			}
		})
	}
}

func TestRecover(t *testing.T) {
	f := newFixture(t)
	e := f.plan(f.run(), entry(2, "A", "x", "1"), entry(3, "B", "x", "2"), entry(4, "C", "x", "3"), entry(5, "D", "x", "4"))
	check(t, f.l.Reserve(t.Context(), []Intent{{Record: e[0].Record, Account: f.acct, At: time.Now()}}))
	check(t, f.sending(e[1].Record))
	f.load(e[2].Record, "id")
	n, err := f.l.Recover(t.Context(), f.acct)
	check(t, err)
	if n != 2 || f.state(e[0].Record) != InDoubt || f.state(e[1].Record) != InDoubt || f.state(e[2].Record) != Loaded || f.state(e[3].Record) != Ready {
		t.Errorf("%d recovered; states %s %s %s %s", n, f.state(e[0].Record), f.state(e[1].Record), f.state(e[2].Record), f.state(e[3].Record))
	}
	other, err := f.l.Account(t.Context(), "other", []string{"keys:other:1"})
	check(t, err)
	if n, err := f.l.Recover(t.Context(), other); err != nil || n != 0 {
		t.Errorf("%d rows of another account recovered, %v", n, err)
	}
}

func TestReservedRowsAreCountedOnce(t *testing.T) {
	f := newFixture(t)
	rec := f.plan(f.run(), entry(2, "A", "x", "1"))[0].Record
	check(t, f.l.Reserve(t.Context(), []Intent{{Record: rec, Account: f.acct, At: time.Now()}}))
	check(t, f.sending(rec)) // it waited so long that its intent is written anew
	check(t, f.settle(rec, Loaded, "id"))
	n, err := f.l.CallsOn(t.Context(), f.acct, time.Now())
	check(t, err)
	var attempts int
	check(t, f.l.db.QueryRow("SELECT attempts FROM records WHERE id = ?", rec).Scan(&attempts))
	if n != 1 || attempts != 1 {
		t.Errorf("%d calls and %d attempts counted, want 1 and 1", n, attempts)
	}
}

func TestClaimKeepsIDsUnique(t *testing.T) {
	f := newFixture(t)
	e := f.plan(f.run(), entry(2, "A", "x", "1"), entry(3, "B", "x", "2"))
	for _, x := range e {
		check(t, f.sending(x.Record))
		check(t, f.settle(x.Record, InDoubt, ""))
	}
	check(t, f.l.Claim(t.Context(), f.acct, Outcome{Record: e[0].Record, ID: "one"}))
	if err := f.l.Claim(t.Context(), f.acct, Outcome{Record: e[1].Record, ID: "one"}); !errors.Is(err, ErrOwned) {
		t.Errorf("claiming it twice: %v", err)
	}
	if f.state(e[1].Record) != InDoubt {
		t.Errorf("the loser is %s", f.state(e[1].Record))
	}
	if err := f.l.Claim(t.Context(), f.acct, Outcome{Record: e[0].Record, ID: "two"}); !errors.Is(err, ErrState) {
		t.Errorf("claiming for a loaded row: %v", err)
	}
	if owned, err := f.l.Owned(t.Context(), f.acct, "one"); err != nil || !owned {
		t.Errorf("owned %v, %v", owned, err)
	}
}

// TestGroupCommit says that many callers share transactions, and that each
// returns after its own is on disk.
func TestGroupCommit(t *testing.T) {
	f := newFixture(t)
	const n = 400
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i))
	}
	f.plan(f.run(), entries...)
	started, release := make(chan struct{}), make(chan struct{})
	// Hold the writer until all are queued. It is held once its batch is made up, so that no other row is in it.
	f.l.queue(func(*writer) error { close(started); <-release; return nil }, func(error) {})
	<-started
	var wg sync.WaitGroup
	for _, e := range entries {
		wg.Go(func() {
			if err := f.sending(e.Record); err != nil {
				t.Error(err)
			}
			if s := f.state(e.Record); s != Sending {
				t.Errorf("on disk it is %s when Sending returns", s)
			}
		})
	}
	for len(f.l.w.ops) < batchMax {
		runtime.Gosched()
	}
	before := f.l.w.commits.Load()
	close(release)
	wg.Wait()
	if commits := f.l.w.commits.Load() - before; commits > n/10 {
		t.Errorf("%d rows took %d transactions", n, commits)
	}
}

func TestDurabilityIsFull(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want int
	}{{Options{}, 2}, {Options{Unsafe: true}, 0}} {
		l := open(t, filepath.Join(t.TempDir(), "l.db"), c.o)
		var sync, full int
		var mode string
		check(t, l.write(func(w *writer) error {
			return errors.Join(w.conn.QueryRowContext(context.Background(), "PRAGMA fullfsync").Scan(&full),
				w.conn.QueryRowContext(context.Background(), "PRAGMA journal_mode").Scan(&mode))
		}))
		check(t, l.write(func(w *writer) error {
			return w.conn.QueryRowContext(context.Background(), "PRAGMA synchronous").Scan(&sync)
		}))
		if sync != c.want || full != 1 || mode != "wal" {
			t.Errorf("%+v: synchronous %d, fullfsync %d, journal %s; want %d, 1, wal", c.o, sync, full, mode, c.want)
		}
	}
}

// TestWhatWaitsForTheDisk says that what only prepares a call is written without
// waiting, and that everything else waits, also in one transaction with the former.
func TestWhatWaitsForTheDisk(t *testing.T) {
	const full, normal = 2, 1
	l := open(t, filepath.Join(t.TempDir(), "l.db"), Options{})
	level := func(to *int) func(*writer) error {
		return func(w *writer) error {
			return w.conn.QueryRowContext(context.Background(), "PRAGMA synchronous").Scan(to)
		}
	}
	var got int
	for i, c := range []struct {
		do   func(func(*writer) error) error
		want int
	}{{l.jot, normal}, {l.jot, normal}, {l.write, full}, {l.write, full}, {l.jot, normal}, {l.write, full}} {
		if check(t, c.do(level(&got))); got != c.want {
			t.Errorf("operation %d: synchronous %d, want %d", i, got, c.want)
		}
	}
	// Both kinds in one batch.
	started, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	l.queue(func(*writer) error { close(started); <-release; return nil }, func(error) {})
	<-started
	var first, second int
	l.hint(level(&first))
	l.queue(level(&second), func(err error) { done <- err })
	close(release)
	check(t, <-done)
	if first != full || second != full {
		t.Errorf("together: synchronous %d and %d, want %d", first, second, full)
	}
	// What lets a call leave, and what became of it, wait.
	f := newFixture(t)
	e := f.plan(f.run(), entry(2, "K", "x", "y"))[0]
	for name, do := range map[string]func() error{
		"Sending": func() error { return f.sending(e.Record) },
		"Flush":   f.l.Flush,
	} {
		check(t, f.l.jot(func(*writer) error { return nil }))
		if f.l.w.durable {
			t.Fatal("a jotted operation waits for the disk")
		}
		check(t, do())
		if !f.l.w.durable {
			t.Errorf("%s does not wait for the disk", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	good := at("good.db")
	f := fixtureAt(t, good)
	var many []Entry
	for i := range 500 {
		many = append(many, entry(i+2, fmt.Sprint("K", i), "x", "y"))
	}
	f.plan(f.run(), many...)
	check(t, f.l.Close())
	text, err := os.ReadFile(good)
	check(t, err)
	write := func(name string, b []byte) string {
		check(t, os.WriteFile(at(name), b, 0o600))
		return at(name)
	}
	damaged := append([]byte{}, text...)
	for i := 3 * 4096; i < len(damaged)-4096; i += 4096 {
		copy(damaged[i:], "this page is gone ..............")
	}
	newer := append([]byte{}, text...)
	newer[63] = 99 // user_version
	foreign := append([]byte{}, text...)
	foreign[68] = 1 // application_id
	check(t, os.WriteFile(at("walonly.db-wal"), []byte("x"), 0o600))
	for _, c := range []struct {
		name, path string
		o          Options
		code       string
	}{
		{"damaged pages", write("damaged.db", damaged), Options{}, "ledger.corrupt"},
		{"cut off", write("cut.db", text[:len(text)/2]), Options{}, "ledger.corrupt"},
		{"no database", write("text.db", []byte("Deal ID,Email\nD-1,a@example.com\n")), Options{}, "ledger.corrupt"},
		{"empty", write("empty.db", nil), Options{}, "ledger.empty"},
		{"newer", write("newer.db", newer), Options{}, "ledger.newer"},
		{"foreign", write("foreign.db", foreign), Options{}, "ledger.foreign"},
		{"a copy", write("copy.db", text), Options{}, "ledger.copy"},
		{"a folder", dir, Options{}, "ledger.unreadable"},
		{"only the -wal file", at("walonly.db"), Options{}, "ledger.missing"},
		{"missing, to read", at("none.db"), Options{ReadOnly: true}, "ledger.missing"},
		{"missing, must exist", at("none.db"), Options{MustExist: true}, "ledger.missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := os.ReadFile(c.path)
			l, err := Open(c.path, c.o)
			if err == nil {
				l.Close()
			}
			var e *Error
			if !errors.As(err, &e) || e.Code != c.code || e.Msg == "" || e.Hint == "" {
				t.Fatalf("error %v (%s), want code %s with a hint", err, codeOf(err), c.code)
			}
			if after, _ := os.ReadFile(c.path); string(after) != string(before) {
				t.Error("the file was touched")
			}
		})
	}
	// The one that all were made from still opens.
	open(t, good, Options{})
}

func TestReadOnlyFile(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("rights do not bind this user")
	}
	path := filepath.Join(t.TempDir(), "l.db")
	check(t, fixtureAt(t, path).l.Close())
	check(t, os.Chmod(path, 0o400))
	if _, err := Open(path, Options{}); codeOf(err) != "ledger.readonly" {
		t.Errorf("error %v", err)
	}
	open(t, path, Options{ReadOnly: true})
}

func TestWritingToAReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	check(t, fixtureAt(t, path).l.Close())
	l := open(t, path, Options{ReadOnly: true})
	if _, err := l.StartRun(t.Context(), Run{}); codeOf(err) != "ledger.readonly" {
		t.Errorf("error %v", err)
	}
}

// TestMovedLedger says that a ledger may be moved, linked and restored, and
// that only a copy beside its original is refused.
func TestMovedLedger(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	check(t, fixtureAt(t, a).l.Close())
	check(t, os.Rename(a, b))
	check(t, open(t, b, Options{}).Close())
	if runtime.GOOS != "windows" {
		check(t, os.Symlink(b, a))
		check(t, open(t, a, Options{}).Close())
		check(t, os.Remove(a))
	}
	// An unrelated ledger has taken the old place meanwhile.
	check(t, open(t, a, Options{}).Close())
	check(t, open(t, b, Options{}).Close())
	check(t, open(t, a, Options{}).Close())

	text, err := os.ReadFile(b)
	check(t, err)
	c := filepath.Join(dir, "c.db")
	check(t, os.WriteFile(c, text, 0o600))
	_, err = Open(c, Options{})
	if codeOf(err) != "ledger.copy" || !strings.Contains(err.Error(), b) {
		t.Errorf("a copy: %v", err)
	}
	open(t, c, Options{ReadOnly: true}) // looking does no harm
	check(t, os.Remove(b))
	open(t, c, Options{})
}

// TestOlderVersion opens a ledger as the first version left it.
func TestOlderVersion(t *testing.T) {
	now := migrations
	path := filepath.Join(t.TempDir(), "l.db")
	migrations = now[:1]
	func() {
		defer func() { migrations = now }()
		l, err := Open(path, Options{})
		check(t, err)
		check(t, l.write(func(w *writer) error {
			for _, q := range []string{
				"INSERT INTO accounts (id, name) VALUES (1, 'a')", "INSERT INTO account_names VALUES ('keys:api.example.com:1', 1)",
				"INSERT INTO scopes VALUES (1, 1, 'opportunity:12000')", "INSERT INTO shapes VALUES (1, 'Name')",
				"INSERT INTO records (scope, ident, state, body, shape, prints, run, row, sent, payload) VALUES (1, x'01', 4, x'', 1, x'', 1, 2, 5, '{\"l\":\"x\"}')",
			} {
				if _, err := w.exec(q); err != nil {
					return err
				}
			}
			return nil
		}))
		check(t, l.Close())
	}()
	if _, err := Open(path, Options{ReadOnly: true}); codeOf(err) != "ledger.readonly" {
		t.Errorf("reading an older version: %v", err)
	}
	f := fixtureAt(t, path)
	var version int
	check(t, f.l.db.QueryRow("PRAGMA user_version").Scan(&version))
	open, err := f.l.OpenRecords(t.Context(), f.acct, 0, 0, 9)
	if err != nil || version != len(now) || len(open) != 1 || !open[0].Ended.IsZero() {
		t.Errorf("version %d, open %+v, %v", version, open, err)
	}
	// An older program keeps its hands off it.
	check(t, f.l.Close())
	migrations = now[:1]
	defer func() { migrations = now }()
	if _, err := Open(path, Options{}); codeOf(err) != "ledger.newer" {
		t.Errorf("an older program: %v", err)
	}
}

// TestCopyOfAnOlderVersion says that a copy is known for one also when it is
// the first to be brought up to date.
func TestCopyOfAnOlderVersion(t *testing.T) {
	dir := t.TempDir()
	original, copied := filepath.Join(dir, "l.db"), filepath.Join(dir, "copy.db")
	now := migrations
	defer func() { migrations = now }()
	for version := 1; version < len(now); version++ {
		migrations = now[:version]
		l, err := Open(original, Options{})
		check(t, err)
		check(t, l.Close())
		text, err := os.ReadFile(original)
		check(t, errors.Join(err, os.WriteFile(copied, text, 0o600)))
		migrations = now
		if l, err := Open(copied, Options{}); codeOf(err) != "ledger.copy" {
			t.Errorf("version %d: %v", version, err)
			if err == nil {
				check(t, l.Close())
			}
		}
		check(t, errors.Join(os.Remove(original), os.Remove(copied)))
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	check(t, fixtureAt(t, path).l.Close())
	now := migrations
	defer func() { migrations = now }()
	migrations = append(append([]string{}, now...), "CREATE TABLE halfway (x); INSERT INTO nowhere VALUES (1)")
	if _, err := Open(path, Options{}); err == nil {
		t.Fatal("it opened")
	}
	migrations = now
	l := open(t, path, Options{})
	var n int
	check(t, l.db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'halfway'").Scan(&n))
	if n != 0 {
		t.Error("half a migration was kept")
	}
}

// TestFullDisk says what happens when the file cannot grow: the caller that
// waits is told, nothing is written any more, and what was written stays.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	f := fixtureAt(t, path)
	run := f.run()
	kept := f.plan(run, entry(2, "A", "x", "1"))[0].Record
	check(t, f.l.write(func(w *writer) error {
		var pages int
		if err := w.conn.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&pages); err != nil {
			return err
		}
		_, err := w.conn.ExecContext(context.Background(), fmt.Sprint("PRAGMA max_page_count = ", pages+2))
		return err
	}))
	var err error
	for n := 3; err == nil && n < 5000; n++ {
		err = f.l.Plan(t.Context(), run, f.scope, []Entry{entry(n, fmt.Sprint("K", n), "x", "1")})
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != "ledger.full" || !strings.Contains(e.Hint, "free some space") {
		t.Fatalf("error %v, want ledger.full with a hint", err)
	}
	if err := f.sending(kept); codeOf(err) != "ledger.full" {
		t.Errorf("a request may leave after the disk is full: %v", err)
	}
	if f.l.Broken() == nil {
		t.Error("Broken says nothing")
	}
	check(t, f.l.Close())
	again := fixtureAt(t, path)
	check(t, again.l.Check(t.Context()))
	if again.state(kept) != Ready {
		t.Errorf("the row that was written is %s", again.state(kept))
	}
}

// TestTwoMakers says that of two processes that begin a ledger at once both get the same one.
func TestTwoMakers(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "l.db")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l, err := Open(path, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := l.Account(t.Context(), "a", []string{"keys:a:1"}); err != nil {
					t.Error(err)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l := open(t, path, Options{})
		names, err := l.AccountNames(t.Context())
		if err != nil || len(names) != 1 {
			t.Errorf("names %v, %v", names, err)
		}
		left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".leadload-ledger-*"))
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}

func TestIdentSet(t *testing.T) {
	s := identSet{}
	if s.has(make([]byte, 16)) {
		t.Error("nothing is known, and something was found")
	}
	ident := func(i int) []byte {
		h := HashIdentity(fmt.Sprint(i))
		return h[:]
	}
	const n = 5000
	for i := range n {
		s.add(ident(i))
		s.add(ident(i))
	}
	zero := make([]byte, 16)
	s.add(zero)
	if len(s) != n+1 || !s.has(zero) {
		t.Errorf("%d are known, want %d", len(s), n+1)
	}
	for i := range 2 * n {
		if s.has(ident(i)) != (i < n) {
			t.Fatalf("record %d: known %v", i, i >= n)
		}
	}
}

func TestPreviewBoundsWhatItReads(t *testing.T) {
	f := newFixture(t)
	var many []Entry
	for i := range 50 {
		many = append(many, entry(i+2, fmt.Sprint("K", i), "x", "y"))
	}
	f.plan(f.run(), many...)
	defer func(n int) { identsMost = n }(identsMost)
	for _, c := range []struct {
		most  int
		learn bool
	}{{50, true}, {49, false}} {
		identsMost = c.most
		p, err := f.l.Preview(t.Context(), []string{"keys:api.example.com:1"}, "opportunity:12000")
		check(t, err)
		check(t, p.learn(t.Context()))
		other := entry(99, "other", "x", "y")
		if got := !p.Known(&other); got != c.learn {
			t.Errorf("at most %d of 50: learnt %v, want %v", c.most, got, c.learn)
		}
		check(t, p.Close())
	}
}
