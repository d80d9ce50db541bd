#!/usr/bin/env bash
# A CSV of one column, in which a cell is empty, written and read again.
#
# Versions   Go 1.26 encoding/csv, papaparse 5.4.1 (npm), Ruby 3.1 with csv 3.2.2, Python 3.11.
# Guess      A writer and the reader of the same package keep the number of rows.
# Behaviour  Go's writer writes an empty line for the row, and its reader leaves empty lines
#            out: four rows become three. papaparse loses the row with skipEmptyLines, the
#            option that its users need for the last line. Ruby and Python write "" for it,
#            and that comes back everywhere.
# Why it matters   A column of results or of phones that is joined by position to another
#            file is one row off from there on, and each phone gets the next one's name.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent papaparse@5.4.1 >/dev/null
cat >main.go <<'GO'
package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
)

func main() {
	var file strings.Builder
	rows := [][]string{{"91"}, {""}, {"93"}, {"94"}}
	if len(os.Args) > 1 {
		text, err := os.ReadFile(os.Args[1])
		if err != nil {
			panic(err)
		}
		file.Write(text)
	} else if err := csv.NewWriter(&file).WriteAll(rows); err != nil {
		panic(err)
	}
	read, err := csv.NewReader(strings.NewReader(file.String())).ReadAll()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%q -> %q\n", file.String(), read)
}
GO
go build -o read main.go
{
  echo "Go: $(./read)"
  node -e '
    const { parse, unparse } = require("papaparse");
    const file = unparse([["91"], [""], ["93"], ["94"]], { newline: "\n" });
    console.log("papaparse:", JSON.stringify(file), "->", JSON.stringify(parse(file, { skipEmptyLines: true }).data));'
  ruby -rcsv -e '
    file = CSV.generate { |csv| [["91"], [""], ["93"], ["94"]].each { |row| csv << row } }
    File.write("ruby.csv", file)
    puts "Ruby: #{file.inspect} -> #{CSV.parse(file).inspect}"'
  echo "Ruby to Go: $(./read ruby.csv)"
  python3 -c '
import csv, io, json
file = io.StringIO()
csv.writer(file, lineterminator="\n").writerows([["91"], [""], ["93"], ["94"]])
print("Python:", json.dumps(file.getvalue()), "->", json.dumps(list(csv.reader(io.StringIO(file.getvalue())))))'
} >seen
cat >expected <<'OUT'
Go: "91\n\n93\n94\n" -> [["91"] ["93"] ["94"]]
papaparse: "91\n\n93\n94" -> [["91"],["93"],["94"]]
Ruby: "91\n\"\"\n93\n94\n" -> [["91"], [""], ["93"], ["94"]]
Ruby to Go: "91\n\"\"\n93\n94\n" -> [["91"] [""] ["93"] ["94"]]
Python: "91\n\"\"\n93\n94\n" -> [["91"], [""], ["93"], ["94"]]
OUT
diff expected seen && cat seen
