#!/usr/bin/env bash
# onConflict('id').ignore() of Knex, with MariaDB and with PostgreSQL.
#
# Versions   knex 3.1.0 with mysql2 3.15.0 and pg 8.16.3 (npm); MariaDB 10.11.19 and
#            PostgreSQL 15.20 (Debian), sql_mode strict, which is the default.
# Guess      Rows whose id is there are left out. Any other fault of a row, a lead that does
#            not exist or a note that is too long, is an error with both databases.
# Behaviour  PostgreSQL refuses the rows, as guessed. With MariaDB the same line drops the
#            row of the absent lead, cuts the long note, makes the empty text of a stage
#            that the column does not know, and returns as if all were well. The library
#            writes INSERT IGNORE there, which turns every error of a row into a warning,
#            also in strict mode, and the id that was named plays no part.
# Why it matters   Code that was tested on one database loses and changes rows on the
#            other. Sequelize's ignoreDuplicates and Laravel's insertOrIgnore write the same.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking
start_postgres
npm init -y >/dev/null
npm install --silent knex@3.1.0 mysql2@3.15.0 pg@8.16.3 >/dev/null
sql -e "CREATE DATABASE d; CREATE USER u@localhost IDENTIFIED BY 'practice'; GRANT ALL ON d.* TO u@localhost"
cat >load.cjs <<'JS'
const here = process.cwd();
const rows = [
  { id: 1, lead: 1, note: 'called', stage: 'Open' },
  { id: 1, lead: 1, note: 'again', stage: 'Open' },
  { id: 2, lead: 7, note: 'no lead', stage: 'Open' },
  { id: 3, lead: 1, note: 'asked for a price', stage: 'Won' },
  { id: 4, lead: 1, note: 'paid', stage: 'Unheard of' },
];
async function load(name, client, connection) {
  const db = require('knex')({ client, connection });
  await db.schema.createTable('leads', (t) => t.integer('id').primary());
  await db('leads').insert({ id: 1 });
  await db.schema.createTable('deals', (t) => {
    t.integer('id').primary();
    t.integer('lead').notNullable().references('leads.id');
    t.string('note', 10);
    t.enu('stage', ['Open', 'Won']).notNullable();
  });
  console.log(`${name}:`);
  const tries = client === 'pg' ? [rows.slice(0, 2), [rows[2]], [rows[3]], [rows[4]]] : [rows];
  for (const some of tries) {
    await db('deals').insert(some).onConflict('id').ignore().then(
      () => console.log('  no error'),
      (e) => console.log('  error', e.code));
  }
  for (const row of await db('deals').orderBy('id')) console.log('  kept', JSON.stringify(row));
  await db.destroy();
}
(async () => {
  await load('PostgreSQL', 'pg', { host: here, user: 'nobody', database: 'postgres' });
  await load('MariaDB', 'mysql2', { socketPath: `${here}/socket`, user: 'u', password: 'practice', database: 'd' });
})();
JS
node load.cjs >seen
cat >expected <<'OUT'
PostgreSQL:
  no error
  error 23503
  error 22001
  error 23514
  kept {"id":1,"lead":1,"note":"called","stage":"Open"}
MariaDB:
  no error
  kept {"id":1,"lead":1,"note":"called","stage":"Open"}
  kept {"id":3,"lead":1,"note":"asked for ","stage":"Won"}
  kept {"id":4,"lead":1,"note":"paid","stage":""}
OUT
diff expected seen && cat seen
