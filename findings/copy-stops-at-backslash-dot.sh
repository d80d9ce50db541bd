#!/usr/bin/env bash
# A CSV cell of a backslash and a dot, loaded with PostgreSQL's COPY.
#
# Version    PostgreSQL 15.20 (Debian), server and psql.
# Guess      format csv knows no backslash escapes, so the cell is a text like any other
#            and three rows are loaded.
# Behaviour  The line ends the data. One row is loaded, the rows behind it are dropped,
#            and the answer is "COPY 1" with exit 0: by psql's \copy and by the server's
#            own COPY alike. In quotes the cell is loaded. The mark is older than the
#            csv format and was kept for it; only later versions end this.
# Why it matters   Programs quote a cell only where it needs it, and this one does not.
#            A staging table then lacks the tail of the file, and nothing says so.
. "$(dirname "$0")/servers.bash"
start_postgres
printf 'note\nfirst\n\\.\nthird\n' >plain.csv
printf 'note\nfirst\n"\\."\nthird\n' >quoted.csv
chmod 644 ./*.csv
sql() { "$postgres/psql" -X -h "$here" -U nobody -d postgres "$@"; }
{
  sql -qc 'CREATE TABLE notes (note text)'
  for file in plain quoted; do
    echo "$file, sent by psql: $(sql -c "\\copy notes from '$file.csv' with (format csv, header)"), exit $?"
    echo "$file, read by the server: $(sql -c "COPY notes FROM '$here/$file.csv' WITH (FORMAT csv, HEADER)"), exit $?"
  done
} >seen
cat >expected <<'OUT'
plain, sent by psql: COPY 1, exit 0
plain, read by the server: COPY 1, exit 0
quoted, sent by psql: COPY 3, exit 0
quoted, read by the server: COPY 3, exit 0
OUT
diff expected seen && cat seen
