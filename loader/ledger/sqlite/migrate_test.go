package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leadload/loader/ledger"
	"leadload/loader/ledger/ledgertest"
)

const newest = 14

// moving is the version that takes records over from other tables.
const moving = 4

// oldFile makes a ledger as an earlier version left it, by that version's own
// tables: a row in every state, and many more.
func oldFile(t testing.TB, path string, version int) {
	t.Helper()
	now := migrations
	migrations = now[:version]
	defer func() { migrations = now }()
	if version >= moving {
		oldFile(t, path, moving-1)
		l, err := Open(path, Options{})
		check(t, err)
		check(t, l.Close())
		return
	}
	l := &Ledger{path: path}
	_, err := l.create()
	check(t, err)
	db, err := sql.Open("sqlite", fileURI(path))
	check(t, err)
	db.SetMaxOpenConns(1)
	exec := func(q string, args ...any) {
		t.Helper()
		if _, err := db.Exec(q, args...); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	exec("BEGIN")
	exec("INSERT INTO accounts (id, name) VALUES (1, 'api.example.com'), (2, 'other')")
	exec("INSERT INTO account_names VALUES ('keys:api.example.com:1', 1), ('keys:other:1', 2)")
	exec("INSERT INTO scopes VALUES (1, 1, 'opportunity:12000'), (2, 1, 'sales-activity'), (3, 2, 'opportunity:12000')")
	exec("INSERT INTO shapes VALUES (1, 'x')")
	exec("INSERT INTO leads VALUES (1, 'EmailAddress', ?, ?, ?)", ledger.Hidden("a@example.com"), ledgertest.GUID(77), time.Now().UnixMilli())
	exec("INSERT INTO days VALUES (1, '2026-11-22', 9)")
	for run := 1; run <= 3; run++ {
		exec(`INSERT INTO runs (id, account, command, input, input_path, sheet, mapping, mapping_path, mapping_hash, target, timezone, who, version, pace, started, ended, exit)
			VALUES (?, 1, 'import', 'deals.csv', '', '', '', '', '', 'opportunity', '', '', '', 'off', ?, ?, 4)`, run, 1_700_000_000_000+run, 1_700_000_900_000)
	}
	id := 0
	record := func(scope, run, row int, key string, s ledger.State, more string, args ...any) {
		id++
		e := ledgertest.Entry(row, key, "x", fmt.Sprint(row))
		ident := e.IdentOf(1)
		exec("INSERT INTO records (id, scope, ident, state, body, shape, prints, run, row) VALUES (?,?,?,?,?,1,?,?,?)", id, scope, ident[:], s, e.Digest.Body[:], e.Digest.Prints, run, row)
		if more != "" {
			exec("UPDATE records SET "+more+" WHERE id = ?", append(args, id)...)
		}
		exec("INSERT INTO run_rows (run, n, line, origin, print, verdict, record, key) VALUES (?,?,?,?,?,1,?,?)", run, row, row+1, row, int64(e.Fingerprint), id, key)
	}
	const payload = `{"t":"opportunity","b":"{\"a\":1}","l":"a@example.com","k":["Fields.x"]}`
	words := "code = 'x.code', msg = 'words', hint = 'do it'"
	record(1, 1, 2, "ready", ledger.Ready, "")
	record(1, 1, 3, "reserved", ledger.Reserved, "attempts = 1, sent = 1000, payload = ?", payload)
	record(1, 1, 4, "sending", ledger.Sending, "attempts = 2, sent = 2000, payload = ?", payload)
	record(1, 1, 5, "doubt", ledger.InDoubt, "attempts = 3, resends = 1, sent = 3000, payload = ?, candidates = 'a b', lead = 'L-1', "+words, payload)
	record(1, 1, 6, "pending", ledger.Pending, "attempts = 1, sent = 4000, payload = ?, request = 'R-1', "+words, payload)
	record(1, 1, 7, "loaded", ledger.Loaded, "attempts = 1, sent = 5000, remote = ?, lead = ?", ledgertest.GUID(1), ledgertest.GUID(2))
	record(1, 1, 8, "partial", ledger.Loaded, "attempts = 1, sent = 6000, remote = 'P-17', "+words)
	record(1, 1, 9, "duplicate", ledger.Duplicate, "attempts = 1, sent = 7000, remote = ?, "+words, ledgertest.GUID(3))
	record(1, 1, 10, "rejected", ledger.Rejected, "attempts = 1, sent = 8000, "+words)
	record(1, 1, 11, "refused before", ledger.Ready, "attempts = 1, sent = 9000, "+words)
	exec("INSERT INTO run_rows (run, n, line, origin, print, verdict, key, code, msg, hint) VALUES (1, 12, 13, 12, -5, 2, 'bad', 'email.syntax', 'no address', 'correct it')")
	exec("INSERT INTO run_rows (run, n, line, origin, print, verdict, record, key, code, msg, hint) VALUES (1, 13, 14, 13, 6, 5, 6, 'loaded', 'row.repeated', 'twice', 'delete it')")
	record(2, 1, 20, "loaded", ledger.Loaded, "sent = 5000, remote = ?", ledgertest.GUID(4)) // the same key in another scope
	record(3, 3, 2, "loaded", ledger.Sending, "attempts = 1, sent = 5000, payload = ?", payload)
	for n := range 3000 {
		record(1, 2, n+2, fmt.Sprint("K", n), ledger.Loaded, "attempts = 1, sent = 10000, remote = ?", ledgertest.GUID(100+n))
	}
	if version >= 2 {
		exec("UPDATE records SET ended = 3500 WHERE state = 4 OR remote = ?", ledgertest.GUID(1)) // one of them found after its answer was lost
	}
	exec("COMMIT")
	check(t, db.Close())
}

// holdsAll says that a ledger knows all that oldFile wrote.
func holdsAll(t *testing.T, path string, version int) {
	t.Helper()
	f := fixtureAt(t, path)
	defer f.l.Close()
	check(t, f.l.Check(t.Context()))
	var now int
	check(t, f.l.db.QueryRow("PRAGMA user_version").Scan(&now))
	if now != newest {
		t.Errorf("version %d, want %d", now, newest)
	}
	var got []string
	for _, r := range f.Rows(1) {
		sent := int64(-1)
		if !r.SentAt.IsZero() {
			sent = r.SentAt.UnixMilli()
		}
		got = append(got, fmt.Sprintf("%d %d %d %s %s %s|%s|%s|%s %s|%s %d %d %s", r.Number, r.Line, r.Origin, r.Key, r.State, r.Result, r.ID, r.LeadID, r.RequestID, r.Code, r.Error, r.Attempts, sent, strings.Join(r.Candidates, ",")))
	}
	want := []string{
		"2 3 2 ready ready not sent||| | 0 -1 ",
		"3 4 3 reserved reserved in doubt||| | 1 1000 ",
		"4 5 4 sending sending in doubt||| | 2 2000 ",
		"5 6 5 doubt in doubt in doubt||L-1| x.code|words 3 3000 a,b",
		"6 7 6 pending pending pending|||R-1 x.code|words 1 4000 ",
		"7 8 7 loaded loaded loaded|" + ledgertest.GUID(1) + "|" + ledgertest.GUID(2) + "| | 1 5000 ",
		"8 9 8 partial loaded loaded|P-17|| x.code|words 1 6000 ",
		"9 10 9 duplicate duplicate duplicate|" + ledgertest.GUID(3) + "|| x.code|words 1 7000 ",
		"10 11 10 rejected rejected rejected||| x.code|words 1 8000 ",
		"11 12 11 refused before ready not sent||| x.code|words 1 9000 ",
		"12 13 12 bad state 0 invalid||| email.syntax|no address 0 -1 ",
		"13 14 13 loaded loaded repeated|" + ledgertest.GUID(1) + "|" + ledgertest.GUID(2) + "| row.repeated|twice 0 -1 ",
		"20 21 20 loaded loaded loaded|" + ledgertest.GUID(4) + "|| | 0 5000 ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("run 1:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	rows := f.Rows(2)
	if len(rows) != 3000 || rows[2999].ID != ledgertest.GUID(3099) || rows[2999].Key != "K2999" {
		t.Errorf("run 2 has %d rows, the last %+v", len(rows), rows[len(rows)-1])
	}
	// What was under way is in doubt for whoever comes next; other accounts are left alone.
	if n, err := f.l.Recover(t.Context(), f.Lease); err != nil || n != 2 {
		t.Errorf("%d recovered, %v; want 2", n, err)
	}
	open := f.Open()
	if len(open) != 4 {
		t.Fatalf("%d open, want 4", len(open))
	}
	for _, o := range open {
		if o.Payload.Body != `{"a":1}` || o.Payload.Lead != "a@example.com" || o.Sent.UnixMilli() != 1000*o.Record-1000 {
			t.Errorf("open %+v", o)
		}
		if o.Record == 4 && (o.Resends != 1 || o.Attempts != 3 || o.LeadID != "L-1" || o.Ended.IsZero() != (version < 2)) {
			t.Errorf("in doubt %+v", o)
		}
	}
	// Every row is still the row that it was.
	run := f.Run()
	entries := f.Plan(run, ledgertest.Entry(2, "ready", "x", "2"), ledgertest.Entry(3, "reserved", "x", "3"), ledgertest.Entry(7, "loaded", "x", "7"), ledgertest.Entry(8, "partial", "x", "other"),
		ledgertest.Entry(9, "duplicate", "x", "9"), ledgertest.Entry(10, "rejected", "x", "10"), ledgertest.Entry(11, "refused before", "x", "11"), ledgertest.Entry(2999, "K2997", "x", "2999"), ledgertest.Entry(4000, "new", "x", "1"))
	var planned []string
	for _, e := range entries {
		planned = append(planned, fmt.Sprint(e.Verdict, " ", e.State))
	}
	if got, want := strings.Join(planned, ", "), "1 ready, 1 in doubt, 3 loaded, 6 loaded, 3 duplicate, 1 ready, 1 ready, 3 loaded, 1 ready"; got != want {
		t.Errorf("planned %s, want %s", got, want)
	}
	// The first night after the upgrade sends nothing twice, and updates what changed alone.
	var night []ledger.Entry
	for n := range 3000 {
		night = append(night, ledgertest.Entry(n+2, fmt.Sprint("K", n), "x", fmt.Sprint(n+2)))
	}
	night[7] = ledgertest.Entry(9, "K7", "x", "new")
	second := f.Planner(f.Run())
	second.Policy.Update = true
	verdicts := map[ledger.Verdict]int{}
	for part := range slices.Chunk(night, 512) {
		check(t, second.Plan(t.Context(), part))
		for _, e := range part {
			verdicts[e.Verdict]++
		}
	}
	if verdicts[ledger.Already] != 2999 || verdicts[ledger.Changing] != 1 || len(night[7].Differs) != 1 {
		t.Errorf("the first night after the upgrade: %v", verdicts)
	}
	check(t, f.Settle(2, ledger.Loaded, "found"))
	check(t, f.Settle(5, ledger.Loaded, "polled"))
	leads, err := f.l.Memo().Leads(t.Context(), f.Acct, "EmailAddress", []string{"a@example.com"}, time.Hour)
	if lead := leads["a@example.com"]; err != nil || lead != ledgertest.GUID(77) {
		t.Errorf("lead %q, %v", lead, err)
	}
	calls, err := f.l.Memo().CallsOn(t.Context(), f.Acct, time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC))
	if err != nil || calls != 9 {
		t.Errorf("%d calls, %v", calls, err)
	}
	var old int
	check(t, f.l.db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name LIKE 'old%'").Scan(&old))
	if old != 0 {
		t.Errorf("%d tables of the version before are left", old)
	}
}

func TestEveryOlderVersion(t *testing.T) {
	if len(migrations) != newest {
		t.Fatalf("%d versions, and the newest is told to be %d", len(migrations), newest)
	}
	for version := 1; version < newest; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "l.db")
			oldFile(t, path, version)
			if _, err := Open(path, Options{ReadOnly: true}); codeOf(err) != "ledger.readonly" {
				t.Errorf("reading an older version: %v", err)
			}
			holdsAll(t, path, version)
			// An older program keeps its hands off it.
			now := migrations
			migrations = now[:version]
			defer func() { migrations = now }()
			if _, err := Open(path, Options{}); codeOf(err) != "ledger.newer" {
				t.Errorf("an older program: %v", err)
			}
		})
	}
}

