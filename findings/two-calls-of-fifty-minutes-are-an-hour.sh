#!/usr/bin/env bash
# Lengths of calls in a TIME column, added up for a day and for a team's month.
#
# Version    MariaDB 10.11.19 (Debian), sql_mode strict, which is the default.
# Guess      The sum of two calls of fifty minutes is 01:40:00, and a thousand hours are
#            1000:00:00.
# Behaviour  SUM reads 00:50:00 as the number 5000 and returns 10000, which is 01:00:00 as
#            a time. Three calls of 30:40 are 9120, and that is no time: NULL.
#            SEC_TO_TIME and TIMEDIFF end at 838:59:59, the largest TIME: every team above
#            has the same total. A SELECT says nothing but a warning. The way through
#            TIME_TO_SEC and a number of hours is right.
# Why it matters   Where no minutes carry over, the sum is right: 00:20 and 00:30 are 00:50.
#            A talk time that is forty minutes short is still plausible.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking
sql -e "CREATE DATABASE d; CREATE TABLE d.calls (day INT, length TIME);
INSERT INTO d.calls VALUES (1,'00:20:00'),(1,'00:30:00'),(2,'00:50:00'),(2,'00:50:00'),(3,'00:30:40'),(3,'00:30:40'),(3,'00:30:40')"
{
  sql d -e "SELECT day, group_concat(length SEPARATOR ' + ') calls, SUM(length) 'sum', CAST(SUM(length) AS TIME) 'as time', SEC_TO_TIME(SUM(TIME_TO_SEC(length))) truth FROM calls GROUP BY day"
  sql d -e "SELECT SEC_TO_TIME(1000 * 3600) 'a thousand hours', SEC_TO_TIME(2000 * 3600) 'two thousand', TIMEDIFF('2026-03-01 00:00:00', '2026-01-01 00:00:00') '59 days'"
} >seen
cat >expected <<'OUT'
day	calls	sum	as time	truth
1	00:20:00 + 00:30:00	5000	00:50:00	00:50:00
2	00:50:00 + 00:50:00	10000	01:00:00	01:40:00
3	00:30:40 + 00:30:40 + 00:30:40	9120	NULL	01:32:00
a thousand hours	two thousand	59 days
838:59:59	838:59:59	838:59:59
OUT
diff expected seen && cat seen
