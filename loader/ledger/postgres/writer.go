package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"leadload/loader/ledger"
)

// work is one thing to be written.
type work struct {
	lease   int64    // the account of its lease; 0: none
	records []int64  // that it needs to know
	ids     [][]byte // of the account, whose owners it needs to know
	do      func(*unit) error
}

// line is a connection that one goroutine has for itself.
type line struct {
	conn *pgx.Conn // nil: none is open
}

// connect opens the connection, unless it is.
func (c *line) connect(ctx context.Context, l *Ledger) error {
	if c.conn != nil {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, l.pool.Config().ConnConfig)
	if err == nil {
		c.conn = conn
	}
	return err
}

// drop gives the connection up, and with it whatever was under way.
func (c *line) drop() {
	if c.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.conn.Close(ctx) // its failure adds nothing: the first one is told
		c.conn = nil
	}
}

// writer writes the ledger. The group hands it one batch at a time.
type writer struct {
	line
	l     *Ledger
	group *ledger.Group[work]
	n     int64 // of the newest transaction
}

func newWriter(l *Ledger) *writer {
	w := &writer{l: l}
	w.group = ledger.NewGroup(w.commit)
	return w
}

// settingsOf is the statement by which a transaction says what must not depend on
// the server's settings: how long a statement may take, and how long a session that
// lost its client holds its locks. Settings of a session would reach the next client
// of a pooler.
func settingsOf(statement, idle time.Duration) string {
	return fmt.Sprintf(`SELECT set_config('synchronous_commit', 'on', true), set_config('statement_timeout', '%d', true), set_config('idle_in_transaction_session_timeout', '%d', true),
	set_config('tcp_keepalives_idle', '5', true), set_config('tcp_keepalives_interval', '2', true), set_config('tcp_keepalives_count', '3', true), set_config('jit', 'off', true)`, statement.Milliseconds(), idle.Milliseconds())
}

var settings = settingsOf(60*time.Second, 10*time.Second)

// commit writes a batch in one transaction: all of it or nothing. While the
// database is away it waits, and everybody with it: nothing leaves whose intent
// is not written.
func (w *writer) commit(batch []ledger.Write[work], _ bool) error {
	w.n++
	unknown := false // the answer to a COMMIT was lost
	return w.l.patiently(context.Background(), func() error {
		err := w.try(batch, &unknown)
		if err != nil {
			w.drop()
		}
		return err
	})
}

// try makes one attempt. Where the answer to the COMMIT of an earlier one was
// lost, it asks first what became of that one: neither the error's text nor
// whether a call seems safe to repeat says so.
func (w *writer) try(batch []ledger.Write[work], unknown *bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	if err := w.connect(ctx, w.l); err != nil {
		return err
	}
	if *unknown {
		done, err := w.committed(ctx)
		if err != nil || done {
			return err
		}
		*unknown = false
	}
	u := &unit{l: w.l, ctx: ctx, conn: w.conn}
	if err := u.begin(batch, w.n); err != nil {
		return err
	}
	for i := range batch {
		if err := batch[i].What.do(u); err != nil {
			return err
		}
	}
	*unknown = true // until its answer is here
	if err := u.commit(); err != nil {
		return err
	}
	*unknown = false
	return nil
}

// committed reports whether the newest transaction was committed. It waits for
// a session that is still at it: each transaction holds the lock of its row.
func (w *writer) committed(ctx context.Context) (bool, error) {
	var t turn
	var n int64
	var found bool
	t.add(w.l.sql("SELECT n FROM leadload.writers WHERE id = $1 FOR UPDATE"), w.l.id).into(&found, &n)
	if err := t.take(ctx, w.conn); err != nil {
		return false, err
	}
	if !found {
		return false, &ledger.Error{Code: "ledger.write", Place: ledger.At(w.l.name), Msg: "nobody knows whether the last write was done",
			Hint: "no further row was sent; run the same command again"}
	}
	return n >= w.n, nil
}

// patiently does something again while the database is away.
func (l *Ledger) patiently(ctx context.Context, do func() error) error {
	return l.again(ctx, l.o.Patience, do)
}

