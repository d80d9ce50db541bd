#!/usr/bin/env bash
# A phone of ten digits and a PIN code, numbers in JSON, put into a TEXT column of SQLite.
#
# Versions   better-sqlite3 12.11.1, libsql 0.5.29, sqlite3 6.0.1, sql.js 1.17.0,
#            node-sqlite3-wasm 0.8.60 (npm); Node 20; sqlite3 of Python 3.11 beside them.
# Guess      The column makes the text 9876543210 of the number. If it is STRICT, a number is
#            refused.
# Behaviour  The first four keep 9876543210.0: the number travels as a float, and SQLite writes
#            floats with a point. The PIN code is 560034.0 in the first two, and 560034 in
#            sqlite3 and sql.js, which send numbers up to 2147483647 as integers. STRICT changes
#            nothing. node-sqlite3-wasm and Python keep both as guessed.
# Why it matters   A search with the number finds the row, since it gets the same ".0"; one
#            with the text, and every join with another table, does not. In a test with
#            short numbers two of them look right.
# npm builds better-sqlite3 and sqlite3 from source, in some minutes and with a C++ compiler,
# where it cannot get them built.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent better-sqlite3@12.11.1 libsql@0.5.29 sqlite3@6.0.1 sql.js@1.17.0 node-sqlite3-wasm@0.8.60 >/dev/null 2>&1
cat >main.mjs <<'JS'
import BetterSqlite from 'better-sqlite3';
import Libsql from 'libsql';
import sqlite3 from 'sqlite3';
import initSqlJs from 'sql.js';
import wasm from 'node-sqlite3-wasm';
const { phone, pin } = JSON.parse('{"phone": 9876543210, "pin": 560034}');
const insert = 'INSERT INTO leads VALUES (?), (?)';
const select = "SELECT group_concat(v, ' ') AS kept, sum(v = '9876543210') AS found FROM leads";
const SqlJs = await initSqlJs();
const clients = {
  'better-sqlite3': (create) => {
    const db = new BetterSqlite(':memory:');
    db.exec(create);
    db.prepare(insert).run(phone, pin);
    return db.prepare(select).get();
  },
  libsql: (create) => {
    const db = new Libsql(':memory:');
    db.exec(create);
    db.prepare(insert).run(phone, pin);
    return db.prepare(select).get();
  },
  sqlite3: (create) => new Promise((resolve, reject) => {
    const db = new sqlite3.Database(':memory:');
    db.serialize(() => {
      db.run(create);
      db.run(insert, phone, pin, (err) => err && reject(err));
      db.get(select, (err, row) => err ? reject(err) : resolve(row));
    });
  }),
  'sql.js': (create) => {
    const db = new SqlJs.Database();
    db.run(create);
    db.run(insert, [phone, pin]);
    const [kept, found] = db.exec(select)[0].values[0];
    return { kept, found };
  },
  'node-sqlite3-wasm': (create) => {
    const db = new wasm.Database();
    db.exec(create);
    db.run(insert, [phone, pin]);
    return db.get(select);
  },
};
for (const [name, run] of Object.entries(clients)) {
  for (const strict of ['', ' STRICT']) {
    const { kept, found } = await run('CREATE TABLE leads (v TEXT)' + strict);
    console.log(`${name}${strict}: ${kept}, found by the text: ${found}`);
  }
}
JS
cat >main.py <<'PY'
import sqlite3
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE leads (v TEXT)")
db.execute("INSERT INTO leads VALUES (?), (?)", (9876543210, 560034))
print("Python: %s, found by the text: %d" % db.execute("SELECT group_concat(v, ' '), sum(v = '9876543210') FROM leads").fetchone())
PY
{
  node main.mjs
  /usr/bin/python3 main.py
} >seen
cat >expected <<'OUT'
better-sqlite3: 9876543210.0 560034.0, found by the text: 0
better-sqlite3 STRICT: 9876543210.0 560034.0, found by the text: 0
libsql: 9876543210.0 560034.0, found by the text: 0
libsql STRICT: 9876543210.0 560034.0, found by the text: 0
sqlite3: 9876543210.0 560034, found by the text: 0
sqlite3 STRICT: 9876543210.0 560034, found by the text: 0
sql.js: 9876543210.0 560034, found by the text: 0
sql.js STRICT: 9876543210.0 560034, found by the text: 0
node-sqlite3-wasm: 9876543210 560034, found by the text: 1
node-sqlite3-wasm STRICT: 9876543210 560034, found by the text: 1
Python: 9876543210 560034, found by the text: 1
OUT
diff expected seen && cat seen
