#!/usr/bin/env bash
# Limiters from npm, set to 25 calls in 5 s.
#
# Versions   p-throttle 8.1.1, p-queue 10.0.0, bottleneck 2.19.5, async-sema 3.1.1,
#            limiter 4.1.0, rate-limiter-flexible 11.4.0; Node 20.
# Guess      A server never sees more than 25 calls in any 5 s.
# Behaviour  Every one lets more arrive, most of them up to 50. They count when a call
#            starts, and the server when it arrives: the first calls open connections
#            and arrive late, the next 25 arrive early.
# Why it matters   A limit set to the account's limit still gets calls throttled.
#
# 85 POSTs on 127.0.0.1 for each limiter, each in a process of its own, in about 25 s:
#   cold    85 at once
#   idle    3, then 9 s of nothing, then 60
#   late    1, then 4.6 s of nothing, then 60
#   jitter  85 at once, each with 0 to 200 ms on its way
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"type":"module"}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --save-exact \
  p-throttle@8.1.1 p-queue@10.0.0 bottleneck@2.19.5 async-sema@3.1.1 limiter@4.1.0 rate-limiter-flexible@11.4.0 >/dev/null
cat > main.js <<'EOF'
import {execFile} from 'node:child_process';
import http from 'node:http';
import {promisify} from 'node:util';
import pThrottle from 'p-throttle';
import PQueue from 'p-queue';
import Bottleneck from 'bottleneck';
import {RateLimit} from 'async-sema';
import {RateLimiter, TokenBucket} from 'limiter';
import {RateLimiterMemory, RateLimiterQueue} from 'rate-limiter-flexible';

const calls = 25, window = 5000;
const sleep = ms => new Promise(r => setTimeout(r, ms));

// Each makes a function that runs a call when the limiter allows it.
const limiters = {
  'p-throttle 8.1.1': () => pThrottle({limit: calls, interval: window})(f => f()),
  'p-throttle 8.1.1, strict': () => pThrottle({limit: calls, interval: window, strict: true})(f => f()),
  'p-queue 10.0.0': () => { const q = new PQueue({intervalCap: calls, interval: window}); return f => q.add(f); },
  'p-queue 10.0.0, strict': () => { const q = new PQueue({intervalCap: calls, interval: window, strict: true}); return f => q.add(f); },
  'bottleneck 2.19.5, reservoir': () => {
    const b = new Bottleneck({reservoir: calls, reservoirRefreshAmount: calls, reservoirRefreshInterval: window});
    return Object.assign(f => b.schedule(f), {stop: () => b.disconnect()});
  },
  'bottleneck 2.19.5, minTime': () => { const b = new Bottleneck({minTime: window / calls}); return f => b.schedule(f); },
  'async-sema 3.1.1, RateLimit': () => { const l = RateLimit(calls, {timeUnit: window}); return async f => { await l(); return f(); }; },
  'async-sema 3.1.1, uniform': () => { const l = RateLimit(calls, {timeUnit: window, uniformDistribution: true}); return async f => { await l(); return f(); }; },
  'limiter 4.1.0, RateLimiter': () => { const l = new RateLimiter({tokensPerInterval: calls, interval: window}); return async f => { await l.removeTokens(1); return f(); }; },
  'limiter 4.1.0, TokenBucket': () => { const l = new TokenBucket({bucketSize: calls, tokensPerInterval: calls, interval: window}); return async f => { await l.removeTokens(1); return f(); }; },
  'rate-limiter-flexible 11.4.0, queue': () => {
    const q = new RateLimiterQueue(new RateLimiterMemory({points: calls, duration: window / 1000}), {maxQueueSize: 1000});
    return async f => { await q.removeTokens(1); return f(); };
  },
};
const scenarios = {
  cold: [85, 0, 0, 0],
  idle: [3, 9000, 60, 0],
  late: [1, 4600, 60, 0],
  jitter: [85, 0, 0, 200],
};

// most resolves to how many calls arrived in the fullest 5 s.
async function most(limit, [first, pause, then, jitter]) {
  const at = [];
  const server = http.createServer((req, res) => { at.push(performance.now()); req.resume().on('end', () => res.end('{}')); });
  await new Promise(r => server.listen(0, '127.0.0.1', r));
  const {port} = server.address();
  const agent = new http.Agent({keepAlive: true});
  const post = async () => {
    await sleep(Math.random() * jitter);
    await new Promise((resolve, reject) => {
      const req = http.request({port, host: '127.0.0.1', method: 'POST', agent}, res => res.resume().on('end', resolve));
      req.on('error', reject);
      req.end('{"a":1}');
    });
  };
  const batch = n => Promise.all(Array.from({length: n}, () => limit(post)));
  const began = performance.now();
  await batch(first);
  if (then) { await sleep(pause); await batch(then); }
  const took = performance.now() - began;
  agent.destroy();
  server.close();
  limit.stop?.();
  return [Math.max(...at.map(t => at.filter(u => u >= t && u - t < window).length)), took];
}

const one = process.argv[2];
if (one) { // a limiter in a process of its own, so that none delays another
  console.log(JSON.stringify(await Promise.all(Object.values(scenarios).map(s => most(limiters[one](), s)))));
  process.exit(0);
}
const rows = await Promise.all(Object.keys(limiters).map(async name =>
  [name, JSON.parse((await promisify(execFile)(process.execPath, ['main.js', name], {timeout: 60000})).stdout)]));
console.log('Most arrivals in any 5 s:');
console.log('| limiter | cold | idle | late | jitter | 85 cold calls took |\n| --- | --- | --- | --- | --- | --- |');
let changed = false;
for (const [name, found] of rows) {
  console.log(`| ${name} | ${found.map(f => f[0]).join(' | ')} | ${(found[0][1] / 1000).toFixed(1)} s |`);
  if (Math.max(...found.map(f => f[0])) <= calls) {
    changed = true;
    console.log(`CHANGED: ${name} kept 25`);
  }
}
process.exit(changed ? 1 : 0);
EOF
echo "node $(node --version)"
node main.js
