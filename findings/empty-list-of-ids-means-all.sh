#!/usr/bin/env bash
# A night without leads to close, in jsforce.
#
# Version    jsforce 3.10.16 (npm), defaults; a server on 127.0.0.1 that answers as the CRM
#            does and has three leads.
# Guess      find({ Id: ids }) with an empty list finds nothing, or it is an error. So does
#            an address that is undefined, because its cell is not there.
# Behaviour  The condition is left out, and the query has no WHERE: all leads are found.
#            update() and destroy() behind it change and delete all that were found.
#            { $in: [] } and { $or: [] } are left out too; of two conditions the other one
#            stays. null is asked for as null.
# Why it matters   "Close those that are missing in the file" does so for every lead of the
#            account in the first night in which none is missing.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent jsforce@3.10.16 >/dev/null 2>&1
cat >leads.cjs <<'JS'
const { Connection } = require('jsforce');
const server = require('http').createServer((request, answer) => {
  let body = '';
  request.on('data', (part) => (body += part)).on('end', () => {
    const url = new URL(request.url, 'http://crm');
    answer.setHeader('Content-Type', 'application/json');
    if (url.searchParams.has('q')) {
      console.log(`  asked: ${url.searchParams.get('q').trim()}`);
      return answer.end(JSON.stringify({ totalSize: 3, done: true, records: ['L1', 'L2', 'L3'].map((Id) => ({ Id })) }));
    }
    if (request.method === 'DELETE') console.log(`  deleted: ${url.searchParams.get('ids')}`);
    if (request.method === 'PATCH') console.log(`  updated: ${JSON.parse(body).records.map(({ id, Status }) => `${id} ${Status}`)}`);
    answer.end('[]');
  });
});
server.listen(0, '127.0.0.1', async () => {
  const crm = new Connection({ instanceUrl: `http://127.0.0.1:${server.address().port}`, accessToken: 'practice' });
  const leads = (where) => {
    console.log(require('util').inspect(where));
    return crm.sobject('Lead').find(where, ['Id']);
  };
  await leads({ Id: ['L1', 'L2'] });
  await leads({ Email: null });
  await leads({ Email: undefined });
  await leads({ Email: undefined, City: 'Pune' });
  await leads({ $or: [] });
  await leads({ Id: { $in: [] } }).update({ Status: 'Closed' });
  await leads({ Id: [] }).destroy();
  server.close();
  server.closeAllConnections();
});
JS
node leads.cjs >seen
cat >expected <<'OUT'
{ Id: [ 'L1', 'L2' ] }
  asked: SELECT Id FROM Lead WHERE Id IN ('L1', 'L2')
{ Email: null }
  asked: SELECT Id FROM Lead WHERE Email = null
{ Email: undefined }
  asked: SELECT Id FROM Lead
{ Email: undefined, City: 'Pune' }
  asked: SELECT Id FROM Lead WHERE City = 'Pune'
{ '$or': [] }
  asked: SELECT Id FROM Lead
{ Id: { '$in': [] } }
  asked: SELECT Id FROM Lead
  updated: L1 Closed,L2 Closed,L3 Closed
{ Id: [] }
  asked: SELECT Id FROM Lead
  deleted: L1,L2,L3
OUT
diff expected seen && cat seen
