// Brings a database up to the newest schema and a step beyond, which changes every row: node kill-nine-migrator.ts FILE [STEP].
// With STEP it is killed there, in the middle of the transaction, by its own hand.
import SqliteDatabase from 'better-sqlite3';
import { built } from './kill-nine-program.ts';

const { MIGRATIONS, migrate } = await built<typeof import('../../broker/store/sqlite/migrations.js')>(
  'broker/store/sqlite/migrations.js',
);
const [file = '', step = '0'] = process.argv.slice(2);
const database = new SqliteDatabase(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.pragma('wal_autocheckpoint = 0');
database.function('here', (number) => {
  if (number === Number(step)) process.kill(process.pid, 'SIGKILL');
  return null;
});
const between = MIGRATIONS.map(({ version, sql }) => ({ version, sql: `${sql};\nSELECT here(${version});` }));
const last = MIGRATIONS.length + 1;
migrate(database, [
  ...between,
  {
    version: last,
    sql: `UPDATE requests SET rule = rule || ' changed'; SELECT here(${last});
          CREATE TABLE later (a TEXT) STRICT; SELECT here(${last + 1});`,
  },
]);
database.close();
console.log('migrated');
