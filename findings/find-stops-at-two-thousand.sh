#!/usr/bin/env bash
# All leads of a CRM, read with jsforce from an account that has 25,000.
#
# Version    jsforce 3.10.16 (npm), defaults; a server on 127.0.0.1 that answers as the
#            CRM does, 2,000 records a page and the address of the next page.
# Guess      find() follows the pages to the last; and autoFetch, the option for that,
#            fetches all.
# Behaviour  find() returns an array of 2,000 with no sign that there is more. With
#            autoFetch it returns 10,000: a second option, maxFetch, has that default,
#            and stops the fetching without an error. The events of a query stop there
#            too. query() returns 10,000 beside "totalSize":25000 and "done":false.
# Why it matters   "Load what the account lacks" finds the oldest leads only, and makes
#            all later ones again. In an account for practice everything fits one page.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent jsforce@3.10.16 >/dev/null 2>&1
cat >leads.cjs <<'JS'
const { Connection } = require('jsforce');
const all = 25000;
const page = 2000;
let calls = 0;
const server = require('http').createServer((request, answer) => {
  calls++;
  const from = Number((/\/query\/page-(\d+)/.exec(request.url) || [0, 0])[1]);
  const next = from + page;
  answer.setHeader('Content-Type', 'application/json');
  answer.end(JSON.stringify({
    totalSize: all,
    done: next >= all,
    ...(next < all && { nextRecordsUrl: `/services/data/v50.0/query/page-${next}` }),
    records: Array.from({ length: Math.min(page, all - from) }, (_, i) => ({ attributes: { type: 'Lead' }, Id: `L${from + i}` })),
  }));
});
server.listen(0, '127.0.0.1', async () => {
  const crm = new Connection({ instanceUrl: `http://127.0.0.1:${server.address().port}`, accessToken: 'practice' });
  const say = (what, n, more = '') => {
    console.log(`${what}: ${n} of ${all} leads, ${calls} calls${more}`);
    calls = 0;
  };
  const leads = () => crm.sobject('Lead').find({}, ['Id']);
  say('find', (await leads()).length);
  say('find, autoFetch', (await leads().execute({ autoFetch: true })).length);
  say('find, autoFetch, maxFetch', (await leads().execute({ autoFetch: true, maxFetch: 1e6 })).length);
  const result = await crm.query('SELECT Id FROM Lead', { autoFetch: true });
  say('query, autoFetch', result.records.length, `, done ${result.done}, totalSize ${result.totalSize}`);
  let heard = 0;
  await new Promise((ok, no) => crm.query('SELECT Id FROM Lead').on('record', () => heard++).on('end', ok).on('error', no).run({ autoFetch: true }));
  say('query, events', heard);
  server.close();
  server.closeAllConnections();
});
JS
node leads.cjs >seen
cat >expected <<'OUT'
find: 2000 of 25000 leads, 1 calls
find, autoFetch: 10000 of 25000 leads, 5 calls
find, autoFetch, maxFetch: 25000 of 25000 leads, 13 calls
query, autoFetch: 10000 of 25000 leads, 5 calls, done false, totalSize 25000
query, events: 10000 of 25000 leads, 5 calls
OUT
diff expected seen && cat seen
