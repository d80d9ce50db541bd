package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"leadload/loader/ledger"
)

// rescued is what the name of a ledger gets that was taken from its place under a run.
const rescued = ".rescued"

// watch remembers which files the ledger is in, so that their loss is seen.
func (l *Ledger) watch() {
	info, err := l.file.Stat()
	if err != nil {
		return
	}
	wal, _ := os.Stat(walName(l.path)) // nil: there is none to watch
	l.mu.Lock()
	l.here, l.wal = info, wal
	l.mu.Unlock()
}

// moved returns an error once the ledger's files are no longer those that this
// process writes: what it writes would be lost, or another ledger stands in their place.
func (l *Ledger) moved() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone != nil || l.here == nil {
		return l.gone
	}
	info, err := os.Stat(l.path)
	switch {
	case err != nil:
		l.gone = l.lost("the file was deleted or moved")
	case !os.SameFile(info, l.here):
		l.gone = l.lost("another file was put in its place")
	case l.wal != nil:
		if wal, err := os.Stat(walName(l.path)); err != nil || !os.SameFile(wal, l.wal) {
			// What is in the -wal file that is open goes into the ledger when it is closed.
			l.gone = &ledger.Error{Code: "ledger.replaced", Place: ledger.At(l.path), Msg: "its -wal file was deleted or replaced while a run wrote it, so that nothing more is sent",
				Hint: "leave the files of the ledger alone while a run is on, and type the same command again"}
			return l.gone
		}
	}
	if l.gone != nil {
		l.save = true
	}
	return l.gone
}

func (l *Ledger) lost(what string) error {
	name := l.path + rescued
	return &ledger.Error{Code: "ledger.replaced", Place: ledger.At(l.path), Msg: what + " while a run wrote it, so that nothing more is sent; all that the run knows is in " + name,
		Hint: "put it back before anything else is loaded: mv " + name + " " + l.path}
}

// rescue writes the ledger that is open beside its place.
func (w *writer) rescue() error {
	name := w.l.path + rescued
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the open ledger cannot be kept as %s: %w", name, bare(err))
	}
	if _, err := w.conn.ExecContext(context.Background(), "VACUUM INTO ?", name); err != nil {
		return fmt.Errorf("the open ledger cannot be kept as %s: %w", name, err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return err
	}
	// The -wal file may still be in its place, where it would be read as that of
	// whichever file has the ledger's name by then.
	_, err := w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}
