#!/usr/bin/env bash
# Notes and names in a CSV, turned into JSON and into CSV again by yq.
#
# Version    yq v4.54.3 (mikefarah, Go), defaults.
# Guess      A cell is a text, or a number where it looks like one: "Call: later" stays
#            what it is, and CSV to CSV changes nothing.
# Behaviour  yq reads each cell as a small YAML document. "Call: later" becomes an object,
#            "- none" a list, "#7 on the list" is a comment and becomes null, "!hot lead"
#            loses its first word, "&co" becomes null, the name Null too, the size 0x1F
#            31. CSV to CSV empties such cells as well. Exit 0, no warning. The way from
#            "Call: later" to CSV ends with an error, since an object has no cell there.
#            --csv-auto-parse=f keeps the cells as they are.
# Why it matters   A note vanishes or changes its kind by its first sign or a colon in it,
#            and a sample of plain notes shows none of this.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
GOBIN=$here go install github.com/mikefarah/yq/v4@v4.54.3 2>/dev/null
cat >leads.csv <<'CSV'
name,note
Asha,Call: later
Ravi,#7 on the list
Mira,- none
Null,!hot lead
Zoya,&co
Omar,0x1F
Lata,"Office: Pune, ext: 5"
CSV
{
  ./yq -p csv -o json -I 0 '.[]' leads.csv
  echo 'to CSV again:'
  grep -v 'later\|none' leads.csv | ./yq -p csv -o csv
} >seen
cat >expected <<'OUT'
{"name":"Asha","note":{"Call":"later"}}
{"name":"Ravi","note":null}
{"name":"Mira","note":["none"]}
{"name":null,"note":"lead"}
{"name":"Zoya","note":null}
{"name":"Omar","note":31}
{"name":"Lata","note":"Office: Pune, ext: 5"}
to CSV again:
name,note
Ravi,
Null,lead
Zoya,
Omar,0x1F
Lata,"Office: Pune, ext: 5"
OUT
diff expected seen && cat seen
