package line

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
)

const lockChild = "LEADLOAD_LOCK_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockChild); dir != "" {
		if _, err := Hold(context.Background(), dir, "acct", "import", 0, func(string) {}); err != nil {
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
	first, err := Hold(t.Context(), dir, "acct", "import", 0, quiet)
	check(t, err)
	_, err = Hold(t.Context(), dir, "acct", "settle", 0, quiet)
	var e *fault.Fault
	if !errors.As(err, &e) || e.Code.Trait() != fault.Busy || e.Code != "account.busy" || !strings.Contains(e.Hint, "--wait-lock") ||
		!strings.Contains(e.Msg, "leadload import") || !strings.Contains(e.Msg, " since 20") || !strings.Contains(e.Msg, "process ") {
		t.Errorf("second: %v", err)
	}
	other, err := Hold(t.Context(), dir, "other", "import", 0, quiet)
	check(t, err)
	check(t, other.Release())

	told := make(chan string, 1)
	done := make(chan error, 1)
	go func() {
		l, err := Hold(t.Context(), dir, "acct", "settle", time.Minute, func(s string) { told <- s })
		if err == nil {
			err = l.Release()
		}
		done <- err
	}()
	if s := <-told; !strings.Contains(s, "leadload import") {
		t.Errorf("told %q", s)
	}
	check(t, first.Release())
	check(t, <-done)

	ctx, cancel := context.WithCancel(t.Context())
	first, err = Hold(t.Context(), dir, "acct", "import", 0, quiet)
	check(t, err)
	go func() { <-told; cancel() }()
	if _, err := Hold(ctx, dir, "acct", "settle", time.Hour, func(s string) { told <- s }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted while waiting: %v", err)
	}
	check(t, first.Release())
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
	if _, err := Hold(t.Context(), dir, "acct", "import", 0, func(string) {}); err == nil {
		t.Error("two processes hold it")
	}
	check(t, cmd.Process.Kill())
	cmd.Wait() // it was killed: an error is what we want
	l, err := Hold(t.Context(), dir, "acct", "import", 5*time.Second, func(string) {})
	check(t, err)
	check(t, l.Release())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
