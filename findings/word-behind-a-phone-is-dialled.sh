#!/usr/bin/env bash
# A word behind a phone number, as people note whose number it is.
#
# Versions   google-libphonenumber 3.2.47 and libphonenumber-js 1.13.16 (npm), phonenumbers
#            1.8.1 of nyaruka (Go).
# Guess      "030 123456 privat" is refused, or becomes the number without the word. What
#            a library calls valid is the number that was typed.
# Behaviour  google-libphonenumber and its Go port read the letters as those of a keypad:
#            +4930123456774828, and call it valid, since German and Austrian numbers may
#            have many lengths. Three letters are enough ("Anna" is 2662).
#            libphonenumber-js leaves the word out. For an Indian mobile the digits become
#            too many, and the number is invalid; but of two landlines with a comma
#            between, the second becomes the extension of the first, in all of them.
# Why it matters   A check for validity passes, and the CRM dials a stranger or nobody.
#            The same cell becomes two leads when two programs wrote it.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent google-libphonenumber@3.2.47 libphonenumber-js@1.13.16 >/dev/null
cat >phones.cjs <<'JS'
const { PhoneNumberUtil, PhoneNumberFormat } = require('google-libphonenumber');
const { parsePhoneNumberWithError } = require('libphonenumber-js/max');
const util = PhoneNumberUtil.getInstance();
for (const [cell, country] of JSON.parse(process.argv[2])) {
  const n = util.parse(cell, country);
  const js = parsePhoneNumberWithError(cell, country);
  console.log('google', cell, '->', util.format(n, PhoneNumberFormat.E164), n.getExtension() ? `ext ${n.getExtension()}` : '-', util.isValidNumber(n));
  console.log('js    ', cell, '->', js.number, js.ext ? `ext ${js.ext}` : '-', js.isValid());
}
JS
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/nyaruka/phonenumbers"
)

func main() {
	var cells [][2]string
	if err := json.Unmarshal([]byte(os.Args[1]), &cells); err != nil {
		panic(err)
	}
	for _, c := range cells {
		n, err := phonenumbers.Parse(c[0], c[1])
		if err != nil {
			panic(err)
		}
		ext := "-"
		if n.GetExtension() != "" {
			ext = "ext " + n.GetExtension()
		}
		fmt.Println("Go    ", c[0], "->", phonenumbers.Format(n, phonenumbers.E164), ext, phonenumbers.IsValidNumber(n))
	}
}
GO
printf 'module phones\n\ngo 1.24\n' >go.mod
go get github.com/nyaruka/phonenumbers@v1.8.1 2>/dev/null
cells='[["030 123456 privat","DE"],["+49 30 123456 Anna","IN"],["01 58858 Wien","AT"],["98765 43210 home","IN"],["044-28114567, 28114568","IN"]]'
{ node phones.cjs "$cells"; go run . "$cells"; } >seen
cat >expected <<'OUT'
google 030 123456 privat -> +4930123456774828 - true
js     030 123456 privat -> +4930123456 - true
google +49 30 123456 Anna -> +49301234562662 - true
js     +49 30 123456 Anna -> +4930123456 - true
google 01 58858 Wien -> +431588589436 - true
js     01 58858 Wien -> +43158858 - true
google 98765 43210 home -> +9198765432104663 - false
js     98765 43210 home -> +919876543210 - true
google 044-28114567, 28114568 -> +914428114567 ext 28114568 true
js     044-28114567, 28114568 -> +914428114567 ext 28114568 true
Go     030 123456 privat -> +4930123456774828 - true
Go     +49 30 123456 Anna -> +49301234562662 - true
Go     01 58858 Wien -> +431588589436 - true
Go     98765 43210 home -> +9198765432104663 - false
Go     044-28114567, 28114568 -> +914428114567 ext 28114568 true
OUT
diff expected seen && cat seen
