#!/usr/bin/env bash
# A CSV file of 200,000 bytes, sent by PUT as a stream; the first answer is 503.
#
# Versions   axios 1.21.1 with axios-retry 4.5.0 and with retry-axios 4.0.3, gaxios 7.3.1; got
#            14.6.6, undici 7.30.2, fetch-retry 6.0.0, ky 2.1.0 beside them (npm); Node 20.
# Guess      A stream can be read once, so the client sends the file again from its start,
#            or gives up with an error.
# Behaviour  The first three send a second PUT without a body. The server answers 200, and so
#            does the client. got, undici and fetch-retry end in an error, ky sends it whole.
# Why it matters   The upload of the night is an empty file, which replaces the one that was
#            there, and only after a short trouble of the server. The log says 200.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent axios@1.21.1 axios-retry@4.5.0 retry-axios@4.0.3 gaxios@7.3.1 got@14.6.6 undici@7.30.2 fetch-retry@6.0.0 ky@2.1.0 >/dev/null 2>&1
cat >main.mjs <<'JS'
import fs from 'node:fs';
import http from 'node:http';
import { Readable } from 'node:stream';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import * as rax from 'retry-axios';
import { request } from 'gaxios';
import got from 'got';
import * as undici from 'undici';
import fetchRetry from 'fetch-retry';
import ky from 'ky';
fs.writeFileSync('leads.csv', 'a,b\n'.repeat(50000));
let bodies = [];
const server = http.createServer((request, response) => {
  let bytes = 0;
  request.on('data', (part) => { bytes += part.length; });
  request.on('end', () => {
    bodies.push(bytes);
    response.statusCode = bodies.length === 1 ? 503 : 200;
    response.end('{}');
  });
}).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));
const url = `http://127.0.0.1:${server.address().port}/`;
const file = () => fs.createReadStream('leads.csv');
const clients = {
  'axios-retry': async () => {
    const client = axios.create();
    axiosRetry(client, { retries: 2 });
    return (await client.put(url, file())).status;
  },
  'retry-axios': async () => {
    const client = axios.create();
    client.defaults.raxConfig = { instance: client };
    rax.attach(client);
    return (await client.put(url, file())).status;
  },
  gaxios: async () => (await request({ url, method: 'PUT', data: file(), retry: true })).status,
  got: async () => (await got.put(url, { body: file() })).statusCode,
  undici: async () => {
    const dispatcher = new undici.RetryAgent(new undici.Agent(), { minTimeout: 10 });
    return (await undici.request(url, { method: 'PUT', body: file(), dispatcher })).statusCode;
  },
  'fetch-retry': async () => (await fetchRetry(fetch)(url, { method: 'PUT', body: Readable.toWeb(file()), duplex: 'half', retryOn: [503], retryDelay: 10 })).status,
  ky: async () => (await ky.put(url, { body: Readable.toWeb(file()), duplex: 'half' })).status,
};
for (const [name, put] of Object.entries(clients)) {
  bodies = [];
  let end;
  try { end = 'ends with ' + await put(); } catch { end = 'ends in an error'; }
  console.log(name, end + ', bodies of', bodies.join(' and '), 'bytes');
}
process.exit();
JS
node main.mjs >seen
cat >expected <<'OUT'
axios-retry ends with 200, bodies of 200000 and 0 bytes
retry-axios ends with 200, bodies of 200000 and 0 bytes
gaxios ends with 200, bodies of 200000 and 0 bytes
got ends in an error, bodies of 200000 bytes
undici ends in an error, bodies of 200000 bytes
fetch-retry ends in an error, bodies of 200000 bytes
ky ends with 200, bodies of 200000 and 200000 bytes
OUT
diff expected seen && cat seen
