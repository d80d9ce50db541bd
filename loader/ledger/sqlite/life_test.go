package sqlite

import (
	"errors"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// TestBorrowedThatCannotBeWritten says that a doubt which cannot be written down is a
// failure of the ledger: whoever hears of a borrowed id takes it for written.
func TestBorrowedThatCannotBeWritten(t *testing.T) {
	path := t.TempDir() + "/l.db"
	f := ledgertest.New(t, func(t testing.TB) ledger.Store { return open(t, path, Options{}) })
	e := f.Plan(f.Run(), ledgertest.Entry(2, "A", "x", "1"), ledgertest.Entry(3, "B", "x", "2"))
	f.Load(e[0].Record, ledgertest.GUID(1))
	f.Check(f.Sending(e[1].Record))
	f.Check(f.Store.(*Ledger).write(func(w *writer) error {
		_, err := w.exec("CREATE TRIGGER broken BEFORE UPDATE ON operations WHEN new.state = 4 BEGIN SELECT raise(FAIL, 'no room'); END")
		return err
	}))
	err := f.Settle(e[1].Record, ledger.Loaded, ledgertest.GUID(1))
	var own *ledger.Error
	if !errors.As(err, &own) || errors.Is(err, ledger.ErrBorrowed) || f.Store.Broken() == nil {
		t.Errorf("%v, and the ledger goes on: %v", err, f.Store.Broken() == nil)
	}
}
