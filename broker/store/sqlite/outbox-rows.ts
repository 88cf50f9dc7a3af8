import type { Database, Statement } from 'better-sqlite3';
import type { EpochMs } from '../../../src/protocol/time.js';
import type { Delivery, DeliveryName, Sink, SinkProgress } from '../deliveries.js';
import { deliveryKey, type LiveState } from './live-state.js';
import type { DeliveryReader, OutboxDraft } from './outbox-draft.js';

const COLUMNS = 'event, sink, request, attempts, due, step, failing_since, error, refusals, dead';

type DeliveryRow = Omit<Delivery, 'failingSince'> & { readonly failing_since: EpochMs | null };

const fromRow = ({ failing_since, ...row }: DeliveryRow): Delivery => ({
  ...row,
  failingSince: failing_since,
});

/** Rows that one read looks at, about a millisecond of work: those of other sinks, and what is held back, count. */
const SPAN = 2_000;

/** Reads what is held in memory of what leaves the broker: all that the command is told, and where the sinks stand. */
export function loadOutbox(database: Database, live: LiveState): void {
  const told = database.prepare<[], DeliveryRow>(
    `SELECT ${COLUMNS} FROM outbox WHERE sink = 'command' ORDER BY event`,
  );
  for (const row of told.iterate()) live.deliveries.set(deliveryKey(row), fromRow(row));
  const counts = database.prepare<[Sink], Omit<SinkProgress, 'position'>>(
    'SELECT count(*) AS deliveries, count(dead) AS dead FROM outbox WHERE sink = ?',
  );
  live.sinks = new Map(
    database
      .prepare<[], { readonly name: Sink; readonly position: number }>('SELECT name, position FROM sinks')
      .all()
      .map(({ name, position }) => [name, { deliveries: 0, dead: 0, ...counts.get(name), position }]),
  );
  live.epochs = database
    .prepare<[], { readonly first: number; readonly epoch: string }>(
      'SELECT first, epoch FROM epochs ORDER BY first',
    )
    .all();
}

/** Reads deliveries of sinks that follow the log. None of it takes long, however many dead letters there are. */
export class OutboxRows implements DeliveryReader {
  readonly #one: Statement<[number, Sink], DeliveryRow>;
  readonly #spanEnd: Statement<[number], { readonly event: number }>;
  readonly #open: Statement<[Record<string, number | string>], DeliveryRow>;
  readonly #dead: Statement<[Sink, EpochMs, number], DeliveryRow>;
  readonly #deadAfter: Statement<[string, number, string | null, number], DeliveryRow>;
  readonly #ofSink: Statement<[Sink, number], DeliveryRow>;

  constructor(database: Database) {
    this.#one = database.prepare(`SELECT ${COLUMNS} FROM outbox WHERE event = ? AND sink = ?`);
    this.#spanEnd = database.prepare(
      `SELECT event FROM outbox WHERE event > ? ORDER BY event LIMIT 1 OFFSET ${SPAN - 1}`,
    );
    this.#open = database.prepare(
      `SELECT ${COLUMNS} FROM outbox AS own WHERE event > :after AND event <= :through AND sink = :sink AND dead IS NULL
       AND NOT EXISTS (SELECT 1 FROM outbox WHERE sink = :sink AND request IS own.request AND dead IS NOT NULL)
       ORDER BY event LIMIT :limit`,
    );
    this.#dead = database.prepare(
      `SELECT ${COLUMNS} FROM outbox INDEXED BY outbox_dead WHERE sink = ? AND dead IS NOT NULL AND dead <= ?
       ORDER BY event LIMIT ?`,
    );
    this.#deadAfter = database.prepare(
      `SELECT ${COLUMNS} FROM outbox INDEXED BY outbox_dead WHERE dead IS NOT NULL AND (sink, event) > (?, ?)
       AND sink = coalesce(?, sink) ORDER BY sink, event LIMIT ?`,
    );
    this.#ofSink = database.prepare(`SELECT ${COLUMNS} FROM outbox WHERE sink = ? LIMIT ?`);
  }

  delivery({ event, sink }: DeliveryName): Delivery | null {
    const row = this.#one.get(event, sink);
    return row === undefined ? null : fromRow(row);
  }

  /** As {@link Store.openDeliveries}; `position` is that of the sink, after which it has no deliveries. */
  open(sink: Sink, after: number, position: number, limit: number) {
    const end = Math.min(this.#spanEnd.get(after)?.event ?? position, position);
    const deliveries = this.#open.all({ sink, after, through: end, limit }).map(fromRow);
    const last = deliveries.at(-1);
    return { deliveries, through: deliveries.length === limit && last !== undefined ? last.event : end };
  }

  deadLetters(sink: Sink, before: EpochMs, limit: number): readonly Delivery[] {
    return this.#dead.all(sink, before, limit).map(fromRow);
  }

  deadAfter(sink: Sink | null, after: DeliveryName | null, limit: number): readonly Delivery[] {
    return this.#deadAfter.all(after?.sink ?? '', after?.event ?? 0, sink, limit).map(fromRow);
  }

  deliveriesOf(sink: Sink, limit: number): readonly Delivery[] {
    return this.#ofSink.all(sink, limit).map(fromRow);
  }
}

/** Writes what a draft changes about what leaves the broker. */
export class OutboxWriter {
  readonly #put: Statement;
  readonly #remove: Statement;
  readonly #putSink: Statement;
  readonly #removeSink: Statement;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT OR REPLACE INTO outbox (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#remove = database.prepare('DELETE FROM outbox WHERE event = ? AND sink = ?');
    this.#putSink = database.prepare('INSERT OR REPLACE INTO sinks (name, position) VALUES (?, ?)');
    this.#removeSink = database.prepare('DELETE FROM sinks WHERE name = ?');
  }

  write({ written, removed, sinks }: OutboxDraft, committed: LiveState['sinks']): void {
    for (const delivery of written.values()) {
      const { event, sink, request, attempts, due, step, failingSince, error, refusals, dead } = delivery;
      this.#put.run(event, sink, request, attempts, due, step, failingSince, error, refusals, dead);
    }
    for (const { event, sink } of removed.values()) this.#remove.run(event, sink);
    if (sinks === committed) return;
    for (const [name, { position }] of sinks) {
      if (committed.get(name)?.position !== position) this.#putSink.run(name, position);
    }
    for (const name of committed.keys()) if (!sinks.has(name)) this.#removeSink.run(name);
  }
}
