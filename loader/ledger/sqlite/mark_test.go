package sqlite

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	check(t, err)
	check(t, os.WriteFile(to, text, 0o600))
}

// leased opens a ledger as a run does.
func leased(t *testing.T, path string, o Options) *Ledger {
	t.Helper()
	l, err := Open(path, o)
	check(t, err)
	acct, err := l.Enroll(t.Context(), "a", []string{"keys:a:1"})
	check(t, err)
	_, err = l.Lease(t.Context(), acct, ledger.Holder{Who: "a test", Command: "import"})
	check(t, err)
	return l
}

// killed lets a process hold the ledger and be killed.
func killed(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockChild+"="+path)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, 5))
	check(t, err)
	check(t, cmd.Process.Kill())
	cmd.Wait() // it was killed: an error is wanted
}

// TestTornLedger says that a ledger without the -wal file of a run that was cut off
// is refused, by every command that decides about sending, and that nothing else is.
func TestTornLedger(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(t *testing.T, path string)
		want string
	}{
		"the -wal file deleted": {func(t *testing.T, path string) { check(t, os.Remove(path+"-wal")) }, "ledger.torn"},
		"the -wal file emptied": {func(t *testing.T, path string) { check(t, os.Truncate(path+"-wal", 0)) }, "ledger.torn"},
		"copied without it": {func(t *testing.T, path string) {
			copyFile(t, path, path+".new")
			check(t, os.Remove(path+"-wal"))
			check(t, os.Rename(path+".new", path))
		}, "ledger.torn"},
		"nothing":                {func(*testing.T, string) {}, "<nil>"},
		"the -shm file deleted":  {func(t *testing.T, path string) { check(t, os.Remove(path+"-shm")) }, "<nil>"},
		"checked after the kill": {func(t *testing.T, path string) { open(t, path, Options{MustExist: true}).Close() }, "<nil>"},
		"read after the kill":    {func(t *testing.T, path string) { open(t, path, Options{ReadOnly: true}).Close() }, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			killed(t, path)
			c.harm(t, path)
			for _, o := range []Options{{}, {ReadOnly: true}} {
				l, err := Open(path, o)
				if codeOf(err) != c.want {
					t.Errorf("%+v: %v, want %s", o, err, c.want)
				}
				var own *ledger.Error
				if errors.As(err, &own) && (!strings.Contains(own.Hint, "leadload ledger take --ledger "+path) || !strings.Contains(own.Hint, "leadload ledger import")) {
					t.Errorf("hint %q", own.Hint)
				}
				if l != nil {
					check(t, l.Close())
				}
			}
			if c.want == "<nil>" {
				return
			}
			l, err := Open(path, Options{Take: true})
			check(t, err)
			check(t, l.Take(t.Context()))
			check(t, l.Close())
			check(t, leased(t, path, Options{}).Close())
		})
	}
}

// TestInUseAmongOthers says that others may open and close a ledger that a run writes.
func TestInUseAmongOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	run := leased(t, path, Options{})
	for range 2 {
		for _, o := range []Options{{MustExist: true}, {ReadOnly: true}} {
			l, err := Open(path, o)
			check(t, err)
			check(t, l.Close())
		}
	}
	if mark, err := run.meta(t.Context(), inUse); err != nil || mark == "" {
		t.Errorf("the mark of the run is gone: %v", err)
	}
	check(t, run.Close())
	l := open(t, path, Options{})
	if mark, err := l.meta(t.Context(), inUse); err != nil || mark != "" {
		t.Errorf("the mark outlives the run: %q, %v", mark, err)
	}
}

