package loader

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadload/internal/fault"
	"leadload/loader/account"
	"leadload/loader/ledger"
	"leadload/loader/ledger/sqlite"
)

// TestLockKnowsAnAccountByItsKeys says that an account file with a name and
// one without do not get past each other.
func TestLockKnowsAnAccountByItsKeys(t *testing.T) {
	dir := t.TempDir()
	connect := func(name string) (*Session, error) {
		led, err := sqlite.Open(filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{}) // one of its own: its lock is another
		check(t, err)
		t.Cleanup(func() { led.Close() })
		o := Options{Account: account.Account{Name: name, Host: "http://127.0.0.1:9", Limit: account.DefaultLimit}, Ledger: led, StateDir: dir, Command: "import"}
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

// TestOneRunALedger says that a ledger has one run at a time, whatever folder the
// runs keep their locks in and whichever account they load, and that --wait-lock
// waits for it.
func TestOneRunALedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var told []string
	var waits func() // is called by whoever begins to wait
	connect := func(host string, wait time.Duration) (*Session, ledger.Store, error) {
		led, err := sqlite.Open(path, sqlite.Options{})
		check(t, err)
		o := Options{Account: account.Account{Host: host, Limit: account.DefaultLimit}, Ledger: led, StateDir: t.TempDir(), Command: "import", WaitLock: wait,
			Notify: func(s string) {
				told = append(told, s)
				waits()
			}}
		o.Account.SetKeys("u$rkey", "secret", "")
		s, err := Connect(t.Context(), o)
		if err != nil {
			check(t, led.Close())
		}
		return s, led, err
	}
	s, led, err := connect("http://127.0.0.1:9", 0)
	check(t, err)
	if _, _, err := connect("http://127.0.0.1:9", 0); codeOf(err) != "account.busy" || !strings.Contains(err.Error(), "another run holds this account: process") {
		t.Errorf("the same account: %v", err)
	}
	var own *fault.Fault
	if _, _, err := connect("http://127.0.0.1:8", 0); !errors.As(err, &own) || own.Code != "account.busy" || own.Code.Trait() != fault.Busy || !strings.Contains(own.Msg, "of another account, writes this ledger: process") || !strings.Contains(own.Hint, "--ledger") {
		t.Errorf("another account: %v", err)
	}
	first, its := s, led
	waits = func() { check(t, errors.Join(first.Close(), its.Close())) }
	s, led, err = connect("http://127.0.0.1:9", time.Minute)
	check(t, err)
	if len(told) != 1 || !strings.Contains(told[0], "waiting for another run to end: process") {
		t.Errorf("told %q", told)
	}
	check(t, s.Close())
	check(t, led.Close())
}

// TestAFewCallsNeedNoLock says that the account can be asked while a run holds it.
func TestAFewCallsNeedNoLock(t *testing.T) {
	o := Options{Account: account.Account{Host: "http://127.0.0.1:9", Limit: account.DefaultLimit}, StateDir: t.TempDir(), Command: "import"}
	o.Account.SetKeys("u$rkey", "secret", "")
	run, err := Connect(t.Context(), o)
	check(t, err)
	o.Unlocked = true
	brief, err := Connect(t.Context(), o)
	check(t, err)
	check(t, brief.Close())
	o.Unlocked = false
	if other, err := Connect(t.Context(), o); codeOf(err) != "account.busy" {
		t.Errorf("the brief session gave the run's lock back: %v", err)
		if err == nil {
			other.Close()
		}
	}
	check(t, run.Close())
}
