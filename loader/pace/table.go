package pace

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// Table remembers an account's calls for other processes and for the next one.
// It is a SQLite file that holds nothing else: the ledger's longer transactions
// would stop the calls. What is lost with a power cut is not missed, since the
// windows it was about are over by then.
//
// A Table can be given to several pacers; each counts as a process of its own.
type Table struct {
	path    string
	account string // a hash
	clock   clock

	io   sync.Mutex // one transaction at a time
	db   *sql.DB
	conn *sql.Conn
	stmt statements
	err  error // why it cannot be used

	// The wall clock and the monotonic one at the latest transaction, to notice
	// that the former was set.
	wallThen int64
	thenMono time.Time

	mu   sync.Mutex
	pend []entry
}

type statements struct {
	begin, commit, rollback               *sql.Stmt
	insert, wrote, resp, limited, remove  *sql.Stmt
	foreign, restamp, endNow              *sql.Stmt
	readPacers, writePacer                *sql.Stmt
	readState, writeState                 *sql.Stmt
	pruneCalls, prunePacers, pruneControl *sql.Stmt
}

const (
	applicationID = 0x6c706163 // "lpac", so that no other database is taken for ours
	tableVersion  = 1
	busyTimeout   = 5 * time.Second
	// A call whose process died before it was written had this long to leave.
	writtenWithin = 5 * time.Second
	// A wall clock that gains or loses more than this in between was set.
	wallMoved = 10 * time.Millisecond
	// What is older than this is of no use to anybody.
	pruneCallsAfter   = time.Hour
	pruneControlAfter = 30 * 24 * time.Hour
)

const schema = `
CREATE TABLE call (
	account TEXT NOT NULL,
	owner   INTEGER NOT NULL, -- the pacer that made the call
	seq     INTEGER NOT NULL,
	boot    TEXT NOT NULL,    -- whose clock the times are by; '' for wall time
	skew    INTEGER NOT NULL, -- added to a time it gives wall time
	sent    INTEGER NOT NULL, -- times in ns
	wrote   INTEGER,
	resp    INTEGER,
	limited INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (account, owner, seq)
) WITHOUT ROWID;
CREATE TABLE pacer (
	account TEXT NOT NULL,
	owner   INTEGER NOT NULL,
	wall    INTEGER NOT NULL, -- when the row was written, by the wall clock
	seen    INTEGER NOT NULL, -- and by the table's
	trip    INTEGER NOT NULL, -- the smallest round trip, or 0
	since   INTEGER NOT NULL, -- when the call whose turn it is began to wait for others' slots
	until   INTEGER NOT NULL, -- the pacer looks again before then; 0 if no call waits
	PRIMARY KEY (account, owner)
) WITHOUT ROWID;
CREATE TABLE control (
	account TEXT NOT NULL,
	calls   INTEGER NOT NULL, -- the limit as set by the user
	window  INTEGER NOT NULL,
	version INTEGER NOT NULL,
	at      INTEGER NOT NULL, -- wall time in ns
	state   TEXT NOT NULL,    -- JSON
	PRIMARY KEY (account, calls, window)
) WITHOUT ROWID;
`

// errClosed ends the use of a table without ado.
var errClosed = errors.New("the table is closed")

// OpenTable opens the table of an account in the file at path, which is made,
// with mode 0600 and its folder, if it is not there. account is any name for the
// account that is the same for all its processes; the file holds only its hash.
//
// The Table that comes with an error remembers nothing and can be used: a pacer
// that is given it says "memory-lost" and works alone.
func OpenTable(path, account string) (*Table, error) {
	return openTable(path, account, systemClock())
}

func openTable(path, account string, clk clock) (*Table, error) {
	sum := sha256.Sum256([]byte(account))
	t := &Table{path: path, account: hex.EncodeToString(sum[:12]), clock: clk}
	if err := t.open(path); err != nil {
		t.err = fmt.Errorf("call table %q: %w", path, err)
		if t.conn != nil {
			_ = t.conn.Close() // what has gone wrong is said already
		}
		if t.db != nil {
			_ = t.db.Close()
		}
		t.conn, t.db = nil, nil
		return t, t.err
	}
	return t, nil
}

func (t *Table) open(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// SQLite would make the file readable for all; its side files take the mode
	// of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") { // C:/…
		name = "/" + name
	}
	uri := url.URL{Scheme: "file", Path: name}
	if t.db, err = sql.Open("sqlite", uri.String()); err != nil {
		return err
	}
	t.db.SetMaxOpenConns(1)
	ctx := context.Background()
	if t.conn, err = t.db.Conn(ctx); err != nil {
		return err
	}
	if err := t.prepareFile(ctx); err != nil {
		return err
	}
	if err := t.prepare(ctx); err != nil {
		return err
	}
	wall := t.clock.wall()
	_, cerr := t.stmt.pruneCalls.ExecContext(ctx, wall-int64(pruneCallsAfter))
	_, perr := t.stmt.prunePacers.ExecContext(ctx, wall-int64(pruneCallsAfter))
	_, err = t.stmt.pruneControl.ExecContext(ctx, wall-int64(pruneControlAfter))
	return errors.Join(cerr, perr, err)
}