// again does something again while the database is away, for so long.
func (l *Ledger) again(ctx context.Context, patience time.Duration, do func() error) error {
	until := time.Now().Add(patience)
	for try := 1; ; try++ {
		err := do()
		switch {
		case err == nil:
			l.back()
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err) || time.Now().After(until):
			return l.fault(err)
		case try > 1:
			l.tellAway(err)
		}
		pause(try)
	}
}

// pause waits before the next attempt.
func pause(try int) {
	d := min(50*time.Millisecond<<min(try, 6), 2*time.Second)
	time.Sleep(d/2 + rand.N(d/2+1))
}

// transient reports whether an error may pass by itself: the database is away,
// starts, was failed over, has no room, or ended a statement to serve another.
func transient(err error) bool {
	var own *ledger.Error
	if errors.As(err, &own) {
		return false
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		var parse *pgconn.ParseConfigError
		var name *net.DNSError
		if errors.As(err, &name) && name.IsNotFound {
			return false
		}
		// A row that is not there does not come by waiting.
		return !errors.As(err, &parse) && !errors.Is(err, context.Canceled) && !errors.Is(err, ledger.ErrPlanned) && !errors.Is(err, pgx.ErrNoRows)
	}
	switch pe.Code {
	case "0A000", "26000", "42P05", // another version of leadload changed a table, or a pooler changed the session
		"25P02", "25P03", "25006", // a session that timed out, a server that was failed over
		"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53100", "53200", "53300", "53400":
		return true
	}
	return strings.HasPrefix(pe.Code, "08")
}

// tellAway says once why nothing is sent for now.
func (l *Ledger) tellAway(err error) {
	l.mu.Lock()
	told := l.away
	l.away = true
	l.mu.Unlock()
	if !told {
		what := "the ledger's database " + l.name + " is away; nothing is sent until it is back"
		if pe := (*pgconn.PgError)(nil); errors.As(err, &pe) && pe.Code == "53100" {
			what = "the disk of the ledger's database " + l.name + " is full; nothing is sent until it has room"
		}
		l.o.Notify(what)
	}
}

func (l *Ledger) back() {
	l.mu.Lock()
	told := l.away
	l.away = false
	l.mu.Unlock()
	if told {
		l.o.Notify("the ledger's database is back")
	}
}

// query reads, again where the database was away for a moment. read may be
// called more than once.
func (l *Ledger) query(ctx context.Context, text string, args []any, read func(pgx.Rows) error) error {
	return l.patiently(ctx, func() error {
		return l.pooled(ctx, func(conn *pgx.Conn) error {
			rows, err := ask(ctx, conn, l.sql(text), args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			if err := read(rows); err != nil {
				return err
			}
			rows.Close()
			return rows.Err()
		})
	})
}

// pooled does something with a connection of the pool.
func (l *Ledger) pooled(ctx context.Context, do func(*pgx.Conn) error) error {
	return l.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return do(c.Conn()) })
}

// one reads one row into dest, and reports whether there is one.
func (l *Ledger) one(ctx context.Context, text string, args []any, dest ...any) (found bool, err error) {
	err = l.query(ctx, text, args, func(rows pgx.Rows) error {
		if found = rows.Next(); found {
			return rows.Scan(dest...)
		}
		return nil
	})
	return found, err
}

// write does something and waits until it is on disk.
func (l *Ledger) write(w work) error {
	if l.w == nil {
		return l.readOnly()
	}
	return l.w.group.Await(w, false)
}

// hint queues what is worth remembering and harmless to lose.
func (l *Ledger) hint(do func(*unit) error) {
	l.queue(ledger.Write[work]{What: work{do: do}, Done: func(error) {}, Jotted: true})
}

func (l *Ledger) queue(w ledger.Write[work]) {
	if l.w == nil {
		w.Done(l.readOnly())
		return
	}
	l.w.group.Queue(w)
}

func (l *Ledger) readOnly() error {
	return &ledger.Error{Code: "ledger.readonly", Place: ledger.At(l.name), Msg: "it was opened for reading only"}
}

// Flush waits until everything queued so far is on disk.
func (l *Ledger) Flush() error { return l.write(work{do: func(*unit) error { return nil }}) }

// Broken returns the failure after which nothing more is written, or nil.
func (l *Ledger) Broken() error {
	if l.w == nil {
		return nil
	}
	return l.w.group.Broken()
}
