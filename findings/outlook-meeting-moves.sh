#!/usr/bin/env bash
# A meeting at 10:00 in India, as Outlook writes it into a calendar file.
#
# Versions   gocal v0.9.1, golang-ical v0.3.4 (Go); node-ical 0.27.2, ical.js 2.2.1 (npm);
#            calcurse 4.7.1, python3-icalendar 4.0.3 (Debian 12); the machine in New York.
# Guess      The file names its zone "India Standard Time" and holds the zone's rules, so
#            every reader has 04:30 UTC, or says that it does not know the name.
# Behaviour  gocal and calcurse have 10:00 UTC: five and a half hours late, no error. gocal
#            takes UTC where the name is none of the zone database. calcurse hands the name
#            to the C library, which takes any word for a zone without an offset. Neither
#            reads the rules that the file brings. node-ical, ical.js and Python are right,
#            golang-ical returns an error. A file with Asia/Kolkata is right in gocal.
# Why it matters   Visits are loaded from calendars, and those of Outlook have such names.
#            A visit of the evening falls on the next day.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq calcurse=4.7.1-1 python3-icalendar=4.0.3-5 python3-dateutil=2.8.2-2 python3-tz=2022.7.1-4 python3-six 2>/dev/null
for deb in *.deb; do dpkg -x "$deb" .; done
npm init -y >/dev/null
npm install --silent node-ical@0.27.2 ical.js@2.2.1 >/dev/null
printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 'PRODID:-//Practice//Calendar//EN' \
  BEGIN:VTIMEZONE 'TZID:India Standard Time' BEGIN:STANDARD DTSTART:16010101T000000 TZOFFSETFROM:+0530 TZOFFSETTO:+0530 END:STANDARD END:VTIMEZONE \
  BEGIN:VEVENT UID:1@crm.example DTSTAMP:20260301T000000Z 'DTSTART;TZID=India Standard Time:20260302T100000' \
  'DTEND;TZID=India Standard Time:20260302T110000' SUMMARY:Visit END:VEVENT END:VCALENDAR >outlook.ics
sed 's/India Standard Time/Asia\/Kolkata/' outlook.ics >kolkata.ics
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/apognu/gocal"
	ics "github.com/arran4/golang-ical"
)

func main() {
	for _, name := range []string{"outlook.ics", "kolkata.ics"} {
		file, err := os.Open(name)
		if err != nil {
			panic(err)
		}
		from, to := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
		reader := gocal.NewParser(file)
		reader.Start, reader.End = &from, &to
		if err := reader.Parse(); err != nil {
			panic(err)
		}
		fmt.Println("gocal", name, reader.Events[0].Start.UTC().Format(time.RFC3339))
	}
	file, err := os.Open("outlook.ics")
	if err != nil {
		panic(err)
	}
	calendar, err := ics.ParseCalendar(file)
	if err != nil {
		panic(err)
	}
	if start, err := calendar.Events()[0].GetStartAt(); err != nil {
		fmt.Println("golang-ical outlook.ics", err)
	} else {
		fmt.Println("golang-ical outlook.ics", start.UTC().Format(time.RFC3339))
	}
}
GO
printf 'module meetings\n\ngo 1.24\n' >go.mod
go get github.com/apognu/gocal@v0.9.1 github.com/arran4/golang-ical@v0.3.4 2>/dev/null
cat >read.mjs <<'JS'
import fs from 'fs';
import ical from 'node-ical';
import ICAL from 'ical.js';
const text = fs.readFileSync('outlook.ics', 'utf8');
const short = (d) => d.toISOString().slice(0, 19) + 'Z';
console.log('node-ical outlook.ics', short(Object.values(ical.sync.parseICS(text)).find((e) => e.type === 'VEVENT').start));
console.log('ical.js outlook.ics', short(new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent('vevent')).startDate.toJSDate()));
JS
export TZ=America/New_York
{
  go run .
  node read.mjs
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
import datetime, icalendar
start = icalendar.Calendar.from_ical(open('outlook.ics').read()).walk('VEVENT')[0].decoded('dtstart')
print('python3-icalendar outlook.ics', start.astimezone(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ'))"
  for name in outlook.ics kolkata.ics; do
    mkdir "${name%.ics}"
    usr/bin/calcurse -D "$here/${name%.ics}" -i "$name" >/dev/null 2>&1
    local=$(sed -E 's|^(..)/(..)/(....) @ (..:..) .*|\3-\1-\2 \4|' "${name%.ics}/apts")
    echo "calcurse $name $(date -u -d "TZ=\"America/New_York\" $local" +%FT%TZ)"
  done
} >seen
cat >expected <<'OUT'
gocal outlook.ics 2026-03-02T10:00:00Z
gocal kolkata.ics 2026-03-02T04:30:00Z
golang-ical outlook.ics unknown time zone India Standard Time
node-ical outlook.ics 2026-03-02T04:30:00Z
ical.js outlook.ics 2026-03-02T04:30:00Z
python3-icalendar outlook.ics 2026-03-02T04:30:00Z
calcurse outlook.ics 2026-03-02T10:00:00Z
calcurse kolkata.ics 2026-03-02T04:30:00Z
OUT
diff expected seen && cat seen
