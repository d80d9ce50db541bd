package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

// lockChild in the environment makes the test binary hold a ledger until it is killed.
const lockChild = "LEADLOAD_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(lockChild); path != "" {
		fmt.Fprintln(os.Stderr, holdLedger(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func holdLedger(path string) error {
	l, err := Open(path, Options{})
	if err != nil {
		return err
	}
	acct, err := l.Enroll(context.Background(), "a", []string{"keys:a:1"})
	if err != nil {
		return err
	}
	if _, err := l.Lease(context.Background(), acct, ledger.Holder{Who: "process 7 on pc", Command: "settle"}); err != nil {
		return err
	}
	os.Stdout.WriteString("held\n")
	select {} // until killed
}

// TestOneWriter says that a ledger has one run at a time, whatever folders the
// runs use, by whichever name they know it, and that the lock dies with its process.
func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	path, link, hard := filepath.Join(dir, "l.db"), filepath.Join(dir, "link.db"), filepath.Join(dir, "hard.db")
	lease := func(path, account string) (*Ledger, error) {
		t.Helper()
		l, err := Open(path, Options{})
		if err != nil {
			return nil, err
		}
		acct, err := l.Enroll(t.Context(), account, []string{"keys:" + account + ":1"})
		if err == nil {
			_, err = l.Lease(t.Context(), acct, ledger.Holder{Who: "this test", Command: "import"})
		}
		return l, errors.Join(err)
	}
	refused := func(path, account string, elsewhere bool, who string) {
		t.Helper()
		l, err := lease(path, account)
		var held *ledger.Held
		if !errors.As(err, &held) || held.Elsewhere != elsewhere || !strings.Contains(held.Error(), who) {
			t.Errorf("%s, account %s: %v, want a run of %s", path, account, err, who)
		}
		if l != nil {
			check(t, l.Close())
		}
	}
	first, err := lease(path, "a")
	check(t, err)
	check(t, os.Symlink(path, link))
	check(t, os.Link(path, hard))
	for _, p := range []string{path, link} {
		refused(p, "a", false, "this test (leadload import)")
		refused(p, "b", true, "this test (leadload import)")
	}
	if _, err := Open(hard, Options{}); codeOf(err) != "ledger.copy" {
		t.Errorf("a second name, which has a -wal file of its own: %v", err)
	}
	if _, err := first.Lease(t.Context(), 1, ledger.Holder{Who: "this test"}); err != nil {
		t.Errorf("its own lock: %v", err)
	}
	reader, err := Open(path, Options{ReadOnly: true})
	check(t, err)
	if _, err := reader.States(t.Context()); err != nil {
		t.Error(err)
	}
	check(t, reader.Close())
	other, err := Open(path, Options{MustExist: true})
	check(t, err)
	if err := other.Alone(t.Context()); err == nil || !strings.Contains(err.Error(), "another run writes it") {
		t.Errorf("prune beside a run: %v", err)
	}
	check(t, other.Close())
	check(t, first.Close())

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockChild+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	var b [5]byte
	_, err = out.Read(b[:])
	check(t, err)
	refused(path, "a", false, "process 7 on pc (leadload settle)")
	check(t, cmd.Process.Kill())
	cmd.Wait() // it was killed: an error is wanted
	last, err := lease(path, "a")
	check(t, err)
	check(t, last.Close())
}
