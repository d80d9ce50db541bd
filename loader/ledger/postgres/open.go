// Package postgres keeps a ledger in a PostgreSQL database: the store of
// several machines. It alone knows of connections, of what their loss means, and
// of leases that end.
//
//	l, err := postgres.Open(ctx, "postgres://loader@db.example.com/team", postgres.Options{})
//	defer l.Close()
package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"leadload/loader/ledger"
)

// LeaseFor is how long the lease of a holder lasts that is not heard of any more;
// it is renewed four times as often. Only tests of several processes shorten it,
// before they open a ledger.
var LeaseFor = 60 * time.Second

// Options say how to open a ledger. The zero value opens for writing and makes
// the tables where there are none.
type Options struct {
	ReadOnly  bool // only look; the ledger must be there
	MustExist bool // a database without a ledger is an error
	// Instead says what to do where a ledger that must be there is missing; "" is
	// to name another or to load first.
	Instead string
	Closed  bool // open it also where it was moved, or where a copy into it did not end
	// Patience is how long a database that is away is waited for; 0 is 15 min.
	Patience time.Duration
	// Notify is told, in a sentence, that the database is away and that it is back. It may be nil.
	Notify func(string)

	schema string        // of tests; "" is leadload
	lease  time.Duration // of tests; 0 is LeaseFor
}

// Ledger is an open ledger. It meets ledger.Store, and is safe for concurrent use.
type Ledger struct {
	name  string // for people: it holds no password
	o     Options
	made  bool
	pool  *pgxpool.Pool
	id    []byte // of this open ledger, among all that write
	w     *writer
	lease leases

	mu     sync.Mutex
	shapes map[int64]shape
	ids    map[string]int64 // of shapes, by their names
	away   bool             // people were told that the database is away

	// offering says whether there were offers when a run's plan began. The writer
	// alone uses it.
	offering struct {
		run  int64
		some bool
	}
}

var _ ledger.Store = (*Ledger)(nil)

// Batch makes up for the turns over a network, and the commit, that each batch takes.
func (l *Ledger) Batch() int { return 2048 }

// IsURL reports whether a ledger's name is the URL of a PostgreSQL database.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// HasPassword reports whether a URL holds a password.
func HasPassword(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	host, query, _ := strings.Cut(rest, "?")
	host, _, _ = strings.Cut(host, "/")
	user, _, named := cutLast(host, "@")
	for part := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(part, "="); key == "password" || key == "sslpassword" {
			return true
		}
	}
	return named && strings.Contains(user, ":")
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// Path returns the ledger's name for people.
func (l *Ledger) Path() string { return l.name }

// Made reports whether Open made the tables.
func (l *Ledger) Made() bool { return l.made }

// Open opens the ledger in the database that a URL names, and brings it to the
// newest version. What the URL leaves out comes from the PG variables, the
// password file and the service file. The error is a *ledger.Error; a ledger of
// a newer version is refused.
func Open(ctx context.Context, url string, o Options) (*Ledger, error) {
	if o.Patience == 0 {
		o.Patience = 15 * time.Minute
	}
	if o.schema == "" {
		o.schema = "leadload"
	}
	if o.lease == 0 {
		o.lease = LeaseFor
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	c, err := pgxpool.ParseConfig(url)
	if err != nil { // its words may hold a part of the URL, and so of a password
		return nil, &ledger.Error{Code: "ledger.unreadable", Msg: "the URL of the ledger's database cannot be read",
			Hint: "write it as postgres://USER@HOST:5432/DATABASE, the password in PGPASSWORD or ~/.pgpass"}
	}
	// Behind a pooler that hands a session to another client after each
	// transaction, statements with names meet those of others. The URL may not say otherwise.
	c.ConnConfig.DefaultQueryExecMode, c.ConnConfig.DescriptionCacheCapacity = pgx.QueryExecModeCacheDescribe, 64
	c.ConnConfig.ConnectTimeout = 10 * time.Second
	c.MaxConns, c.MinConns = 8, 0
	l := &Ledger{name: nameOf(c.ConnConfig), o: o, id: make([]byte, 16), shapes: map[int64]shape{}, ids: map[string]int64{}}
	rand.Read(l.id)
	if l.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, l.fault(err)
	}
	// A server that is just being restarted is waited for, a wrong name not for long.
	patience := min(o.Patience, time.Minute)
	if o.ReadOnly {
		patience = min(patience, 3*time.Second)
	}
	if err := l.again(ctx, patience, func() error { return l.begin(ctx) }); err != nil {
		l.pool.Close()
		return nil, err
	}
	if !o.ReadOnly {
		l.w = newWriter(l)
	}
	return l, nil
}

