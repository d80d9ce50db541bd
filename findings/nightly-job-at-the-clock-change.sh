#!/usr/bin/env bash
# A nightly job at 02:30 on the two nights when the clock changes.
#
# Versions   robfig/cron v3.0.1, adhocore/gronx v1.20.4, gorhill/cronexpr 2018-04-27 (Go);
#            croner 9.1.0, cron-parser 5.4.0, cron 4.3.4 (npm); zone Europe/Berlin, 2026.
# Guess      Every scheduler runs "30 2 * * *" once a night. In spring, where 02:30
#            does not exist, it runs at 03:30 local time (01:30 UTC).
# Behaviour  In spring robfig and gronx leave the night out, and cron (npm) runs at
#            03:00. In autumn robfig runs the job twice, an hour apart; gronx,
#            cronexpr and croner take the second 02:30, cron-parser and cron the first.
# Why it matters   A nightly load must be safe to run twice in one night, and a
#            missing night must not look like a night without changes.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

mkdir go node
cd go
cat >go.mod <<'MOD'
module nights
go 1.24
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/adhocore/gronx"
	"github.com/gorhill/cronexpr"
	"github.com/robfig/cron/v3"
)

func main() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	const job = "30 2 * * *"
	robfig, err := cron.ParseStandard(job)
	if err != nil {
		panic(err)
	}
	next := map[string]func(time.Time) time.Time{
		"robfig": robfig.Next,
		"gronx": func(t time.Time) time.Time {
			n, err := gronx.NextTickAfter(job, t, false)
			if err != nil {
				panic(err)
			}
			return n
		},
		"cronexpr": cronexpr.MustParse(job).Next,
	}
	for _, night := range []string{"2026-03-28", "2026-10-24"} {
		for _, name := range []string{"robfig", "gronx", "cronexpr"} {
			t, _ := time.ParseInLocation("2006-01-02 15:04", night+" 12:00", berlin)
			fmt.Printf("%-11s", name)
			for range 3 {
				t = next[name](t)
				fmt.Print(" ", t.UTC().Format("01-02T15:04Z"))
			}
			fmt.Println()
		}
	}
}
GO
go get github.com/robfig/cron/v3@v3.0.1 github.com/adhocore/gronx@v1.20.4 github.com/gorhill/cronexpr@v0.0.0-20180427100037-88b0669f7d75 2>/dev/null
go run . >../seen
cd ../node
npm init -y >/dev/null
npm install --silent croner@9.1.0 cron-parser@5.4.0 cron@4.3.4 >/dev/null
cat >nights.mjs <<'JS'
import { Cron } from 'croner';
import parser from 'cron-parser';
import { CronTime } from 'cron';
const job = '30 2 * * *', zone = 'Europe/Berlin';
const short = (d) => new Date(d).toISOString().slice(5, 16) + 'Z';
for (const noon of ['2026-03-28T11:00:00Z', '2026-10-24T10:00:00Z']) {
  const say = (name, times) => console.log(name.padEnd(11), times.map(short).join(' '));
  const times = (next) => { let t = new Date(noon); return [0, 1, 2].map(() => (t = next(t))); };
  const croner = new Cron(job, { timezone: zone });
  say('croner', times((t) => croner.nextRun(t)));
  const it = parser.CronExpressionParser.parse(job, { currentDate: new Date(noon), tz: zone });
  say('cron-parser', [0, 1, 2].map(() => it.next().toDate()));
  const cron = new CronTime(job, zone);
  say('cron', times((t) => cron.getNextDateFrom(t, zone).toJSDate()));
}
JS
node nights.mjs >>../seen
cd ..
cat >expected <<'OUT'
robfig      03-30T00:30Z 03-31T00:30Z 04-01T00:30Z
gronx       03-30T00:30Z 03-31T00:30Z 04-01T00:30Z
cronexpr    03-29T01:30Z 03-30T00:30Z 03-31T00:30Z
robfig      10-25T00:30Z 10-25T01:30Z 10-26T01:30Z
gronx       10-25T01:30Z 10-26T01:30Z 10-27T01:30Z
cronexpr    10-25T01:30Z 10-26T01:30Z 10-27T01:30Z
croner      03-29T01:30Z 03-30T00:30Z 03-31T00:30Z
cron-parser 03-29T01:30Z 03-30T00:30Z 03-31T00:30Z
cron        03-29T01:00Z 03-30T00:30Z 03-31T00:30Z
croner      10-25T01:30Z 10-26T01:30Z 10-27T01:30Z
cron-parser 10-25T00:30Z 10-26T01:30Z 10-27T01:30Z
cron        10-25T00:30Z 10-26T01:30Z 10-27T01:30Z
OUT
diff expected seen && cat seen
