#!/usr/bin/env bash
# An order of three items, whose customer and total stand in merged cells.
#
# Versions   exceljs 4.4.0, SheetJS xlsx 0.18.5, read-excel-file 9.3.17 (npm); excelize
#            v2.11.0 (Go); the workbook by XlsxWriter 3.0.2 (Debian 12).
# Guess      The value of merged cells stands in the first one, the others are empty, in the file
#            and for each reader. The sum of the totals is 130000.
# Behaviour  exceljs has the value in every row: the sum is 310000. excelize has it both ways:
#            GetRows, Rows and GetCols have empty cells, GetCellValue of the same cell has
#            90000. And SetCellValue of the second row writes to the first: an item's note
#            replaces the customer, and what was to be set stays empty in GetRows.
# Why it matters   Sheets made for print merge such cells. Whoever changes the library, or in Go
#            the call, changes the sum, and no row looks wrong by itself.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-xlsxwriter=3.0.2-2 2>/dev/null
dpkg -x python3-xlsxwriter_*.deb .
npm init -y >/dev/null
npm install --silent exceljs@4.4.0 xlsx@0.18.5 read-excel-file@9.3.17 >/dev/null 2>&1
PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import xlsxwriter
book = xlsxwriter.Workbook('orders.xlsx')
sheet = book.add_worksheet('Orders')
plain = book.add_format()
sheet.merge_range('A1:A3', 'Mira Rao', plain)
sheet.write_column('B1', ['Sofa', 'Lamp', 'Desk', 'Bed'])
sheet.merge_range('C1:C3', 90000, plain)
sheet.write('A4', 'Anil Sen')
sheet.write('C4', 40000)
book.close()"
cat >orders.mjs <<'JS'
import Excel from 'exceljs';
import X from 'xlsx';
import read from 'read-excel-file/node';
const sum = (rows) => rows.reduce((total, row) => total + (row[2] || 0), 0);
const book = new Excel.Workbook();
await book.xlsx.readFile('orders.xlsx');
const rows = [];
book.worksheets[0].eachRow((row) => rows.push(row.values.slice(1)));
console.log('exceljs', sum(rows));
console.log('SheetJS', sum(X.utils.sheet_to_json(X.readFile('orders.xlsx').Sheets.Orders, { header: 1 })));
console.log('read-excel-file', sum((await read('orders.xlsx'))[0].data));
JS
cat >main.go <<'GO'
package main

import (
	"fmt"
	"strconv"

	"github.com/xuri/excelize/v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	book, err := excelize.OpenFile("orders.xlsx")
	must(err)
	rows, err := book.GetRows("Orders")
	must(err)
	var byRows, byCells int
	for n, row := range rows {
		if len(row) > 2 {
			amount, err := strconv.Atoi(row[2])
			must(err)
			byRows += amount
		}
		cell, err := book.GetCellValue("Orders", fmt.Sprint("C", n+1))
		must(err)
		amount, err := strconv.Atoi(cell)
		must(err)
		byCells += amount
	}
	fmt.Println("excelize GetRows", byRows, "GetCellValue", byCells)
	must(book.SetCellValue("Orders", "A2", "spare part"))
	rows, err = book.GetRows("Orders")
	must(err)
	fmt.Printf("after A2 is set: %q\n", rows[:3])
}
GO
printf 'module orders\n\ngo 1.24\n' >go.mod
go get github.com/xuri/excelize/v2@v2.11.0 2>/dev/null
{ node orders.mjs; go run .; } >seen
cat >expected <<'OUT'
exceljs 310000
SheetJS 130000
read-excel-file 130000
excelize GetRows 130000 GetCellValue 310000
after A2 is set: [["spare part" "Sofa" "90000"] ["" "Lamp"] ["" "Desk"]]
OUT
diff expected seen && cat seen
