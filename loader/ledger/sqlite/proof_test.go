package sqlite

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

// harm writes into a ledger past everything that keeps it sound. SQLite itself
// sees no damage: indexes are left as they were.
func harm(t *testing.T, path string, list ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", fileURI(path))
	check(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, q := range append([]string{"PRAGMA writable_schema = ON"}, list...) {
		_, err := db.Exec(q)
		check(t, err)
	}
}

// withoutIndex runs a statement while SQLite does not know of an index.
func withoutIndex(name string, list ...string) []string {
	return append(append([]string{
		"CREATE TEMP TABLE kept AS SELECT rowid AS r, sql, type, name, tbl_name, rootpage FROM sqlite_schema WHERE name = '" + name + "'",
		"DELETE FROM sqlite_schema WHERE name = '" + name + "'",
		"PRAGMA writable_schema = RESET", "PRAGMA writable_schema = ON",
	}, list...), "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) SELECT type, name, tbl_name, rootpage, sql FROM kept")
}

// TestDamageThatSendsAgain damages what decides about sending: rows are never
// planned to be sent again because of it.
func TestDamageThatSendsAgain(t *testing.T) {
	entries := func(n int) []ledger.Entry {
		list := make([]ledger.Entry, n)
		for i := range list {
			list[i] = ledgertest.Entry(i+2, fmt.Sprint("K", i), "x", fmt.Sprint(i))
		}
		return list
	}
	for name, c := range map[string][]string{
		"the index has another hash":      withoutIndex("records_hash", "UPDATE records SET hash = hash + 16 WHERE id = 7"),
		"the index lacks a record":        withoutIndex("records_hash", "INSERT INTO records SELECT 1000, scope, hash + 1, tail, fate, body, shape, prints, remote, lead, attempts, resends, sent, lost, run, row, key FROM records WHERE id = 7", "DELETE FROM records WHERE id = 7"),
		"a bit of what names the record":  {"UPDATE records SET tail = unhex(printf('%02x', CASE WHEN substr(hex(tail), 1, 2) = '00' THEN 1 ELSE 0 END) || substr(hex(tail), 3)) WHERE id = 7"},
		"a fate that is none":             {"UPDATE records SET fate = 6 WHERE id = 7"},
		"a fate of one that was not sent": {"UPDATE records SET fate = 1 WHERE id = 7"},
		"the account's name":              {"UPDATE account_names SET name = replace(name, 'example', 'exbmple')"},
		"the scope's account":             {"UPDATE scopes SET account = 3"},
		"the scope's target":              {"UPDATE scopes SET target = 'opportunity:12001'"},
	} {
		for _, large := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", large ", large), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "l.db")
				f := fixtureAt(t, path)
				for i, e := range f.Plan(f.Run(), entries(40)...) {
					f.Load(e.Record, ledgertest.GUID(i))
				}
				if large {
					check(t, f.l.write(func(w *writer) error {
						_, err := w.exec("INSERT INTO mappings (hash, name, text) VALUES ('x', 'y', hex(randomblob(?)))", wholeCheck/2)
						return err
					}))
				}
				check(t, f.l.Close())
				harm(t, path, c...)
				l, err := Open(path, Options{})
				if err == nil {
					defer l.Close()
					err = func() error {
						acct, err := l.Enroll(t.Context(), "api.example.com", []string{"keys:api.example.com:1"})
						if err != nil {
							return err
						}
						lease, err := l.Lease(t.Context(), acct, ledger.Holder{})
						if err != nil {
							return err
						}
						scope, err := l.Scope(t.Context(), acct, "opportunity:12000")
						if err != nil {
							return err
						}
						run, err := l.Begin(t.Context(), ledger.Run{Account: acct, Command: "import"})
						if err != nil {
							return err
						}
						p := ledger.Planner{Store: l, Lease: lease, Run: run, Scope: scope}
						list := entries(40)
						for i := range list { // one by one and backwards, so that each is looked up
							if err := p.Plan(t.Context(), list[39-i:40-i]); err != nil {
								return err
							}
						}
						for _, e := range list {
							if e.Verdict == ledger.Due {
								t.Errorf("row %d would be sent again", e.Number)
							}
						}
						return nil
					}()
				}
				if err == nil && large && name == "the index has another hash" {
					return // the record is found by the index, and no row is sent again
				}
				if codeOf(err) != "ledger.corrupt" {
					t.Errorf("%v, want ledger.corrupt", err)
				} else if own := err.(*ledger.Error); !strings.Contains(own.Hint, "leadload ledger import") || !strings.Contains(own.Hint, "leadload adopt") {
					t.Errorf("hint %q", own.Hint)
				}
			})
		}
	}
}
