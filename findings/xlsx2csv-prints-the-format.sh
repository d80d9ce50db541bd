#!/usr/bin/env bash
# Numbers in formats with quoted letters, turned into CSV by xlsx2csv.
#
# Version    xlsx2csv 0.7.8 (Debian); the workbook by SheetJS xlsx 0.18.5 (npm).
# Guess      42 in the format "INV-"0000 becomes 42 or INV-0042, 1234.5 in "Rs "#,##0.00
#            becomes 1234.5 or Rs 1,234.50.
# Behaviour  Where the quoted text holds a letter of dates (d, m, y, h, s, also in D-, Rs,
#            SKU, days, Dr), the cell becomes the text of the format itself, in lower
#            case, with the day of a date of 1900 put in for d. The number is gone.
#            No warning, exit 0. "INV-" has no such letter and stays the number.
# Why it matters   A whole column of amounts or keys holds one and the same text.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq xlsx2csv=1:0.7.8-1 2>/dev/null
mkdir tool && dpkg -x xlsx2csv_*.deb tool
npm init -y >/dev/null
npm install --silent xlsx@0.18.5 >/dev/null
cat >formats.cjs <<'JS'
const X = require('xlsx');
const sheet = X.utils.aoa_to_sheet([[42, 1234.5], [42, 999], [42, 1234.5], [42, 7]]);
const formats = { A1: '"INV-"0000', B1: '"Rs "#,##0.00', A2: '"D-"0000', B2: '"Rs "#,##0.00', A3: '"SKU"0', B3: '#,##0.00 "Dr"', A4: '0 "days"', B4: '"No "0' };
for (const [cell, format] of Object.entries(formats)) sheet[cell].z = format;
const book = X.utils.book_new();
X.utils.book_append_sheet(book, sheet, 'Formats');
X.writeFile(book, 'formats.xlsx');
JS
node formats.cjs
/usr/bin/python3 tool/usr/share/xlsx2csv/xlsx2csv.py -d ';' formats.xlsx >seen
cat >expected <<'OUT'
42;"""rs ""#,##0.00"
"""10-""0000";"""rs ""#,##0.00"
"""sku""0";"#,##0.00 ""18r"""
"0 ""10ays""";7
OUT
diff expected seen && cat seen
