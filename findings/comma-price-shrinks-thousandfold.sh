#!/usr/bin/env bash
# Amounts, phones and counts of a CSV, read into the fields of a Go struct.
#
# Versions   gocarina/gocsv of 2024-05-20 (the newest); jszwec/csvutil v1.10.0 beside it (Go 1.26).
# Guess      A cell that does not fit the type of its field is an error that names the line.
# Behaviour  gocsv takes every comma for a decimal point: "1,200" in a float64 is 1.2, while
#            "1,20,000" is an error. 12.9 in an int is 12. 9876543210 in an int32 is
#            1286608618, and 300 in a uint8 is 44: the number is cut to the size of the field.
#            csvutil refuses all of them.
# Why it matters   Amounts from a thousand to a lakh become a thousandth, with no error; a phone
#            becomes another number of ten digits.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/gocarina/gocsv"
	"github.com/jszwec/csvutil"
)

func read[T any](cell string) {
	type row struct {
		Value T `csv:"value"`
	}
	text := "value\n\"" + cell + "\"\n"
	show := func(unmarshal func(rows *[]row) error) string {
		var rows []row
		if err := unmarshal(&rows); err != nil {
			return "error"
		}
		return fmt.Sprint(rows[0].Value)
	}
	fmt.Printf("%s in %T: gocsv %s, csvutil %s\n", cell, *new(T),
		show(func(rows *[]row) error { return gocsv.UnmarshalString(text, rows) }),
		show(func(rows *[]row) error { return csvutil.Unmarshal([]byte(text), rows) }))
}

func main() {
	read[float64]("1,200")
	read[float64]("99,999")
	read[float64]("1,20,000")
	read[int]("12.9")
	read[int32]("9876543210")
	read[uint8]("300")
}
GO
printf 'module cells\n\ngo 1.24\n' >go.mod
go get github.com/gocarina/gocsv@v0.0.0-20240520201108-78e41c74b4b1 github.com/jszwec/csvutil@v1.10.0 2>/dev/null
go run . >seen
cat >expected <<'OUT'
1,200 in float64: gocsv 1.2, csvutil error
99,999 in float64: gocsv 99.999, csvutil error
1,20,000 in float64: gocsv error, csvutil error
12.9 in int: gocsv 12, csvutil error
9876543210 in int32: gocsv 1286608618, csvutil error
300 in uint8: gocsv 44, csvutil error
OUT
diff expected seen && cat seen
