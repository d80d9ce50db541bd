#!/usr/bin/env bash
# One time zone source, compiled "slim" and "fat", read by the same programs.
#
# Versions   zic and date of glibc 2.36 (Debian 12), Python 3 of Debian 12, source from
#            tzdata 2026f (Debian).
# Guess      Slim and fat files differ in size only: slim leaves out what the reader
#            can compute from the rule at the file's end.
# Behaviour  In America/Ojinaga the two differ for a week. On 30 October 2022 the city
#            left mountain time and took central time. The fat file shows CST (-0600)
#            from then on; the slim file shows CDT (-0500) until 6 November, because the
#            rule at its end, which still has summer time, begins at once. glibc and
#            Python agree about each file.
# Why it matters   A program that embeds its own zone data as slim files is an hour off
#            where a zone changes its rules and its summer time at one moment.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq tzdata=2026f-0+deb12u1 2>/dev/null
dpkg -x tzdata_*.deb .
zic=$(PATH=$PATH:/usr/sbin:/sbin command -v zic)
for kind in slim fat; do
  "$zic" -b "$kind" -d "$here/$kind" usr/share/zoneinfo/tzdata.zi 2>/dev/null
  for moment in 2022-10-29T12:00Z 2022-11-01T12:00Z 2022-11-07T12:00Z; do
    seconds=$(date -u -d "$moment" +%s)
    echo "$kind $moment glibc $(TZ=$here/$kind/America/Ojinaga date -d "@$seconds" '+%Z %z')" \
      "Python $(/usr/bin/python3 -c "
import datetime, zoneinfo
zone = zoneinfo.ZoneInfo.from_file(open('$here/$kind/America/Ojinaga', 'rb'))
print(datetime.datetime.fromtimestamp($seconds, zone).strftime('%Z %z'))")"
  done
done >seen
cat >expected <<'OUT'
slim 2022-10-29T12:00Z glibc MDT -0600 Python MDT -0600
slim 2022-11-01T12:00Z glibc CDT -0500 Python CDT -0500
slim 2022-11-07T12:00Z glibc CST -0600 Python CST -0600
fat 2022-10-29T12:00Z glibc MDT -0600 Python MDT -0600
fat 2022-11-01T12:00Z glibc CST -0600 Python CST -0600
fat 2022-11-07T12:00Z glibc CST -0600 Python CST -0600
OUT
diff expected seen && cat seen
