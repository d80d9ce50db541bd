#!/usr/bin/env bash
# A column of times of calls and visits, made times of in R.
#
# Version    R 4.2.2 (Debian 12), as.POSIXct and as.Date without a format.
# Guess      A cell that has no clock is midnight or NA, a form that R does not know is an
#            error, and the other cells keep their times.
# Behaviour  One form is sought that fits all cells, and what stands behind its end is not
#            looked at. With one cell of a day alone all cells become midnight. With one of
#            24:15 too. If all are written as APIs write them, 2026-03-05T10:30:15, all become
#            midnight. 10:30 PM is half past ten in the morning, +05:30 is passed over,
#            and 05/03/2026 is 20 March of the year 5. No error, no warning.
# Why it matters   All calls at 00:00 look like a setting of the export. The row at fault may
#            be the last of a year's file, so a test with its head is right.
. "$(dirname "$0")/r.bash"
unpack_r
cat >calls.R <<'R'
show <- function(...) cat(format(as.POSIXct(c(...), tz = "Asia/Kolkata"), "%F %R"), "\n", sep = "  ")
show("2026-03-05 10:30", "2026-03-06 18:45")
show("2026-03-05 10:30", "2026-03-06 18:45", "2026-03-07")
show("2026-03-05 10:30", "2026-03-06 24:15")
show("2026-03-05T10:30:15", "2026-03-06T18:45:00")
show("2026-03-05 10:30 PM", "2026-03-05 10:30-08:00")
cat(as.character(as.Date(c("05/03/2026", "17/11/2026"))), "\n")
R
r calls.R >seen
cat >expected <<'OUT'
2026-03-05 10:30  2026-03-06 18:45  
2026-03-05 00:00  2026-03-06 00:00  2026-03-07 00:00  
2026-03-05 00:00  2026-03-06 00:00  
2026-03-05 00:00  2026-03-06 00:00  
2026-03-05 10:30  2026-03-05 10:30  
5-03-20 17-11-20 
OUT
diff expected seen && cat seen
