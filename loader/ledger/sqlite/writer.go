package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"leadload/loader/ledger"
)

// task is one thing to be written.
type task struct {
	do func(*writer) error
	// loaded is what do writes down, where that is that a row is loaded: many of them
	// take fewer statements than as many tasks.
	loaded *loaded
}

// writer is the connection that writes the ledger. The group hands it one
// batch at a time.
type writer struct {
	l     *Ledger
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	group *ledger.Group[task]
	// durable is whether commits wait for the disk now; unsafe, that they never do.
	durable, unsafe bool
	args            []any // reused by statements of many rows
	// shapes are the numbers of lists of field names, as far as this process has met them.
	shapes map[string]int64
	proved bool // the index of records has been held against the table
	// made are the hashes of the mappings of runs that this process has met.
	made map[int64]string
}

func newWriter(l *Ledger, db *sql.DB, conn *sql.Conn, unsafe bool) *writer {
	w := &writer{l: l, db: db, conn: conn, stmts: map[string]*sql.Stmt{}, durable: !unsafe, unsafe: unsafe}
	w.group = ledger.NewGroup(w.commit)
	return w
}

// commit runs a batch in one transaction: all of it or nothing.
func (w *writer) commit(batch []ledger.Write[task], durable bool) error {
	ctx := context.Background()
	if err := w.sync(durable); err != nil {
		return w.l.fault(err)
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return w.l.fault(err)
	}
	for len(batch) > 0 {
		n := alike(batch)
		if err := w.some(batch[:n]); err != nil {
			w.rollback()
			return w.l.fault(err)
		}
		batch = batch[n:]
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		w.rollback()
		return w.l.fault(err)
	}
	return nil
}

// some runs tasks: together where they can be, or else one by one.
func (w *writer) some(tasks []ledger.Write[task]) error {
	if len(tasks) > 1 {
		if done, err := w.together(tasks); done || err != nil {
			return err
		}
	}
	for i := range tasks {
		if err := tasks[i].What.do(w); err != nil {
			return err
		}
	}
	return nil
}

// rollback undoes the transaction. Its own failure adds nothing: the first one
// is reported, and nothing is written after it.
func (w *writer) rollback() {
	w.conn.ExecContext(context.Background(), "ROLLBACK")
}

// sync makes the next commit wait for the disk, or not. The log of
// transactions is written in order, so that a commit which waits covers all
// that did not.
func (w *writer) sync(durable bool) error {
	if w.unsafe || durable == w.durable {
		return nil
	}
	q := "PRAGMA synchronous = NORMAL"
	if durable {
		q = "PRAGMA synchronous = FULL"
	}
	if _, err := w.conn.ExecContext(context.Background(), q); err != nil {
		return err
	}
	w.durable = durable
	return nil
}

// stmt prepares a statement once.
func (w *writer) stmt(q string) (*sql.Stmt, error) {
	if s := w.stmts[q]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(context.Background(), q)
	if err != nil {
		return nil, err
	}
	w.stmts[q] = s
	return s, nil
}

func (w *writer) exec(q string, args ...any) (sql.Result, error) {
	s, err := w.stmt(q)
	if err != nil {
		return nil, err
	}
	return s.Exec(args...)
}

// changes runs a statement and returns how many rows it changed.
func (w *writer) changes(q string, args ...any) (int64, error) {
	r, err := w.exec(q, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (w *writer) row(q string, args ...any) rowScanner {
	s, err := w.stmt(q)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRow(args...)
}

type rowScanner interface{ Scan(...any) error }

type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

// write runs an operation and waits until it is on disk.
func (l *Ledger) write(do func(*writer) error) error { return l.await(do, false) }

// jot runs an operation and waits until it is written, but not until it is on
// disk. It serves what only prepares sending: the intent of a row is written
// after it, and takes it to the disk.
func (l *Ledger) jot(do func(*writer) error) error { return l.await(do, true) }

// hint queues what is worth remembering and harmless to lose: a look-up is
// made again, a call is not counted.
func (l *Ledger) hint(do func(*writer) error) {
	l.queue(ledger.Write[task]{What: task{do: do}, Done: func(error) {}, Jotted: true})
}

func (l *Ledger) await(do func(*writer) error, jotted bool) error {
	if l.w == nil {
		return l.readOnly()
	}
	return l.w.group.Await(task{do: do}, jotted)
}

func (l *Ledger) queue(w ledger.Write[task]) {
	if l.w == nil {
		w.Done(l.readOnly())
		return
	}
	l.w.group.Queue(w)
}

func (l *Ledger) readOnly() error {
	return &ledger.Error{Code: "ledger.readonly", Place: ledger.At(l.path), Msg: "it was opened for reading only"}
}

// Flush waits until everything queued so far is on disk, where it is looked for.
func (l *Ledger) Flush() error {
	if err := l.write(func(*writer) error { return nil }); err != nil || l.w == nil {
		return err
	}
	return l.moved()
}

// Broken returns the failure after which nothing more is written, or nil.
func (l *Ledger) Broken() error {
	if l.w == nil {
		return nil
	}
	return l.w.group.Broken()
}

func (w *writer) close() error {
	w.group.Close()
	for _, s := range w.stmts {
		s.Close()
	}
	err := w.settleDown()
	if w.group.Broken() != nil {
		err = nil // reported already, to whoever wrote
	}
	return errors.Join(err, w.conn.Close(), w.db.Close())
}

// settleDown leaves one file behind, not three: a ledger copied without its -wal
// file would lack its newest rows.
func (w *writer) settleDown() error {
	if !w.l.isMine() {
		return nil // a run is on, which leaves one file behind when it ends
	}
	if err := w.unmark(); err != nil {
		return err
	}
	w.l.moved() // at the latest now
	if w.l.save {
		return w.rescue()
	}
	// A reader keeps the rows from going over, without an error.
	var busy, logged, moved int64
	err := w.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved)
	if err == nil && busy != 0 && w.l.notify != nil {
		w.l.notify(fmt.Sprintf("another program reads the ledger, so its newest rows stay in %s: whoever copies the ledger must copy both files", walName(w.l.path)))
	}
	return err
}
