#!/usr/bin/env bash
# A time, and another one three hours, two weeks or fifteen days later, reckoned in a script.
#
# Versions   GNU date 9.1 (Debian 12); PHP 8.2.36 (Debian) beside it.
# Guess      date -d '2026-03-05 10:00 +3 hours' is 13:00 of that day, as PHP has it. Behind a
#            date alone "+3 hours" is three hours, so it is behind a time too.
# Behaviour  It is 08:00. Behind a time of day "+3" is read as the zone of that time, and of
#            "hours" one is left, which is added. So two weeks become one, fifteen days
#            become one, and the clock moves as well: in India 10:00 +1 day is 14:30 of the
#            next day. -30 minutes is refused, as no zone is 30 hours off. Without the plus
#            sign, or with the zone written (10:00Z +3 hours), all is as guessed.
# Why it matters   The windows of nightly exports ("an hour before the last run") are
#            reckoned so. Each result is a plausible time, and exit 0.
. "$(dirname "$0")/servers.bash"
unpack php8.2-cli=8.2.36-1~deb12u1 libargon2-1 libsodium23 coreutils=9.1-1
export LD_LIBRARY_PATH=$libraries TZ=UTC
php() { server/usr/bin/php8.2 -n -r 'echo date("Y-m-d H:i", strtotime($argv[1]));' -- "$1"; }
{
  for words in '+3 hours' '+1 day' '+15 days' '+2 weeks' '+10 minutes' '-30 minutes' '3 hours'; do
    echo "10:00 $words: date $(server/bin/date -d "2026-03-05 10:00 $words" '+%F %R' 2>/dev/null || echo refuses), PHP $(php "2026-03-05 10:00 $words")"
  done
  echo "10:00Z +3 hours: date $(server/bin/date -d '2026-03-05 10:00Z +3 hours' '+%F %R')"
  echo "+3 hours: date $(server/bin/date -d '2026-03-05 +3 hours' '+%F %R')"
  echo "10:00 +1 day, in India: date $(TZ=Asia/Kolkata server/bin/date -d '2026-03-05 10:00 +1 day' '+%F %R')"
} >seen
cat >expected <<'OUT'
10:00 +3 hours: date 2026-03-05 08:00, PHP 2026-03-05 13:00
10:00 +1 day: date 2026-03-06 09:00, PHP 2026-03-06 10:00
10:00 +15 days: date 2026-03-05 19:00, PHP 2026-03-20 10:00
10:00 +2 weeks: date 2026-03-12 08:00, PHP 2026-03-19 10:00
10:00 +10 minutes: date 2026-03-05 00:01, PHP 2026-03-05 10:10
10:00 -30 minutes: date refuses, PHP 2026-03-05 09:30
10:00 3 hours: date 2026-03-05 13:00, PHP 2026-03-05 13:00
10:00Z +3 hours: date 2026-03-05 13:00
+3 hours: date 2026-03-05 03:00
10:00 +1 day, in India: date 2026-03-06 14:30
OUT
diff expected seen && cat seen
