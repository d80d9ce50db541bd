#!/usr/bin/env bash
# PIN codes, amounts and phones, read from a CSV in R and written as CSV again.
#
# Versions   R 4.2.2, data.table 1.14.8, readr 2.1.4 (Debian 12), defaults; Node 20 and
#            sqlite3 3.40.1 read the result.
# Guess      400000 is written as 400000. Exponents are for numbers that need more than
#            fifteen digits.
# Behaviour  write.csv and fwrite take the shorter form, cell by cell: one lakh leaves as 1e+05
#            beside 250000.5, the number 400000 as 4e+05, the phone 9000000000 as 9e+09, and
#            paste() makes "PIN 4e+05". A column without a fraction or ten digits in any cell
#            escapes it, since R reads it as integers: the same 400000 under "pin". readr
#            writes all digits. parseInt and SQLite's cast make 4 of 4e+05.
# Why it matters   Only round numbers are hit, here lakhs and crores: the rows that people
#            look for. Whether a column is hit depends on one other cell in it.
. "$(dirname "$0")/r.bash"
unpack_r r-cran-data.table=1.14.8+dfsg-1 r-cran-readr=2.1.4-1 r-cran-bit r-cran-bit64 r-cran-cli r-cran-clipr r-cran-crayon \
  r-cran-ellipsis r-cran-fansi r-cran-glue r-cran-hms r-cran-lifecycle r-cran-magrittr r-cran-pillar r-cran-pkgconfig \
  r-cran-prettyunits r-cran-progress r-cran-r6 r-cran-rlang r-cran-tibble r-cran-tidyselect r-cran-tzdb r-cran-utf8 \
  r-cran-vctrs r-cran-vroom r-cran-withr
cat >leads.csv <<'CSV'
pin,area,amount,phone
400000,400000,100000,9000000000
400001,400001.5,250000.5,9876543210
CSV
cat >leads.R <<'R'
leads <- read.csv("leads.csv")
cat("write.csv\n"); write.csv(leads, row.names = FALSE, quote = FALSE)
cat("fwrite\n"); data.table::fwrite(leads, "fwrite.csv"); cat(readLines("fwrite.csv"), sep = "\n")
cat("readr\n"); cat(readr::format_csv(leads))
cat(paste("PIN", c(400000, 400001)), sep = "\n")
R
{
  r leads.R
  node -p "'parseInt ' + parseInt('4e+05') + ', SQLite:'"
  sqlite3 :memory: "SELECT CAST('4e+05' AS integer)"
} >seen
cat >expected <<'OUT'
write.csv
pin,area,amount,phone
400000,4e+05,1e+05,9e+09
400001,400001.5,250000.5,9876543210
fwrite
pin,area,amount,phone
400000,4e+05,1e+05,9e+09
400001,400001.5,250000.5,9876543210
readr
pin,area,amount,phone
400000,400000,100000,9000000000
400001,400001.5,250000.5,9876543210
PIN 4e+05
PIN 400001
parseInt 4, SQLite:
4
OUT
diff expected seen && cat seen
