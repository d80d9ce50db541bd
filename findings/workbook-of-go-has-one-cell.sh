#!/usr/bin/env bash
# A workbook of a thousand leads, written in Go and read in Python row by row.
#
# Versions   excelize v2.11.0 (Go), SetSheetRow and StreamWriter; openpyxl 3.0.9 (Debian 12),
#            and exceljs 4.4.0 (npm) as another writer.
# Guess      read_only is for large files: it reads the same cells with less memory.
# Behaviour  openpyxl reads one row of one cell, A1, and ends well. The file says of itself that
#            it is no larger (dimension A1), as a new sheet of excelize is and stays, whatever
#            is written to it. Without read_only, or after reset_dimensions(), all is there.
#            exceljs writes the true size.
# Why it matters   An export has one lead, or none where the first row is a head. The
#            count that the reader prints is that of the file, as it believes. Both libraries
#            are the usual ones of their language, and each reads its own files.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-openpyxl=3.0.9-1 python3-et-xmlfile 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
npm init -y >/dev/null
npm install --silent exceljs@4.4.0 >/dev/null 2>&1
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	rows := [][]any{{"name", "phone"}}
	for n := range 1000 {
		rows = append(rows, []any{fmt.Sprint("Lead ", n), fmt.Sprint(9876500000 + n)})
	}
	plain, stream := excelize.NewFile(), excelize.NewFile()
	writer, err := stream.NewStreamWriter("Sheet1")
	must(err)
	for n, row := range rows {
		cell := fmt.Sprint("A", n+1)
		must(plain.SetSheetRow("Sheet1", cell, &row))
		must(writer.SetRow(cell, row))
	}
	must(writer.Flush())
	must(plain.SaveAs("excelize.xlsx"))
	must(stream.SaveAs("excelize-stream.xlsx"))
}
GO
printf 'module leads\n\ngo 1.24\n' >go.mod
go get github.com/xuri/excelize/v2@v2.11.0 2>/dev/null
go run .
node -e "
const book = new (require('exceljs').Workbook)();
const sheet = book.addWorksheet('Leads');
sheet.addRow(['name', 'phone']);
for (let n = 0; n < 1000; n++) sheet.addRow(['Lead ' + n, String(9876500000 + n)]);
book.xlsx.writeFile('exceljs.xlsx');"
PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 >seen -c "
import openpyxl
def cells(rows):
    rows = list(rows)
    return f'{len(rows)} rows of {len(rows[0])}'
for name in 'excelize', 'excelize-stream', 'exceljs':
    sheet = openpyxl.load_workbook(name + '.xlsx', read_only=True).active
    found = cells(sheet.iter_rows())
    sheet.reset_dimensions()
    reset = cells(sheet.iter_rows())
    print(name, 'read_only:', found, '| reset:', reset, '| whole:', cells(openpyxl.load_workbook(name + '.xlsx').active.iter_rows()))"
cat >expected <<'OUT'
excelize read_only: 1 rows of 1 | reset: 1001 rows of 2 | whole: 1001 rows of 2
excelize-stream read_only: 1 rows of 1 | reset: 1001 rows of 2 | whole: 1001 rows of 2
exceljs read_only: 1001 rows of 2 | reset: 1001 rows of 2 | whole: 1001 rows of 2
OUT
diff expected seen && cat seen
