#!/usr/bin/env bash
# Prices of 0.01 to 1,000.00, read as floats and made money of in Go.
#
# Versions   go-money v1.0.15 (Rhymond); bojanz/currency v1.4.2 and shopspring/decimal
#            v1.4.0 beside it (Go).
# Guess      A library for money exists so that 19.99 stays 19.99. The digits that it cuts
#            off, as its text says, are those behind the paise.
# Behaviour  NewFromFloat(19.99, "INR") is 19.98. The product with 100 is 1998.9999999999998,
#            and its fraction is cut off. 4,586 of 100,000 prices are a paisa short, the first
#            ones 0.29, 0.57 and 0.58. The other two libraries have them all right.
# Why it matters   JSON and spreadsheets bring amounts as floats. The sum of an order is then
#            a few paise below the bank's, for some prices only, and only downwards.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/Rhymond/go-money"
	"github.com/bojanz/currency"
	"github.com/shopspring/decimal"
)

func main() {
	var short, more, other int
	for paise := int64(1); paise <= 100000; paise++ {
		price := float64(paise) / 100
		switch found := money.NewFromFloat(price, "INR").Amount(); {
		case found < paise:
			short++
		case found > paise:
			more++
		}
		amount, err := currency.NewAmount(fmt.Sprint(price), "INR")
		if err != nil {
			panic(err)
		}
		minor, err := amount.Int64()
		if err != nil || minor != paise || !decimal.NewFromFloat(price).Equal(decimal.New(paise, -2)) {
			other++
		}
	}
	fmt.Println("go-money: a paisa short", short, "more", more, "| others wrong", other)
	fmt.Println("19.99 is", money.NewFromFloat(19.99, "INR").Display(), "and 0.29 is", money.NewFromFloat(0.29, "INR").Display())
}
GO
printf 'module price\n\ngo 1.24\n' >go.mod
go get github.com/Rhymond/go-money@v1.0.15 github.com/bojanz/currency@v1.4.2 github.com/shopspring/decimal@v1.4.0 2>/dev/null
go run . >seen
cat >expected <<'OUT'
go-money: a paisa short 4586 more 0 | others wrong 0
19.99 is ₹19.98 and 0.29 is ₹0.28
OUT
diff expected seen && cat seen
