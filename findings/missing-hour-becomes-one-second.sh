#!/usr/bin/env bash
# Local times that do not exist, in MariaDB's CONVERT_TZ.
#
# Version    MariaDB 10.11.19 (Debian); zone Europe/Berlin, 2026-03-29, where the clock
#            goes from 02:00 to 03:00.
# Guess      02:05 and 02:55 become two moments 50 minutes apart, or NULL.
# Behaviour  Every local time of the missing hour becomes 01:00 UTC, the moment of the
#            change. Calls of a whole hour collapse into one second, and their order is
#            lost. Of an hour that comes twice the first is taken (00:30 UTC).
# Why it matters   Rows that were sorted or deduplicated by such a column change places
#            or vanish.
set -euo pipefail
here=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq mariadb-server-core=1:10.11.19-0+deb12u1 mariadb-client-core=1:10.11.19-0+deb12u1 \
  mariadb-client=1:10.11.19-0+deb12u1 libmariadb3=1:10.11.19-0+deb12u1 libaio1 libnuma1 liburing2 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu:$here/lib/$(uname -m)-linux-gnu
export LD_LIBRARY_PATH
usr/bin/mariadb-install-db --no-defaults --basedir="$here/usr" --datadir="$here/data" --user="$(id -un)" --skip-test-db >/dev/null 2>&1
usr/sbin/mariadbd --no-defaults --basedir="$here/usr" --datadir="$here/data" --user="$(id -un)" \
  --socket="$here/socket" --skip-networking --local-infile=1 2>log &
server=$!
for _ in $(seq 100); do [ -S socket ] && break; sleep 0.1; done
sql() { usr/bin/mariadb --no-defaults -u root -S "$here/socket" "$@"; }
usr/bin/mariadb-tzinfo-to-sql /usr/share/zoneinfo 2>/dev/null | sql mysql
sql -N -e "SELECT w, cast(convert_tz(w, 'Europe/Berlin', 'UTC') AS datetime) FROM (
  SELECT '2026-03-29 01:59:59' w UNION ALL SELECT '2026-03-29 02:05:00' UNION ALL SELECT '2026-03-29 02:55:00'
  UNION ALL SELECT '2026-03-29 03:00:00' UNION ALL SELECT '2026-10-25 02:30:00') x" >seen
cat >expected <<'OUT'
2026-03-29 01:59:59	2026-03-29 00:59:59
2026-03-29 02:05:00	2026-03-29 01:00:00
2026-03-29 02:55:00	2026-03-29 01:00:00
2026-03-29 03:00:00	2026-03-29 01:00:00
2026-10-25 02:30:00	2026-10-25 00:30:00
OUT
diff expected seen && cat seen
