#!/usr/bin/env bash
# Prices with a decimal comma in a CSV, read by the reader of R's tidyverse.
#
# Versions   readr 2.1.4 with vroom 1.6.1, data.table 1.14.8, R 4.2.2 (Debian 12), defaults.
# Guess      "12,50" is no number where the decimal mark is a dot, so it stays a text, as
#            it does in read.csv and fread; or it is 12.5.
# Behaviour  read_csv guesses a number with marks between thousands, wherever these stand: 12,50
#            is 1250, 99,9 is 999, and 1.200,50 is 1.2005. The column is numeric, and nothing
#            is said. Amounts like 1,20,000 are right for the same reason.
#            read_delim with semicolons does the same to a file of European Excel.
# Why it matters   The factor depends on the digits behind the comma, and differs from row to
#            row. An amount of 1,250 for a lamp is plausible; a report in lakh is not far off.
. "$(dirname "$0")/r.bash"
unpack_r r-cran-data.table=1.14.8+dfsg-1 r-cran-readr=2.1.4-1 r-cran-bit r-cran-bit64 r-cran-cli r-cran-clipr r-cran-crayon \
  r-cran-ellipsis r-cran-fansi r-cran-glue r-cran-hms r-cran-lifecycle r-cran-magrittr r-cran-pillar r-cran-pkgconfig \
  r-cran-prettyunits r-cran-progress r-cran-r6 r-cran-rlang r-cran-tibble r-cran-tidyselect r-cran-tzdb r-cran-utf8 \
  r-cran-vctrs r-cran-vroom=1.6.1-1 r-cran-withr
cat >prices.csv <<'CSV'
item,price,share,total,lakh
Lamp,"12,50","99,9","1.200,50","1,20,000"
Sofa,"8,5","7,25","2.100,75","99,500"
CSV
tr ',' ';' <<'CSV' | tr '_' ',' >prices2.csv
item,price
Lamp,12_50
Sofa,8_5
CSV
cat >prices.R <<'R'
show <- function(name, table) for (i in 1:2) cat(name, sapply(table[i, ], format, digits = 8), sep = " | ", fill = TRUE)
show("read_csv", as.data.frame(readr::read_csv("prices.csv", show_col_types = FALSE)))
show("read_delim", as.data.frame(readr::read_delim("prices2.csv", show_col_types = FALSE, delim = ";")))
show("read.csv", read.csv("prices.csv"))
show("fread", as.data.frame(data.table::fread("prices.csv")))
R
r prices.R >seen
cat >expected <<'OUT'
read_csv | Lamp | 1250 | 999 | 1.2005 | 120000
read_csv | Sofa | 85 | 725 | 2.10075 | 99500
read_delim | Lamp | 1250
read_delim | Sofa | 85
read.csv | Lamp | 12,50 | 99,9 | 1.200,50 | 1,20,000
read.csv | Sofa | 8,5 | 7,25 | 2.100,75 | 99,500
fread | Lamp | 12,50 | 99,9 | 1.200,50 | 1,20,000
fread | Sofa | 8,5 | 7,25 | 2.100,75 | 99,500
OUT
diff expected seen && cat seen
