#!/usr/bin/env bash
# The dates of a workbook that counts from 1904, as Excel for the Mac made them.
#
# Versions   SheetJS xlsx 0.18.5 (npm, the newest there), exceljs 4.4.0 and excelize v2.11.0
#            (Go); the workbook by XlsxWriter 3.0.2 (Debian 12).
# Guess      The library knows of 1904: the cell shows 01/03/2026, and its value, read with
#            cellDates, is 1 March 2026.
# Behaviour  The shown text is 01/03/2026, and the value is 28 February 2022, four years
#            and a day before. The text takes the workbook's first day into account, the
#            value does not. sheet_to_json returns the value, sheet_to_csv the text.
#            exceljs and excelize have 1 March 2026.
# Why it matters   Workbooks keep their first day for life, so a sheet copied from an old
#            one still counts so. A date of 2022 is plausible, and a check by CSV is right.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-xlsxwriter=3.0.2-2 2>/dev/null
dpkg -x python3-xlsxwriter_*.deb .
npm init -y >/dev/null
npm install --silent xlsx@0.18.5 exceljs@4.4.0 >/dev/null 2>&1
PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import datetime, xlsxwriter
book = xlsxwriter.Workbook('old.xlsx', {'date_1904': True})
sheet = book.add_worksheet('Calls')
sheet.write('A1', 'day')
sheet.write_datetime('A2', datetime.datetime(2026, 3, 1), book.add_format({'num_format': 'dd/mm/yyyy'}))
book.close()"
cat >old.cjs <<'JS'
const X = require('xlsx');
const sheet = X.readFile('old.xlsx', { cellDates: true }).Sheets.Calls;
const day = (d) => d.toISOString().slice(0, 10);
console.log('SheetJS value', day(sheet.A2.v), 'shown', sheet.A2.w);
console.log('SheetJS to JSON', day(X.utils.sheet_to_json(sheet)[0].day), 'to CSV', X.utils.sheet_to_csv(sheet).split('\n')[1]);
const book = new (require('exceljs').Workbook)();
book.xlsx.readFile('old.xlsx').then(() => console.log('exceljs', day(book.worksheets[0].getCell('A2').value)));
JS
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func main() {
	book, err := excelize.OpenFile("old.xlsx")
	if err != nil {
		panic(err)
	}
	shown, err := book.GetCellValue("Calls", "A2")
	if err != nil {
		panic(err)
	}
	fmt.Println("excelize shown", shown)
}
GO
printf 'module old\n\ngo 1.24\n' >go.mod
go get github.com/xuri/excelize/v2@v2.11.0 2>/dev/null
{ TZ=UTC node old.cjs; go run .; } >seen
cat >expected <<'OUT'
SheetJS value 2022-02-28 shown 01/03/2026
SheetJS to JSON 2022-02-28 to CSV 01/03/2026
exceljs 2026-03-01
excelize shown 01/03/2026
OUT
diff expected seen && cat seen