// begin brings the tables up to date, refuses a ledger that was moved, and makes
// the place that this one writes its transactions into.
func (l *Ledger) begin(ctx context.Context) error {
	marks, err := l.marks(ctx)
	if err != nil {
		return err
	}
	if err := l.migrate(ctx, marks); err != nil {
		return err
	}
	if err := l.usable(marks); err != nil || l.o.ReadOnly {
		return err
	}
	var t turn
	// A row that a power cut undoes would leave the answer to a lost COMMIT unknown.
	t.add("SELECT set_config('synchronous_commit', 'on', true)")
	t.add(l.sql("INSERT INTO leadload.writers (id, n, at) VALUES ($1, 0, "+now+") ON CONFLICT (id) DO NOTHING"), l.id)
	t.add(l.sql("DELETE FROM leadload.writers WHERE at < "+now+" - $1"), oldWriter.Milliseconds())
	return l.pooled(ctx, func(conn *pgx.Conn) error { return t.take(ctx, conn) })
}

// oldWriter is how long an open ledger that writes nothing is remembered. One that
// loses the answer to a COMMIT after that stops.
const oldWriter = 30 * 24 * time.Hour

// marks returns the marks of the ledger; nil: the database has none.
func (l *Ledger) marks(ctx context.Context) (marks map[string]string, err error) {
	err = l.pooled(ctx, func(conn *pgx.Conn) error {
		var t turn
		marks = marksInto(t.add(l.sql(marksOf)))
		err := t.take(ctx, conn)
		var pe *pgconn.PgError
		if errors.As(err, &pe) && (pe.Code == "42P01" || pe.Code == "3F000") { // no such table, or no such schema
			marks, err = nil, nil
		}
		return err
	})
	return marks, err
}

// nameOf names a database without a password.
func nameOf(c *pgx.ConnConfig) string {
	host := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		host = c.Host
	}
	return "postgres://" + host + "/" + c.Database
}

// now is the database's clock in Unix milliseconds.
const now = "(extract(epoch from clock_timestamp()) * 1000)::bigint"

// sql puts the name of the schema into a statement.
func (l *Ledger) sql(text string) string {
	if l.o.schema == "leadload" {
		return text
	}
	return strings.ReplaceAll(text, "leadload.", l.o.schema+".")
}

// migrate brings the schema to the newest version, under a lock that ends with
// its transaction: one of a session would outlive it behind a pooler.
func (l *Ledger) migrate(ctx context.Context, marks map[string]string) error {
	have, err := versionOf(marks)
	if err != nil {
		return err
	}
	switch {
	case have > len(migrations):
		return &ledger.Error{Code: "ledger.newer", Place: ledger.At(l.name), Msg: fmt.Sprintf("it was written by a newer leadload (version %d, this one knows %d)", have, len(migrations)),
			Hint: "use the newer leadload; an older one might send rows again"}
	case have == len(migrations):
		return nil
	case have == 0 && (l.o.ReadOnly || l.o.MustExist):
		return ledger.NotThere(l.name, "there is no ledger in this database", l.o.Instead)
	case l.o.ReadOnly:
		return &ledger.Error{Code: "ledger.readonly", Place: ledger.At(l.name), Msg: "it is of an older version and cannot be brought up to date while it is only read",
			Hint: "run leadload ledger check on it once"}
	}
	return pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', true), pg_advisory_xact_lock(7018970246)"); err != nil {
			return err
		}
		if marks == nil {
			var known bool
			if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", l.o.schema).Scan(&known); err != nil {
				return err
			}
			if !known {
				if _, err := tx.Exec(ctx, "CREATE SCHEMA "+l.o.schema); err != nil {
					return err
				}
			}
			if _, err := tx.Exec(ctx, l.sql(`CREATE TABLE IF NOT EXISTS leadload.meta (name text COLLATE "C" PRIMARY KEY, value text COLLATE "C" NOT NULL)`)); err != nil {
				return err
			}
		}
		var t turn
		marks := marksInto(t.add(l.sql(marksOf))) // somebody else may have been faster
		if err := t.take(ctx, tx.Conn()); err != nil {
			return err
		}
		have, err := versionOf(marks)
		if err != nil {
			return err
		}
		l.made = have == 0
		for n := have; n < len(migrations); n++ {
			for text := range strings.SplitSeq(l.sql(migrations[n]), ";\n") {
				if strings.TrimSpace(text) == "" {
					continue
				}
				if _, err := tx.Exec(ctx, text); err != nil {
					return err
				}
			}
		}
		_, err = tx.Exec(ctx, l.sql("INSERT INTO leadload.meta (name, value) VALUES ('version', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value"), strconv.Itoa(len(migrations)))
		return err
	})
}