// TestInterruptedMigration cuts a migration off in every way: killed right
// before its end, and by a disk that is full after any number of pages.
func TestInterruptedMigration(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "l.db")
	oldFile(t, path, moving-1)
	ctx := context.Background()

	t.Run("killed", func(t *testing.T) {
		db, err := sql.Open("sqlite", fileURI(path)+"?_pragma=journal_mode(WAL)&_pragma=cache_size(20)") // much of it spills to the disk
		check(t, err)
		defer db.Close()
		conn, err := db.Conn(ctx)
		check(t, err)
		defer conn.Close()
		for _, do := range []func() error{
			func() error { _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); return err },
			func() error { _, err := conn.ExecContext(ctx, migrations[moving-1].sql); return err },
			func() error { return migrations[moving-1].move(ctx, conn) },
			func() error { _, err := conn.ExecContext(ctx, migrations[moving-1].end); return err },
		} {
			check(t, do())
			killed := filepath.Join(t.TempDir(), "l.db")
			for _, end := range []string{"", "-wal"} { // as the dead process leaves them
				text, err := os.ReadFile(path + end)
				check(t, errors.Join(err, os.WriteFile(killed+end, text, 0o600)))
			}
			db2, err := sql.Open("sqlite", fileURI(killed))
			check(t, err)
			var version, records int
			check(t, errors.Join(db2.QueryRow("PRAGMA user_version").Scan(&version), db2.QueryRow("SELECT count(*) FROM records WHERE state > 0").Scan(&records), db2.Close()))
			if version != moving-1 || records != 3012 {
				t.Errorf("version %d with %d records, want %d with 3012", version, records, moving-1)
			}
		}
		_, err = conn.ExecContext(ctx, "ROLLBACK")
		check(t, err)
	})

	t.Run("full disk", func(t *testing.T) {
		db, err := sql.Open("sqlite", fileURI(path)+"?_pragma=journal_mode(WAL)")
		check(t, err)
		defer db.Close()
		conn, err := db.Conn(ctx)
		check(t, err)
		defer conn.Close()
		l := &Ledger{path: path}
		failed := 0
		for more := 0; ; more += 7 {
			var pages int
			check(t, conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages))
			var got int
			check(t, conn.QueryRowContext(ctx, fmt.Sprint("PRAGMA max_page_count = ", pages+more)).Scan(&got))
			err := l.migrate(ctx, conn)
			if err == nil {
				break
			}
			failed++
			if codeOf(err) != "ledger.full" || strings.Contains(err.Error(), "\n") {
				t.Fatalf("with %d pages more: %q", more, err)
			}
			var version, records int
			check(t, errors.Join(conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version), conn.QueryRowContext(ctx, "SELECT count(*) FROM records WHERE state > 0").Scan(&records)))
			if version != moving-1 || records != 3012 {
				t.Fatalf("with %d pages more: version %d with %d records", more, version, records)
			}
		}
		if failed < 5 {
			t.Errorf("only %d migrations failed", failed)
		}
	})
	holdsAll(t, path, moving-1)
}

