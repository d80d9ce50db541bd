#!/usr/bin/env bash
# Builds zones.zip anew from a release of the IANA time zone database:
#
#   bash converter/zonedata/update.sh                 the newest release that Debian has
#   bash converter/zonedata/update.sh tzdata_….deb    a package that was fetched before
#   bash converter/zonedata/update.sh tzdata.zi       the rules themselves, in the public domain
#
# Needs Go and zic (package libc-bin on Debian), and for packages apt-get and
# dpkg-deb. The tests say afterwards which expectations a release has changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin

rules=${1:-}
if [ -n "$rules" ]; then
  rules=$(cd "$(dirname "$rules")" && pwd)/$(basename "$rules")
fi
cd "$work"
if [ -z "$rules" ]; then
  apt-get download tzdata
  rules=$(ls "$work"/tzdata_*.deb)
fi
case $rules in
*.deb)
  dpkg-deb -x "$rules" package
  rules=$work/package/usr/share/zoneinfo/tzdata.zi
  ;;
esac
version=$(sed -n '1s/^# version \([0-9]*[a-z]*\).*/\1/p' "$rules")
if [ -z "$version" ]; then
  echo "$rules does not begin with the line \"# version …\"" >&2
  exit 1
fi
# Packages keep the day on which their release was made.
day=$(date -u -r "$rules" +%F)
# The slim form of zic 2.36 loses changes: America/Ojinaga in November 2022.
zic -b fat -d zones "$rules"
cd "$here"
go run build.go "$work/zones" "$version" "$day"
