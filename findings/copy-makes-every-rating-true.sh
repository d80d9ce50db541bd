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
set -euo pipefail
here=$(mktemp -d)
mariadb=
bin=
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  chown nobody "$here"
  as() { runuser -u nobody -- "$@"; }
fi
trap '[ -z "$bin" ] || as "$bin/pg_ctl" -D "$here/pg" -m immediate stop >/dev/null || true; [ -z "$mariadb" ] || { kill "$mariadb"; wait "$mariadb" || true; }; rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq pgloader=3.6.9-1 mariadb-server-core=1:10.11.19-0+deb12u1 mariadb-client-core=1:10.11.19-0+deb12u1 \
  libmariadb3=1:10.11.19-0+deb12u1 libaio1 libnuma1 liburing2 postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" server; done
export TZ=UTC
ports=$(/usr/bin/python3 -c '
import socket
both = [socket.socket(), socket.socket()]
for s in both: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in both])')
read -r one two <<<"$ports"
libraries=$here/server/usr/lib/$(uname -m)-linux-gnu:$here/server/lib/$(uname -m)-linux-gnu
LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb-install-db --no-defaults --basedir="$here/server/usr" --datadir="$here/data" --user="$(id -un)" --skip-test-db >/dev/null 2>&1
LD_LIBRARY_PATH=$libraries server/usr/sbin/mariadbd --no-defaults --basedir="$here/server/usr" --datadir="$here/data" --user="$(id -un)" \
  --socket="$here/socket" --bind-address=127.0.0.1 --port="$one" 2>log &
mariadb=$!
bin=$here/server/usr/lib/postgresql/15/bin
as "$bin/initdb" -D "$here/pg" -A trust -U nobody >/dev/null
as "$bin/pg_ctl" -D "$here/pg" -o "-k $here -c listen_addresses=127.0.0.1 -p $two" -l "$here/pg/log" -w start >/dev/null
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done
sql() { LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb --no-defaults -u root -S "$here/socket" "$@"; }
other() { "$bin/psql" -X -q -At -h "$here" -p "$two" -U nobody -d postgres -c "SET timezone = 'UTC'" -c "$1"; }
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
