#!/usr/bin/env bash
# Two pages of contacts in JSON, decoded in Go one after the other into one variable.
#
# Versions   encoding/json of Go 1.26; sonic v1.15.5, goccy/go-json v0.12.0, json-iterator
#            v1.1.12, segmentio/encoding v0.5.4; goccy/go-yaml v1.19.2 reads the same text.
# Guess      The list of page two replaces that of page one ("resets the slice length to
#            zero"), so a contact that comes without a phone has the empty phone.
# Behaviour  It has the phone of the contact that stood at its place on page one. The list
#            is emptied, but its memory is used again, and what an element does not name
#            stays there. "phone": null changes nothing either, but for json-iterator.
#            A new variable for each page mends it. go-yaml starts each contact anew.
# Why it matters   APIs leave out empty fields, and loops read page after page into one
#            variable. Contacts get strangers' phones, on every page but the first.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	"github.com/bytedance/sonic"
	goccy "github.com/goccy/go-json"
	"github.com/goccy/go-yaml"
	jsoniter "github.com/json-iterator/go"
	segmentio "github.com/segmentio/encoding/json"
)

type page struct {
	Contacts []struct {
		Name  string `json:"name"`
		Phone string `json:"phone"`
	} `json:"contacts"`
}

func main() {
	pages := []string{
		`{"contacts": [{"name": "Asha", "phone": "111"}, {"name": "Ravi", "phone": "222"}]}`,
		`{"contacts": [{"name": "Mira"}, {"name": "Zoya", "phone": null}]}`,
	}
	for _, reader := range []struct {
		name      string
		unmarshal func([]byte, any) error
	}{
		{"encoding/json", json.Unmarshal},
		{"sonic", sonic.Unmarshal},
		{"goccy/go-json", goccy.Unmarshal},
		{"segmentio", segmentio.Unmarshal},
		{"json-iterator", jsoniter.Unmarshal},
		{"goccy/go-yaml", yaml.Unmarshal},
	} {
		var p page
		for _, text := range pages {
			if err := reader.unmarshal([]byte(text), &p); err != nil {
				panic(err)
			}
		}
		fmt.Printf("%s: %q\n", reader.name, p.Contacts)
	}
}
GO
printf 'module pages\n\ngo 1.26\n' >go.mod
go get github.com/bytedance/sonic@v1.15.5 github.com/goccy/go-json@v0.12.0 github.com/goccy/go-yaml@v1.19.2 \
  github.com/json-iterator/go@v1.1.12 github.com/segmentio/encoding/json@v0.5.4 2>/dev/null
go run . >seen
cat >expected <<'OUT'
encoding/json: [{"Mira" "111"} {"Zoya" "222"}]
sonic: [{"Mira" "111"} {"Zoya" "222"}]
goccy/go-json: [{"Mira" "111"} {"Zoya" "222"}]
segmentio: [{"Mira" "111"} {"Zoya" "222"}]
json-iterator: [{"Mira" "111"} {"Zoya" ""}]
goccy/go-yaml: [{"Mira" ""} {"Zoya" ""}]
OUT
diff expected seen && cat seen
