import type { Database, Statement } from 'better-sqlite3';
import { filterOf, KeyFilters } from './key-filter.js';

/** Tables whose rows are numbered 1, 2, 3 … in `n`, with gaps where some were deleted, and the column of SHA-256 values that finds them. */
const COLUMNS = { requests: 'digest', askers: 'hash' } as const;

/** From this many on, keys are packed. */
const CAPACITY = 8_192;
const KEY_BYTES = 6;
/** Stands for the key of a row that was deleted. */
const GONE = 0;

/** The keys of consecutive rows, put away together. */
export interface Pack {
  /** Number of the row of its last key. */
  readonly last: number;
  readonly filter: Buffer;
}

/** The keys of the rows after the last pack, in their order, and where each stands. */
interface Tail {
  readonly first: number;
  readonly keys: number[];
  readonly rows: Map<number, readonly number[]>;
}

/** All packs: the number of the last row of each, and their filters. */
interface Packed {
  readonly lasts: number[];
  readonly filters: KeyFilters;
}

/**
 * Finds rows by a random key, for ever, at the price of an append.
 *
 * An ordinary index changes a page at a random place with each insert. With a million rows that is most of what a
 * commit writes, and copying those pages back disturbs the commits that follow. Here the newest keys are held in memory
 * and, once there are many, packed into one row with a Bloom filter over them. A search asks all filters, and reads
 * only the packs that may hold the key; what it returns are candidates, to be compared in full.
 *
 * What it holds in memory is read when it is first needed: it is no work for a start-up.
 */
export class KeyIndex {
  readonly #table: keyof typeof COLUMNS;
  readonly #packs: Statement<[string], Pack>;
  readonly #newestPack: Statement<[string], { readonly last: number }>;
  readonly #keys: Statement<[string, number], { readonly keys: Buffer }>;
  readonly #rowsFrom: Statement<[number], { readonly n: number; readonly hash: Buffer }>;
  readonly #putPack: Statement<[string, number, Buffer, Buffer]>;
  #tail: Tail | null = null;
  #packed: Packed | null = null;

  constructor(database: Database, table: keyof typeof COLUMNS) {
    this.#table = table;
    this.#packs = database.prepare('SELECT last, filter FROM packs WHERE source = ? ORDER BY last');
    this.#newestPack = database.prepare('SELECT last FROM packs WHERE source = ? ORDER BY last DESC LIMIT 1');
    this.#keys = database.prepare('SELECT keys FROM packs WHERE source = ? AND last = ?');
    this.#rowsFrom = database.prepare(
      `SELECT n, ${COLUMNS[table]} AS hash FROM ${table} WHERE n >= ? ORDER BY n`,
    );
    this.#putPack = database.prepare('INSERT INTO packs (source, last, filter, keys) VALUES (?, ?, ?, ?)');
  }

  /** Number of the newest row, 0 for none. */
  get last(): number {
    const { first, keys } = this.#loadTail();
    return first + keys.length - 1;
  }

  /** Numbers of the committed rows whose SHA-256 may be this one. */
  candidates(hash: Buffer): readonly number[] {
    const key = keyOf(hash);
    const { lasts, filters } = this.#loadPacked();
    const packed = filters.holding(key).flatMap((pack) => this.#search(lasts[pack] ?? 0, hash));
    return packed.concat(this.#loadTail().rows.get(key) ?? []);
  }

  /**
   * To be called inside the transaction that inserts rows, with their SHA-256 values in order: packs the keys when they
   * are enough. Nothing in memory changes before {@link adopt} is called with the result.
   */
  write(hashes: readonly Buffer[]): Pack | null {
    const tail = this.#loadTail();
    if (tail.keys.length + hashes.length < CAPACITY) return null;
    const all = [...tail.keys, ...hashes.map(keyOf)];
    const keys = Buffer.alloc(all.length * KEY_BYTES);
    all.forEach((key, index) => void keys.writeUIntBE(key, index * KEY_BYTES, KEY_BYTES));
    const pack = { last: tail.first + all.length - 1, filter: filterOf(all) };
    this.#putPack.run(this.#table, pack.last, pack.filter, keys);
    return pack;
  }

  /** To be called once that transaction is committed. */
  adopt(hashes: readonly Buffer[], pack: Pack | null): void {
    if (pack === null) {
      const tail = this.#loadTail();
      for (const hash of hashes) append(tail, keyOf(hash));
      return;
    }
    this.#tail = emptyTail(pack.last + 1);
    if (this.#packed !== null) addPack(this.#packed, pack);
  }

  #loadTail(): Tail {
    if (this.#tail !== null) return this.#tail;
    const tail = emptyTail((this.#newestPack.get(this.#table)?.last ?? 0) + 1);
    for (const { n, hash } of this.#rowsFrom.iterate(tail.first)) {
      while (tail.first + tail.keys.length < n) append(tail, GONE);
      append(tail, keyOf(hash));
    }
    this.#tail = tail;
    return tail;
  }

  #loadPacked(): Packed {
    if (this.#packed !== null) return this.#packed;
    const packed = { lasts: [], filters: new KeyFilters() };
    for (const pack of this.#packs.iterate(this.#table)) addPack(packed, pack);
    this.#packed = packed;
    return packed;
  }

  #search(last: number, hash: Buffer): number[] {
    const keys = this.#keys.get(this.#table, last)?.keys ?? Buffer.alloc(0);
    const first = last + 1 - keys.length / KEY_BYTES;
    const wanted = hash.subarray(0, KEY_BYTES);
    const found: number[] = [];
    for (let at = keys.indexOf(wanted); at >= 0; at = keys.indexOf(wanted, at + 1)) {
      if (at % KEY_BYTES === 0) found.push(first + at / KEY_BYTES);
    }
    return found;
  }
}

/** The indexes of a store. */
export interface KeyIndexes {
  readonly requests: KeyIndex;
  readonly askers: KeyIndex;
}

const keyOf = (hash: Buffer): number => hash.readUIntBE(0, KEY_BYTES);

const emptyTail = (first: number): Tail => ({ first, keys: [], rows: new Map() });

function append({ first, keys, rows }: Tail, key: number): void {
  const row = first + keys.push(key) - 1;
  rows.set(key, [...(rows.get(key) ?? []), row]);
}

function addPack({ lasts, filters }: Packed, { last, filter }: Pack): void {
  lasts.push(last);
  filters.add(filter);
}
