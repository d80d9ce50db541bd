package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"leadload/loader/ledger"
)

// create makes the ledger's file whole or not at all: a process that dies
// meanwhile must not leave an empty file, which would look like a ledger that
// has lost its memory. It reports false when another process was faster.
func (l *Ledger) create() (made bool, err error) {
	fail := func(err error) (bool, error) {
		if own := (*ledger.Error)(nil); errors.As(err, &own) {
			return false, err
		}
		return false, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(l.path), Msg: "it cannot be made", Err: bare(err),
			Hint: "name a ledger in a folder that you may write with --ledger"}
	}
	f, err := os.CreateTemp(filepath.Dir(l.path), ".leadload-ledger-*") // mode 0600, whatever the umask
	if err != nil {
		return fail(err)
	}
	tmp := f.Name()
	defer os.Remove(tmp)
	err = l.fill(tmp)
	if err == nil {
		err = f.Sync() // what fill left to the system, at once
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fail(err)
	}
	// A link never takes the place of a file that is there, as a rename would.
	err = os.Link(tmp, l.path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		if _, serr := os.Lstat(l.path); serr == nil {
			return false, nil
		}
		err = os.Rename(tmp, l.path)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return fail(err)
	}
	return true, syncDir(filepath.Dir(l.path))
}

// fill writes the tables, and where the ledger will lie, into a new file. It
// does not wait for the disk.
func (l *Ledger) fill(path string) (err error) {
	ctx := context.Background()
	db, err := sql.Open("sqlite", fileURI(path)+"?_pragma=synchronous(OFF)&_pragma=journal_mode(MEMORY)")
	if err != nil {
		return l.fault(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return l.fault(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := l.migrate(ctx, conn); err != nil {
		return err
	}
	if err := l.settleIn(ctx, conn); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "PRAGMA journal_mode = WAL") // which the file keeps
	return l.fault(err)
}

// syncDir makes a new name in a folder outlast a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for this there
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil // it can be written but not read: nothing to be done
	}
	d.Sync() // some file systems refuse it for folders, and need none
	return d.Close()
}

// soleName refuses a hard link to a ledger that is known by another name: SQLite
// would keep its newest rows in another -wal file.
func (l *Ledger) soleName(ctx context.Context) error {
	here, err := os.Stat(l.path)
	if err != nil || !manyNames(here) {
		return nil // what is wrong with it is told where it is opened
	}
	var home string
	err = l.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = 'path'").Scan(&home)
	if errors.Is(err, sql.ErrNoRows) || err == nil && home == l.path {
		return nil
	}
	if err != nil {
		return &ledger.Error{Code: "ledger.copy", Place: ledger.At(l.path), Msg: "the file has a second name (a hard link), by which a run may know newer rows; it cannot be read by this one", Err: err,
			Hint: "use the name that the runs use"}
	}
	there, err := os.Stat(home)
	if err != nil || !os.SameFile(here, there) {
		return nil
	}
	if a, err := filepath.EvalSymlinks(l.path); err == nil {
		if b, err := filepath.EvalSymlinks(home); err == nil && a == b {
			return nil
		}
	}
	return &ledger.Error{Code: "ledger.copy", Place: ledger.At(l.path), Msg: "it is a second name (a hard link) of " + home + ", and only that name has its newest rows",
		Hint: "use --ledger " + home}
}

// settleIn gives a new ledger its id, notes where the ledger lies, and refuses one that is a copy while
// its original is still in use: two memories of one account would each send
// what only the other knows to be loaded. A ledger that was moved, or whose
// original is on another machine, is taken as it is.
func (l *Ledger) settleIn(ctx context.Context, conn *sql.Conn) error {
	get := func(name string) (v string, err error) {
		err = conn.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&v)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return v, err
	}
	id, err := get("id")
	if err != nil {
		return l.fault(err)
	}
	home, err := get("path")
	if err != nil {
		return l.fault(err)
	}
	if id != "" && home == l.path {
		return nil
	}
	if id == "" {
		var b [16]byte
		rand.Read(b[:])
		id = hex.EncodeToString(b[:])
	} else if here, err := os.Stat(l.path); err == nil {
		there, err := os.Stat(home)
		switch {
		case err != nil: // moved, or the original is out of reach
		case os.SameFile(here, there):
			return nil // another way to the same file
		case idOf(home) == id:
			return &ledger.Error{Code: "ledger.copy", Place: ledger.At(l.path), Msg: "it is a copy of " + home + ", which is still there and may know of more rows",
				Hint: "use the original: --ledger " + home + "; or, to go on with this copy, move the original away first"}
		}
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return l.fault(err)
	}
	_, err = conn.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('id', ?) ON CONFLICT DO NOTHING", id)
	if err == nil {
		_, err = conn.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ('path', ?) ON CONFLICT DO UPDATE SET value = excluded.value", l.path)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		conn.ExecContext(ctx, "ROLLBACK") // its own failure adds nothing
		return l.fault(err)
	}
	return nil
}

// idOf reads the id of another ledger, of whatever version; "" when it is none.
func idOf(path string) string {
	db, err := sql.Open("sqlite", fileURI(path)+"?mode=rw&_pragma=busy_timeout(30000)") // rw: a reader leaves its -wal file behind
	if err != nil {
		return ""
	}
	defer db.Close()
	var app int64
	var id string
	if db.QueryRow("PRAGMA application_id").Scan(&app) != nil || app != applicationID ||
		db.QueryRow("SELECT value FROM meta WHERE name = 'id'").Scan(&id) != nil {
		return ""
	}
	return id
}
