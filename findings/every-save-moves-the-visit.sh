#!/usr/bin/env bash
# A visit, read with postgres.js and saved as it was read, on a machine in India.
#
# Versions   postgres 3.4.9 (postgres.js), pg 8.23.1, drizzle-orm 0.45.4 (npm), Node 20;
#            PostgreSQL 15.20 (Debian); a column of the type timestamp, without a zone.
# Guess      Drivers may disagree about the clock that such a column holds, the machine's or
#            UTC. But each agrees with itself: a Date that was written is read again.
# Behaviour  postgres.js writes the clock of UTC and reads it as the machine's clock. Each
#            read is 5:30 too early, and each save moves the row by that much: after three
#            saves a visit of 10:00 on 5 March is in the night before. No error. pg keeps the
#            Date and has the machine's clock in the table, so rows of both cannot be told apart.
#            Once Drizzle has wrapped the same connection, postgres.js itself returns texts.
# Why it matters   On a machine in UTC all of it is right, so neither CI nor a server there
#            sees it. A job in India that sets one field of a row moves its times each night.
. "$(dirname "$0")/servers.bash"
start_postgres
npm init -y >/dev/null
npm install --silent postgres@3.4.9 pg@8.23.1 drizzle-orm@0.45.4 >/dev/null 2>&1
cat >visits.mjs <<'JS'
import pg from 'pg';
import postgres from 'postgres';
import { drizzle } from 'drizzle-orm/postgres-js';
const at = { host: process.cwd(), port: 5432, user: 'nobody', database: 'postgres' };
const sql = postgres(at);
const pool = new pg.Pool(at);
const when = new Date('2026-03-05T10:00:00+05:30');
await pool.query('CREATE TABLE visits (id int PRIMARY KEY, at timestamp, note text)');
const table = async (id) => (await pool.query('SELECT at::text FROM visits WHERE id = $1', [id])).rows[0].at;
const india = (date) => date.toLocaleString('sv', { timeZone: 'Asia/Kolkata' });

await pool.query('INSERT INTO visits VALUES (1, $1)', [when]);
console.log('pg writes', await table(1), 'reads', india((await pool.query('SELECT at FROM visits')).rows[0].at));
await sql`INSERT INTO visits VALUES (2, ${when})`;
console.log('postgres.js writes', await table(2));
for (let save = 1; save <= 3; save++) {
  const [visit] = await sql`SELECT * FROM visits WHERE id = 2`;
  await sql`UPDATE visits SET at = ${visit.at}, note = ${'save ' + save} WHERE id = 2`;
  console.log('save', save, 'reads', india(visit.at), 'writes', await table(2));
}
drizzle(sql);
const [visit] = await sql`SELECT at FROM visits WHERE id = 2`;
console.log('with drizzle reads a', typeof visit.at, visit.at);
await Promise.all([sql.end(), pool.end()]);
JS
{ TZ=Asia/Kolkata node visits.mjs; echo 'a machine in UTC:'; psql() { LD_LIBRARY_PATH=$libraries "$postgres/psql" -qAt -h "$here" -U nobody postgres "$@"; }
  psql -c 'DROP TABLE visits'; TZ=UTC node visits.mjs | sed -n '3,5p'; } >seen
cat >expected <<'OUT'
pg writes 2026-03-05 10:00:00 reads 2026-03-05 10:00:00
postgres.js writes 2026-03-05 04:30:00
save 1 reads 2026-03-05 04:30:00 writes 2026-03-04 23:00:00
save 2 reads 2026-03-04 23:00:00 writes 2026-03-04 17:30:00
save 3 reads 2026-03-04 17:30:00 writes 2026-03-04 12:00:00
with drizzle reads a string 2026-03-04 12:00:00
a machine in UTC:
save 1 reads 2026-03-05 10:00:00 writes 2026-03-05 04:30:00
save 2 reads 2026-03-05 10:00:00 writes 2026-03-05 04:30:00
save 3 reads 2026-03-05 10:00:00 writes 2026-03-05 04:30:00
OUT
diff expected seen && cat seen
