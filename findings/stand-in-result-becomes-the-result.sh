#!/usr/bin/env bash
# A workbook whose formulas were never calculated, saved again by a spreadsheet program.
#
# Versions   XlsxWriter 3.0.2 (Debian 12), LibreOffice 7.4 and Gnumeric 1.12 where
#            they are installed.
# Guess      The workbook asks for it (fullCalcOnLoad), so a program that opens and
#            saves it calculates =6*7, and the saved file says 42.
# Behaviour  Both save the stand-in 0 as the formula's result, and leave the request out.
#            From then on nothing tells this 0 from one that was calculated.
# Why it matters   Amounts that a script wrote as formulas become zeros on the way
#            through a converter, and no reader behind it can notice.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-xlsxwriter=3.0.2-2 2>/dev/null
dpkg -x python3-xlsxwriter_*.deb .
mkdir in out
PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import xlsxwriter
book = xlsxwriter.Workbook('in/amounts.xlsx')
book.add_worksheet('Amounts').write_formula('A1', '=6*7')
book.close()"
say() { # what the first cell of a workbook holds, and whether it asks to be calculated
  unzip -p "$2" xl/worksheets/sheet1.xml | tr -d '\n' >sheet
  unzip -p "$2" xl/workbook.xml | tr -d '\n' >book
  echo "$1: formula $(sed 's/.*<f[^>]*>=\{0,1\}\([^<]*\)<\/f>.*/\1/' sheet), result $(sed 's/.*<v>\([^<]*\)<\/v>.*/\1/' sheet), asks for calculation: $(grep -q 'fullCalcOnLoad="1"' book && echo yes || echo no)"
}
say XlsxWriter in/amounts.xlsx >seen
echo 'XlsxWriter: formula 6*7, result 0, asks for calculation: yes' >expected
if command -v soffice >/dev/null; then
  soffice -env:UserInstallation=file://"$here"/profile --headless --convert-to xlsx --outdir out in/amounts.xlsx >/dev/null 2>&1
  say LibreOffice out/amounts.xlsx >>seen
  echo 'LibreOffice: formula 6*7, result 0, asks for calculation: no' >>expected
fi
if command -v ssconvert >/dev/null; then
  ssconvert in/amounts.xlsx out/gnumeric.xlsx >/dev/null 2>&1
  say Gnumeric out/gnumeric.xlsx >>seen
  echo 'Gnumeric: formula 6*7, result 0, asks for calculation: no' >>expected
fi
diff expected seen && cat seen
