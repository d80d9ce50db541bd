#!/usr/bin/env bash
# PIN codes and part numbers in a CSV, read in Ruby with its converter for numbers.
#
# Versions   Ruby 3.1 with csv 3.2.2, converters: :numeric; Python 3.11, Node 20 and Perl
#            5.36 turn the same texts into numbers beside it.
# Guess      00560 loses its zeros and becomes 560, or stays a text.
# Behaviour  It becomes 368: the converter reads numbers as Ruby's source does, where a
#            zero in front means octal. 0098 has digits that octal lacks and becomes the
#            float 98.0. 0b11 becomes 3, 1_000 becomes 1000. In one column three rules
#            hold, row by row. No error, and none of the others takes 00560 for 368.
# Why it matters   With the lost zeros one can still find the row; this is another code,
#            often one that exists.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
printf 'code\n00560\n0110\n0098\n560001\n0b11\n1_000\n' >codes.csv
{
  ruby -rcsv -e 'puts "Ruby #{CSV.read("codes.csv", headers: true, converters: :numeric)["code"].inspect}"'
  python3 -c '
import csv
def number(text):
    try:
        return int(text)
    except ValueError:
        return text
print("Python", [number(row["code"]) for row in csv.DictReader(open("codes.csv"))])'
  node -e 'const codes = require("fs").readFileSync("codes.csv", "utf8").trim().split("\n").slice(1);
    console.log("Node", JSON.stringify(codes.map((c) => (Number.isNaN(Number(c)) ? c : Number(c)))));'
  perl -ne 'BEGIN { print "Perl" } chomp; print " ", $_ + 0 if $. > 1 && /^\d+$/; END { print "\n" }' codes.csv
} >seen
cat >expected <<'OUT'
Ruby [368, 72, 98.0, 560001, 3, 1000]
Python [560, 110, 98, 560001, '0b11', 1000]
Node [560,110,98,560001,3,"1_000"]
Perl 560 110 98 560001
OUT
diff expected seen && cat seen
