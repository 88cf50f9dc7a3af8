/** So many parts a map has: what changes is copied with its part alone. */
const PARTS = 256;
/** Of the end of a key, which differs most: ids and digests begin alike. */
const HASHED_CHARACTERS = 6;

/**
 * A map that never changes. Another one that differs in a few entries is made at the price of those, however many there are, and what
 * differs between the two is found at that price. Entries have no order that means anything.
 */
export class PersistentMap<Key extends string, Value> implements ReadonlyMap<Key, Value> {
  readonly #parts: readonly (ReadonlyMap<Key, Value> | undefined)[];
  readonly size: number;

  private constructor(parts: readonly (ReadonlyMap<Key, Value> | undefined)[], size: number) {
    this.#parts = parts;
    this.size = size;
  }

  static of<Key extends string, Value>(entries: Iterable<readonly [Key, Value]>): PersistentMap<Key, Value> {
    const parts: Map<Key, Value>[] = [];
    for (const [key, value] of entries) {
      const at = partOf(key);
      parts[at] ??= new Map();
      parts[at].set(key, value);
    }
    return new PersistentMap(
      parts,
      parts.reduce((sum, part) => sum + part.size, 0),
    );
  }

  /** The map with other values, and without those keys that have `undefined` here. */
  with(edits: ReadonlyMap<Key, Value | undefined>): PersistentMap<Key, Value> {
    if (edits.size === 0) return this;
    const parts = [...this.#parts];
    const copied = new Map<number, Map<Key, Value>>();
    let size = this.size;
    for (const [key, value] of edits) {
      const at = partOf(key);
      const part = copied.get(at) ?? new Map(parts[at]);
      copied.set(at, part);
      parts[at] = part;
      size -= part.size;
      if (value === undefined) part.delete(key);
      else part.set(key, value);
      size += part.size;
    }
    return new PersistentMap(parts, size);
  }

  /** The keys of which two maps have other values, or only one of them any; in the order of the keys. */
  static changes<Key extends string, Value>(
    before: PersistentMap<Key, Value>,
    after: PersistentMap<Key, Value>,
  ): readonly MapChange<Key, Value>[] {
    const changes: MapChange<Key, Value>[] = [];
    for (let at = 0; at < PARTS; at += 1) {
      const [old, now] = [before.#parts[at], after.#parts[at]];
      if (old !== now) addChanges(changes, old ?? new Map(), now ?? new Map());
    }
    return changes.sort(byKey);
  }

  get(key: Key): Value | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: Key): boolean {
    return this.#parts[partOf(key)]?.has(key) === true;
  }

  *entries(): Generator<[Key, Value], undefined> {
    for (const part of this.#parts) if (part !== undefined) yield* part;
  }

  *keys(): Generator<Key, undefined> {
    for (const part of this.#parts) if (part !== undefined) yield* part.keys();
  }

  *values(): Generator<Value, undefined> {
    for (const part of this.#parts) if (part !== undefined) yield* part.values();
  }

  [Symbol.iterator](): Generator<[Key, Value], undefined> {
    return this.entries();
  }

  forEach(call: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this) call(value, key, this);
  }
}

/** What one key stands for in two maps; undefined where one of them does not have it. */
export interface MapChange<Key, Value> {
  readonly key: Key;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** What differs between two maps, in the order of the keys; cheap where one was made of the other. */
export function changesBetween<Key extends string, Value>(
  before: ReadonlyMap<Key, Value>,
  after: ReadonlyMap<Key, Value>,
): readonly MapChange<Key, Value>[] {
  if (before === after) return [];
  if (before instanceof PersistentMap && after instanceof PersistentMap) {
    return PersistentMap.changes<Key, Value>(before, after);
  }
  const changes: MapChange<Key, Value>[] = [];
  addChanges(changes, before, after);
  return changes.sort(byKey);
}

function addChanges<Key, Value>(
  changes: MapChange<Key, Value>[],
  before: ReadonlyMap<Key, Value>,
  after: ReadonlyMap<Key, Value>,
): void {
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old !== value) changes.push({ key, before: old, after: value });
  }
  for (const [key, old] of before) {
    if (!after.has(key)) changes.push({ key, before: old, after: undefined });
  }
}

const byKey = (a: MapChange<string, unknown>, b: MapChange<string, unknown>): number =>
  a.key < b.key ? -1 : a.key > b.key ? 1 : 0;

function partOf(key: string): number {
  let hash = 0;
  for (let at = Math.max(0, key.length - HASHED_CHARACTERS); at < key.length; at += 1) {
    hash = (hash * 31 + key.charCodeAt(at)) | 0;
  }
  return hash & (PARTS - 1);
}
