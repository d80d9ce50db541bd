#!/usr/bin/env bash
# A CSV whose first column holds ticket numbers such as #1001.
#
# Versions   univocity-parsers 2.9.1, Commons CSV 1.9.0 and OpenCSV 5.2 (Debian); Java 11
#            or newer.
# Guess      CSV has no comments, so a parser with default settings returns all five rows.
# Behaviour  univocity returns three: a row that begins with # is a comment for it, unless
#            its first cell is in quotes. It also takes the blanks around a cell away.
#            Its own writer knows this and puts such a cell in quotes, so what it wrote it
#            reads back whole, and no test that goes round finds the loss. The others
#            return five.
# Why it matters   Rows vanish by their content, with no error and no count, and only from
#            files that another program wrote.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq libunivocity-parsers-java=2.9.1-1 libcommons-csv-java=1.9.0-1 libopencsv-java=5.2-1 \
  libcommons-lang3-java libcommons-text-java libcommons-beanutils-java 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat >Rows.java <<'JAVA'
import com.opencsv.CSVReader;
import com.univocity.parsers.csv.*;
import java.io.*;
import java.util.*;
import org.apache.commons.csv.*;

public class Rows {
    static String read(String csv) {
        List<String> keys = new ArrayList<>();
        for (String[] row : new CsvParser(new CsvParserSettings()).parseAll(new StringReader(csv))) keys.add(row[0]);
        return String.join(" ", keys);
    }

    public static void main(String[] args) throws Exception {
        String csv = "#1001,Open\n1002,Open\n#1003,Won\n\"#1004\",Won\n1005,Lost\n";
        System.out.println("univocity: " + read(csv));
        StringWriter own = new StringWriter();
        CsvWriter writer = new CsvWriter(own, new CsvWriterSettings());
        for (String key : List.of("#1001", "1002", "#1003", "#1004", "1005")) writer.writeRow(key, "Open");
        writer.close();
        System.out.println("univocity, its own file: " + read(own.toString()));
        List<String> keys = new ArrayList<>();
        for (CSVRecord row : CSVFormat.DEFAULT.parse(new StringReader(csv))) keys.add(row.get(0));
        System.out.println("Commons CSV: " + String.join(" ", keys));
        keys.clear();
        for (String[] row : new CSVReader(new StringReader(csv)).readAll()) keys.add(row[0]);
        System.out.println("OpenCSV: " + String.join(" ", keys));
    }
}
JAVA
java -cp "$(printf '%s:' usr/share/java/*.jar)" Rows.java >seen
cat >expected <<'OUT'
univocity: 1002 #1004 1005
univocity, its own file: #1001 1002 #1003 #1004 1005
Commons CSV: #1001 1002 #1003 #1004 1005
OpenCSV: #1001 1002 #1003 #1004 1005
OUT
diff expected seen && cat seen
