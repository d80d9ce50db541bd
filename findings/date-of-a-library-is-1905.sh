#!/usr/bin/env bash
# A workbook with dates, written by one library of npm and read by others.
#
# Versions   SheetJS xlsx 0.18.5 writes it with cellDates; exceljs 4.4.0, xlsx-populate 1.21.0,
#            read-excel-file 9.3.17 (npm), Node 20, openpyxl 3.0.9, R 4.2.2 with readxl 1.4.2
#            (Debian 12) and, where it is installed, Gnumeric 1.12 read it.
# Guess      A date cell is a date cell: all readers have 5 March 2026, 10:30.
# Behaviour  SheetJS writes the cell as a text of ISO (t="d"), a form of the standard that is
#            rarely met. exceljs and Gnumeric take the year in front of it for the number of a
#            day, the 2026th since 1900: every date of 2026 is 18 July 1905. xlsx-populate has
#            NaN, readxl a text. read-excel-file and openpyxl read the date.
# Why it matters   All days and times of a year become one. Excel shows the file well, so
#            the fault is sought in the program that reads it. A date of birth of 1990
#            becomes 12 June 1905, a valid one.
. "$(dirname "$0")/r.bash"
unpack_r r-cran-readxl=1.4.2-1 r-cran-cellranger r-cran-cli r-cran-crayon r-cran-ellipsis r-cran-fansi r-cran-glue r-cran-hms \
  r-cran-lifecycle r-cran-magrittr r-cran-pillar r-cran-pkgconfig r-cran-prettyunits r-cran-progress r-cran-r6 \
  r-cran-rematch r-cran-rlang r-cran-tibble r-cran-utf8 r-cran-vctrs python3-openpyxl=3.0.9-1 python3-et-xmlfile
npm init -y >/dev/null
npm install --silent xlsx@0.18.5 exceljs@4.4.0 xlsx-populate@1.21.0 read-excel-file@9.3.17 >/dev/null 2>&1
cat >visits.mjs <<'JS'
import X from 'xlsx';
import Excel from 'exceljs';
import Populate from 'xlsx-populate';
import read from 'read-excel-file/node';
const sheet = X.utils.aoa_to_sheet([[new Date(2026, 2, 5, 10, 30)], [new Date(2026, 11, 24)], [new Date(1990, 4, 17)]], { cellDates: true });
const made = X.utils.book_new();
X.utils.book_append_sheet(made, sheet, 'Visits');
X.writeFile(made, 'visits.xlsx', { cellDates: true });
const text = (value) => (value instanceof Date ? value.toISOString().slice(0, 16) : String(value));
const book = new Excel.Workbook();
await book.xlsx.readFile('visits.xlsx');
console.log('exceljs', ...[1, 2, 3].map((row) => text(book.worksheets[0].getCell(row, 1).value)));
const other = (await Populate.fromFileAsync('visits.xlsx')).sheet(0);
console.log('xlsx-populate', ...[1, 2, 3].map((row) => text(other.cell(row, 1).value())));
const [{ data }] = await read('visits.xlsx');
console.log('read-excel-file', ...data.map(([value]) => text(value)));
JS
{
  TZ=UTC node visits.mjs
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import openpyxl
print('openpyxl', *(cell.value.isoformat()[:16] for cell in openpyxl.load_workbook('visits.xlsx').active['A']))"
  echo 'cat("readxl", format(readxl::read_excel("visits.xlsx", col_names = "at")$at), "\n")' >visits.R
  r visits.R
} >seen
if command -v ssconvert >/dev/null; then
  ssconvert -T Gnumeric_stf:stf_csv visits.xlsx fd://1 2>/dev/null | tee gnumeric
  grep -q ^1905 gnumeric # or the script ends here
fi
cat >expected <<'OUT'
exceljs 1905-07-18T00:00 1905-07-18T00:00 1905-06-12T00:00
xlsx-populate NaN NaN NaN
read-excel-file 2026-03-05T10:30 2026-12-24T00:00 1990-05-17T00:00
openpyxl 2026-03-05T10:30 2026-12-24T00:00 1990-05-17T00:00
readxl 2026-03-05T10:30:00.000Z 2026-12-24T00:00:00.000Z 1990-05-17T00:00:00.000Z 
OUT
diff expected seen && cat seen
