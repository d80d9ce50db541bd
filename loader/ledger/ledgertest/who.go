package ledgertest

import (
	"errors"
	"strings"
	"testing"

	"leadload/loader/ledger"
)

// testWho says which account names stand for, and that names of two accounts are
// refused until somebody joins them.
func testWho(t *testing.T, fresh func(testing.TB) Open) {
	const name, one, oneAgain, two, moved = "name:acme", "keys:api-in21.example.com:aaaa", "keys:api-in21.example.com:bbbb", "keys:api-us11.example.com:aaaa", "keys:api-us11.example.com:cccc"
	enroll := func(f *Fixture, names ...string) int64 {
		f.T.Helper()
		id, err := f.Store.Enroll(t.Context(), strings.Split(names[0], ":")[1], names)
		f.Check(err)
		if scope, err := f.Store.Find(t.Context(), names, "opportunity:12000"); err != nil || scope != 0 {
			f.T.Errorf("scope %d, %v", scope, err)
		}
		return id
	}
	refused := func(f *Fixture, words []string, names ...string) {
		f.T.Helper()
		_, err := f.Store.Enroll(t.Context(), "acme", names)
		var own *ledger.Error
		if !errors.As(err, &own) || own.Code != "ledger.two-accounts" || !strings.Contains(own.Hint, "leadload ledger join") {
			f.T.Fatalf("%v: %v", names, err)
		}
		for _, w := range words {
			if !strings.Contains(own.Msg, w) {
				f.T.Errorf("%q does not say %q", own.Msg, w)
			}
		}
		if strings.Contains(own.Msg, "aaaa") {
			f.T.Errorf("%q holds a hash of the key", own.Msg)
		}
		if _, err := f.Store.Find(t.Context(), names, "opportunity:12000"); !errors.As(err, &own) || own.Code != "ledger.two-accounts" {
			f.T.Errorf("a check finds %v", err)
		}
	}
	t.Run("a copied file with another host", func(t *testing.T) {
		f := New(t, fresh(t))
		acme := enroll(f, name, one)
		refused(f, []string{`the name "acme"`, "api-in21.example.com", "the host api-us11.example.com"}, name, two)
		refused(f, nil, name, moved)
		if enroll(f, name, oneAgain) != acme { // new keys of the same account
			t.Error("new keys made another account")
		}
		if enroll(f, two) == acme {
			t.Error("the same keys on another host are another account")
		}
	})
	t.Run("a name added later", func(t *testing.T) {
		f := New(t, fresh(t))
		us, acme := enroll(f, two), enroll(f, name, one)
		if us == acme {
			t.Fatal("one account")
		}
		refused(f, []string{`the name "acme"`, "api-in21.example.com", "host api-us11.example.com with these keys"}, name, two)
	})
	t.Run("a name for an account without one", func(t *testing.T) {
		f := New(t, fresh(t))
		if a := enroll(f, one); enroll(f, name, one) != a || enroll(f, name, oneAgain) != a {
			t.Error("a name made another account")
		}
	})
	t.Run("spellings of one host", func(t *testing.T) {
		f := New(t, fresh(t))
		const spelt = "keys:api-in21.example.com//:aaaa"
		enroll(f, spelt)
		if a := enroll(f, one); enroll(f, one, spelt) != a {
			t.Error("the first spelling does not decide")
		}
	})
	t.Run("joined", func(t *testing.T) {
		f := New(t, fresh(t))
		acme := enroll(f, name, one)
		enroll(f, two) // nothing was ever loaded there
		if id, err := f.Store.Join(t.Context(), []string{name, two}); err != nil || id != acme || enroll(f, name, two) != acme {
			t.Errorf("joined to %d, %v; want %d", id, err, acme)
		}
		if _, err := f.Store.Join(t.Context(), []string{two}); err == nil {
			t.Error("joined without a name")
		}
		// An account that has rows keeps them.
		f.Load(f.Plan(f.Run(), Entry(2, "A", "x", "1"))[0].Record, GUID(1))
		if _, err := f.Store.Join(t.Context(), []string{name, "keys:api.example.com:1"}); err == nil || !strings.Contains(err.Error(), "both have rows") {
			t.Errorf("joined with an account that has rows: %v", err)
		}
	})
}