// versionOf returns the version of the schema, 0 where there is none.
func versionOf(marks map[string]string) (int, error) {
	if marks["version"] == "" {
		return 0, nil
	}
	return strconv.Atoi(marks["version"])
}

// Close writes what is queued, gives the leases back and closes the ledger.
func (l *Ledger) Close() error {
	var err error
	if l.w != nil {
		err = l.giveBack()
		l.w.group.Close()
		l.w.drop()
		l.w = nil
	}
	if l.pool != nil {
		l.pool.Close()
		l.pool = nil
	}
	return err
}

// Check reads the ledger's tables and verifies what they say of one another.
func (l *Ledger) Check(ctx context.Context) error {
	var bad string
	err := l.query(ctx, `
SELECT 'record ' || r.id || ' has no scope' FROM leadload.records r LEFT JOIN leadload.scopes s ON s.id = r.scope WHERE s.id IS NULL
UNION ALL SELECT 'record ' || r.id || ' has no shape' FROM leadload.records r LEFT JOIN leadload.shapes s ON s.id = r.shape WHERE s.id IS NULL
UNION ALL SELECT 'an operation has no record ' || o.record FROM leadload.operations o LEFT JOIN leadload.records r ON r.id = o.record WHERE r.id IS NULL
UNION ALL SELECT 'what was sent for record ' || record || ' is gone' FROM leadload.operations WHERE state IN (2, 3, 4, 5, 12) AND payload IS NULL
LIMIT 3`, nil, func(rows pgx.Rows) error {
		bad = ""
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			bad += "; " + s
		}
		return nil
	})
	if err == nil && bad != "" {
		err = &ledger.Error{Code: "ledger.corrupt", Place: ledger.At(l.name), Msg: "the tables are damaged: " + bad[2:], Hint: corruptHint}
	}
	return err
}

const corruptHint = "nothing was sent; restore the database from a backup"

// fault turns a database error into a *ledger.Error that says what to do.
func (l *Ledger) fault(err error) error {
	if err == nil {
		return nil
	}
	if own := (*ledger.Error)(nil); errors.As(err, &own) || errors.Is(err, context.Canceled) {
		return err
	}
	e := &ledger.Error{Code: "ledger.write", Place: ledger.At(l.name), Msg: "it could not be read or written", Err: err,
		Hint: "no further row was sent; mend the cause and run the same command again"}
	var pe *pgconn.PgError
	var ce *pgconn.ConnectError
	switch {
	case errors.As(err, &pe):
		e.Err = errors.New(pe.Message + " (SQLSTATE " + pe.Code + ")")
		switch {
		case pe.Code == "42501", pe.Code == "25006":
			e.Code, e.Msg = "ledger.readonly", "the database does not let this user write it"
			e.Hint = "type leadload help several-machines for the grants that leadload needs"
		case pe.Code == "53100":
			e.Code, e.Msg = "ledger.full", "the disk of the database is full"
			e.Hint = "no further row was sent; free some space and run the same command again"
		case strings.HasPrefix(pe.Code, "28"), strings.HasPrefix(pe.Code, "3D"):
			e.Code, e.Msg = "ledger.unreadable", "the database refuses the connection"
			e.Hint = "check the user, the database and its password (PGPASSWORD, ~/.pgpass or a service file)"
		}
	case errors.As(err, &ce):
		e.Code, e.Msg, e.Err = "ledger.away", "the database cannot be reached", errors.New(reasons(ce.Unwrap()))
		e.Hint = "check the host and the port in --ledger or LEADLOAD_LEDGER, and that the database runs"
	}
	return e
}

// reasons returns on one line why no attempt to connect succeeded. The same address
// is tried with and without TLS, mostly with the same end.
func reasons(err error) string {
	return strings.Join(slices.Compact(strings.Split(err.Error(), "\n")), "; ")
}