// TestOlderLedger says that an older ledger which is put back is refused on a
// machine that has seen a newer one, until somebody takes it.
func TestOlderLedger(t *testing.T) {
	dir := t.TempDir()
	path, backup, seen := filepath.Join(dir, "l.db"), filepath.Join(dir, "backup.db"), filepath.Join(dir, "seen")
	o := Options{Seen: seen}
	check(t, leased(t, path, o).Close())
	copyFile(t, path, backup)
	check(t, leased(t, path, o).Close())
	check(t, leased(t, path, Options{}).Close()) // where nothing is kept outside, the number goes on
	check(t, leased(t, path, o).Close())
	copyFile(t, backup, path)
	for _, o := range []Options{o, {Seen: seen, ReadOnly: true}} {
		_, err := Open(path, o)
		var own *ledger.Error
		if !errors.As(err, &own) || own.Code != "ledger.older" || !strings.Contains(own.Msg, "3 runs") || !strings.Contains(own.Hint, "leadload ledger take --ledger "+path) {
			t.Errorf("%v", err)
		}
	}
	open(t, path, Options{}).Close() // by a machine that knows nothing of it
	l, err := Open(path, Options{Seen: seen, Take: true})
	check(t, err)
	check(t, l.Take(t.Context()))
	check(t, l.Close())
	check(t, leased(t, path, o).Close())
	if _, err := Open(backup, o); codeOf(err) != "ledger.older" {
		t.Errorf("another copy of the old one: %v", err)
	}
}

// TestReplacedLedger says that a run whose ledger is deleted or replaced sends
// nothing more, writes down what its calls came to, and keeps all of it beside.
func TestReplacedLedger(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, path string){
		"deleted": func(t *testing.T, path string) {
			for _, end := range []string{"", "-wal", "-shm"} {
				check(t, os.Remove(path+end))
			}
		},
		"deleted alone": func(t *testing.T, path string) { check(t, os.Remove(path)) },
		"replaced": func(t *testing.T, path string) {
			copyFile(t, path, path+".new")
			check(t, os.Rename(path+".new", path))
		},
		"the -wal file deleted": func(t *testing.T, path string) { check(t, os.Remove(path+"-wal")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "l.db")
			f := fixtureAt(t, path)
			run := f.Run()
			e := f.Plan(run, ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
			check(t, f.Sending(e[0].Record))
			harm(t, path)
			err := f.Sending(e[1].Record)
			if codeOf(err) != "ledger.replaced" {
				t.Fatalf("a request may leave: %v", err)
			}
			check(t, f.Settle(e[0].Record, ledger.Loaded, ledgertest.GUID(1)))
			if err := f.l.End(t.Context(), ledger.Run{ID: run}); codeOf(err) != "ledger.replaced" {
				t.Errorf("the run ends well: %v", err)
			}
			check(t, f.l.Close())
			kept := path
			if name != "the -wal file deleted" {
				kept = path + rescued
			}
			if strings.HasPrefix(name, "deleted") {
				_ = os.Remove(path + "-wal")
				if _, err := Open(path, Options{}); codeOf(err) != "ledger.missing" || !strings.Contains(err.(*ledger.Error).Hint, "mv "+kept+" "+path) {
					t.Errorf("a new one is begun: %v", err)
				}
			}
			if kept != path {
				_ = os.Remove(path + "-shm")
				check(t, os.Rename(kept, path))
			}
			again := open(t, path, Options{})
			check(t, again.Check(t.Context()))
			if owners, err := again.Owners(t.Context(), f.Acct, ledgertest.GUID(1)); err != nil || owners[ledgertest.GUID(1)] != e[0].Record {
				t.Errorf("what the last call came to is lost: %v, %v", owners, err)
			}
		})
	}
}

// TestReaderAtTheEnd says that somebody who reads the ledger when a run ends is
// told of: its newest rows are in another file.
func TestReaderAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	var told []string
	l := leased(t, path, Options{Notify: func(s string) { told = append(told, s) }})
	reader := open(t, path, Options{ReadOnly: true})
	tx, err := reader.db.BeginTx(t.Context(), nil)
	check(t, err)
	var n int
	check(t, tx.QueryRow("SELECT count(*) FROM records").Scan(&n))
	_, err = l.w.conn.ExecContext(context.Background(), "PRAGMA busy_timeout = 10")
	check(t, err)
	check(t, l.Close())
	if len(told) != 1 || !strings.Contains(told[0], path+"-wal") || !strings.Contains(told[0], "copy both") {
		t.Errorf("told %q", told)
	}
	check(t, tx.Rollback())
}

// TestDanglingLink says that a link to a ledger that is not there yet is a name for
// the ledger that is made.
func TestDanglingLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link.db")
	check(t, os.Symlink("real.db", link))
	l := leased(t, link, Options{})
	if !l.Made() {
		t.Error("it was not made")
	}
	check(t, l.Close())
	check(t, leased(t, filepath.Join(dir, "real.db"), Options{}).Close())
	check(t, leased(t, link, Options{}).Close())
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
}
