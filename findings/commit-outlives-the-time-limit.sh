#!/usr/bin/env bash
# A COMMIT that takes longer than statement_timeout allows.
#
# Version    PostgreSQL 15.20 (Debian), server and psql, statement_timeout = 500 ms.
# Guess      COMMIT is a statement, so it ends after half a second with "canceling
#            statement due to statement timeout", and the transaction is undone.
# Behaviour  COMMIT has no time limit. A deferred check of 2 s runs to its end, and the
#            transaction stays. With a standby that does not answer the COMMIT waits until
#            somebody comes, and so does a lone INSERT, which ends with a commit too: the
#            server stops its clock just before it commits. The rows of a client that gave
#            up stay, and everyone sees them once the waiting server process is ended.
#            Only the statements before the COMMIT are held to the limit.
# Why it matters   A loader that trusts the limit stands still for good, and one that
#            counts a given-up COMMIT as not done loads its rows twice.
. "$(dirname "$0")/servers.bash"
start_postgres
limited() { PGOPTIONS='-c statement_timeout=500 -c client_min_messages=error' "$postgres/psql" -X -q -h "$here" -U nobody -d postgres "$@"; }
free() { PGOPTIONS='-c synchronous_commit=local' "$postgres/psql" -X -q -At -h "$here" -U nobody -d postgres -c "$1"; }
within() { # how long a command may take, in words that do not depend on the machine
  local start=$SECONDS
  "${@:2}" 2>&1 || true
  [ $((SECONDS - start)) -ge "$1" ] && echo "took $1 s or more" || echo "took less than $1 s"
}
limited -c 'CREATE TABLE deals (id INT PRIMARY KEY); CREATE TABLE others (id INT)
; CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2.5); RETURN NULL; END $$
; CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON deals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()'
{
  echo 'SELECT pg_sleep(2.5):'
  within 2 limited -c 'SELECT pg_sleep(2.5)'
  echo 'COMMIT with a deferred check:'
  within 2 limited -c BEGIN -c 'INSERT INTO deals VALUES (1)' -c COMMIT
  echo "rows $(free 'SELECT count(*) FROM deals')"
  free "ALTER SYSTEM SET synchronous_standby_names = 'absent'"
  free 'SELECT pg_reload_conf()' >/dev/null
  sleep 0.5
  echo 'INSERT while the standby is absent, given up after 4 s:'
  within 3 timeout 4 env PGOPTIONS='-c statement_timeout=500' "$postgres/psql" -X -q -h "$here" -U nobody -d postgres -c 'INSERT INTO others VALUES (1)'
  echo "still waiting $(free "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), rows $(free 'SELECT count(*) FROM others')"
  free "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'" >/dev/null
  sleep 0.5
  echo "after its end: rows $(free 'SELECT count(*) FROM others')"
} >seen
cat >expected <<'OUT'
SELECT pg_sleep(2.5):
ERROR:  canceling statement due to statement timeout
took less than 2 s
COMMIT with a deferred check:
took 2 s or more
rows 1
INSERT while the standby is absent, given up after 4 s:
took 3 s or more
still waiting 1, rows 0
after its end: rows 1
OUT
diff expected seen && cat seen
