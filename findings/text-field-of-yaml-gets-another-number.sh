#!/usr/bin/env bash
# Phones, a PIN code and a price in YAML, read in Go into fields of the type string.
#
# Versions   goccy/go-yaml v1.19.2, sigs.k8s.io/yaml v1.6.0, go.yaml.in/yaml v3.0.4 (Go);
#            ruamel.yaml 0.17.21 (Debian 12), which writes files as it read them.
# Guess      YAML may take +919876543210 and 00560 for numbers. But a field that is a string
#            gets the characters of the file, since the program says so.
# Behaviour  Only go.yaml.in does so. goccy reads the number first and prints it: 00560
#            becomes 368, +919876543210 loses its plus, 1.50 its zero. sigs.k8s.io goes over
#            JSON and single precision: 09876543210 becomes 9.876543e+09, four digits less.
#            ruamel's round trip writes 919876543210 without the plus, and 1_20_000 as 120_000.
# Why it matters   The fields are strings so that nothing of this happens. A settings file or
#            a fixture with unquoted phones is read well by one library, and the change to
#            another one, in the same language, dials other numbers.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-ruamel.yaml=0.17.21-1 python3-ruamel.yaml.clib 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
cat >lead.yaml <<'YAML'
mobile: +919876543210
trunk: 09876543210
pin: 00560
price: 1.50
budget: 1_20_000
YAML
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	goccy "github.com/goccy/go-yaml"
	plain "go.yaml.in/yaml/v3"
	sigs "sigs.k8s.io/yaml"
)

type lead struct{ Mobile, Trunk, Pin, Price, Budget string }

func main() {
	text, err := os.ReadFile("lead.yaml")
	if err != nil {
		panic(err)
	}
	var a, b, c lead
	for _, err := range []error{plain.Unmarshal(text, &a), goccy.Unmarshal(text, &b), sigs.Unmarshal(text, &c)} {
		if err != nil {
			panic(err)
		}
	}
	fmt.Printf("go.yaml.in  %q\ngoccy       %q\nsigs.k8s.io %q\n", a, b, c)
}
GO
printf 'module lead\n\ngo 1.24\n' >go.mod
go get github.com/goccy/go-yaml@v1.19.2 go.yaml.in/yaml/v3@v3.0.4 sigs.k8s.io/yaml@v1.6.0 2>/dev/null
{
  go run .
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import sys, ruamel.yaml
yaml = ruamel.yaml.YAML()
yaml.dump(yaml.load(open('lead.yaml')), sys.stdout)"
} >seen
cat >expected <<'OUT'
go.yaml.in  {"+919876543210" "09876543210" "00560" "1.50" "1_20_000"}
goccy       {"919876543210" "09876543210" "368" "1.5" "120000"}
sigs.k8s.io {"919876543210" "9.876543e+09" "368" "1.5" "120000"}
mobile: 919876543210
trunk: 09876543210
pin: 00560
price: 1.50
budget: 120_000
OUT
diff expected seen && cat seen
