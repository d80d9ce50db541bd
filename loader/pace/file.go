package pace

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// file is a store in a SQLite file that holds nothing else: the ledger's longer
// transactions would stop the calls.
type file struct {
	path    string
	account string // a hash
	clock   Clock

	db   *sql.DB
	conn *sql.Conn
	stmt statements
	book Book // reused

	// The wall clock and the monotonic one at the latest transaction, to notice
	// that the former was set.
	wallThen int64
	thenMono time.Time
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

// openFile opens a store. The one that comes with an error can only be closed.
func openFile(path, account string, clk Clock) (*file, error) {
	sum := sha256.Sum256([]byte(account))
	f := &file{path: path, account: hex.EncodeToString(sum[:12]), clock: clk}
	if err := f.open(path); err != nil {
		_ = f.Close() // what has gone wrong is said already
		return f, f.fault(err)
	}
	return f, nil
}

func (f *file) fault(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("call table %q: %w", f.path, err)
}

// Clock returns the clock of this machine.
func (f *file) Clock() Clock { return f.clock }

func (f *file) open(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// SQLite would make the file readable for all; its side files take the mode
	// of this one.
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := made.Close(); err != nil {
		return err
	}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") { // C:/…
		name = "/" + name
	}
	uri := url.URL{Scheme: "file", Path: name}
	if f.db, err = sql.Open("sqlite", uri.String()); err != nil {
		return err
	}
	f.db.SetMaxOpenConns(1)
	ctx := context.Background()
	if f.conn, err = f.db.Conn(ctx); err != nil {
		return err
	}
	if err := f.prepareFile(ctx); err != nil {
		return err
	}
	if err := f.prepare(ctx); err != nil {
		return err
	}
	wall := f.clock.Wall()
	_, cerr := f.stmt.pruneCalls.ExecContext(ctx, wall-int64(pruneCallsAfter))
	_, perr := f.stmt.prunePacers.ExecContext(ctx, wall-int64(pruneCallsAfter))
	_, err = f.stmt.pruneControl.ExecContext(ctx, wall-int64(pruneControlAfter))
	return errors.Join(cerr, perr, err)
}

// prepareFile makes the tables, unless they are there.
func (f *file) prepareFile(ctx context.Context) (err error) {
	exec := func(q string) error {
		_, err := f.conn.ExecContext(ctx, q)
		return err
	}
	number := func(q string) (n int64, err error) {
		err = f.conn.QueryRowContext(ctx, q).Scan(&n)
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

func (f *file) prepare(ctx context.Context) error {
	s := &f.stmt
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
		if *q.to, err = f.conn.PrepareContext(ctx, q.sql); err != nil {
			return err
		}
	}
	return nil
}

// Close closes the file.
func (f *file) Close() (err error) {
	if f.conn != nil {
		err = f.conn.Close()
	}
	if f.db != nil {
		err = errors.Join(err, f.db.Close())
	}
	f.conn, f.db = nil, nil
	return err
}

// Round makes one transaction.
func (f *file) Round(news []News, by Asker, decide func(*Book) (Changes, error)) error {
	return f.fault(f.transact(news, by, decide))
}

func (f *file) transact(news []News, by Asker, decide func(*Book) (Changes, error)) (err error) {
	ctx := context.Background()
	if _, err := f.stmt.begin.ExecContext(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, rerr := f.stmt.rollback.ExecContext(ctx)
			err = errors.Join(err, rerr)
		}
	}()
	if err := f.tell(ctx, news); err != nil {
		return err
	}
	if decide != nil {
		if err := f.read(ctx, by); err != nil {
			return err
		}
		c, err := decide(&f.book)
		if err != nil {
			return err
		}
		if err := f.write(ctx, by, c); err != nil {
			return err
		}
	}
	_, err = f.stmt.commit.ExecContext(ctx)
	return err
}

