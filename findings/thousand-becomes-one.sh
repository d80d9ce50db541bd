#!/usr/bin/env bash
# Bank lines of whole rupees, added up by two accounting programs.
#
# Versions   hledger 1.25 and ledger 3.3.0 (Debian 12).
# Guess      Both read the same journal, so both read "1,000" as a thousand; and in a bank's
#            CSV hledger does so too.
# Behaviour  ledger has 1,263,500, hledger 1,250,013.500. hledger takes a lone comma for
#            the decimal mark, so 1,000 is one rupee and 12,500 is twelve and a half. The
#            larger amount of the same journal is right, since two commas can only group,
#            and so is one with paise. No warning, and the books balance.
#            A line "decimal-mark ." mends it.
# Why it matters   Amounts from a thousand up to the first second comma become a
#            thousandth. The largest lines, where one looks first, are right.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq hledger=1.25-2+b5 ledger=3.3.0-3 libboost-filesystem1.74.0 libboost-iostreams1.74.0 \
  libboost-python1.74.0 libboost-regex1.74.0 libpython3.11 libicu72 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat >bank.journal <<'TXT'
2026-03-01 Site visit, advance
    assets:bank     INR 1,000
    income

2026-03-02 Second visit
    assets:bank     INR 12,500
    income

2026-03-03 Booking
    assets:bank     INR 1,250,000
    income
TXT
printf '2026-03-01,Site visit,"1,000"\n2026-03-02,Second visit,"12,500"\n2026-03-03,Booking,"1,00,000"\n2026-03-04,Balance,"12,500.00"\n' >bank.csv
printf 'fields date,description,amount\ncurrency INR \naccount1 assets:bank\naccount2 income\n' >bank.csv.rules
{ echo 'decimal-mark .'; cat bank.journal; } >marked.journal
{
  echo "ledger: $(LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu:$here/usr/lib/ledger usr/bin/ledger --args-only -f bank.journal bal assets:bank)"
  echo "hledger: $(usr/bin/hledger -f bank.journal bal --no-total assets:bank)"
  echo "hledger, marked: $(usr/bin/hledger -f marked.journal bal --no-total assets:bank)"
  echo 'hledger, the bank CSV:'
  usr/bin/hledger -f bank.csv register -O csv assets:bank | cut -d, -f2,4,6-
} 2>&1 | tr -s ' ' >seen
cat >expected <<'OUT'
ledger: INR 1,263,500 assets:bank
hledger: INR 1,250,013.500 assets:bank
hledger, marked: INR 1,263,500 assets:bank
hledger, the bank CSV:
"date","description","amount","total"
"2026-03-01","Site visit","INR 1.000","INR 1.000"
"2026-03-02","Second visit","INR 12.500","INR 13.500"
"2026-03-03","Booking","INR 100000.000","INR 100013.500"
"2026-03-04","Balance","INR 12500.000","INR 112513.500"
OUT
diff expected seen && cat seen