// TestCopyOfAnOlderVersion says that a copy is known for one also when it is
// the first to be brought up to date.
func TestCopyOfAnOlderVersion(t *testing.T) {
	dir := t.TempDir()
	original, copied := filepath.Join(dir, "l.db"), filepath.Join(dir, "copy.db")
	for version := 1; version < newest; version++ {
		oldFile(t, original, version)
		text, err := os.ReadFile(original)
		check(t, errors.Join(err, os.WriteFile(copied, text, 0o600)))
		if l, err := Open(copied, Options{}); codeOf(err) != "ledger.copy" {
			t.Errorf("version %d: %v", version, err)
			if err == nil {
				check(t, l.Close())
			}
		}
		check(t, errors.Join(os.Remove(original), os.Remove(copied)))
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	check(t, fixtureAt(t, path).l.Close())
	now := migrations
	defer func() { migrations = now }()
	migrations = append(slices.Clone(now), migration{sql: "CREATE TABLE halfway (x); INSERT INTO nowhere VALUES (1)"})
	if _, err := Open(path, Options{}); err == nil {
		t.Fatal("it opened")
	}
	migrations = now
	l := open(t, path, Options{})
	var n int
	check(t, l.db.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'halfway'").Scan(&n))
	if n != 0 {
		t.Error("half a migration was kept")
	}
}
