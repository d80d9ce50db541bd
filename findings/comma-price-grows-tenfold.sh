#!/usr/bin/env bash
# A price with a decimal comma in a YAML file.
#
# Versions   Ruby 3.1 with its own YAML (Psych); js-yaml 4.1.1 and yaml 2.8.2 (npm);
#            go.yaml.in/yaml v3.0.4 and goccy/go-yaml v1.19.2 (Go).
# Guess      1,5 is no number of YAML, in no version of it, so it is the text "1,5".
# Behaviour  In Ruby it is 15, and 19,99 is 1999: commas are left out of whole numbers
#            wherever they stand. 1.234,50 stays a text. The others keep "1,5".
#            Times have the same fate by another rule: 12:30 is 45000 in Ruby alone.
# Why it matters   A file that people keep for several tools has prices ten and a hundred
#            times higher for one of them, and only where no point is in the number.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent js-yaml@4.1.1 yaml@2.8.2 >/dev/null
cat >prices.yaml <<'YAML'
- 1,5
- 19,99
- 0,5
- 1.234,50
- 12:30
YAML
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	goccy "github.com/goccy/go-yaml"
	"go.yaml.in/yaml/v3"
)

func main() {
	file, err := os.ReadFile("prices.yaml")
	if err != nil {
		panic(err)
	}
	for name, read := range map[string]func([]byte, any) error{"go.yaml.in": yaml.Unmarshal, "goccy": func(b []byte, v any) error { return goccy.Unmarshal(b, v) }} {
		var prices []any
		if err := read(file, &prices); err != nil {
			panic(err)
		}
		text, _ := json.Marshal(prices)
		fmt.Println(name, string(text))
	}
}
GO
printf 'module prices\n\ngo 1.24\n' >go.mod
go get go.yaml.in/yaml/v3@v3.0.4 github.com/goccy/go-yaml@v1.19.2 2>/dev/null
{
  ruby -ryaml -rjson -e 'puts "Ruby #{JSON.generate(YAML.load_file("prices.yaml"))}"'
  node -e 'const text = require("fs").readFileSync("prices.yaml", "utf8");
    console.log("js-yaml", JSON.stringify(require("js-yaml").load(text)));
    console.log("yaml", JSON.stringify(require("yaml").parse(text)));'
  go run . | sort
} >seen
cat >expected <<'OUT'
Ruby [15,1999,5,"1.234,50",45000]
js-yaml ["1,5","19,99","0,5","1.234,50","12:30"]
yaml ["1,5","19,99","0,5","1.234,50","12:30"]
go.yaml.in ["1,5","19,99","0,5","1.234,50","12:30"]
goccy ["1,5","19,99","0,5","1.234,50","12:30"]
OUT
diff expected seen && cat seen
