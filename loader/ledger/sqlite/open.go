// Package sqlite keeps a ledger in a SQLite file: the store of one machine.
// It alone knows of files, of copies of them, and of SQL.
//
//	l, err := sqlite.Open(path, sqlite.Options{})
//	defer l.Close()
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"leadload/loader/ledger"
)

// applicationID marks a SQLite file as a ledger ("LLdg"), so that another
// program's database is never taken for one.
const applicationID = 0x4c4c6467

// Options say how to open a ledger. The zero value opens for writing and
// makes the file when there is none.
type Options struct {
	ReadOnly  bool // only look; the file must be there
	MustExist bool // a missing file is an error
	// Instead says what to do where a file that must be there is missing; "" is to
	// name another or to load first.
	Instead string
	Closed  bool // open it also where it was moved, or where a copy into it did not end
	// Seen is the folder in which the number of the newest run of each ledger is
	// kept, so that an older ledger is known; "" is none. Take opens a ledger
	// that lacks something all the same.
	Seen string
	Take bool
	// Notify gets what a user should know, in a sentence. It may be nil.
	Notify func(string)
	// Unsafe gives up durability (synchronous=OFF); it serves the measurement
	// of what durability costs and nothing else.
	Unsafe bool
}

// Ledger is an open ledger. It meets ledger.Store, and is safe for concurrent use.
type Ledger struct {
	path string
	made bool
	// closed says that it was opened although it may have been moved.
	closed bool
	db     *sql.DB // readers
	w      *writer // nil when opened for reading
	q      queries // of the readers

	file   *os.File // the ledger's file, for the lock
	seen   string   // Options.Seen
	notify func(string)

	mu        sync.Mutex
	mine      bool // this process has the lock
	here, wal fs.FileInfo
	gone      error // its files are no longer in their place
	save      bool  // and what it has must be kept elsewhere
}

var _ ledger.Store = (*Ledger)(nil)

// Batch is 0: no network is between.
func (l *Ledger) Batch() int { return 0 }

// Path returns the file's path.
func (l *Ledger) Path() string { return l.path }

// Made reports whether Open created the file.
func (l *Ledger) Made() bool { return l.made }

// Open opens the ledger at path, brings it to the newest version and checks
// it. The error is a *ledger.Error; a ledger that is damaged, cut off or of a newer
// version is never replaced by an empty one.
func Open(path string, o Options) (*Ledger, error) {
	if scheme, _, ok := strings.Cut(path, "://"); ok && isScheme(scheme) {
		// Taken for a path it would make a new, empty ledger, and send every row
		// again. What follows the scheme may hold a password.
		return nil, &ledger.Error{Code: "ledger.scheme", Msg: fmt.Sprintf("a ledger is a file, and no database at %s://", scheme),
			Hint: "name a file with --ledger, or a database as postgres://USER@HOST/DATABASE"}
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(path), Msg: "its path cannot be used", Err: err}
	}
	l := &Ledger{path: abs, seen: o.Seen, notify: o.Notify}
	wal := sizeOf(walName(abs))
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// An empty one is what a reader left behind. Beside a file that is there by
		// now, it is that of another process, which has just made both.
		if wal, err := os.Stat(abs + "-wal"); err == nil && wal.Size() > 0 && !exists(abs) {
			return nil, &ledger.Error{Code: "ledger.missing", Place: ledger.At(abs), Msg: "the file is gone but its -wal file is there",
				Hint: "put the ledger file back beside its -wal file; a new ledger would send every row again"}
		}
		if name := abs + rescued; exists(name) {
			return nil, &ledger.Error{Code: "ledger.missing", Place: ledger.At(abs), Msg: "the file is gone, and a run that was on then has kept it as " + name,
				Hint: "put it back: mv " + name + " " + abs + "; a new ledger would send every row again"}
		}
		if o.ReadOnly || o.MustExist {
			return nil, ledger.NotThere(abs, "there is no such file", o.Instead)
		}
		// A link to a file that is not there yet: the file is made, and the link stays.
		for range 40 {
			target, err := os.Readlink(abs)
			if err != nil {
				break
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(abs), target)
			}
			abs = target
		}
		l.path, l.made = abs, true
	case err != nil:
		return nil, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(abs), Msg: "it cannot be read", Err: bare(err),
			Hint: "check the path and your rights to it, or name another with --ledger"}
	case info.IsDir():
		return nil, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(abs), Msg: "it is a folder",
			Hint: "name a file with --ledger"}
	case info.Size() == 0:
		return nil, &ledger.Error{Code: "ledger.empty", Place: ledger.At(abs), Msg: "the file is empty, so what it knew is lost",
			Hint: "restore it from a backup, or rebuild it with leadload ledger import RESULTS.xlsx; delete it only if nothing was ever loaded with it"}
	}
	if !l.made && !o.ReadOnly {
		if err := keepOthersOut(abs, info); err != nil {
			return nil, err
		}
	}
	if l.made {
		if err := os.MkdirAll(filepath.Dir(abs), 0o700); err != nil {
			return nil, &ledger.Error{Code: "ledger.unreadable", Place: ledger.At(abs), Msg: "its folder cannot be made", Err: bare(err),
				Hint: "name a ledger in a folder that you may write with --ledger"}
		}
		if l.made, err = l.create(); err != nil {
			return nil, err
		}
	}
	err = l.open(o, wal)
	if err == nil && !o.Closed {
		err = l.usable(context.Background())
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	l.closed = o.Closed
	return l, nil
}

