#!/usr/bin/env bash
# Addresses, plots and invoice numbers in a CSV that is read with dates.
#
# Version    csv-parse 7.0.3 (npm) with cast and cast_date, Node 20.
# Guess      Cells that look like dates become Dates, and "Flat 12" stays a text, since no
#            form of a date has such a word.
# Behaviour  "Flat 12" becomes 1 December 2001, "Rs 500" the year 500, "INV-2026-03"
#            1 March 2026, "#4" 1 April 2001. The option takes whatever Date.parse takes,
#            and Node's Date.parse skips words and signs before a number. "Flat 13" stays
#            a text, as no month has that number: one column holds both kinds.
#            05/03/2026, a real date of India, becomes 3 May.
# Why it matters   The value reaches the CRM as a timestamp, and nobody can tell Plot 9 of
#            it from September. The column was right in every row of a sample from 13 up.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent csv-parse@7.0.3 >/dev/null
printf 'unit\nFlat 12\nFlat 13\nPlot 9\nRs 500\nINV-2026-03\n#4\nAsha 2\n12 Hill Road\n05/03/2026\n' >units.csv
cat >units.cjs <<'JS'
const { parse } = require('csv-parse/sync');
const text = require('fs').readFileSync('units.csv');
const plain = parse(text, { columns: true });
parse(text, { columns: true, cast: true, cast_date: true }).forEach(({ unit }, i) =>
  console.log(plain[i].unit, '->', unit instanceof Date ? unit.toISOString().slice(0, 10) : unit));
JS
TZ=UTC node units.cjs >seen
cat >expected <<'OUT'
Flat 12 -> 2001-12-01
Flat 13 -> Flat 13
Plot 9 -> 2001-09-01
Rs 500 -> 0500-01-01
INV-2026-03 -> 2026-03-01
#4 -> 2001-04-01
Asha 2 -> 2001-02-01
12 Hill Road -> 12 Hill Road
05/03/2026 -> 2026-05-03
OUT
diff expected seen && cat seen
