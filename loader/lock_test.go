package loader

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
)

const lockChild = "LEADLOAD_LOCK_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockChild); dir != "" {
		if _, err := acquireLock(context.Background(), dir, "acct", "import", 0, func(string) {}); err != nil {
			os.Exit(3)
		}
		os.Stdout.WriteString("held\n")
		select {} // until killed
	}
	os.Exit(m.Run())
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	quiet := func(string) {}
	first, err := acquireLock(t.Context(), dir, "acct", "import", 0, quiet)
	check(t, err)
	_, err = acquireLock(t.Context(), dir, "acct", "settle", 0, quiet)
	var e *Error
	if !errors.As(err, &e) || e.Kind != Busy || e.Code != "account.busy" || !strings.Contains(e.Hint, "--wait-lock") ||
		!strings.Contains(e.Msg, "leadload import") || !strings.Contains(e.Msg, " since 20") || !strings.Contains(e.Msg, "process ") {
		t.Errorf("second: %v", err)
	}
	other, err := acquireLock(t.Context(), dir, "other", "import", 0, quiet)
	check(t, err)
	check(t, other.release())

	told := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		l, err := acquireLock(t.Context(), dir, "acct", "settle", time.Minute, func(s string) { told <- s })
		if err == nil {
			err = l.release()
		}
		done <- err
	}()
	if s := <-told; !strings.Contains(s, "leadload import") {
		t.Errorf("told %q", s)
	}
	check(t, first.release())
	check(t, <-done)

	ctx, cancel := context.WithCancel(t.Context())
	first, err = acquireLock(t.Context(), dir, "acct", "import", 0, quiet)
	check(t, err)
	go func() { <-told; cancel() }()
	if _, err := acquireLock(ctx, dir, "acct", "settle", time.Hour, func(s string) { told <- s }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted while waiting: %v", err)
	}
	check(t, first.release())
}

// TestLockDiesWithItsProcess kills the process that holds the lock.
func TestLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockChild+"="+dir)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	var b [5]byte
	_, err = out.Read(b[:])
	check(t, err)
	if _, err := acquireLock(t.Context(), dir, "acct", "import", 0, func(string) {}); err == nil {
		t.Error("two processes hold it")
	}
	check(t, cmd.Process.Kill())
	cmd.Wait() // it was killed: an error is what we want
	l, err := acquireLock(t.Context(), dir, "acct", "import", 5*time.Second, func(string) {})
	check(t, err)
	check(t, l.release())
}

// TestLockKnowsAnAccountByItsKeys says that an account file with a name and
// one without do not get past each other.
func TestLockKnowsAnAccountByItsKeys(t *testing.T) {
	dir := t.TempDir()
	connect := func(name string) (*Session, error) {
		led, err := ledger.Open(filepath.Join(dir, "ledger.db"), ledger.Options{})
		check(t, err)
		t.Cleanup(func() { led.Close() })
		o := Options{Account: Account{Name: name, Host: "http://127.0.0.1:9", Limit: DefaultLimit}, Ledger: led, StateDir: dir, Command: "import"}
		o.Account.SetKeys("u$rkey", "secret", "")
		return Connect(t.Context(), o)
	}
	s, err := connect("prod")
	check(t, err)
	if other, err := connect(""); codeOf(err) != "account.busy" {
		t.Errorf("error %v", err)
		if err == nil {
			other.Close()
		}
	}
	check(t, s.Close())
	s, err = connect("")
	check(t, err)
	check(t, s.Close())
}
