#!/usr/bin/env bash
# A file of staff and shares, sorted by its first column with csvsort.
#
# Version    csvkit 1.0.7 with agate 1.6.3 (Debian 12), defaults.
# Guess      The rows change places, and the cells stay what they are.
# Behaviour  Cells are read by the type that fits their column, and written in the form of
#            that type. April and June become days of the year 1: 0001-04-01. 5% is 5,
#            1,20,000 is 120000, a phone loses its plus, a PIN code its zeros, "2 weeks" is
#            "14 days, 0:00:00". With one other name in the column, April stays April.
#            -I switches this off, but people whose last name is Na or None lose it with
#            -I too.
# Why it matters   A step that only sorts hands other values to the next one. What changes
#            depends on all rows of a column, so that a sample tells little.
. "$(dirname "$0")/servers.bash"
unpack csvkit=1.0.7-1 python3-csvkit=1.0.7-1 python3-agate=1.6.3-2 python3-agateexcel python3-agatesql python3-agatedbf \
  python3-babel python-babel-localedata python3-isodate python3-leather python3-parsedatetime python3-pytimeparse \
  python3-slugify python3-text-unidecode python3-six python3-future python3-openpyxl python3-xlrd python3-sqlalchemy \
  python3-dbfread python3-et-xmlfile python3-tz python3-greenlet python3-olefile
export PYTHONPATH=$here/server/usr/lib/python3/dist-packages
cat >staff.csv <<'CSV'
no,first,last,share,amount,phone,pin,notice
2,June,None,12%,"99,500.50",+919876543211,00012,1 week
1,April,Na,5%,"1,20,000",+919876543210,00560,2 weeks
CSV
sorted() { /usr/bin/python3 server/usr/bin/csvsort -c no "$@"; }
{
  sorted staff.csv
  echo 'with one more row:'
  (cat staff.csv; echo '3,Asha,Rao,-,,,,') | sorted | cut -d , -f 1-4
  echo 'with -I:'
  sorted -I staff.csv
} >seen
cat >expected <<'OUT'
no,first,last,share,amount,phone,pin,notice
1,0001-04-01,,5,120000,919876543210,560,"14 days, 0:00:00"
2,0001-06-01,,12,99500.50,919876543211,12,"7 days, 0:00:00"
with one more row:
no,first,last,share
1,April,,5%
2,June,,12%
3,Asha,Rao,-
with -I:
no,first,last,share,amount,phone,pin,notice
1,April,,5%,"1,20,000",+919876543210,00560,2 weeks
2,June,,12%,"99,500.50",+919876543211,00012,1 week
OUT
diff expected seen && cat seen
