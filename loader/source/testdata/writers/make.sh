#!/bin/sh
# Makes the workbooks of this folder anew, each by another writer that is told
# the same table. Needs node with npm, perl with Excel::Writer::XLSX, python3
# with xlsxwriter and openpyxl, ssconvert and soffice.
set -eu
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
(cd "$tools" && npm install --silent --no-audit --no-fund xlsx@0.18.5 @e965/xlsx@0.20.3 exceljs@4.4.0 excel4node@1.8.2 xlsx-populate@1.21.0 write-excel-file@4.1.1)
TZ=UTC NODE_PATH=$tools/node_modules node write.js .
/usr/bin/python3 write.py .
perl write.pl .
# Two programs that calculate write what they read of another's workbook, one
# without results: the stand-in 0 of XlsxWriter would stay a 0.
ssconvert --export-type=Gnumeric_Excel:xlsx2 exceljs.xlsx gnumeric.xlsx 2>/dev/null
soffice -env:UserInstallation="file://$tools/profile" --headless --convert-to xlsx:"Calc MS Excel 2007 XML" --outdir "$tools" exceljs.xlsx >/dev/null
mv "$tools/exceljs.xlsx" libreoffice.xlsx
