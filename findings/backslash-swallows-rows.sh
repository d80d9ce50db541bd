#!/usr/bin/env bash
# Folder names in a CSV that Go wrote, read in PHP and with OpenCSV in Java.
#
# Versions   PHP 8.2.36 and OpenCSV 5.2 (Debian 12), defaults; Java 11 or newer, Go 1.26.
# Guess      A backslash is a character like any other in CSV, so "D:\calls\" is a cell, and
#            four rows of three cells are read.
# Behaviour  In PHP the quote behind the last backslash does not end the cell. It runs on
#            to the next such cell, over the rows between: two rows are left of four, one
#            of them with the text of three in a cell. No error, no warning.
#            OpenCSV keeps rows where no cell ends so, but drops backslashes: D:calls.
#            Go's own reader has all as it was.
# Why it matters   A path, or JSON text with a backslash, in one column of one row removes
#            the rows behind it up to the next. What PHP itself writes has the same fault.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq php8.2-cli=8.2.36-1~deb12u1 libargon2-1 libsodium23 libopencsv-java=5.2-1 \
  libcommons-lang3-java libcommons-text-java libcommons-beanutils-java 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat >main.go <<'GO'
package main

import (
	"encoding/csv"
	"fmt"
	"os"
)

func main() {
	rows := map[string][][]string{
		"ends.csv":   {{"1", `D:\calls, old\`, "Open"}, {"2", "none", "Won"}, {"3", `E:\calls, new\`, "Lost"}, {"4", "none", "Won"}},
		"inside.csv": {{"1", `D:\calls\may, old`, "Open"}, {"2", "none", "Won"}},
	}
	for name, some := range rows {
		file, err := os.Create(name)
		if err != nil {
			panic(err)
		}
		if err := csv.NewWriter(file).WriteAll(some); err != nil {
			panic(err)
		}
	}
	file, err := os.Open("ends.csv")
	if err != nil {
		panic(err)
	}
	read, err := csv.NewReader(file).ReadAll()
	if err != nil {
		panic(err)
	}
	fmt.Printf("Go: %d rows, first %s\n", len(read), read[0][1])
}
GO
cat >Paths.java <<'JAVA'
import com.opencsv.CSVReader;
import java.io.FileReader;

public class Paths {
    public static void main(String[] args) throws Exception {
        var rows = new CSVReader(new FileReader("inside.csv")).readAll();
        System.out.println("OpenCSV: " + rows.size() + " rows, first " + rows.get(0)[1]);
    }
}
JAVA
{
  go run main.go
  LD_LIBRARY_PATH=$here/usr/lib/$(uname -m)-linux-gnu usr/bin/php8.2 -n -r '
    $file = fopen("ends.csv", "r");
    while (($row = fgetcsv($file)) !== false) echo "PHP: ", json_encode($row, JSON_UNESCAPED_SLASHES), "\n";'
  java -cp "$(printf '%s:' usr/share/java/*.jar)" Paths.java
} >seen
cat >expected <<'OUT'
Go: 4 rows, first D:\calls, old\
PHP: ["1","D:\\calls, old\\\",Open\n2,none,Won\n3,E:\\calls"," new\\\"","Lost"]
PHP: ["4","none","Won"]
OpenCSV: 2 rows, first D:callsmay, old
OUT
diff expected seen && cat seen
