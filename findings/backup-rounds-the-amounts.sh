#!/usr/bin/env bash
# A table with amounts in a FLOAT column, dumped and loaded again.
#
# Version    MariaDB 10.11.19 and its mariadb-dump (Debian), defaults; the second part
#            needs Go (go-sql-driver/mysql v1.9.3).
# Guess      A dump keeps every value. What a FLOAT lost, it lost when the row was
#            written; and a query returns one number, however it is asked.
# Behaviour  The dump writes six digits: 1234567.875 becomes 1234570 in the loaded copy,
#            98765432 becomes 98765400. No warning. The server turns a FLOAT into text so,
#            for every client. A client that asks in binary form gets what is stored, so
#            one SELECT has two answers in Go: without a placeholder 1.23457e+06, with one
#            1.2345679e+06. DOUBLE has no such loss.
# Why it matters   A restored or copied database has other amounts than its source, and a
#            comparison that runs through the text form of both finds them equal.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking
sql -e "CREATE DATABASE source; CREATE DATABASE copy; CREATE TABLE source.deals (id INT PRIMARY KEY, amount FLOAT, exact DOUBLE);
INSERT INTO source.deals VALUES (1,1234567.89,1234567.89),(2,98765432,98765432); CREATE USER u@localhost IDENTIFIED BY 'practice'; GRANT ALL ON source.* TO u@localhost"
LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb-dump --no-defaults -u root -S "$here/socket" source deals >dump 2>said
sql copy <dump
{
  echo "mariadb-dump said: $(cat said)"
  sql -N -e "SELECT s.id, 'stored', CAST(s.amount AS DOUBLE), 'after the dump', CAST(c.amount AS DOUBLE), 'exact the same', s.exact = c.exact FROM source.deals s JOIN copy.deals c USING (id) ORDER BY id" | tr '\t' ' '
  echo "amounts that differ, compared as text: $(sql -N -e "SELECT count(*) FROM source.deals s JOIN copy.deals c USING (id) WHERE concat(s.amount) <> concat(c.amount)")"
} >seen
mkdir go
(cd go && cat >go.mod <<'MOD'
module amounts
go 1.24
MOD
cat >main.go <<'GO'
package main

import (
	"database/sql"
	"fmt"
	"os"

	_ "github.com/go-sql-driver/mysql"
)

func main() {
	db, err := sql.Open("mysql", "u:practice@unix("+os.Args[1]+")/source")
	if err != nil {
		panic(err)
	}
	var plain, placed string
	if err := db.QueryRow("SELECT amount FROM deals WHERE id = 1").Scan(&plain); err != nil {
		panic(err)
	}
	if err := db.QueryRow("SELECT amount FROM deals WHERE id = ?", 1).Scan(&placed); err != nil {
		panic(err)
	}
	fmt.Println("Go without a placeholder", plain, "with one", placed)
}
GO
go get github.com/go-sql-driver/mysql@v1.9.3 2>/dev/null && go run . "$here/socket") >>seen
cat >expected <<'OUT'
mariadb-dump said: 
1 stored 1234567.875 after the dump 1234570 exact the same 1
2 stored 98765432 after the dump 98765400 exact the same 1
amounts that differ, compared as text: 0
Go without a placeholder 1.23457e+06 with one 1.2345679e+06
OUT
diff expected seen && cat seen
