#!/usr/bin/env bash
# Ids in a column of floating point, which is changed to numeric to keep them safe.
#
# Version    PostgreSQL 15.20 (Debian).
# Guess      double precision holds whole numbers up to 2^53, so ids of 16 digits are exact in
#            it, and numeric takes them over as they are. Amounts keep their paise.
# Behaviour  The change to numeric rounds to 15 digits. Three ids become one and the same, and
#            12345678901234.56 becomes 12345678901234.60. Before it all digits are there,
#            as text and as bigint. ALTER TABLE, a cast, and an INSERT from the one column
#            into the other do this, without a word. A comparison of the two types
#            still says that a number equals its numeric, since it is done in floats.
# Why it matters   numeric is the type that one changes to when digits matter, and the change
#            is what loses them. Nothing brings them back.
. "$(dirname "$0")/servers.bash"
start_postgres
pg() { "$postgres/psql" -X -At -q -h "$here" -U nobody -d postgres -c "$1"; }
pg 'CREATE TABLE leads (id double precision, amount double precision); INSERT INTO leads VALUES (1234567890123456, 12345678901234.56), (1234567890123457, 1), (1234567890123458, 2)'
{
  echo 'double precision:'
  pg 'SELECT id::bigint, amount FROM leads'
  echo 'copied into numeric:'
  pg 'CREATE TABLE safe (id numeric, amount numeric); INSERT INTO safe SELECT * FROM leads; SELECT * FROM safe'
  echo 'equal to each other:'
  pg 'SELECT count(*) FROM leads JOIN safe ON leads.id = safe.id'
  pg 'SELECT 1234567890123457::double precision = 1234567890123457::numeric'
  echo 'changed to numeric:'
  pg 'ALTER TABLE leads ALTER id TYPE numeric, ALTER amount TYPE numeric(20,2); SELECT * FROM leads; SELECT count(DISTINCT id) FROM leads'
} >seen
cat >expected <<'OUT'
double precision:
1234567890123456|12345678901234.56
1234567890123457|1
1234567890123458|2
copied into numeric:
1234567890123460|12345678901234.6
1234567890123460|1
1234567890123460|2
equal to each other:
0
t
changed to numeric:
1234567890123460|12345678901234.60
1234567890123460|1.00
1234567890123460|2.00
1
OUT
diff expected seen && cat seen