// isScheme reports whether a text has the form of the scheme of a URL.
func isScheme(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9') && !strings.ContainsRune("+-.", r)) {
			return false
		}
	}
	return len(s) > 1 // C: is a drive
}

// keepOthersOut takes the right to write from others: whoever can change the
// ledger decides what is sent again.
func keepOthersOut(path string, info fs.FileInfo) error {
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o002 == 0 {
		return nil
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &ledger.Error{Code: "ledger.others", Place: ledger.At(path), Msg: fmt.Sprintf("everybody can write it (mode %04o), so what it says proves nothing", info.Mode().Perm()), Err: bare(err),
				Hint: "let its owner type chmod 600 " + path + ", or name another with --ledger"}
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fileURI names a file to SQLite, whatever signs are in its path.
func fileURI(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
}

func (l *Ledger) open(o Options, wal int64) error {
	ctx := context.Background()
	dsn := func(pragmas ...string) string {
		q := url.Values{}
		for _, p := range pragmas {
			q.Add("_pragma", p)
		}
		if o.ReadOnly {
			q.Set("mode", "ro")
		}
		return fileURI(l.path) + "?" + q.Encode()
	}
	readonly := l.openFile(o.ReadOnly)
	var err error
	if l.db, err = sql.Open("sqlite", dsn("busy_timeout(30000)", "query_only(1)", "temp_store(2)")); err != nil {
		return l.fault(err)
	}
	if o.ReadOnly {
		return l.check(ctx, o, wal)
	}
	if !l.made {
		if err := l.soleName(ctx); err != nil {
			return err
		}
		if err := l.check(ctx, o, wal); err != nil {
			return err
		}
	}
	if readonly != nil {
		return &ledger.Error{Code: "ledger.readonly", Place: ledger.At(l.path), Msg: "it cannot be written, so no row can be sent safely", Err: bare(readonly),
			Hint: "give yourself write access to the file, or name another with --ledger"}
	}
	durable := "synchronous(FULL)"
	if o.Unsafe {
		durable = "synchronous(OFF)"
	}
	wdb, err := sql.Open("sqlite", dsn("busy_timeout(30000)", "journal_mode(WAL)", durable,
		"fullfsync(1)", "foreign_keys(0)", "secure_delete(1)", "cache_size(-16000)", "temp_store(2)", "wal_autocheckpoint(4000)"))
	if err != nil {
		return l.fault(err)
	}
	wdb.SetMaxOpenConns(1)
	conn, err := wdb.Conn(ctx)
	if err != nil {
		return errors.Join(l.fault(err), wdb.Close())
	}
	err = l.migrate(ctx, conn)
	if err == nil {
		err = l.settleIn(ctx, conn)
	}
	if err != nil {
		return errors.Join(err, conn.Close(), wdb.Close())
	}
	l.w = newWriter(l, wdb, conn, o.Unsafe)
	return nil
}

// check tells a ledger from everything else that a file can be, before
// anything is written to it.
func (l *Ledger) check(ctx context.Context, o Options, wal int64) error {
	var app, version int64
	if err := l.db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return l.fault(err)
	}
	if err := l.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return l.fault(err)
	}
	if app != applicationID {
		return &ledger.Error{Code: "ledger.foreign", Place: ledger.At(l.path), Msg: "it is a database of another program",
			Hint: "name leadload's own ledger with --ledger"}
	}
	if version > int64(len(migrations)) {
		return &ledger.Error{Code: "ledger.newer", Place: ledger.At(l.path), Msg: fmt.Sprintf("it was written by a newer leadload (version %d, this one knows %d)", version, len(migrations)),
			Hint: "use the newer leadload; an older one might send rows again"}
	}
	if o.ReadOnly && version < int64(len(migrations)) {
		return &ledger.Error{Code: "ledger.readonly", Place: ledger.At(l.path), Msg: "it is of an older version and cannot be brought up to date while it is only read",
			Hint: "run leadload ledger check on it once"}
	}
	if err := l.complete(ctx, wal); err != nil && !o.Take {
		return err
	}
	if err := l.current(ctx, o.Seen); err != nil && !o.Take {
		return err
	}
	// A whole check of a large file takes seconds; a small one is free. Of a large
	// one the names are verified here, and its records before one is made.
	if info, err := os.Stat(l.path); err == nil && info.Size() < wholeCheck {
		return l.Check(ctx)
	}
	return l.unbroken(ctx)
}