// prepareFile makes the tables, unless they are there.
func (t *Table) prepareFile(ctx context.Context) (err error) {
	exec := func(q string) error {
		_, err := t.conn.ExecContext(ctx, q)
		return err
	}
	number := func(q string) (n int64, err error) {
		err = t.conn.QueryRowContext(ctx, q).Scan(&n)
		return n, err
	}
	if err := exec(fmt.Sprintf("PRAGMA busy_timeout=%d", busyTimeout.Milliseconds())); err != nil {
		return err
	}
	// Asked before anything is written: the path may be a mistake.
	// In one transaction, for another process may be making the tables now.
	if err := exec("BEGIN"); err != nil {
		return err
	}
	id, ierr := number("PRAGMA application_id")
	things, terr := number("SELECT count(*) FROM sqlite_master")
	if err := errors.Join(ierr, terr, exec("COMMIT")); err != nil {
		return err
	}
	if id != applicationID && (id != 0 || things > 0) {
		return errors.New("the file is a database of another kind; name a file of its own for the table")
	}
	if err := exec("PRAGMA synchronous=OFF"); err != nil {
		return err
	}
	// The change to WAL does not wait for another process that does the same.
	for try := range 50 {
		if err = exec("PRAGMA journal_mode=WAL"); err == nil {
			break
		}
		time.Sleep(time.Duration(try+1) * time.Millisecond)
	}
	if err != nil {
		return err
	}
	if err := exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, exec("ROLLBACK"))
		}
	}()
	version, err := number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if version != tableVersion {
		err := exec(fmt.Sprintf("DROP TABLE IF EXISTS call; DROP TABLE IF EXISTS pacer; DROP TABLE IF EXISTS control; %s PRAGMA application_id=%d; PRAGMA user_version=%d",
			schema, applicationID, tableVersion))
		if err != nil {
			return err
		}
	}
	return exec("COMMIT")
}

func (t *Table) prepare(ctx context.Context) error {
	s := &t.stmt
	for _, q := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&s.begin, `BEGIN IMMEDIATE`},
		{&s.commit, `COMMIT`},
		{&s.rollback, `ROLLBACK`},
		{&s.insert, `INSERT INTO call (account, owner, seq, boot, skew, sent) VALUES (?, ?, ?, ?, ?, ?)`},
		{&s.wrote, `UPDATE call SET wrote = ? WHERE account = ? AND owner = ? AND seq = ?`},
		{&s.resp, `UPDATE call SET resp = ? WHERE account = ? AND owner = ? AND seq = ?`},
		{&s.limited, `UPDATE call SET limited = 1 WHERE account = ? AND owner = ? AND seq = ?`},
		{&s.remove, `DELETE FROM call WHERE account = ? AND owner = ? AND seq = ?`},
		// Two ranges of the key instead of a look at all of our own rows.
		{&s.foreign, `SELECT owner, seq, boot, skew, sent, wrote, resp, limited FROM call WHERE account = ?1 AND owner < ?2
			UNION ALL SELECT owner, seq, boot, skew, sent, wrote, resp, limited FROM call WHERE account = ?1 AND owner > ?2`},
		{&s.restamp, `UPDATE call SET boot = ?, skew = ?, sent = ?, wrote = ?, resp = ? WHERE account = ? AND owner = ? AND seq = ?`},
		// Everybody's, since several pacers can share the Table that has noticed.
		{&s.endNow, `UPDATE call SET sent = ?1, wrote = iif(wrote IS NULL, NULL, ?1), resp = iif(resp IS NULL, NULL, ?1) WHERE account = ?2`},
		{&s.readPacers, `SELECT owner, seen, trip, since, until FROM pacer WHERE account = ?`},
		{&s.writePacer, `INSERT INTO pacer (account, owner, wall, seen, trip, since, until) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET wall = excluded.wall, seen = excluded.seen, trip = excluded.trip, since = excluded.since, until = excluded.until`},
		{&s.readState, `SELECT version, at, state FROM control WHERE account = ? AND calls = ? AND window = ?`},
		{&s.writeState, `INSERT INTO control (account, calls, window, version, at, state) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET version = excluded.version, at = excluded.at, state = excluded.state`},
		{&s.pruneCalls, `DELETE FROM call WHERE sent + skew < ?`},
		{&s.prunePacers, `DELETE FROM pacer WHERE wall < ?`},
		{&s.pruneControl, `DELETE FROM control WHERE at < ?`},
	} {
		var err error
		if *q.to, err = t.conn.PrepareContext(ctx, q.sql); err != nil {
			return err
		}
	}
	return nil
}

// Close tells the table what it has not been told yet and closes the file. Pacers
// that still use it go on without memory. A process that ends without it loses
// no more than a moment's news.
func (t *Table) Close() error {
	t.io.Lock()
	defer t.io.Unlock()
	if t.db == nil {
		return nil
	}
	var err error
	if t.err == nil { // else the pacers have said so
		_, err = t.transact(ask{})
	}
	err = errors.Join(err, t.conn.Close(), t.db.Close())
	t.conn, t.db, t.err = nil, nil, errClosed
	return err
}

// newOwner is a number for a pacer that no other has.
func newOwner() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return int64(binary.NativeEndian.Uint64(b[:]) >> 1)
}
