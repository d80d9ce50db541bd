#!/usr/bin/env bash
# Prices of 0.01 to 1,000.00, checked with a JSON Schema: "multipleOf": 0.01.
#
# Versions   ajv 8.20.0, djv 2.1.4, z-schema 6.0.2, @sinclair/typebox 0.34.52, typebox 1.4.3,
#            jsonschema 1.5.0, @cfworker/json-schema 4.1.6, @hyperjump/json-schema 1.18.0, zod
#            3.25.76 (npm); python3-jsonschema 4.10.3 (Debian 12); santhosh-tekuri/jsonschema
#            v6.0.3, gojsonschema v1.2.0 (Go).
# Guess      The rule for money that the specification itself shows is kept by all libraries:
#            a price of two decimals is valid.
# Behaviour  Seven validators take all 100,000 prices. ajv, djv and Python's refuse 11,426,
#            one in nine, 0.07 and 19.99 among them; z-schema refuses 9,175. TypeBox 0.34
#            refuses 1.00 and 20.00 as well, all but 17: 0.01, 0.02 and what doubles from there.
# Why it matters   A gate of a feed refuses good rows, here one in nine, by their amount and not
#            by their form; the first hundred rows of a test may pass. One schema at two
#            ends, in Go and in Node, has two meanings.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-jsonschema=4.10.3-1 python3-attr python3-pyrsistent 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
npm init -y >/dev/null
npm install --silent ajv@8.20.0 djv@2.1.4 z-schema@6.0.2 @sinclair/typebox@0.34.52 typebox@1.4.3 jsonschema@1.5.0 \
  @cfworker/json-schema@4.1.6 @hyperjump/json-schema@1.18.0 zod@3.25.76 >/dev/null 2>&1
cat >prices.mjs <<'JS'
import Ajv from 'ajv';
import djv from 'djv';
import ZSchema from 'z-schema';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import Type1 from 'typebox';
import { Compile } from 'typebox/compile';
import jsonschema from 'jsonschema';
import { Validator } from '@cfworker/json-schema';
import { registerSchema, validate } from '@hyperjump/json-schema/draft-2020-12';
import { z } from 'zod';
const schema = { type: 'number', multipleOf: 0.01 };
const env = new djv();
env.addSchema('price', schema);
const zschema = new ZSchema({});
const cfworker = new Validator(schema);
registerSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }, 'urn:price');
const hyperjump = await validate('urn:price');
const typebox = Type.Number({ multipleOf: 0.01 });
const typebox1 = Compile(Type1.Number({ multipleOf: 0.01 }));
const zod = z.number().multipleOf(0.01);
const checks = {
  ajv: new Ajv.default().compile(schema),
  djv: (price) => env.validate('price', price) === undefined,
  'z-schema': (price) => zschema.validate(price, schema),
  'typebox 0.34': (price) => Value.Check(typebox, price),
  'typebox 1': (price) => typebox1.Check(price),
  jsonschema: (price) => jsonschema.validate(price, schema).valid,
  cfworker: (price) => cfworker.validate(price).valid,
  hyperjump: (price) => hyperjump(price).valid,
  zod: (price) => zod.safeParse(price).success,
};
for (const [name, valid] of Object.entries(checks)) {
  const refused = [];
  for (let paise = 1; paise <= 100000; paise++) {
    let good = false;
    try { good = valid(paise / 100); } catch { /* z-schema throws what it found */ }
    if (!good) refused.push((paise / 100).toFixed(2));
  }
  console.log(name, 'refuses', refused.length, ...['19.99', '20.00'].filter((price) => refused.includes(price)));
}
JS
cat >prices.py <<'PY'
import jsonschema
check = jsonschema.Draft202012Validator({"type": "number", "multipleOf": 0.01})
print("python3-jsonschema refuses", sum(not check.is_valid(paise / 100) for paise in range(1, 100001)))
PY
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/xeipuuv/gojsonschema"
)

func main() {
	rule := map[string]any{"type": "number", "multipleOf": 0.01}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("price.json", rule); err != nil {
		panic(err)
	}
	santhosh := compiler.MustCompile("price.json")
	other, err := gojsonschema.NewSchema(gojsonschema.NewGoLoader(rule))
	if err != nil {
		panic(err)
	}
	var refused, refusedToo int
	for paise := 1; paise <= 100000; paise++ {
		price := float64(paise) / 100
		if santhosh.Validate(price) != nil {
			refused++
		}
		if result, err := other.Validate(gojsonschema.NewGoLoader(price)); err != nil || !result.Valid() {
			refusedToo++
		}
	}
	fmt.Println("santhosh-tekuri refuses", refused, "gojsonschema", refusedToo)
}
GO
printf 'module prices\n\ngo 1.24\n' >go.mod
go get github.com/santhosh-tekuri/jsonschema/v6@v6.0.3 github.com/xeipuuv/gojsonschema@v1.2.0 2>/dev/null
{
  node prices.mjs
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 prices.py
  go run .
} >seen
cat >expected <<'OUT'
ajv refuses 11426 19.99
djv refuses 11426 19.99
z-schema refuses 9175 19.99
typebox 0.34 refuses 99983 19.99 20.00
typebox 1 refuses 0
jsonschema refuses 0
cfworker refuses 0
hyperjump refuses 0
zod refuses 0
python3-jsonschema refuses 11426
santhosh-tekuri refuses 0 gojsonschema 0
OUT
diff expected seen && cat seen
