/** Bits of one filter. For 8,192 keys that is 32 bits a key: a strange key passes one time in 175,000. */
const BITS = 2 ** 18;
const PROBES = 8;
const HALF = 2 ** 24;
/** Filters that stand side by side in one array, one in each bit of its words. */
const LANES = 32;

/** A Bloom filter over 48-bit keys, which are random already: each half of a key is one of the two hashes needed. */
export function filterOf(keys: Iterable<number>): Buffer {
  const filter = Buffer.alloc(BITS / 8);
  for (const key of keys) {
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = bitOf(key, probe);
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}

/**
 * Many filters that are asked together. Word `bit` of an array holds that bit of 32 filters, so that one key costs a few
 * reads for each 32 filters instead of a few for each.
 */
export class KeyFilters {
  readonly #arrays: Uint32Array[] = [];
  #count = 0;

  add(filter: Uint8Array): void {
    const lane = this.#count % LANES;
    if (lane === 0) this.#arrays.push(new Uint32Array(BITS));
    const words = this.#arrays.at(-1) ?? new Uint32Array(BITS);
    for (let byte = 0; byte < filter.length; byte += 1) {
      for (let rest = filter[byte] ?? 0; rest !== 0; rest &= rest - 1) {
        const bit = byte * 8 + 31 - Math.clz32(rest & -rest);
        words[bit] = (words[bit] ?? 0) | (1 << lane);
      }
    }
    this.#count += 1;
  }

  /** Positions, in the order of {@link add}, of the filters that may hold the key. */
  holding(key: number): number[] {
    const found: number[] = [];
    this.#arrays.forEach((words, array) => {
      let lanes = -1;
      for (let probe = 0; lanes !== 0 && probe < PROBES; probe += 1) lanes &= words[bitOf(key, probe)] ?? 0;
      for (; lanes !== 0; lanes &= lanes - 1) found.push(array * LANES + 31 - Math.clz32(lanes & -lanes));
    });
    return found;
  }
}

function bitOf(key: number, probe: number): number {
  const step = (key % HALF) | 1;
  return (Math.floor(key / HALF) + probe * step) % BITS;
}
