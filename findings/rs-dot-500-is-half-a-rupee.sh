#!/usr/bin/env bash
# Prices as Indian sheets have them, read by libraries for money.
#
# Versions   accounting 0.4.1, currency.js 2.0.4, numeral 2.0.6 (npm); PostgreSQL 15.20
#            (Debian), to_number.
# Guess      Rs.500 is 500, or it is refused; and so is 1,200/-.
# Behaviour  Rs.500 is 0.5 for all three, and Rs. 500 is 0.50 for PostgreSQL: the dot behind
#            Rs is taken for the decimal point. "Rs. 1,200.50" is 0.12 for accounting and
#            PostgreSQL; the others have NaN. 1,200/- is 1200 for accounting, NaN for
#            currency.js, and -1200 for numeral, which takes a hyphen at the end for the
#            minus sign. 1,20,000 is 1200 for to_number with the template 999G999, which
#            has room for all its digits.
# Why it matters   A thousandth of the price, or a refund in place of a sale, is a valid
#            amount. "Rs 500" and 1,200 without the slash, in the same column, are right.
. "$(dirname "$0")/servers.bash"
start_postgres
npm init -y >/dev/null
npm install --silent accounting@0.4.1 currency.js@2.0.4 numeral@2.0.6 >/dev/null
cat >prices.cjs <<'JS'
const accounting = require('accounting');
const currency = require('currency.js');
const numeral = require('numeral');
for (const price of ['Rs 500', 'Rs.500', 'Rs. 1,200.50', '1,200', '1,200/-']) {
  console.log(`${price}: accounting ${accounting.unformat(price)}, currency.js ${currency(price).value}, numeral ${numeral(price).value()}`);
}
JS
number() { "$postgres/psql" -X -At -h "$here" -U nobody -d postgres -c "SELECT 'to_number(''$1'', ''$2''): ' || to_number('$1', '$2')"; }
{
  node prices.cjs
  number 'Rs 500' 999,999
  number 'Rs. 500' 999,999.99
  number 'Rs. 1,200.50' 999,999.99
  number 1,20,000 99G99G999
  number 1,20,000 999G999
} >seen
cat >expected <<'OUT'
Rs 500: accounting 500, currency.js 500, numeral 500
Rs.500: accounting 0.5, currency.js 0.5, numeral 0.5
Rs. 1,200.50: accounting 0.12, currency.js NaN, numeral NaN
1,200: accounting 1200, currency.js 1200, numeral 1200
1,200/-: accounting 1200, currency.js NaN, numeral -1200
to_number('Rs 500', '999,999'): 500
to_number('Rs. 500', '999,999.99'): 0.50
to_number('Rs. 1,200.50', '999,999.99'): 0.12
to_number('1,20,000', '99G99G999'): 120000
to_number('1,20,000', '999G999'): 1200
OUT
diff expected seen && cat seen
