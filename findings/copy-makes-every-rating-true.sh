#!/usr/bin/env bash
# A MariaDB database of ratings and calls, copied to PostgreSQL with pgloader.
#
# Versions   pgloader 3.6.9, MariaDB 10.11.19, PostgreSQL 15.20 (Debian 12), defaults; both
#            servers on one machine in UTC; the role in PostgreSQL has the zone Asia/Kolkata.
# Guess      Ratings of 0 to 5 in a TINYINT(1) become a small number, or the copy fails. A
#            TIMESTAMP, which MariaDB keeps as a moment, stays that moment.
# Behaviour  Ratings of 1 to 5 all become true, 0 becomes false. Each moment is five and a
#            half hours earlier than in MariaDB: it travels as a clock without a zone, and
#            PostgreSQL reads it in the zone of the role. DATETIME, which is no moment,
#            becomes one in the same way. pgloader says 0 errors and exits with 0.
# Why it matters   Ratings cannot be had back from the copy. A count of rows agrees, and
#            calls move to another day, or do not, by who runs the copy.
. "$(dirname "$0")/servers.bash"
export TZ=UTC
one=$(free_port)
two=$(free_port)
unpack pgloader=3.6.9-1
start_mariadb --bind-address=127.0.0.1 --port="$one"
start_postgres -c listen_addresses=127.0.0.1 -p "$two"
other() { "$postgres/psql" -X -q -At -h "$here" -p "$two" -U nobody -d postgres -c "SET timezone = 'UTC'" -c "$1"; }
sql -e "CREATE DATABASE crm; CREATE USER u@'127.0.0.1' IDENTIFIED BY 'practice'; GRANT ALL ON crm.* TO u@'127.0.0.1'; SET time_zone = '+00:00';
CREATE TABLE crm.calls (id INT PRIMARY KEY, rating TINYINT(1), moment TIMESTAMP NULL, clock DATETIME);
INSERT INTO crm.calls VALUES (1, 0, '2026-03-01 03:00:00', '2026-03-01 03:00:00'), (2, 1, '2026-03-01 10:00:00', '2026-03-01 10:00:00'), (3, 5, '2026-03-01 23:00:00', '2026-03-01 23:00:00')"
other "ALTER ROLE nobody SET timezone = 'Asia/Kolkata'"
mkdir home
rc=0
HOME=$here/home server/usr/bin/pgloader --root-dir "$here/home" "mysql://u:practice@127.0.0.1:$one/crm" "postgresql://nobody@127.0.0.1:$two/postgres" >said 2>&1 || rc=$?
{
  awk -v rc="$rc" '$1 == "crm.calls" { print "pgloader: errors " $2 ", rows " $3 ", exit " rc }' said
  sql -N -e "SET time_zone = '+00:00'; SELECT 'MariaDB', id, rating, date_format(moment, '%d %H:%i'), date_format(clock, '%d %H:%i') FROM crm.calls ORDER BY id" | tr '\t' ' '
  other "SELECT 'PostgreSQL', id, rating, to_char(moment, 'DD HH24:MI'), to_char(clock, 'DD HH24:MI') FROM crm.calls ORDER BY id" | tr '|' ' '
} >seen
cat >expected <<'OUT'
pgloader: errors 0, rows 3, exit 0
MariaDB 1 0 01 03:00 01 03:00
MariaDB 2 1 01 10:00 01 10:00
MariaDB 3 5 01 23:00 01 23:00
PostgreSQL 1 f 28 21:30 28 21:30
PostgreSQL 2 t 01 04:30 01 04:30
PostgreSQL 3 t 01 17:30 01 17:30
OUT
diff expected seen && cat seen
