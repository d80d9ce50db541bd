#!/usr/bin/env bash
# A change of a deal's stage, as a reader of PostgreSQL's change feed receives it.
#
# Versions   PostgreSQL 15.20 and wal2json 2.5 (Debian 12), defaults.
# Guess      A change brings the whole new row: id, stage and note.
# Behaviour  The note is not in it, neither its value nor a null nor a mark, as soon as it is
#            long: the server stores such a value apart, the change does not touch it, and
#            the feed passes on what was written. A change of the short row brings all
#            three columns; a change of the note brings the long note.
#            SET note = note leaves it out again. REPLICA IDENTITY FULL has it in "oldkeys",
#            and the new row still lacks it.
# Why it matters   A program that writes the row as it came, with an empty text for what is
#            absent, deletes the long notes of all deals that win. Those of tests are short.
. "$(dirname "$0")/servers.bash"
unpack postgresql-15-wal2json=2.5-1+b1
start_postgres -c wal_level=logical -c output_plugin_libraries=wal2json
ask() { "$postgres/psql" -X -q -At -h "$here" -U nobody -d postgres -c "$1"; }
ask "CREATE TABLE deals (id INT PRIMARY KEY, stage TEXT, note TEXT)"
ask "INSERT INTO deals VALUES (1, 'Open', 'short'), (2, 'Open', (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 200) i))"
ask "SELECT pg_create_logical_replication_slot('feed', 'wal2json')" >/dev/null
change() {
  ask "$2"
  echo "$1: $(ask "SELECT data FROM pg_logical_slot_get_changes('feed', NULL, NULL)" |
    sed -E 's/.*"columnnames":(\[[^]]*\]),.*"columnvalues":\[([^]]{1,30}).*/\1 \2/; s/"oldkeys.*//' | tail -1)"
}
{
  change 'stage of the short row' "UPDATE deals SET stage = 'Won' WHERE id = 1"
  change 'stage of the long row' "UPDATE deals SET stage = 'Won' WHERE id = 2"
  change 'note of the long row' "UPDATE deals SET note = note || '.' WHERE id = 2"
  change 'note = note' "UPDATE deals SET note = note WHERE id = 2"
  ask "ALTER TABLE deals REPLICA IDENTITY FULL"
  change 'stage, with the full identity' "UPDATE deals SET stage = 'Lost' WHERE id = 2"
} >seen
cat >expected <<'OUT'
stage of the short row: ["id","stage","note"] 1,"Won","short"
stage of the long row: ["id","stage"] 2,"Won"
note of the long row: ["id","stage","note"] 2,"Won","c4ca4238a0b923820dcc5
note = note: ["id","stage"] 2,"Won"
stage, with the full identity: ["id","stage"] 2,"Lost"
OUT
diff expected seen && cat seen
