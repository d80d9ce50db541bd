#!/usr/bin/env bash
# A date cell read as a JavaScript Date on a machine in India.
#
# Version    SheetJS xlsx 0.18.5 (npm, the newest there), Node with full zone data.
# Guess      With cellDates the cell 15/01/2025 becomes midnight of that day on the
#            machine's clock, in every zone.
# Behaviour  In Asia/Kolkata it becomes 14 January 23:59:50, in Asia/Singapore
#            23:59:35, in Asia/Dubai 23:59:48. In UTC and New York it is right. The
#            shift is the seconds by which the zone's offset of 1899, the spreadsheet's
#            first day, differs from a whole minute: the library computes with offsets
#            in minutes. The shown text of the cell is right everywhere.
# Why it matters   getDate() and every format without seconds give the day before.
#            Developers in Berlin or on a server in UTC never see it.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent xlsx@0.18.5 >/dev/null
cat >dates.cjs <<'JS'
const X = require('xlsx');
const sheet = X.utils.aoa_to_sheet([[45672]]);
sheet.A1.z = 'dd/mm/yyyy';
const book = X.utils.book_new();
X.utils.book_append_sheet(book, sheet, 'Dates');
X.writeFile(book, 'dates.xlsx');
const cell = X.readFile('dates.xlsx', { cellDates: true }).Sheets.Dates.A1;
const two = (n) => String(n).padStart(2, '0');
const d = cell.v;
console.log(process.env.TZ, cell.w, '->', `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`,
  `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`);
JS
for zone in UTC America/New_York Asia/Kolkata Asia/Singapore Asia/Dubai; do TZ=$zone node dates.cjs; done >seen
cat >expected <<'OUT'
UTC 15/01/2025 -> 2025-01-15 00:00:00
America/New_York 15/01/2025 -> 2025-01-15 00:00:00
Asia/Kolkata 15/01/2025 -> 2025-01-14 23:59:50
Asia/Singapore 15/01/2025 -> 2025-01-14 23:59:35
Asia/Dubai 15/01/2025 -> 2025-01-14 23:59:48
OUT
diff expected seen && cat seen
