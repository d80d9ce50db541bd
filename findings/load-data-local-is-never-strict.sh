#!/usr/bin/env bash
# A strict MariaDB and a file with bad rows, loaded with LOCAL and without.
#
# Version    MariaDB 10.11.19 (Debian), sql_mode STRICT_TRANS_TABLES, which is the default.
# Guess      Strict mode refuses the file: a second row with one key, an empty amount,
#            a word for a number or a row that is too short ends the load with an error.
# Behaviour  LOAD DATA refuses the file, exit 1, no row is kept. LOAD DATA LOCAL takes
#            it: exit 0 and no word on stdout or stderr. The second row with the key is
#            dropped, the empty amount and the word become 0.00, "1.200" becomes 1.20,
#            an unknown choice becomes the empty text, a missing cell NULL.
#            LOCAL turns every error into a warning, since the server cannot stop a
#            client that is sending already.
# Why it matters   The word LOCAL decides whether a staging table equals its file.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking --local-infile=1
sql -e "CREATE DATABASE d; CREATE TABLE d.deals (id INT PRIMARY KEY, amount DECIMAL(10,2) NOT NULL, stage ENUM('Open','Won'))"
printf '1,10.5,Open\n1,20,Won\n2,,Open\n3,abc,Lost\n4,1.200\n' >deals.csv
{
  echo "mode $(sql -N -e 'SELECT @@sql_mode' | grep -o STRICT_TRANS_TABLES)"
  rc=0
  sql d -e "LOAD DATA INFILE '$here/deals.csv' INTO TABLE deals FIELDS TERMINATED BY ','" >said 2>&1 || rc=$?
  sed -n 's/ at line 1//; /^ERROR/p' said
  echo "server reads the file: exit $rc, rows $(sql -N d -e 'SELECT count(*) FROM deals')"
  rc=0
  sql --local-infile=1 d -e "LOAD DATA LOCAL INFILE '$here/deals.csv' INTO TABLE deals FIELDS TERMINATED BY ','" 2>&1 || rc=$?
  echo "client sends the file: exit $rc, rows $(sql -N d -e 'SELECT count(*) FROM deals')"
  sql -N d -e "SELECT id, amount, coalesce(concat('[', stage, ']'), 'NULL') FROM deals ORDER BY id"
} >seen
cat >expected <<'OUT'
mode STRICT_TRANS_TABLES
ERROR 1062 (23000): Duplicate entry '1' for key 'PRIMARY'
server reads the file: exit 1, rows 0
client sends the file: exit 0, rows 4
1	10.50	[Open]
2	0.00	[Open]
3	0.00	[]
4	1.20	NULL
OUT
diff expected seen && cat seen
