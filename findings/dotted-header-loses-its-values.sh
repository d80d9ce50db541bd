#!/usr/bin/env bash
# A CSV whose headers are abbreviated as in many Indian sheets, turned into JSON.
#
# Versions   Miller 6.6.0 (Debian 12), csvtojson 2.0.14 (npm).
# Guess      Each cell is found under its header: {"Mob. No.": "9876543210"}.
# Behaviour  Miller writes "Mob": {} for every row, and the phone is gone: it takes dots
#            for the steps of a path, and a header that ends with a dot has an empty last
#            step. Of the headers "Addr" and "Addr.City" only the city is left, in
#            csvtojson too, which keeps "Mob. No." whole. No warning, exit 0.
#            CSV to CSV is right in Miller, and CSV to JSON with --no-auto-unflatten.
# Why it matters   A whole column is lost between two tools that were each tested, and the
#            way by CSV, with which one would look for the fault, shows none.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq miller=6.6.0-2+b3 2>/dev/null
dpkg -x miller_*.deb .
npm init -y >/dev/null
npm install --silent csvtojson@2.0.14 >/dev/null
printf 'Sr. No.,Name,Mob. No.,Addr,Addr.City\n1,Asha,9876543210,12 MG Road,Pune\n2,Ravi,9876543211,5 Park Street,Kolkata\n' >people.csv
{
  echo 'Miller, JSON:'
  usr/bin/mlr --icsv --ojsonl cat people.csv
  echo 'Miller, JSON and back to CSV:'
  usr/bin/mlr --icsv --ojson cat people.csv | usr/bin/mlr --ijson --ocsv cat
  echo 'Miller, --no-auto-unflatten:'
  usr/bin/mlr --icsv --ojsonl --no-auto-unflatten head -n 1 people.csv
  echo 'csvtojson:'
  node -e 'require("csvtojson")().fromFile("people.csv").then((rows) => rows.forEach((row) => console.log(JSON.stringify(row))))'
} >seen
cat >expected <<'OUT'
Miller, JSON:
{"Sr": {}, "Name": "Asha", "Mob": {}, "Addr": {"City": "Pune"}}
{"Sr": {}, "Name": "Ravi", "Mob": {}, "Addr": {"City": "Kolkata"}}
Miller, JSON and back to CSV:
Sr,Name,Mob,Addr.City
{},Asha,{},Pune
{},Ravi,{},Kolkata
Miller, --no-auto-unflatten:
{"Sr. No.": 1, "Name": "Asha", "Mob. No.": 9876543210, "Addr": "12 MG Road", "Addr.City": "Pune"}
csvtojson:
{"Sr. No.":"1","Name":"Asha","Mob. No.":"9876543210","Addr":{"City":"Pune"}}
{"Sr. No.":"2","Name":"Ravi","Mob. No.":"9876543211","Addr":{"City":"Kolkata"}}
OUT
diff expected seen && cat seen