// tell writes news.
func (f *file) tell(ctx context.Context, news []News) error {
	for _, n := range news {
		var err error
		switch n.Kind {
		case Wrote:
			_, err = f.stmt.wrote.ExecContext(ctx, n.At, f.account, n.Owner, n.Seq)
		case Answered:
			_, err = f.stmt.resp.ExecContext(ctx, n.At, f.account, n.Owner, n.Seq)
		case Refused:
			_, err = f.stmt.limited.ExecContext(ctx, f.account, n.Owner, n.Seq)
		case Over:
			_, err = f.stmt.remove.ExecContext(ctx, f.account, n.Owner, n.Seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read fills the book.
func (f *file) read(ctx context.Context, by Asker) error {
	b := &f.book
	*b = Book{Moved: f.wallWasSet(), Calls: b.Calls[:0], Pacers: b.Pacers[:0]}
	rows, err := f.stmt.foreign.QueryContext(ctx, f.account, by.Owner)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c CallRow
		if err := rows.Scan(&c.Owner, &c.Seq, &c.Boot, &c.Skew, &c.Sent, &c.Wrote, &c.Resp, &c.Limited); err != nil {
			return err
		}
		b.Calls = append(b.Calls, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	pacers, err := f.stmt.readPacers.QueryContext(ctx, f.account)
	if err != nil {
		return err
	}
	defer pacers.Close()
	for pacers.Next() {
		var p PacerRow
		if err := pacers.Scan(&p.Owner, &p.Seen, &p.Trip, &p.Since, &p.Until); err != nil {
			return err
		}
		b.Pacers = append(b.Pacers, p)
	}
	if err := errors.Join(pacers.Err(), pacers.Close()); err != nil {
		return err
	}
	err = f.stmt.readState.QueryRowContext(ctx, f.account, by.Set.Calls, int64(by.Set.Window)).Scan(&b.State.Version, &b.State.At, &b.State.Text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// write writes what was decided.
func (f *file) write(ctx context.Context, by Asker, c Changes) error {
	if c.EndAll != 0 {
		if _, err := f.stmt.endNow.ExecContext(ctx, c.EndAll, f.account); err != nil {
			return err
		}
	}
	for _, r := range c.Restamp {
		if _, err := f.stmt.restamp.ExecContext(ctx, r.Boot, r.Skew, r.Sent, r.Wrote, r.Resp, f.account, r.Owner, r.Seq); err != nil {
			return err
		}
	}
	for _, r := range c.Over {
		if _, err := f.stmt.remove.ExecContext(ctx, f.account, r.Owner, r.Seq); err != nil {
			return err
		}
	}
	if p := c.Pacer; p != nil {
		if _, err := f.stmt.writePacer.ExecContext(ctx, f.account, p.Owner, p.Wall, p.Seen, int64(p.Trip), p.Since, p.Until); err != nil {
			return err
		}
	}
	if s := c.State; s != nil {
		if _, err := f.stmt.writeState.ExecContext(ctx, f.account, by.Set.Calls, int64(by.Set.Window), s.Version, s.At, s.Text); err != nil {
			return err
		}
	}
	for _, r := range c.Start {
		if _, err := f.stmt.insert.ExecContext(ctx, f.account, r.Owner, r.Seq, r.Boot, r.Skew, r.Sent); err != nil {
			return err
		}
	}
	return nil
}

// wallWasSet reports whether the wall clock was set since the latest transaction.
// It matters only where the wall clock is the store's clock.
func (f *file) wallWasSet() bool {
	if f.clock.Boot != "" {
		return false
	}
	wall, mono := f.clock.Wall(), time.Now()
	then, thenMono := f.wallThen, f.thenMono
	f.wallThen, f.thenMono = wall, mono
	if thenMono.IsZero() {
		return false
	}
	gained := time.Duration(wall-then) - mono.Sub(thenMono)
	return gained > wallMoved || gained < -wallMoved
}
