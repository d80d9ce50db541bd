package sqlite

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

	"leadload/internal/fault"
	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
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

// TestSuite runs what every store must pass.
func TestSuite(t *testing.T) {
	ledgertest.Run(t, func(t testing.TB) ledgertest.Open {
		path := filepath.Join(t.TempDir(), "ledger.db")
		return func(t testing.TB) ledger.Store {
			l, err := Open(path, Options{Unsafe: true}) // durability has tests of its own
			check(t, err)
			return l
		}
	})
}

// fixture is one of the suite's, with the ledger in its file.
type fixture struct {
	*ledgertest.Fixture
	l *Ledger
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return fixtureAt(t, filepath.Join(t.TempDir(), "ledger.db"))
}

func fixtureAt(t testing.TB, path string) *fixture {
	t.Helper()
	f := &fixture{}
	f.Fixture = ledgertest.New(t, func(t testing.TB) ledger.Store {
		f.l = open(t, path, Options{})
		return f.l
	})
	return f
}

func codeOf(err error) string {
	var e *ledger.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return fmt.Sprint(err)
}

// queue hands an urgent operation to the writer.
func (l *Ledger) urgent(do func(*writer) error, done func(error)) {
	l.queue(ledger.Write[task]{What: task{do: do}, Done: done, Urgent: true})
}

// TestGroupCommit says that many callers share transactions, and that each
// returns after its own is on disk.
func TestGroupCommit(t *testing.T) {
	f := newFixture(t)
	const n = ledger.MaxBatch + 200
	entries := make([]ledger.Entry, n)
	for i := range entries {
		entries[i] = ledgertest.Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i))
	}
	f.Plan(f.Run(), entries...)
	started, release := make(chan struct{}), make(chan struct{})
	// Hold the writer until all are queued. It is held once its batch is made up, so that no other row is in it.
	f.l.urgent(func(*writer) error { close(started); <-release; return nil }, func(error) {})
	<-started
	var wg sync.WaitGroup
	for _, e := range entries {
		wg.Go(func() {
			if err := f.Sending(e.Record); err != nil {
				t.Error(err)
			}
			if s := f.State(e.Record); s != ledger.Sending {
				t.Errorf("on disk it is %s when Sending returns", s)
			}
		})
	}
	for f.l.w.group.Waiting() < ledger.MaxBatch {
		runtime.Gosched()
	}
	before := f.l.w.group.Commits()
	close(release)
	wg.Wait()
	if commits := f.l.w.group.Commits() - before; commits > n/10 {
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
	l.urgent(func(*writer) error { close(started); <-release; return nil }, func(error) {})
	<-started
	var first, second int
	l.hint(level(&first))
	l.urgent(level(&second), func(err error) { done <- err })
	close(release)
	check(t, <-done)
	if first != full || second != full {
		t.Errorf("together: synchronous %d and %d, want %d", first, second, full)
	}
	// What lets a call leave, and what became of it, wait.
	f := newFixture(t)
	e := f.Plan(f.Run(), ledgertest.Entry(2, "K", "x", "y"))[0]
	for name, do := range map[string]func() error{
		"Sending": func() error { return f.Sending(e.Record) },
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
	var many []ledger.Entry
	for i := range 500 {
		many = append(many, ledgertest.Entry(i+2, fmt.Sprint("K", i), "x", "y"))
	}
	f.Plan(f.Run(), many...)
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
		{"a database's URL", "postgres://user:PASSWORD@db.example.com/x", Options{}, "ledger.scheme"},
		{"another URL", "mysql+ssh://h/x", Options{ReadOnly: true}, "ledger.scheme"},
		{"missing, must exist", at("none.db"), Options{MustExist: true}, "ledger.missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := os.ReadFile(c.path)
			l, err := Open(c.path, c.o)
			if err == nil {
				l.Close()
			}
			var e *ledger.Error
			if !errors.As(err, &e) || e.Code != fault.Code(c.code) || e.Msg == "" || e.Hint == "" {
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

// A ledger that everybody can write is made its owner's alone.
func TestLedgerThatEverybodyCanWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are others there")
	}
	path := filepath.Join(t.TempDir(), "l.db")
	check(t, fixtureAt(t, path).l.Close())
	check(t, os.Chmod(path, 0o666))
	l, err := Open(path, Options{})
	check(t, err)
	check(t, l.Close())
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Open("postgres://user:PASSWORD@db.example.com/x", Options{}); err == nil || strings.Contains(err.Error(), "PASSWORD") {
		t.Errorf("the error of a URL: %v", err)
	}
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
	if _, err := l.Begin(t.Context(), ledger.Run{}); codeOf(err) != "ledger.readonly" {
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

// TestFullDisk says what happens when the file cannot grow: the caller that
// waits is told, nothing is written any more, and what was written stays.
func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	f := fixtureAt(t, path)
	run := f.Run()
	kept := f.Plan(run, ledgertest.Entry(2, "A", "x", "1"))[0].Record
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
		err = f.Planner(run).Plan(t.Context(), []ledger.Entry{ledgertest.Entry(n, fmt.Sprint("K", n), "x", "1")})
	}
	var e *ledger.Error
	if !errors.As(err, &e) || e.Code != "ledger.full" || !strings.Contains(e.Hint, "free some space") {
		t.Fatalf("error %v, want ledger.full with a hint", err)
	}
	if both := f.l.fault(errors.Join(e.Err, e.Err)); strings.Contains(both.Error(), "\n") {
		t.Errorf("two errors in one are told as %q", both)
	}
	if err := f.Sending(kept); codeOf(err) != "ledger.full" {
		t.Errorf("a request may leave after the disk is full: %v", err)
	}
	if f.l.Broken() == nil {
		t.Error("Broken says nothing")
	}
	check(t, f.l.Close())
	again := fixtureAt(t, path)
	check(t, again.l.Check(t.Context()))
	var fate ledger.Fate
	if err := again.l.db.QueryRow("SELECT fate FROM records WHERE id = ?", kept).Scan(&fate); err != nil || fate != ledger.Absent {
		t.Errorf("the row that was written has fate %d, %v", fate, err)
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
				if _, err := l.Enroll(t.Context(), "a", []string{"keys:a:1"}); err != nil {
					t.Error(err)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l := open(t, path, Options{})
		var names int
		if err := l.db.QueryRow("SELECT count(*) FROM account_names").Scan(&names); err != nil || names != 1 {
			t.Errorf("%d names, %v", names, err)
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
