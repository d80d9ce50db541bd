#!/usr/bin/env bash
# A job for each changed lead, with the lead's id as the job's id, on two nights.
#
# Versions   bullmq 6.7.0 with ioredis 5.8.2 (npm), Redis 7.0.15 (Debian), defaults.
# Guess      The id keeps a lead from standing in the queue twice. Once the job is done, the
#            next night's job of that lead is a new one.
# Behaviour  It is not run. A finished job keeps its id, for good with the defaults, and add()
#            with that id adds nothing. It returns a job object with the new values and
#            no error; asked by its id the queue has the old values. addBulk
#            leaves such jobs out in the same way, and a failed job blocks its id as well.
#            removeOnComplete and removeOnFail free the id.
# Why it matters   The first night is whole, in the second one all leads that changed again are
#            left out. The program has an object for each of them, and logs it as added.
. "$(dirname "$0")/servers.bash"
start_redis
npm init -y >/dev/null
npm install --silent bullmq@6.7.0 ioredis@5.8.2 >/dev/null
cat >nights.cjs <<'JS'
const { Queue, Worker } = require('bullmq');
const connection = { path: 'redis', maxRetriesPerRequest: null };
(async () => {
  for (const kept of [undefined, true]) {
    const name = kept ? 'removed' : 'kept';
    const queue = new Queue(name, { connection, ...(kept && { defaultJobOptions: { removeOnComplete: kept, removeOnFail: kept } }) });
    const run = [];
    const worker = new Worker(name, async ({ data }) => {
      run.push(`${data.lead} ${data.stage}`);
      if (data.lead === 8) throw new Error('refused');
    }, { connection });
    await worker.waitUntilReady();
    const idle = async () => {
      for (let i = 0; i < 100; i++) {
        const { wait, active, prioritized } = await queue.getJobCounts('wait', 'active', 'prioritized');
        if (wait + active + prioritized === 0) return;
        await new Promise((r) => setTimeout(r, 50));
      }
    };
    const night = async (stage) => {
      const jobs = await queue.addBulk([7, 8, 9].map((lead) => ({ name: 'load', data: { lead, stage }, opts: { jobId: `lead-${lead}` } })));
      await idle();
      return jobs;
    };
    await night('Open');
    const jobs = await night('Won');
    const now = await queue.getJob('lead-7');
    console.log(`finished jobs ${name}: run ${run.join(', ')}; add returned ${jobs.map(({ data }) => `${data.lead} ${data.stage}`).join(', ')}; the queue has ${now ? `${now.data.lead} ${now.data.stage}` : 'none'}`);
    await worker.close();
    await queue.close();
  }
})();
JS
node nights.cjs >seen
cat >expected <<'OUT'
finished jobs kept: run 7 Open, 8 Open, 9 Open; add returned 7 Won, 8 Won, 9 Won; the queue has 7 Open
finished jobs removed: run 7 Open, 8 Open, 9 Open, 7 Won, 8 Won, 9 Won; add returned 7 Won, 8 Won, 9 Won; the queue has none
OUT
diff expected seen && cat seen
