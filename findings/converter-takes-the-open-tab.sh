#!/usr/bin/env bash
# A workbook of two sheets, turned into CSV by two spreadsheet programs.
#
# Versions   Gnumeric 1.12 (ssconvert) and LibreOffice 7.4, where they are installed; the
#            workbooks by XlsxWriter 3.0.2 (Debian 12).
# Guess      Without a word about sheets a converter takes the first one.
# Behaviour  ssconvert takes the sheet that was on the screen when the file was saved, so
#            the same data is another CSV when somebody looked at the second tab last.
#            LibreOffice takes the first, also where that one is hidden.
#            Exit 0, no warning of the sheet that was left out.
# Why it matters   Someone opens the workbook, looks, saves, and the nightly load has the
#            sheet of lists in place of the deals. Two machines disagree on one file.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-xlsxwriter=3.0.2-2 2>/dev/null
dpkg -x python3-xlsxwriter_*.deb .
PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import xlsxwriter
for name, seen_last, hidden in (('first-seen', 0, None), ('second-seen', 1, None), ('first-hidden', 1, 0)):
    book = xlsxwriter.Workbook(name + '.xlsx')
    sheets = [book.add_worksheet('Deals'), book.add_worksheet('Lists')]
    sheets[0].write('A1', 'deals')
    sheets[1].write('A1', 'lists')
    sheets[seen_last].activate()
    if hidden is not None:
        sheets[hidden].hide()
    book.close()"
: >seen
: >expected
if command -v ssconvert >/dev/null; then
  for book in first-seen second-seen first-hidden; do
    ssconvert "$book.xlsx" gnumeric.csv 2>/dev/null
    echo "Gnumeric $book: $(cat gnumeric.csv)" >>seen
  done
  printf 'Gnumeric %s\n' 'first-seen: deals' 'second-seen: lists' 'first-hidden: lists' >>expected
fi
if command -v soffice >/dev/null; then
  soffice -env:UserInstallation=file://"$here"/profile --headless --convert-to csv --outdir office first-seen.xlsx second-seen.xlsx first-hidden.xlsx >/dev/null 2>&1
  for book in first-seen second-seen first-hidden; do echo "LibreOffice $book: $(cat "office/$book.csv")" >>seen; done
  printf 'LibreOffice %s\n' 'first-seen: deals' 'second-seen: deals' 'first-hidden: deals' >>expected
fi
[ -s expected ] || { echo 'neither ssconvert nor soffice is installed'; exit 1; }
diff expected seen && cat seen
