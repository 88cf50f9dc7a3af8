import type { Database, Statement } from 'better-sqlite3';

/** The statement that inserts rows with the columns of a sample. */
export function insertionOf<Row extends object>(
  database: Database,
  table: string,
  sample: Row,
): Statement<[Row]> {
  const columns = Object.keys(sample);
  const values = columns.map((column) => `:${column}`);
  return database.prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${values.join()})`);
}
