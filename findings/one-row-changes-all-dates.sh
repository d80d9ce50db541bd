#!/usr/bin/env bash
# Dates of an Indian export, read by DuckDB's CSV reader with its defaults.
#
# Version    DuckDB 1.5.6 (npm, @duckdb/node-api).
# Guess      05/03/2026 has one meaning for a program, whatever the other rows are, or it
#            stays a text. 05/03/26 is 5 March or 3 May.
# Behaviour  The reader looks for one format that fits all rows. With days up to 12 it is
#            5 March; with one row 03/13/2026 in the file, the same cell is 3 May.
#            05/03/26 is 26 March 2005: of two-digit years it tries the year first, and
#            every day of a month can be a year, every year up to 31 a day. Only a month
#            in second place that cannot be one turns it back. No warning, type DATE.
# Why it matters   One row means two days in two nightly files, and a file of short dates
#            is wrong as a whole. Each of these dates passes as a valid one.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent @duckdb/node-api@1.5.6-r.1 >/dev/null
cat >dates.cjs <<'JS'
const fs = require('fs');
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  for (const days of [['05/03/2026', '12/03/2026'], ['05/03/2026', '13/03/2026'], ['05/03/2026', '03/13/2026'], ['05/03/26', '12/03/26'], ['05/03/26', '31/03/26'], ['05/03/26', '03/31/26'], ['05-03-26', '28-02-26']]) {
    fs.writeFileSync('calls.csv', `id,day\n${days.map((day, i) => `${i + 1},${day}\n`).join('')}`);
    const rows = (await db.runAndReadAll("SELECT CAST(day AS VARCHAR), typeof(day) FROM 'calls.csv' ORDER BY id")).getRowsJson();
    console.log(days[0], `beside ${days[1]}:`, ...rows[0], 'and', rows[1][0]);
  }
})();
JS
node dates.cjs >seen
cat >expected <<'OUT'
05/03/2026 beside 12/03/2026: 2026-03-05 DATE and 2026-03-12
05/03/2026 beside 13/03/2026: 2026-03-05 DATE and 2026-03-13
05/03/2026 beside 03/13/2026: 2026-05-03 DATE and 2026-03-13
05/03/26 beside 12/03/26: 2005-03-26 DATE and 2012-03-26
05/03/26 beside 31/03/26: 2005-03-26 DATE and 2031-03-26
05/03/26 beside 03/31/26: 2026-05-03 DATE and 2026-03-31
05-03-26 beside 28-02-26: 2005-03-26 DATE and 2028-02-26
OUT
diff expected seen && cat seen
