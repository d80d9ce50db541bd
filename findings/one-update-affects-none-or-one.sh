#!/usr/bin/env bash
# An UPDATE of one existing row that sets the value it already has.
#
# Versions   MariaDB 10.11.19 and python3-pymysql 1.0.2 (Debian); go-sql-driver/mysql
#            v1.9.3 (Go); mysql2 3.15.0 and mariadb 3.4.5 (npm); defaults everywhere.
# Guess      The server changed nothing, so every driver says 0 affected rows.
# Behaviour  Go and PyMySQL say 0. Both npm drivers say 1: they ask the server for the
#            rows found, not for the rows changed. INSERT … ON DUPLICATE KEY UPDATE with
#            the same value shows the same split.
# Why it matters   "UPDATE, and INSERT if nothing was affected" is safe with one driver
#            and makes a second record with another, on the nights when nothing changed.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking
sql -e "CREATE DATABASE d; CREATE TABLE d.deals (id INT PRIMARY KEY, stage VARCHAR(20)); INSERT INTO d.deals VALUES (1,'Open'); CREATE USER u@localhost IDENTIFIED BY 'practice'; GRANT ALL ON d.* TO u@localhost"
export SOCKET=$here/socket
update="UPDATE deals SET stage='Open' WHERE id=1"
upsert="INSERT INTO deals VALUES (1,'Open') ON DUPLICATE KEY UPDATE stage='Open'"
export UPDATE=$update UPSERT=$upsert
mkdir go node py
(cd go && cat >go.mod <<'MOD'
module affected
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
	db, err := sql.Open("mysql", "u:practice@unix("+os.Getenv("SOCKET")+")/d")
	if err != nil {
		panic(err)
	}
	fmt.Print("go-sql-driver")
	for _, q := range []string{"UPDATE", "UPSERT"} {
		r, err := db.Exec(os.Getenv(q))
		if err != nil {
			panic(err)
		}
		n, _ := r.RowsAffected()
		fmt.Print(" ", q, " ", n)
	}
	fmt.Println()
}
GO
go get github.com/go-sql-driver/mysql@v1.9.3 2>/dev/null && go run .) >seen
(cd node && npm init -y >/dev/null && npm install --silent mysql2@3.15.0 mariadb@3.4.5 >/dev/null && cat >affected.cjs <<'JS'
const options = { socketPath: process.env.SOCKET, user: 'u', password: 'practice', database: 'd' };
(async () => {
  const a = await require('mysql2/promise').createConnection(options);
  const b = await require('mariadb').createConnection(options);
  for (const [name, run] of [['mysql2', async (q) => (await a.query(q))[0].affectedRows], ['mariadb', async (q) => (await b.query(q)).affectedRows]]) {
    console.log(name, 'UPDATE', await run(process.env.UPDATE), 'UPSERT', await run(process.env.UPSERT));
  }
  await a.end();
  await b.end();
})();
JS
node affected.cjs) >>seen
(cd py && apt-get download -qq python3-pymysql=1.0.2-2+deb12u1 2>/dev/null && dpkg -x python3-pymysql_*.deb . && PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import os, pymysql
c = pymysql.connect(unix_socket=os.environ['SOCKET'], user='u', password='practice', database='d').cursor()
print('PyMySQL UPDATE', c.execute(os.environ['UPDATE']), 'UPSERT', c.execute(os.environ['UPSERT']))") >>seen
cat >expected <<'OUT'
go-sql-driver UPDATE 0 UPSERT 0
mysql2 UPDATE 1 UPSERT 1
mariadb UPDATE 1 UPSERT 1
PyMySQL UPDATE 0 UPSERT 0
OUT
diff expected seen && cat seen
