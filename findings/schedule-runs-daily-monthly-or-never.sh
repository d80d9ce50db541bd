#!/usr/bin/env bash
# Three schedules in the notation of cron, as libraries plan them for March 2026.
#
# Versions   robfig/cron v3.0.1 (with optional seconds), adhocore/gronx v1.20.4, gorhill/cronexpr
#            2018-04-27, hashicorp/cronexpr v1.1.3 (Go); croner 9.1.0, cron-parser 5.4.0,
#            cron 4.3.4 (npm); UTC.
# Guess      Six fields begin with seconds, so "0 5 2 * * *" is every night at 02:05. 5-7 is
#            Friday to Sunday. Day and weekday together mean either of them, also with */2.
# Behaviour  Both cronexpr take the sixth field for the year: minute 0 of 05:00 on the 2nd,
#            once a month. "0 9 * * 5-7" never comes in gorhill's, comes without Sundays in
#            hashicorp's, and is refused by robfig alone. "0 9 */2 * 1" is 19 days for six
#            of them, and for gronx the 2 Mondays on odd days.
# Why it matters   A nightly load that moves to another library runs once a month, or no more,
#            and a run that does not take place reports no error.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent croner@9.1.0 cron-parser@5.4.0 cron@4.3.4 >/dev/null
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/adhocore/gronx"
	gorhill "github.com/gorhill/cronexpr"
	hashicorp "github.com/hashicorp/cronexpr"
	"github.com/robfig/cron/v3"
)

func main() {
	schedule := os.Args[1]
	plan := func(name string, next func(time.Time) time.Time) {
		from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		var first string
		runs := 0
		for t := next(from); !t.IsZero() && t.Before(from.AddDate(0, 1, 0)); t = next(t) {
			if runs++; runs <= 3 {
				first += t.Format(" 02T15:04")
			}
		}
		fmt.Printf("  %s %d:%s\n", name, runs, first)
	}
	if s, err := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(schedule); err == nil {
		plan("robfig", s.Next)
	} else {
		fmt.Println("  robfig refuses")
	}
	plan("gronx", func(t time.Time) time.Time {
		t, err := gronx.NextTickAfter(schedule, t, false)
		if err != nil {
			panic(err)
		}
		return t
	})
	plan("gorhill", gorhill.MustParse(schedule).Next)
	plan("hashicorp", hashicorp.MustParse(schedule).Next)
}
GO
cat >plan.cjs <<'JS'
const { Cron } = require('croner');
const { CronExpressionParser } = require('cron-parser');
const { CronTime } = require('cron');
const schedule = process.argv[2];
const plan = (name, next) => {
  const runs = [];
  for (let t = next(new Date('2026-03-01T00:00:00Z')); t && t < new Date('2026-04-01T00:00:00Z'); t = next(t)) runs.push(` ${t.toISOString().slice(8, 16)}`);
  console.log(`  ${name} ${runs.length}:${runs.slice(0, 3).join('')}`);
};
const croner = new Cron(schedule, { timezone: 'UTC', paused: true });
plan('croner', (t) => croner.nextRun(t));
plan('cron-parser', (t) => CronExpressionParser.parse(schedule, { currentDate: t, tz: 'UTC' }).next().toDate());
const cron = new CronTime(schedule, 'UTC');
plan('cron', (t) => cron.getNextDateFrom(t, 'UTC').toJSDate());
JS
printf 'module plan\n\ngo 1.24\n' >go.mod
go get github.com/robfig/cron/v3@v3.0.1 github.com/adhocore/gronx@v1.20.4 github.com/hashicorp/cronexpr@v1.1.3 \
  github.com/gorhill/cronexpr@v0.0.0-20180427100037-88b0669f7d75 2>/dev/null
go build -o plan .
for schedule in '0 5 2 * * *' '0 9 * * 5-7' '0 9 */2 * 1'; do
  echo "$schedule"
  ./plan "$schedule"
  node plan.cjs "$schedule"
done >seen
cat >expected <<'OUT'
0 5 2 * * *
  robfig 31: 01T02:05 02T02:05 03T02:05
  gronx 31: 01T02:05 02T02:05 03T02:05
  gorhill 1: 02T05:00
  hashicorp 1: 02T05:00
  croner 31: 01T02:05 02T02:05 03T02:05
  cron-parser 31: 01T02:05 02T02:05 03T02:05
  cron 31: 01T02:05 02T02:05 03T02:05
0 9 * * 5-7
  robfig refuses
  gronx 13: 01T09:00 06T09:00 07T09:00
  gorhill 0:
  hashicorp 8: 06T09:00 07T09:00 13T09:00
  croner 13: 01T09:00 06T09:00 07T09:00
  cron-parser 13: 01T09:00 06T09:00 07T09:00
  cron 13: 01T09:00 06T09:00 07T09:00
0 9 */2 * 1
  robfig 19: 01T09:00 02T09:00 03T09:00
  gronx 2: 09T09:00 23T09:00
  gorhill 19: 01T09:00 02T09:00 03T09:00
  hashicorp 19: 01T09:00 02T09:00 03T09:00
  croner 19: 01T09:00 02T09:00 03T09:00
  cron-parser 19: 01T09:00 02T09:00 03T09:00
  cron 19: 01T09:00 02T09:00 03T09:00
OUT
diff expected seen && cat seen
