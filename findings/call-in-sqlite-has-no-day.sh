#!/usr/bin/env bash
# Times of calls, written by Go into SQLite and counted by day.
#
# Versions   modernc.org/sqlite v1.62.0, mattn/go-sqlite3 v1.14.53 (Go, needs gcc), defaults;
#            sqlite3 3.40.1 (Debian 12).
# Guess      A time.Time in a column of the type timestamp is stored as SQLite has times,
#            2026-03-05 04:30:00 or with the zone behind it, so date() knows its day.
# Behaviour  modernc stores what fmt prints: "2026-03-05 10:00:00 +0530 IST". The driver
#            reads that again, but to SQLite it is no time: date() is NULL, the count by
#            day is one group without a day, and a view of the last 30 days is empty. A time of
#            now has another tail, m=+0.01. mattn's cell has a day. For both the order
#            is that of the text, so a call at 04:00 in India sorts behind one at 23:00 UTC,
#            which came half an hour later.
# Why it matters   The program that writes sees nothing, for it reads its own times. Reports in
#            SQL, and a ledger whose driver was changed to get rid of cgo, lose their days.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata"

	_ "github.com/mattn/go-sqlite3"
	_ "modernc.org/sqlite"
)

func main() {
	india, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	calls := []time.Time{
		time.Date(2026, 3, 5, 10, 0, 0, 0, india),
		time.Date(2026, 3, 5, 23, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 6, 4, 0, 0, 0, india), // half an hour before
	}
	for _, driver := range []string{"sqlite", "sqlite3"} {
		db, err := sql.Open(driver, driver+".db")
		if err != nil {
			panic(err)
		}
		if _, err := db.Exec("CREATE TABLE calls (id integer, at timestamp)"); err != nil {
			panic(err)
		}
		for id, at := range calls {
			if _, err := db.Exec("INSERT INTO calls VALUES (?, ?)", id+1, at); err != nil {
				panic(err)
			}
		}
		var back time.Time
		if err := db.QueryRow("SELECT at FROM calls").Scan(&back); err != nil {
			panic(err)
		}
		var now string
		if _, err := db.Exec("CREATE TABLE now (at text)"); err != nil {
			panic(err)
		}
		if _, err := db.Exec("INSERT INTO now VALUES (?)", time.Now()); err != nil {
			panic(err)
		}
		if err := db.QueryRow("SELECT at FROM now").Scan(&now); err != nil {
			panic(err)
		}
		fmt.Println(driver, "reads its own time:", back.Equal(calls[0]), "| a time of now has a tail:", strings.Contains(now, " m=+"))
		if err := db.Close(); err != nil {
			panic(err)
		}
	}
}
GO
printf 'module calls\n\ngo 1.24\n' >go.mod
go get modernc.org/sqlite@v1.62.0 github.com/mattn/go-sqlite3@v1.14.53 2>/dev/null
{
  CGO_ENABLED=1 go run .
  for db in sqlite sqlite3; do
    echo "$db:"
    sqlite3 -nullvalue NULL $db.db 'SELECT at FROM calls WHERE id = 1' 'SELECT date(at), count(*) FROM calls GROUP BY 1' \
      "SELECT 'order', group_concat(id) FROM (SELECT id FROM calls ORDER BY at)"
  done
} >seen
cat >expected <<'OUT'
sqlite reads its own time: true | a time of now has a tail: true
sqlite3 reads its own time: true | a time of now has a tail: false
sqlite:
2026-03-05 10:00:00 +0530 IST
NULL|3
order|1,2,3
sqlite3:
2026-03-05 10:00:00+05:30
2026-03-05|3
order|1,2,3
OUT
diff expected seen && cat seen
