#!/usr/bin/env bash
# HTTP clients from npm: how often one POST reaches the server.
#
# Versions   axios 1.21.1, axios-retry 4.5.0, got 14.6.5, superagent 10.4.2, undici 7.30.2,
#            p-retry 9.0.0, ofetch 1.5.1, fetch-retry 6.0.0; Node 20.
# Guess      A POST is not idempotent, so no client repeats it by itself once the
#            server has read it.
# Behaviour  axios, got and undici keep to it. Retries of axios-retry, superagent, p-retry
#            and fetch-retry repeat it after a lost answer. fetch itself repeats a POST
#            that was answered with 421.
# Why it matters   The server has made the record several times; the caller sees one call.
#
# The server, on 127.0.0.1, reads the whole POST and then
#   fresh        closes the connection, which is new
#   reused       closes the connection, which served a call before
#   half         answers 200 and breaks off in the body
#   429 503 421  answers with this status
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"type":"module"}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact \
  axios@1.21.1 axios-retry@4.5.0 got@14.6.5 superagent@10.4.2 undici@7.30.2 p-retry@9.0.0 ofetch@1.5.1 fetch-retry@6.0.0 >/dev/null
cat > main.js <<'EOF'
import http from 'node:http';
import axios from 'axios';
import axiosRetry from 'axios-retry';
import got from 'got';
import superagent from 'superagent';
import {Agent, RetryAgent, request} from 'undici';
import pRetry from 'p-retry';
import {ofetch} from 'ofetch';
import fetchRetry from 'fetch-retry';

const json = {method: 'POST', body: '{"a":1}', headers: {'content-type': 'application/json'}};
const read = async r => r.text();

// Each makes a function that makes one call, as the documentation shows it.
const clients = {
  'fetch of this Node': () => async url => read(await fetch(url, json)),
  'axios 1.21.1': () => url => axios.post(url, {a: 1}),
  'axios-retry 4.5.0, 3 retries': () => {
    const c = axios.create();
    axiosRetry(c, {retries: 3});
    return url => c.post(url, {a: 1});
  },
  'got 14.6.5': () => url => got.post(url, {json: {a: 1}}),
  'superagent 10.4.2, retry(2)': () => url => superagent.post(url).send({a: 1}).retry(2),
  'undici 7.30.2, RetryAgent': () => {
    const dispatcher = new RetryAgent(new Agent());
    return async url => (await request(url, {...json, dispatcher})).body.text();
  },
  'p-retry 9.0.0 around fetch': () => url => pRetry(async () => read(await fetch(url, json)), {minTimeout: 1, factor: 1}),
  'ofetch 1.5.1': () => url => ofetch(url, {method: 'POST', body: {a: 1}}),
  'fetch-retry 6.0.0': () => { const f = fetchRetry(fetch, {retryDelay: 1}); return async url => read(await f(url, json)); },
};
const modes = ['fresh', 'reused', 'half', '429', '503', '421'];

// POSTs that the server read, by mode, as they were seen before.
const before = {
  'fetch of this Node': [1, 1, 1, 1, 1, 2],
  'axios 1.21.1': [1, 1, 1, 1, 1, 1],
  'axios-retry 4.5.0, 3 retries': [4, 4, 1, 1, 1, 1],
  'got 14.6.5': [1, 1, 1, 1, 1, 1],
  'superagent 10.4.2, retry(2)': [3, 3, 3, 3, 3, 1],
  'undici 7.30.2, RetryAgent': [1, 1, 1, 1, 1, 1],
  'p-retry 9.0.0 around fetch': [11, 11, 11, 1, 1, 2],
  'ofetch 1.5.1': [1, 1, 1, 1, 1, 2],
  'fetch-retry 6.0.0': [4, 4, 1, 1, 1, 2],
};

async function posts(call, mode) {
  let n = 0;
  const server = http.createServer((req, res) => {
    req.resume().on('end', () => {
      if (req.url !== '/create') { // warms the connection up
        res.end('{}');
        return;
      }
      n++;
      if (mode === 'half') {
        req.socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Status":');
      } else if (Number(mode)) {
        res.statusCode = Number(mode);
        res.end();
      } else {
        req.socket.end();
      }
    });
  });
  await new Promise(r => server.listen(0, '127.0.0.1', r));
  const url = `http://127.0.0.1:${server.address().port}`;
  let error = false;
  if (mode === 'reused') await call(url + '/warm');
  try { await call(url + '/create'); } catch { error = true; }
  server.closeAllConnections();
  server.close();
  return [n, error];
}

console.log('POSTs that the server read for one call:');
console.log('| client | closed, fresh | closed, reused | half an answer | 429 | 503 | 421 |\n| --- | --- | --- | --- | --- | --- | --- |');
const rows = await Promise.all(Object.entries(clients).map(async ([name, make]) => [name, await Promise.all(modes.map(m => posts(make(), m)))]));
const changes = [];
for (const [name, found] of rows) {
  console.log(`| ${name} | ${found.map(([n, error], i) => n + (modes[i] === 'half' && !error ? ', no error' : '')).join(' | ')} |`);
  found.forEach(([n], i) => {
    if (n !== before[name][i]) changes.push(`CHANGED: ${name}, ${modes[i]}: ${n} POSTs, seen before: ${before[name][i]}`);
  });
}
changes.forEach(c => console.log(c));
process.exit(changes.length ? 1 : 0);
EOF
echo "node $(node --version)"
timeout 120 node main.js
