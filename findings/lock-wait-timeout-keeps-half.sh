#!/usr/bin/env bash
# A transaction in which one statement waits too long for a lock, and then COMMIT.
#
# Version    MariaDB 10.11.19 (Debian), InnoDB, innodb_rollback_on_timeout at its default.
# Guess      "Lock wait timeout exceeded; try restarting transaction" ends the transaction,
#            as a deadlock does: nothing of it is kept.
# Behaviour  Only the statement is undone. The transaction stays open, and COMMIT keeps
#            what came before it. After a deadlock everything is undone, and the same
#            COMMIT keeps nothing. The two errors ask for the same thing in nearly the
#            same words.
# Why it matters   A client that restarts its transaction after the time-out, on the same
#            connection and without ROLLBACK, writes its first rows twice: BEGIN commits
#            the half that was left open.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking --innodb-lock-wait-timeout=1
sql -e "CREATE DATABASE d; CREATE TABLE d.deals (id INT PRIMARY KEY, stage TEXT); INSERT INTO d.deals VALUES (1,'Open'),(2,'Open'); CREATE TABLE d.log (what TEXT)"
{
  # Another client holds row 1 for 4 s.
  sql d -e "BEGIN; UPDATE deals SET stage='Won' WHERE id=1; SELECT sleep(4); COMMIT" >/dev/null &
  other=$!
  sleep 1
  try="BEGIN;
INSERT INTO log VALUES ('first half');
UPDATE deals SET stage='Lost' WHERE id=1;"
  # Restarted as the message says, while the other still holds the row; then given up.
  printf '%s\n' "$try" "$try" 'COMMIT;' | sql --force d 2>&1 | sed -n 's/^ERROR \([0-9]*\).*: \(.*\)/time-out: \1 \2/p' || true
  wait "$other"
  echo "rows kept after the time-outs: $(sql -N d -e 'SELECT count(*) FROM log')"
  sql d -e "TRUNCATE log"
  # A deadlock: each holds the row that the other wants. The one with less work is undone.
  sql d -e "BEGIN; UPDATE deals SET stage='A' WHERE id=2; INSERT INTO log SELECT 'other' FROM seq_1_to_100; DO sleep(0.5); UPDATE deals SET stage='A' WHERE id=1; DELETE FROM log WHERE what='other'; COMMIT" 2>/dev/null &
  other=$!
  printf '%s;\n' BEGIN "INSERT INTO log VALUES ('first half')" "UPDATE deals SET stage='B' WHERE id=1" 'DO sleep(0.2)' "UPDATE deals SET stage='B' WHERE id=2" COMMIT | sql --force d 2>&1 | sed -n 's/^ERROR \([0-9]*\).*: \(.*\)/deadlock: \1 \2/p' || true
  wait "$other" || true
  echo "rows kept after the deadlock: $(sql -N d -e 'SELECT count(*) FROM log')"
} >seen
cat >expected <<'OUT'
time-out: 1205 Lock wait timeout exceeded; try restarting transaction
time-out: 1205 Lock wait timeout exceeded; try restarting transaction
rows kept after the time-outs: 2
deadlock: 1213 Deadlock found when trying to get lock; try restarting transaction
rows kept after the deadlock: 0
OUT
diff expected seen && cat seen
