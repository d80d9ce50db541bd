#!/usr/bin/env bash
# Names of Indian leads, split into first and last name.
#
# Versions   humanparser 2.7.0 (npm), parse-full-name 1.2.7 (npm), python3-nameparser 1.1.2
#            (Debian 12), defaults.
# Guess      Two words are a first and a last name, above all if one of them is a lone
#            letter, the initial that South Indian names carry at their end: Karthik V.
# Behaviour  humanparser takes V and I for "the fifth" and "the first": Karthik V has the last
#            name "", Karthik R V the last name R, and Esha Ma is a master of arts.
#            nameparser keeps these, but takes Prince, Guru, Baba, Swami and Sheikh for titles:
#            Prince Kumar has no first name, Sheikh Irfan no last one, and Prince neither.
#            parse-full-name has neither fault, but for it Van Dinh has no first name.
# Why it matters   A last name is required by many CRMs, so such rows are refused or filled
#            with a stand-in. A greeting starts with "Dear ,". And two Karthiks, V and I, have
#            the same first and last name, which joins them as duplicates.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
apt-get download -qq python3-nameparser=1.1.2-1 2>/dev/null
dpkg -x python3-nameparser_*.deb .
npm init -y >/dev/null
npm install --silent humanparser@2.7.0 parse-full-name@1.2.7 >/dev/null 2>&1
cat >names <<'TXT'
Karthik V
Suresh I
Karthik R V
Esha Ma
Prince Kumar
Guru Prasad
Sheikh Irfan
Prince
Van Dinh
Mira Rao
TXT
cat >names.cjs <<'JS'
const { parseName } = require('humanparser');
const { parseFullName } = require('parse-full-name');
for (const name of require('fs').readFileSync('names', 'utf8').trim().split('\n')) {
  const human = parseName(name);
  const full = parseFullName(name);
  console.log(`${name} | humanparser: ${human.firstName || '-'}, ${human.lastName || '-'} | parse-full-name: ${full.first || '-'}, ${full.last || '-'}`);
}
JS
{
  node names.cjs
  PYTHONPATH=usr/lib/python3/dist-packages /usr/bin/python3 -c "
from nameparser import HumanName
for name in open('names').read().splitlines():
    parsed = HumanName(name)
    print(f'{name} | nameparser: {parsed.first or \"-\"}, {parsed.last or \"-\"}')"
} >seen
cat >expected <<'OUT'
Karthik V | humanparser: Karthik, - | parse-full-name: Karthik, V
Suresh I | humanparser: Suresh, - | parse-full-name: Suresh, I
Karthik R V | humanparser: Karthik, R | parse-full-name: Karthik, V
Esha Ma | humanparser: Esha, - | parse-full-name: Esha, Ma
Prince Kumar | humanparser: Prince, Kumar | parse-full-name: Prince, Kumar
Guru Prasad | humanparser: Guru, Prasad | parse-full-name: Guru, Prasad
Sheikh Irfan | humanparser: Sheikh, Irfan | parse-full-name: Sheikh, Irfan
Prince | humanparser: Prince, - | parse-full-name: -, Prince
Van Dinh | humanparser: Van, Dinh | parse-full-name: -, Van Dinh
Mira Rao | humanparser: Mira, Rao | parse-full-name: Mira, Rao
Karthik V | nameparser: Karthik, V
Suresh I | nameparser: Suresh, I
Karthik R V | nameparser: Karthik, V
Esha Ma | nameparser: Esha, Ma
Prince Kumar | nameparser: -, Kumar
Guru Prasad | nameparser: -, Prasad
Sheikh Irfan | nameparser: Irfan, -
Prince | nameparser: -, -
Van Dinh | nameparser: Van, Dinh
Mira Rao | nameparser: Mira, Rao
OUT
diff expected seen && cat seen
