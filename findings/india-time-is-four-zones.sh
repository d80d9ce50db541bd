#!/usr/bin/env bash
# 10:00 IST, as India's exports and mails write it, read by eight parsers.
#
# Versions   PostgreSQL 15.20, PHP 8.2.36 (Debian 12), Java 17 with its own zone data, GNU
#            date 9.1, Python 3.11, Ruby 3.1, Node 20, Go 1.26; the machine in UTC.
# Guess      Who knows the name takes it for India (04:30 UTC); who does not refuses it.
# Behaviour  Only GNU date takes India. PostgreSQL, PHP and Java's SimpleDateFormat take
#            Israel (08:00 UTC), java.time takes the time of Abidjan (10:00), Ruby, Go and
#            Python's mail parser know no such zone and return 10:00 all the same. Node alone
#            refuses. SimpleDateFormat takes India after all on a machine in India.
# Why it matters   The moments lie two to five and a half hours off and are all plausible.
#            Two steps of one program, in Java, disagree on the same text.
. "$(dirname "$0")/servers.bash"
start_postgres
unpack php8.2-cli=8.2.36-1~deb12u1 libargon2-1 libsodium23
cat >Ist.java <<'JAVA'
import java.text.SimpleDateFormat;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

public class Ist {
    public static void main(String[] args) throws Exception {
        String form = "yyyy-MM-dd HH:mm z";
        if (args.length == 0)
            System.out.println("java.time " + ZonedDateTime.parse("2026-03-01 10:00 IST", DateTimeFormatter.ofPattern(form, Locale.ENGLISH)).toInstant());
        System.out.println("SimpleDateFormat" + String.join("", args) + " " + new SimpleDateFormat(form, Locale.ENGLISH).parse("2026-03-01 10:00 IST").toInstant());
    }
}
JAVA
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
)

func main() {
	t, err := time.Parse("2006-01-02 15:04 MST", "2026-03-01 10:00 IST")
	if err != nil {
		panic(err)
	}
	fmt.Println("Go", t.UTC().Format(time.RFC3339))
}
GO
export TZ=UTC
{
  echo "GNU date $(date -u -d '2026-03-01 10:00 IST' +%FT%TZ)"
  echo "PostgreSQL $("$postgres/psql" -X -At -h "$here" -U nobody -d postgres -c "SET timezone TO 'UTC'" -c "SELECT to_char('2026-03-01 10:00 IST'::timestamptz, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')" | tail -1)"
  LD_LIBRARY_PATH=$here/server/usr/lib/$(uname -m)-linux-gnu server/usr/bin/php8.2 -n -r '$t = new DateTime("2026-03-01 10:00 IST"); echo "PHP ", $t->setTimezone(new DateTimeZone("UTC"))->format("Y-m-d\TH:i:s\Z"), "\n";'
  java Ist.java
  java -Duser.timezone=Asia/Kolkata Ist.java ' in India'
  ruby -rtime -e 'puts "Ruby #{Time.parse("2026-03-01 10:00 IST").utc.iso8601}"'
  go run main.go
  python3 -c 'import email.utils; print("Python", email.utils.parsedate_to_datetime("Sun, 01 Mar 2026 10:00:00 IST").isoformat())'
  node -e 'console.log("Node", String(new Date("2026-03-01 10:00 IST")))'
} >seen
cat >expected <<'OUT'
GNU date 2026-03-01T04:30:00Z
PostgreSQL 2026-03-01T08:00:00Z
PHP 2026-03-01T08:00:00Z
java.time 2026-03-01T10:00:00Z
SimpleDateFormat 2026-03-01T08:00:00Z
SimpleDateFormat in India 2026-03-01T04:30:00Z
Ruby 2026-03-01T10:00:00Z
Go 2026-03-01T10:00:00Z
Python 2026-03-01T10:00:00
Node Invalid Date
OUT
diff expected seen && cat seen
