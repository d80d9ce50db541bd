package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
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
