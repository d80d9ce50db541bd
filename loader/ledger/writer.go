package ledger

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// batchMax bounds the operations of one transaction.
const batchMax = 256

// While outcomes stream in, the writer gathers them, so that one transaction
// and one fsync serve many: it goes on as soon as none has come for lingerGap, somebody waits
// for the disk, or the first one is lingerMost old. Where few come at a time
// (lingerFrom or less, as with a limit) nothing is gained and it does not linger.
const (
	lingerFrom = 8
	lingerGap  = 2 * time.Millisecond
	lingerMost = 50 * time.Millisecond
)

// writer is the one goroutine that writes the ledger. It takes whatever is
// queued, up to batchMax operations, and commits them together, so that one
// fsync serves all calls that wait.
type writer struct {
	l     *Ledger
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	ops   chan op
	wg    sync.WaitGroup
	// durable is whether commits wait for the disk now; unsafe, that they never do.
	durable, unsafe bool
	// broken holds the first failure to commit. From then on nothing is
	// written any more: a ledger that may have missed something must not go on.
	broken  atomic.Pointer[error]
	commits atomic.Int64 // so far; tests count them

	mu     sync.Mutex
	closed bool
}

type op struct {
	do     func(*writer) error
	done   func(error) // called after the commit, never nil
	urgent bool        // somebody waits for it
	// jotted: a power cut may take it, until the next operation without this
	// mark has written something.
	jotted bool
}

func newWriter(l *Ledger, db *sql.DB, conn *sql.Conn, unsafe bool) *writer {
	w := &writer{l: l, db: db, conn: conn, stmts: map[string]*sql.Stmt{}, ops: make(chan op, batchMax), durable: !unsafe, unsafe: unsafe}
	w.wg.Add(1)
	go w.loop()
	return w
}

func (w *writer) loop() {
	defer w.wg.Done()
	batch := make([]op, 0, batchMax)
	gap := time.NewTimer(lingerGap)
	defer gap.Stop()
	for first := range w.ops {
		batch = w.gather(append(batch[:0], first), len(batch) > lingerFrom, gap)
		err := w.commit(batch)
		for _, o := range batch {
			o.done(err)
		}
	}
}

// gather takes what is queued, up to batchMax operations, and with linger what
// follows soon.
func (w *writer) gather(batch []op, linger bool, gap *time.Timer) []op {
	urgent := batch[0].urgent
	until := time.Now().Add(lingerMost)
	for len(batch) < batchMax {
		select {
		case o, ok := <-w.ops:
			if !ok {
				return batch
			}
			batch, urgent = append(batch, o), urgent || o.urgent
			continue
		default:
		}
		left := time.Until(until)
		if urgent || !linger || left <= 0 {
			return batch
		}
		gap.Reset(min(lingerGap, left))
		select {
		case o, ok := <-w.ops:
			if !ok {
				return batch
			}
			batch, urgent = append(batch, o), urgent || o.urgent
		case <-gap.C:
			return batch
		}
	}
	return batch
}

// commit runs a batch in one transaction: all of it or nothing, and on disk
// unless all of it is jotted.
func (w *writer) commit(batch []op) error {
	if p := w.broken.Load(); p != nil {
		return *p
	}
	ctx := context.Background()
	fail := func(err error) error {
		err = w.l.fault(err)
		w.broken.CompareAndSwap(nil, &err)
		return err
	}
	if err := w.sync(batch); err != nil {
		return fail(err)
	}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fail(err)
	}
	for _, o := range batch {
		if err := o.do(w); err != nil {
			w.conn.ExecContext(ctx, "ROLLBACK") // its own failure adds nothing: the first one is reported
			return fail(err)
		}
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		w.conn.ExecContext(ctx, "ROLLBACK")
		return fail(err)
	}
	w.commits.Add(1)
	return nil
}

// sync lets the next commit wait for the disk unless the whole batch is
// jotted. The log of transactions is written in order, so that a commit which waits
// covers all that did not.
func (w *writer) sync(batch []op) error {
	durable := slices.ContainsFunc(batch, func(o op) bool { return !o.jotted })
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

var errClosed = errors.New("the ledger is closed")

// queue hands an operation to the writer. done is called once, after the
// commit, on the writer's goroutine.
func (l *Ledger) queue(do func(*writer) error, done func(error)) {
	l.enqueue(op{do: do, done: done, urgent: true})
}

// hint queues what is worth remembering and does no harm when a power cut takes
// it: a look-up is made again, a call is not counted.
func (l *Ledger) hint(do func(*writer) error) {
	l.enqueue(op{do: do, done: func(error) {}, jotted: true})
}

func (l *Ledger) enqueue(o op) {
	w := l.w
	if w == nil {
		o.done(&Error{Code: "ledger.readonly", Path: l.path, Msg: "it was opened for reading only"})
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		o.done(errClosed)
		return
	}
	w.ops <- o
}

// write runs an operation and waits until it is on disk. It does not stop
// waiting when a context ends: what may be on disk must be known.
func (l *Ledger) write(do func(*writer) error) error { return l.await(op{do: do, urgent: true}) }

// jot runs an operation and waits until it is written, but not until it is on
// disk. It serves what only prepares sending: the intent of a row is
// written after it, and takes it to the disk.
func (l *Ledger) jot(do func(*writer) error) error {
	return l.await(op{do: do, urgent: true, jotted: true})
}

// await queues an operation and waits for its commit.
func (l *Ledger) await(o op) error {
	ch := make(chan error, 1)
	o.done = func(err error) { ch <- err }
	l.enqueue(o)
	return <-ch
}

// Flush waits until everything queued so far is written: intents and outcomes
// are on disk then.
func (l *Ledger) Flush() error { return l.write(func(*writer) error { return nil }) }

// Broken is the failure after which nothing more is written, or nil.
func (l *Ledger) Broken() error {
	if l.w == nil {
		return nil
	}
	if p := l.w.broken.Load(); p != nil {
		return *p
	}
	return nil
}

func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.ops)
	}
	w.mu.Unlock()
	w.wg.Wait()
	for _, s := range w.stmts {
		s.Close()
	}
	// Leave one file behind, not three: a ledger copied without its -wal file
	// would silently lack its newest rows.
	_, err := w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	if w.broken.Load() != nil {
		err = nil // reported already, to whoever wrote
	}
	return errors.Join(err, w.conn.Close(), w.db.Close())
}
