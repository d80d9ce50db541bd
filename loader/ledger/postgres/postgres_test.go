package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
	"leadload/loader/ledger/sqlite"
)

// server returns the URL of the server that tests may use.
func server(t testing.TB) string {
	t.Helper()
	url := os.Getenv("LEADLOAD_TEST_POSTGRES")
	if url == "" {
		t.Skip("LEADLOAD_TEST_POSTGRES names no PostgreSQL server to test with")
	}
	return url
}

// schema returns the name of a schema that goes with the test.
func schema(t testing.TB, url string) string {
	t.Helper()
	var b [8]byte
	rand.Read(b[:])
	name := "test_" + hex.EncodeToString(b[:])
	t.Cleanup(func() {
		ctx := context.Background() // the test's is over
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return name
}

func TestStore(t *testing.T) {
	url := server(t)
	ledgertest.Run(t, func(t testing.TB) ledgertest.Open {
		name := schema(t, url)
		return func(t testing.TB) ledger.Store {
			l, err := Open(t.Context(), url, Options{schema: name, Patience: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	})
}

// TestCopyToAFile copies from a file into a database and back, and the other way
// round.
func TestCopyToAFile(t *testing.T) {
	url := server(t)
	database := func() ledgertest.Open {
		name := schema(t, url)
		return func(t testing.TB) ledger.Store {
			l, err := Open(t.Context(), url, Options{schema: name})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	}
	file := func() ledgertest.Open {
		path := filepath.Join(t.TempDir(), "ledger.db")
		return func(t testing.TB) ledger.Store {
			l, err := sqlite.Open(path, sqlite.Options{Unsafe: true})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
	}
	t.Run("file", func(t *testing.T) { ledgertest.CopyBetween(t, file(), database(), database()) })
	t.Run("database", func(t *testing.T) { ledgertest.CopyBetween(t, database(), file(), file()) })
}

// TestCopyHasEverything says that a copy takes over every column of every table, but
// those that are listed here.
func TestCopyHasEverything(t *testing.T) {
	url := server(t)
	l, err := Open(t.Context(), url, Options{schema: schema(t, url)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	own := []string{"meta", "writers", "pace_calls", "pacers", "paces",
		"account_names.hash", "shapes.hash", "rosters.hash", "leases.holder", "leases.who", "leases.command", "leases.since", "leases.until", "leases.timeout", "leases.ended"}
	taken := map[string]bool{}
	for i := range ledger.Tables {
		for _, c := range ledger.Tables[i].Columns {
			taken[ledger.Tables[i].Name+"."+columnOf(&ledger.Tables[i], c).name] = true
		}
	}
	if err := l.query(t.Context(), "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = $1", []any{l.o.schema}, func(rows pgx.Rows) error {
		for rows.Next() {
			var table, column string
			if err := rows.Scan(&table, &column); err != nil {
				return err
			}
			if name := table + "." + column; !taken[name] && !slices.Contains(own, table) && !slices.Contains(own, name) {
				t.Errorf("%s is not copied: write it into ledger.Tables", name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestNobodyListens says that a database which cannot be reached is told on one line.
func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	_, err = Open(t.Context(), "postgres://"+at+"/x", Options{ReadOnly: true, Patience: time.Millisecond})
	var e *ledger.Error
	if !errors.As(err, &e) || e.Code != "ledger.away" {
		t.Fatalf("%v, want ledger.away", err)
	}
	if text := err.Error(); strings.ContainsAny(text, "\n\t") || strings.Count(text, "dial error") != 1 {
		t.Errorf("%q, want the reason once, on one line", text)
	}
}

// TestCloseLeavesNoConnection says that the server hears of the end of each
// connection, instead of a client that is gone.
func TestCloseLeavesNoConnection(t *testing.T) {
	url := server(t)
	l, err := Open(t.Context(), url, Options{schema: schema(t, url)})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	conn := l.w.conn
	if conn == nil || conn.IsClosed() {
		t.Fatal("the writer has no connection")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !conn.IsClosed() {
		t.Error("the writer's connection stays open")
	}
}

// TestTransient says which failures are waited out.
func TestTransient(t *testing.T) {
	for code, want := range map[string]bool{
		"57P03": true, // the server starts
		"57P01": true, // an administrator ended the session
		"53100": true, // its disk is full
		"53300": true, // too many connections
		"25006": true, // failed over to a server that only reads
		"40P01": true, // a deadlock
		"08006": true, // the connection is gone
		"0A000": true, // another version changed a table
		"28P01": false, "3D000": false, "42501": false, "42703": false, "23505": false,
	} {
		if got := transient(fmt.Errorf("in between: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s is waited out: %v", code, got)
		}
	}
	for _, err := range []error{context.Canceled, ledger.ErrPlanned, fmt.Errorf("in between: %w", pgx.ErrNoRows), &net.DNSError{IsNotFound: true}, &ledger.Error{Code: "ledger.newer"}} {
		if transient(err) {
			t.Errorf("%v is waited out", err)
		}
	}
	if !transient(io.ErrUnexpectedEOF) {
		t.Error("a connection that broke is not waited out")
	}
}
