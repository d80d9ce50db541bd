#!/usr/bin/env bash
# A call at 10:00 in Berlin, put off by a day, a week or a month over the clock change.
#
# Versions   dayjs 1.11.23 (npm) with its plugins utc and timezone; luxon 3.7.2 and
#            moment-timezone 0.6.6 beside it; Node 20, the machine in UTC.
# Guess      dayjs.tz('2026-03-28 10:00', 'Europe/Berlin').add(1, 'day') is 10:00 of the next
#            day on Berlin's clock, 08:00 UTC, as the other two have it.
# Behaviour  It prints 10:00 with +01:00, an offset that Berlin does not have on that day. The
#            moment is 09:00 UTC, which is 11:00 there. After a week and three months the
#            offset is still the old one; in autumn the call is an hour early.
# Why it matters   What is sent as UTC is an hour late for half a year, and the printed
#            clock says 10:00. India has no clock change, so its tests pass.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent dayjs@1.11.23 luxon@3.7.2 moment-timezone@0.6.6 >/dev/null
cat >call.cjs <<'JS'
const dayjs = require('dayjs');
dayjs.extend(require('dayjs/plugin/utc'));
dayjs.extend(require('dayjs/plugin/timezone'));
const { DateTime } = require('luxon');
const moment = require('moment-timezone');
const berlin = 'Europe/Berlin';
for (const [day, n, unit] of [['2026-03-28', 1, 'day'], ['2026-03-28', 1, 'week'], ['2026-03-28', 3, 'month'], ['2026-10-24', 1, 'day']]) {
  const text = `${day}T10:00`;
  const later = dayjs.tz(text, berlin).add(n, unit);
  console.log(`${text} + ${n} ${unit}: dayjs ${later.format()} = ${later.toISOString()}, on Berlin's clock ${dayjs(later.toISOString()).tz(berlin).format('HH:mm')};`,
    `luxon ${DateTime.fromISO(text, { zone: berlin }).plus({ [unit]: n }).toISO({ suppressSeconds: true, suppressMilliseconds: true })},`,
    `moment ${moment.tz(text, berlin).add(n, unit).format()}`);
}
JS
TZ=UTC node call.cjs >seen
cat >expected <<'OUT'
2026-03-28T10:00 + 1 day: dayjs 2026-03-29T10:00:00+01:00 = 2026-03-29T09:00:00.000Z, on Berlin's clock 11:00; luxon 2026-03-29T10:00+02:00, moment 2026-03-29T10:00:00+02:00
2026-03-28T10:00 + 1 week: dayjs 2026-04-04T10:00:00+01:00 = 2026-04-04T09:00:00.000Z, on Berlin's clock 11:00; luxon 2026-04-04T10:00+02:00, moment 2026-04-04T10:00:00+02:00
2026-03-28T10:00 + 3 month: dayjs 2026-06-28T10:00:00+01:00 = 2026-06-28T09:00:00.000Z, on Berlin's clock 11:00; luxon 2026-06-28T10:00+02:00, moment 2026-06-28T10:00:00+02:00
2026-10-24T10:00 + 1 day: dayjs 2026-10-25T10:00:00+02:00 = 2026-10-25T08:00:00.000Z, on Berlin's clock 09:00; luxon 2026-10-25T10:00+01:00, moment 2026-10-25T10:00:00+01:00
OUT
diff expected seen && cat seen
