#!/usr/bin/env bash
# Part numbers, PIN codes and ids in CSV files, asked about in SQL with csvq.
#
# Version    csvq v1.18.1 (Go), defaults; sqlite3 3.40 (Debian) on the same file.
# Guess      Cells of a CSV are texts, and so is '00560': the row with that code is found,
#            DISTINCT keeps all codes, and a JOIN brings its own row only.
# Behaviour  Texts that read as numbers, days or truth values are compared as such, also
#            where both sides are texts. '00560' finds 560 and 5.6E2 too; of two ids of
#            twenty digits either one finds both; '1' finds TRUE, a day finds its
#            midnight. DISTINCT leaves five of nine codes, and in the JOIN the deal of one
#            part becomes three rows. sqlite3 has all as guessed.
# Why it matters   A list of distinct keys lacks keys, and rows of a join are doubled with the
#            names of other parts. The cells look right in every answer.
. "$(dirname "$0")/servers.bash"
unpack sqlite3 libsqlite3-0
GOBIN=$here go install github.com/mithrandie/csvq@v1.18.1 2>/dev/null
cat >parts.csv <<'CSV'
code,name
00560,bolt
560,nut
5.6E2,ring
12345678901234567890,pump
12345678901234567891,valve
1,fan
TRUE,lamp
2026-03-05,gasket
2026-03-05 00:00:00,seal
CSV
printf 'part,amount\n00560,1200\n' >deals.csv
ask() { "$here/csvq" -f CSV -N "$1" | paste -sd ' '; }
lite() { LD_LIBRARY_PATH=$libraries server/usr/bin/sqlite3 -csv :memory: '.import parts.csv parts' '.import deals.csv deals' "$1" | tr -d '\r' | paste -sd ' '; }
for question in "SELECT name FROM parts WHERE code = '00560'" "SELECT name FROM parts WHERE code = '12345678901234567890'" \
  "SELECT name FROM parts WHERE code = '1'" "SELECT name FROM parts WHERE code = '2026-03-05'" \
  'SELECT DISTINCT code FROM parts' 'SELECT name, amount FROM deals JOIN parts ON code = part'; do
  printf '%s\n  csvq    %s\n  sqlite3 %s\n' "$question" "$(ask "$question")" "$(lite "$question")"
done >seen
cat >expected <<'OUT'
SELECT name FROM parts WHERE code = '00560'
  csvq    bolt nut ring
  sqlite3 bolt
SELECT name FROM parts WHERE code = '12345678901234567890'
  csvq    pump valve
  sqlite3 pump
SELECT name FROM parts WHERE code = '1'
  csvq    fan lamp
  sqlite3 fan
SELECT name FROM parts WHERE code = '2026-03-05'
  csvq    gasket seal
  sqlite3 gasket
SELECT DISTINCT code FROM parts
  csvq    00560 5.6E2 12345678901234567890 1 2026-03-05
  sqlite3 00560 560 5.6E2 12345678901234567890 12345678901234567891 1 TRUE 2026-03-05 "2026-03-05 00:00:00"
SELECT name, amount FROM deals JOIN parts ON code = part
  csvq    bolt,1200 nut,1200 ring,1200
  sqlite3 bolt,1200
OUT
diff expected seen && cat seen
