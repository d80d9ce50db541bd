#!/usr/bin/env bash
# A negative amount in the number format that Indian workbooks use for lakh and crore.
#
# Versions   SheetJS xlsx 0.18.5 (npm), Gnumeric 1.12.55 (Debian, if it is installed).
# Guess      -1234567 is shown with its minus sign, as "-1,234,567", by every reader.
# Behaviour  SheetJS shows "1,234,567" and, for -50, "50". The format's sections carry
#            conditions, and its last one takes all other numbers, negative ones too.
#            SheetJS drops the sign there, as it would in a section for negative
#            numbers alone. Gnumeric keeps the sign (U+2212).
# Why it matters   A CSV or JSON made from shown texts turns refunds into sales.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent xlsx@0.18.5 >/dev/null
cat >lakh.cjs <<'JS'
const X = require('xlsx');
const format = '[>=10000000]##\\,##\\,##\\,##0;[>=100000]##\\,##\\,##0;##,##0';
const sheet = X.utils.aoa_to_sheet([[1234567], [-1234567], [-50]]);
for (const cell of ['A1', 'A2', 'A3']) sheet[cell].z = format;
const book = X.utils.book_new();
X.utils.book_append_sheet(book, sheet, 'Amounts');
X.writeFile(book, 'amounts.xlsx');
const read = X.readFile('amounts.xlsx').Sheets.Amounts;
console.log('value', JSON.stringify(['A1', 'A2', 'A3'].map((c) => read[c].v)));
console.log('shown', JSON.stringify(X.utils.sheet_to_json(read, { header: 1, raw: false }).flat()));
JS
node lakh.cjs >seen
cat >expected <<'OUT'
value [1234567,-1234567,-50]
shown ["12,34,567","1,234,567","50"]
OUT
diff expected seen
cat seen
if command -v ssconvert >/dev/null; then
  ssconvert -O 'format=preserve' amounts.xlsx amounts.txt 2>/dev/null
  printf '%s\n' '"12,34,567"' '"−1,234,567"' '−50' | diff - amounts.txt
  echo 'Gnumeric:' && cat amounts.txt
fi
