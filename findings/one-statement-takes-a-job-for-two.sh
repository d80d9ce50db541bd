#!/usr/bin/env bash
# Two workers take the next job of a table, each by one UPDATE.
#
# Versions   PostgreSQL 15.20 and MariaDB 10.11.19 (Debian), default isolation.
# Guess      One statement is atomic: UPDATE jobs SET worker = … WHERE id = (SELECT the first
#            that is ready) RETURNING id waits for the other worker, and takes the next job.
# Behaviour  Both workers get job 1. The second one had chosen it before it waited, and when
#            it goes on only "id = 1" is checked anew, not the SELECT inside. With
#            "AND state = 'ready'" outside as well it gets no job at all, with two
#            ready: a worker that ends when there is nothing left ends here. FOR UPDATE
#            SKIP LOCKED in the inner SELECT gives it job 2. MariaDB has UPDATE … ORDER BY
#            … LIMIT 1 for this, and takes job 2.
# Why it matters   Every queue of this form makes records twice, or stops early, when two
#            workers meet; with one worker, and in nearly every test, it is right.
. "$(dirname "$0")/servers.bash"
start_postgres
start_mariadb --skip-networking
sql -e "CREATE DATABASE d; CREATE USER u@localhost IDENTIFIED BY 'practice'; GRANT ALL ON d.* TO u@localhost; GRANT PROCESS ON *.* TO u@localhost"
npm init -y >/dev/null
npm install --silent pg@8.16.3 mysql2@3.24.6 >/dev/null
cat >workers.cjs <<'JS'
const { Client } = require('pg');
const mysql = require('mysql2/promise');
const postgres = async () => {
  const client = new Client({ host: process.cwd(), user: 'nobody', database: 'postgres' });
  await client.connect();
  return { ask: async (text) => (await client.query(text)).rows, end: () => client.end() };
};
const mariadb = async () => {
  const connection = await mysql.createConnection({ socketPath: 'socket', user: 'u', password: 'practice', database: 'd' });
  return { ask: async (text) => (await connection.query(text))[0], end: () => connection.end() };
};
const waits = {
  PostgreSQL: "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  MariaDB: "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
};
const two = async (database, connect, how, take, which) => {
  const [first, second, third] = [await connect(), await connect(), await connect()];
  await first.ask('DROP TABLE IF EXISTS jobs');
  await first.ask('CREATE TABLE jobs (id INT PRIMARY KEY, state VARCHAR(10), worker VARCHAR(10))');
  await first.ask("INSERT INTO jobs (id, state) VALUES (1, 'ready'), (2, 'ready'), (3, 'ready')");
  const jobs = async (worker, rows) => (rows.length ? rows : which ? await worker.ask(which) : []).map(({ id }) => id).join() || 'none';
  await first.ask('BEGIN');
  const one = await jobs(first, await first.ask(take.replace('WORKER', 'one')));
  let done = false;
  const answer = second.ask(take.replace('WORKER', 'two')).finally(() => (done = true));
  for (let i = 0; i < 200 && !done && !(await third.ask(waits[database])).length; i++) await new Promise((r) => setTimeout(r, 50));
  await first.ask('COMMIT');
  const other = await jobs(second, await answer);
  const taken = (await third.ask('SELECT id, worker FROM jobs WHERE worker IS NOT NULL ORDER BY id')).map(({ id, worker }) => `${id} ${worker}`);
  console.log(`${database}, ${how}: job ${one} for one, ${other} for two; in the table ${taken}`);
  await Promise.all([first.end(), second.end(), third.end()]);
};
(async () => {
  const take = (outside, inside) => `UPDATE jobs SET state = 'busy', worker = 'WORKER' WHERE ${outside}id = (SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1${inside}) RETURNING id`;
  await two('PostgreSQL', postgres, 'one UPDATE', take('', ''));
  await two('PostgreSQL', postgres, 'state asked twice', take("state = 'ready' AND ", ''));
  await two('PostgreSQL', postgres, 'SKIP LOCKED', take('', ' FOR UPDATE SKIP LOCKED'));
  await two('MariaDB', mariadb, 'ORDER BY LIMIT 1', "UPDATE jobs SET state = 'busy', worker = 'WORKER' WHERE state = 'ready' ORDER BY id LIMIT 1", "SELECT id FROM jobs WHERE worker IS NOT NULL ORDER BY id DESC LIMIT 1");
})();
JS
node workers.cjs >seen
cat >expected <<'OUT'
PostgreSQL, one UPDATE: job 1 for one, 1 for two; in the table 1 two
PostgreSQL, state asked twice: job 1 for one, none for two; in the table 1 one
PostgreSQL, SKIP LOCKED: job 1 for one, 2 for two; in the table 1 one,2 two
MariaDB, ORDER BY LIMIT 1: job 1 for one, 2 for two; in the table 1 one,2 two
OUT
diff expected seen && cat seen
