#!/usr/bin/env bash
# Three leads written to MariaDB in one upsert, and the ids that the library hands back.
#
# Versions   TypeORM 1.1.1, Sequelize 6.37.8 and Drizzle 0.45.4 with mysql2 3.24.6 (npm);
#            MariaDB 10.11.19 (Debian); defaults everywhere.
# Guess      Each object has the id of its row afterwards, the one that existed the old id;
#            or the ids are left empty, since MariaDB's answer has one number only.
# Behaviour  Bina, who had id 7, gets 10 from TypeORM, which is the row of Chitra, who gets 11,
#            which is nobody's. The libraries count on from the first new id as if all rows
#            were new. Sequelize does the same, also when rows are to be left out
#            (ignoreDuplicates), and Drizzle returns four ids for three rows, because an
#            updated row counts as two. Without an existing row among them all are right.
# Why it matters   What is saved next with these ids, notes, deals, calls, belongs to other
#            people. In the first load all rows are new.
. "$(dirname "$0")/servers.bash"
start_mariadb --skip-networking
sql -e "CREATE DATABASE d; CREATE USER u@localhost IDENTIFIED BY 'practice'; GRANT ALL ON d.* TO u@localhost"
npm init -y >/dev/null
npm install --silent typeorm@1.1.1 sequelize@6.37.8 drizzle-orm@0.45.4 mysql2@3.24.6 >/dev/null 2>&1
cat >leads.cjs <<'JS'
const mysql = require('mysql2/promise');
const typeorm = require('typeorm');
const { Sequelize, DataTypes } = require('sequelize');
const { drizzle } = require('drizzle-orm/mysql2');
const { mysqlTable, int, varchar } = require('drizzle-orm/mysql-core');
const { sql } = require('drizzle-orm');

const leads = () => ['Asha', 'Bina', 'Chitra'].map((name) => ({ name, stage: 'Won' }));
const ids = (list) => list.map((lead) => `${lead.name} ${lead.id}`).join(', ');
(async () => {
  const connection = await mysql.createConnection({ socketPath: 'socket', user: 'u', password: 'practice', database: 'd' });
  const run = async (what, write) => {
    await connection.query('DROP TABLE IF EXISTS leads');
    await connection.query('CREATE TABLE leads (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20) UNIQUE, stage VARCHAR(20))');
    await connection.query("INSERT INTO leads VALUES (7, 'Bina', 'Open'), (8, 'Dev', 'Open')");
    const said = await write();
    const [rows] = await connection.query('SELECT id, name FROM leads ORDER BY name');
    console.log(`${what}: ${said}; in the table: ${ids(rows)}`);
  };

  const entity = new typeorm.EntitySchema({ name: 'leads', columns: {
    id: { type: Number, primary: true, generated: true }, name: { type: String, unique: true }, stage: { type: String } } });
  const source = new typeorm.DataSource({ type: 'mysql', socketPath: 'socket', username: 'u', password: 'practice', database: 'd', entities: [entity] });
  await source.initialize();
  await run('TypeORM, upsert', async () => {
    const list = leads();
    await source.getRepository('leads').upsert(list, ['name']);
    return ids(list);
  });
  await source.destroy();

  const sequelize = new Sequelize('d', 'u', 'practice', { dialect: 'mysql', logging: false, dialectOptions: { socketPath: 'socket' } });
  const Lead = sequelize.define('leads', { name: DataTypes.STRING, stage: DataTypes.STRING }, { timestamps: false });
  await run('Sequelize, updateOnDuplicate', async () => ids(await Lead.bulkCreate(leads(), { updateOnDuplicate: ['stage'] })));
  await run('Sequelize, ignoreDuplicates', async () => ids(await Lead.bulkCreate(leads(), { ignoreDuplicates: true })));
  await sequelize.close();

  const table = mysqlTable('leads', { id: int('id').primaryKey().autoincrement(), name: varchar('name', { length: 20 }), stage: varchar('stage', { length: 20 }) });
  await run('Drizzle, $returningId', async () =>
    (await drizzle(connection).insert(table).values(leads()).onDuplicateKeyUpdate({ set: { stage: sql`values(stage)` } }).$returningId()).map(({ id }) => id).join(', '));
  await connection.end();
})();
JS
node leads.cjs >seen
cat >expected <<'OUT'
TypeORM, upsert: Asha 9, Bina 10, Chitra 11; in the table: Asha 9, Bina 7, Chitra 10, Dev 8
Sequelize, updateOnDuplicate: Asha 9, Bina 10, Chitra 11; in the table: Asha 9, Bina 7, Chitra 10, Dev 8
Sequelize, ignoreDuplicates: Asha 9, Bina 10, Chitra null; in the table: Asha 9, Bina 7, Chitra 10, Dev 8
Drizzle, $returningId: 9, 10, 11, 12; in the table: Asha 9, Bina 7, Chitra 10, Dev 8
OUT
diff expected seen && cat seen
