#!/usr/bin/env bash
# One call, at 02:00 in India, written into workbooks by libraries on a machine there.
#
# Versions   exceljs 4.4.0 and SheetJS xlsx 0.18.5 (npm), Node 20; excelize v2.11.0 (Go).
# Guess      A workbook knows no zones, so each library writes the machine's clock: 02:00 on
#            2 March. Or each writes UTC.
# Behaviour  exceljs writes 20:30 on 1 March. SheetJS writes 02:00 on 2 March and ten
#            seconds; with cellDates it writes the text 2026-03-02T02:00:00.000Z, which
#            is the clock of India with the mark of UTC. excelize writes the clock of
#            the zone that the value carries, so that a moment that was kept as UTC has
#            another cell than the same moment in India.
# Why it matters   Two exports of one program, made by two libraries, differ by a day for
#            calls before half past five. A reader that believes the Z is off the other way.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent exceljs@4.4.0 xlsx@0.18.5 >/dev/null 2>&1
cat >write.cjs <<'JS'
const Excel = require('exceljs');
const X = require('xlsx');
const moment = new Date('2026-03-01T20:30:00Z');
(async () => {
  const book = new Excel.Workbook();
  book.addWorksheet('Calls').getCell('A1').value = moment;
  await book.xlsx.writeFile('exceljs.xlsx');
  for (const cellDates of [false, true]) {
    const other = X.utils.book_new();
    X.utils.book_append_sheet(other, X.utils.aoa_to_sheet([[moment]], { cellDates }), 'Calls');
    X.writeFile(other, cellDates ? 'sheetjs-cellDates.xlsx' : 'sheetjs.xlsx', { cellDates });
  }
})();
JS
cat >main.go <<'GO'
package main

import (
	"time"
	_ "time/tzdata"

	"github.com/xuri/excelize/v2"
)

func main() {
	india, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	moment := time.Date(2026, 3, 1, 20, 30, 0, 0, time.UTC)
	for name, value := range map[string]time.Time{"excelize-utc.xlsx": moment, "excelize-india.xlsx": moment.In(india)} {
		book := excelize.NewFile()
		if err := book.SetCellValue("Sheet1", "A1", value); err != nil {
			panic(err)
		}
		if err := book.SaveAs(name); err != nil {
			panic(err)
		}
	}
}
GO
printf 'module moments\n\ngo 1.24\n' >go.mod
go get github.com/xuri/excelize/v2@v2.11.0 2>/dev/null
export TZ=Asia/Kolkata
node write.cjs
go run .
for book in exceljs sheetjs sheetjs-cellDates excelize-utc excelize-india; do
  cell=$(unzip -p "$book.xlsx" xl/worksheets/sheet1.xml | tr -d '\n' | sed 's/.*<v>\([^<]*\)<\/v>.*/\1/')
  case $cell in
    *T*) echo "$book: the text $cell" ;;
    *) echo "$book: $(date -u -d "1899-12-30 UTC + $(awk "BEGIN { printf \"%d\", $cell * 86400 + 0.5 }") seconds" '+%d %B %T')" ;;
  esac
done >seen
cat >expected <<'OUT'
exceljs: 01 March 20:30:00
sheetjs: 02 March 02:00:10
sheetjs-cellDates: the text 2026-03-02T02:00:00.000Z
excelize-utc: 01 March 20:30:00
excelize-india: 02 March 02:00:00
OUT
diff expected seen && cat seen
