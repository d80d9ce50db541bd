#!/usr/bin/env bash
# A CSV with a key that is there twice, loaded by the sqlite3 shell in one transaction.
#
# Version    sqlite3 3.40.1 (Debian 12), -bail, which is to stop at the first error.
# Guess      .import fails at the second row of the key, -bail ends the shell before the
#            COMMIT, nothing is kept, and the exit code says so.
# Behaviour  .import goes on behind the row, the COMMIT is run, three of four rows are
#            kept, and the exit code is 0. A message for the row goes to stderr; -bail
#            holds for SQL alone. INSERT from a table, the same row, ends the shell with
#            exit 1 and keeps nothing. A row with too many cells is cut and kept, one with
#            too few is filled with NULL.
# Why it matters   A nightly script with "set -e" runs on with a part of its file, and the
#            transaction that was meant to prevent that is no help.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq sqlite3=3.40.1-2+deb12u2 libsqlite3-0=3.40.1-2+deb12u2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
shell() { LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu usr/bin/sqlite3 -bail deals "$@"; }
printf '1,Open\n2,Open\n1,Won\n3,Lost\n' >twice.csv
printf '7,Open,x\n8\n' >uneven.csv
try() {
  rc=0
  printf '%s\n' 'DELETE FROM deals;' 'BEGIN;' "$2" 'COMMIT;' | shell 2>said || rc=$?
  echo "$1: exit $rc, messages $(wc -l <said), rows $(shell "SELECT group_concat(id || ' ' || coalesce(stage, 'NULL'), ', ') FROM deals")"
}
shell 'CREATE TABLE deals (id INTEGER PRIMARY KEY, stage TEXT); CREATE TABLE staged (id, stage)'
{
  try '.import' '.import --csv twice.csv deals'
  shell '.import --csv twice.csv staged'
  try 'INSERT' 'INSERT INTO deals SELECT * FROM staged;'
  try '.import of uneven rows' '.import --csv uneven.csv deals'
} >seen
cat >expected <<'OUT'
.import: exit 0, messages 1, rows 1 Open, 2 Open, 3 Lost
INSERT: exit 1, messages 1, rows 
.import of uneven rows: exit 0, messages 2, rows 7 Open, 8 NULL
OUT
diff expected seen && cat seen