// Check reads the whole file and verifies its structure, and that indexes and
// tables say the same.
func (l *Ledger) Check(ctx context.Context) error {
	if err := l.unbroken(ctx); err != nil {
		return err
	}
	rows, err := l.db.QueryContext(ctx, "PRAGMA integrity_check(3)")
	if err != nil {
		return l.fault(err)
	}
	defer rows.Close()
	var bad []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return l.fault(err)
		}
		if s != "ok" {
			bad = append(bad, s)
		}
	}
	if err := rows.Err(); err != nil {
		return l.fault(err)
	}
	if len(bad) > 0 {
		return &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.path), Msg: "the file is damaged: " + strings.Join(bad, "; "), Hint: corruptHint}
	}
	return nil
}

const corruptHint = "nothing was sent; restore the ledger from a backup, or move it away and rebuild it with leadload ledger import RESULTS.xlsx from your results files. " +
	"A backup lacks what was loaded since: before the next import, write that into it with leadload ledger import, or with leadload adopt FILE -m MAPPING, which asks the account"

func (l *Ledger) migrate(ctx context.Context, conn *sql.Conn) error {
	exec := func(q string) error {
		_, err := conn.ExecContext(ctx, q)
		return err
	}
	if err := exec("BEGIN IMMEDIATE"); err != nil {
		return l.fault(err)
	}
	var version int
	err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if err == nil && version < len(migrations) {
		err = exec("PRAGMA application_id = " + strconv.Itoa(applicationID))
		for ; err == nil && version < len(migrations); version++ {
			m := migrations[version]
			if err = exec(m.sql); err == nil && m.move != nil {
				err = m.move(ctx, conn)
			}
			if err == nil && m.end != "" {
				err = exec(m.end)
			}
		}
		if err == nil {
			err = exec("PRAGMA user_version = " + strconv.Itoa(version))
		}
	}
	if err == nil {
		err = exec("COMMIT")
	}
	if err != nil {
		_ = exec("ROLLBACK") // it fails where the error has undone the transaction already
		return l.fault(err)
	}
	return nil
}

// Close writes what is queued and closes the file.
func (l *Ledger) Close() error {
	var errs []error
	if l.w != nil {
		l.alone(context.Background(), 0) // so that no run is disturbed: it fails beside one
		errs = append(errs, l.w.close())
		l.w = nil
	}
	if l.db != nil {
		errs = append(errs, l.q.close(), l.db.Close())
		l.db = nil
	}
	if l.file != nil { // last: see openFile
		errs = append(errs, l.file.Close())
		l.file = nil
	}
	return errors.Join(errs...)
}

// fault turns a database error into a *ledger.Error that says what to do.
func (l *Ledger) fault(err error) error {
	if err == nil {
		return nil
	}
	if own := (*ledger.Error)(nil); errors.As(err, &own) {
		return err
	}
	e := &ledger.Error{Code: "ledger.write", Place: ledger.At(l.path), Msg: "it could not be read or written", Err: bare(err),
		Hint: "no further row was sent; mend the cause and run the same command again"}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return e
	}
	if strings.Contains(e.Err.Error(), "\n") {
		e.Err = se // of several that came together the first says it
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		e.Code, e.Msg, e.Hint = "ledger.corrupt", "the file is damaged or is no ledger", corruptHint
	case sqlite3.SQLITE_FULL:
		e.Code, e.Msg = "ledger.full", "the disk is full"
		e.Hint = "no further row was sent; free some space (1 KB for each row left is plenty) and run the same command again"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		e.Code, e.Msg = "ledger.readonly", "it cannot be opened or written"
		e.Hint = "check your rights to the file and its folder, or name another with --ledger"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		e.Code, e.Msg = "ledger.busy", "another process has kept it locked for 30 s"
		e.Hint = "wait for the other program to end and run the same command again"
	case sqlite3.SQLITE_IOERR:
		e.Msg = "the disk failed or is full"
	}
	return e
}

// bare takes the path out of a file error; the *Error has it already.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
