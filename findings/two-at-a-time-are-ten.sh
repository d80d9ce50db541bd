#!/usr/bin/env bash
# Ten requests through queues that run two at a time, with a time limit for each.
#
# Versions   p-queue 9.3.5, bottleneck 2.19.5, @supercharge/promise-pool 3.3.0, queue 7.0.0,
#            async 3.2.6, better-queue 3.8.12 (npm); Node 20.
# Guess      The server never works on more than two at once: the time limit ends a request
#            that takes too long, and then the next one begins.
# Behaviour  With all six the server works on ten at once. The limit ends the waiting and not
#            the request, and its place goes to the next. Without a limit it is two.
# Why it matters   A server that is slow because of its load gets more load, just then. And
#            what "failed" here is done there, after the list of failures has been written.
#
# The server, on 127.0.0.1, needs 2 s for an answer; the time limit is 100 ms.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
npm init -y >/dev/null
npm install --silent p-queue@9.3.5 bottleneck@2.19.5 @supercharge/promise-pool@3.3.0 queue@7.0.0 async@3.2.6 better-queue@3.8.12 >/dev/null 2>&1
cat >main.mjs <<'JS'
import http from 'node:http';
import PQueue from 'p-queue';
import Bottleneck from 'bottleneck';
import { PromisePool } from '@supercharge/promise-pool';
import Queue from 'queue';
import async from 'async';
import BetterQueue from 'better-queue';
let now = 0, most = 0, done = 0;
const server = http.createServer((request, response) => {
  most = Math.max(most, ++now);
  setTimeout(() => { now--; done++; response.end(); }, 2000);
}).listen(0, '127.0.0.1');
await new Promise((ready) => server.once('listening', ready));
const send = () => fetch(`http://127.0.0.1:${server.address().port}/`).then((answer) => answer.text());
const ten = Array.from({ length: 10 }, (_, i) => i);
const queues = {
  'p-queue': (limit) => {
    const queue = new PQueue({ concurrency: 2, timeout: limit });
    return Promise.allSettled(ten.map(() => queue.add(send)));
  },
  bottleneck: (limit) => {
    const queue = new Bottleneck({ maxConcurrent: 2 });
    return Promise.allSettled(ten.map(() => queue.schedule({ expiration: limit ?? null }, send)));
  },
  'promise-pool': (limit) => {
    const pool = PromisePool.withConcurrency(2).for(ten).handleError(() => {});
    return (limit ? pool.withTaskTimeout(limit) : pool).process(send);
  },
  queue: (limit) => {
    const queue = new Queue({ concurrency: 2, timeout: limit ?? 0 });
    queue.addEventListener('timeout', (event) => event.detail.next());
    ten.forEach(() => queue.push(send));
    return new Promise((end) => queue.start(end));
  },
  async: (limit) => {
    const task = async.asyncify(send);
    const queue = async.queue(limit ? async.timeout(task, limit) : task, 2);
    ten.forEach((i) => queue.push(i, () => {}));
    return queue.drain();
  },
  'better-queue': (limit) => {
    const queue = new BetterQueue((_, end) => { send().then(() => end()); }, { concurrent: 2, maxTimeout: limit ?? Infinity });
    ten.forEach((id) => queue.push({ id: 'lead ' + id }));
    return new Promise((end) => queue.on('drain', end));
  },
};
for (const [name, run] of Object.entries(queues)) {
  for (const limit of [undefined, 100]) {
    now = most = done = 0;
    await run(limit);
    const early = done;
    for (let i = 0; i < 100 && now > 0; i++) await new Promise((next) => setTimeout(next, 100));
    console.log(name, limit ? 'with a limit:' : 'without:', 'at once', most, '| answered when the queue was through', early, 'and later', done - early);
  }
}
process.exit();
JS
node main.mjs >seen
for name in p-queue bottleneck promise-pool queue async better-queue; do
  echo "$name without: at once 2 | answered when the queue was through 10 and later 0"
  echo "$name with a limit: at once 10 | answered when the queue was through 0 and later 10"
done >expected
diff expected seen && cat seen
