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
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking --local-infile=1
LD_LIBRARY_PATH=$libraries server/usr/bin/mariadb-tzinfo-to-sql /usr/share/zoneinfo 2>/dev/null | sql mysql
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
