#!/usr/bin/env bash
# Addresses of leads, brought to one form by normalizeEmail before they are compared.
#
# Version    validator 13.15.35 (npm; express-validator calls the same function), defaults.
# Guess      The domain becomes lower case, and at most what Gmail ignores is dropped: dots,
#            and a tag behind a plus. What is left is the same mailbox.
# Behaviour  At Yahoo's domains all from a hyphen on is cut off, as the tag of a throwaway
#            address. mira-rao@yahoo.com, mira-shah@yahoo.com and mira@yahoo.com are all
#            mira@yahoo.com, at yahoo.in and ymail.com too, though not at yahoo.co.in.
# Why it matters   Hyphens are a part of names there. Three people become one lead, a look-up
#            finds the wrong one, and the mail goes to a person who never asked for it.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent validator@13.15.35 >/dev/null 2>&1
node -e "
const { normalizeEmail } = require('validator');
for (const domain of ['yahoo.com', 'yahoo.in', 'ymail.com', 'yahoo.co.in', 'icloud.com', 'Acme.in'])
  console.log(domain, ...new Set(['Mira-Rao@', 'mira-shah@', 'mira@'].map((name) => normalizeEmail(name + domain))));" >seen
cat >expected <<'OUT'
yahoo.com mira@yahoo.com
yahoo.in mira@yahoo.in
ymail.com mira@ymail.com
yahoo.co.in mira-rao@yahoo.co.in mira-shah@yahoo.co.in mira@yahoo.co.in
icloud.com mira-rao@icloud.com mira-shah@icloud.com mira@icloud.com
Acme.in mira-rao@acme.in mira-shah@acme.in mira@acme.in
OUT
diff expected seen && cat seen
