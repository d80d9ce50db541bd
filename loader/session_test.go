package loader

import (
	"path/filepath"
	"testing"

	"leadload/loader/account"
	"leadload/loader/ledger/sqlite"
)

// TestLockKnowsAnAccountByItsKeys says that an account file with a name and
// one without do not get past each other.
func TestLockKnowsAnAccountByItsKeys(t *testing.T) {
	dir := t.TempDir()
	connect := func(name string) (*Session, error) {
		led, err := sqlite.Open(filepath.Join(dir, "ledger.db"), sqlite.Options{})
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
