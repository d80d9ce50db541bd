#!/usr/bin/env bash
# One prepared statement in Java, run seven times against one row.
#
# Versions   PostgreSQL 15.20 and its JDBC driver 42.5.5 (Debian), defaults; needs Java 11
#            or newer.
# Guess      The same row, column and call return the same text every time.
# Behaviour  From the sixth run on getString returns other texts: 12345678.9 becomes
#            1.23456789E7, 1e+15 becomes 1.0E15, and a bytea of a key becomes "[B@" and a
#            number, another one at each read. The driver counts to five, then lets the
#            server keep the statement and takes results in binary form; their text is
#            made by Java then, and no longer by the server. numeric stays as it was.
# Why it matters   An export is right for its first five rows. Keys read as text match in
#            a test of three rows, and match nothing in the nightly run.
. "$(dirname "$0")/servers.bash"
port=$(free_port)
start_postgres -c listen_addresses=127.0.0.1 -p "$port"
unpack libpostgresql-jdbc-java=42.5.5-0+deb12u1 libscram-java=2.1-1
cat >Reads.java <<'JAVA'
import java.sql.*;

public class Reads {
    public static void main(String[] args) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + args[0] + "/postgres?user=nobody")) {
            connection.createStatement().execute("CREATE TEMP TABLE deals AS SELECT 1 AS id, 12345678.9::float8 AS amount, "
                + "1e15::float8 AS target, 12345678.90::numeric(12,2) AS exact, '\\x5ee1'::bytea AS key");
            PreparedStatement read = connection.prepareStatement("SELECT amount, target, exact, key FROM deals WHERE id = ?");
            for (int run = 1; run <= 7; run++) {
                read.setInt(1, 1);
                ResultSet row = read.executeQuery();
                row.next();
                System.out.println("run " + run + ": amount " + row.getString(1) + ", target " + row.getString(2)
                    + ", exact " + row.getString(3) + ", key " + row.getString(4).replaceAll("\\[B@[0-9a-f]+", "[B@..."));
            }
        }
    }
}
JAVA
java -cp "$(printf '%s:' server/usr/share/java/postgresql.jar server/usr/share/java/scram-*.jar)" Reads.java "$port" >seen
cat >expected <<'OUT'
run 1: amount 12345678.9, target 1e+15, exact 12345678.90, key \x5ee1
run 2: amount 12345678.9, target 1e+15, exact 12345678.90, key \x5ee1
run 3: amount 12345678.9, target 1e+15, exact 12345678.90, key \x5ee1
run 4: amount 12345678.9, target 1e+15, exact 12345678.90, key \x5ee1
run 5: amount 12345678.9, target 1e+15, exact 12345678.90, key \x5ee1
run 6: amount 1.23456789E7, target 1.0E15, exact 12345678.90, key [B@...
run 7: amount 1.23456789E7, target 1.0E15, exact 12345678.90, key [B@...
OUT
diff expected seen && cat seen
