package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"leadload/internal/fault"
	"leadload/loader/ledger"
)

// A ledger that lost something must not look like one that never had it. While
// a run writes, the file itself says so (inUse): then the newest rows stand in
// the -wal file, and a ledger without that has lost them. Each run has a number
// (sessions), which is kept outside as well: a ledger whose number is smaller
// than that is an older one that was put back.
const (
	inUse    = "in use"
	sessions = "sessions"
	sealed   = "names" // a hash of what accounts and scopes are called
)

// walName returns the name of the file in which SQLite keeps the newest rows: a
// link to the ledger does not move it.
func walName(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path + "-wal"
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// meta reads one of the ledger's notes about itself; "" when there is none.
func (l *Ledger) meta(ctx context.Context, name string) (v string, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return v, l.fault(err)
}

// note writes one of them.
func (w *writer) note(name, value string) error {
	_, err := w.exec("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, value)
	return err
}

// takeHint says how to go on with a ledger that lacks something.
func (l *Ledger) takeHint() string {
	return "where there is no better one, type leadload ledger take --ledger " + l.path + "; before the next import, write what it lacks into it: leadload ledger import RESULTS -m MAPPING for each results file since then, or leadload adopt FILE -m MAPPING"
}

// complete refuses a ledger that was in use and has lost its -wal file, which
// was so large before the ledger was opened.
func (l *Ledger) complete(ctx context.Context, wal int64) error {
	mark, err := l.meta(ctx, inUse)
	if err != nil || mark == "" {
		return err
	}
	if wal > 0 || sizeOf(walName(l.path)) > 0 || l.beside() {
		return nil
	}
	return &ledger.Error{Code: "ledger.torn", Place: ledger.At(l.path), Msg: "a run was cut off while it wrote it, and its -wal file, which has the newest rows, is gone",
		Hint: "put " + walName(l.path) + " back beside it; " + l.takeHint()}
}

// current refuses a ledger that is older than what this machine has seen of it.
func (l *Ledger) current(ctx context.Context, seen string) error {
	here, there, err := l.newest(ctx, seen)
	if err != nil || here >= there {
		return err
	}
	hint := "put the newest ledger back; "
	if name := l.path + rescued; exists(name) {
		hint = "put the newest ledger back, which is " + name + ": mv " + name + " " + l.path + "; "
	}
	return &ledger.Error{Code: "ledger.older", Place: ledger.At(l.path), Msg: "it is an older one that was put back: it lacks " + fault.Plural(there-here, "run", "runs") + " that this machine has seen", Hint: hint + l.takeHint()}
}

// newest returns the number of the newest run, by the ledger and by what is kept outside.
func (l *Ledger) newest(ctx context.Context, seen string) (here, there int64, err error) {
	v, err := l.meta(ctx, sessions)
	if err != nil {
		return 0, 0, err
	}
	here, _ = strconv.ParseInt(v, 10, 64) // "": a ledger of an earlier version
	if seen == "" {
		return here, 0, nil
	}
	id, err := l.meta(ctx, "id")
	if err != nil || id == "" {
		return here, 0, err
	}
	text, err := os.ReadFile(filepath.Join(seen, id))
	if errors.Is(err, fs.ErrNotExist) {
		return here, 0, nil
	}
	if err != nil {
		return 0, 0, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(l.path), Msg: "what is kept of it beside the locks cannot be read", Err: bare(err), Hint: "check your rights to the folder " + seen}
	}
	there, _ = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // damaged: nothing is known
	return here, there, nil
}

// begin notes that this process writes the ledger from now on, in the file
// itself and outside.
func (l *Ledger) begin(ctx context.Context) error {
	here, there, err := l.newest(ctx, l.seen)
	if err != nil {
		return err
	}
	n := max(here, there) + 1
	if err := l.write(func(w *writer) error {
		if err := w.note(inUse, "1"); err != nil {
			return err
		}
		return w.note(sessions, strconv.FormatInt(n, 10))
	}); err != nil {
		return err
	}
	// The mark must stand in the file itself before anything stands in the -wal file alone.
	if err := l.outside("PRAGMA wal_checkpoint(FULL)"); err != nil {
		return err
	}
	l.watch()
	return l.tell(ctx, n)
}

// tell keeps the number of the newest run outside the ledger.
func (l *Ledger) tell(ctx context.Context, n int64) error {
	if l.seen == "" {
		return nil
	}
	id, err := l.meta(ctx, "id")
	if err != nil {
		return err
	}
	err = os.MkdirAll(l.seen, 0o700)
	if err == nil {
		err = replace(filepath.Join(l.seen, id), strconv.FormatInt(n, 10)+"\n")
	}
	if err != nil {
		return &ledger.Error{Code: "lock.folder", Msg: fmt.Sprintf("the folder %q cannot be written", l.seen), Err: bare(err), Hint: "free some space, or set XDG_STATE_HOME to a folder that you may write"}
	}
	return nil
}

// replace writes a small file whole or not at all.
func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".leadload-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// unmark takes the mark away, once nobody writes any more. A full disk may have
// room for it once the -wal file is empty.
func (w *writer) unmark() error {
	ctx := context.Background()
	drop := func() error {
		_, err := w.conn.ExecContext(ctx, "DELETE FROM meta WHERE name = ?", inUse)
		return err
	}
	err := drop()
	if err != nil {
		w.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)") // whether it helped is seen next
		err = drop()
	}
	return err
}

// Take makes this ledger the one to go on with, whatever it lacks.
func (l *Ledger) Take(ctx context.Context) error {
	if err := l.Alone(ctx); err != nil {
		return err
	}
	return l.begin(ctx)
}
