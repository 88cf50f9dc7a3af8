import { randomBytes } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterOf, KeyFilters } from '../../../broker/store/sqlite/key-filter.js';
import { KeyIndex } from '../../../broker/store/sqlite/key-index.js';
import { migrate } from '../../../broker/store/sqlite/migrations.js';
import { denied, newRequest, StoreWorld, standing, submit } from './store-world.js';

const key = fc.nat({ max: 2 ** 48 - 1 });

describe('key filters', () => {
  it('never miss a key of theirs, however many stand side by side', () => {
    fc.assert(
      fc.property(fc.array(fc.array(key, { maxLength: 20 }), { maxLength: 70 }), (packs) => {
        const filters = new KeyFilters();
        for (const keys of packs) filters.add(filterOf(keys));
        packs.forEach((keys, pack) => {
          for (const one of keys) expect(filters.holding(one)).toContain(pack);
        });
      }),
      { numRuns: 15 },
    );
  });

  it('are passed by hardly any strange key when they are full', () => {
    const random = (): number => randomBytes(6).readUIntBE(0, 6);
    const filters = new KeyFilters();
    for (let pack = 0; pack < 33; pack += 1) filters.add(filterOf(Array.from({ length: 8192 }, random)));
    const passed = Array.from({ length: 10_000 }, () => filters.holding(random()).length);
    // About 2 of 330,000 are expected.
    expect(passed.reduce((sum, count) => sum + count, 0)).toBeLessThan(30);
  });
});

/** An index over a table of its own, as the writer would fill it. */
function newIndex() {
  const database = new SqliteDatabase(':memory:');
  database.pragma('foreign_keys = OFF');
  migrate(database);
  const insert = database.prepare('INSERT INTO askers (n, request, hash, attached) VALUES (?, ?, ?, 1)');
  const add = (index: KeyIndex, hashes: readonly Buffer[], fails = false): void => {
    const { last } = index;
    const write = database.transaction(() => {
      hashes.forEach((hash, at) => void insert.run(last + at + 1, `r${last + at + 1}`, hash));
      const pack = index.write(hashes);
      if (fails) throw new Error('disk full');
      return pack;
    });
    index.adopt(hashes, write());
  };
  return { database, add };
}

const hashOf = (prefix: string): Buffer =>
  Buffer.concat([Buffer.from(prefix, 'hex'), randomBytes(32 - prefix.length / 2)]);

describe('the key index', () => {
  it('finds every row, packed or not, and after a restart', () => {
    const { database, add } = newIndex();
    const index = new KeyIndex(database, 'askers');
    const hashes = Array.from({ length: 20_000 }, () => randomBytes(32));
    for (let at = 0; at < hashes.length; at += 250) add(index, hashes.slice(at, at + 250));
    expect(database.prepare('SELECT count(*) FROM packs').pluck().get()).toBe(2);
    for (const found of [index, new KeyIndex(database, 'askers')]) {
      expect(found.last).toBe(hashes.length);
      hashes.forEach((hash, at) => {
        if (at % 97 === 0) expect(found.candidates(hash)).toContain(at + 1);
      });
      expect(found.candidates(hashOf('ffff'))).toEqual([]);
    }
  });

  it('gives all rows whose keys begin alike', () => {
    const { database, add } = newIndex();
    const index = new KeyIndex(database, 'askers');
    const alike = Array.from({ length: 3 }, () => hashOf('0123456789ab'));
    const others = () => Array.from({ length: 8191 }, () => randomBytes(32));
    add(index, [alike[0] as Buffer, ...others()]);
    add(index, [...others(), alike[1] as Buffer]);
    add(index, [alike[2] as Buffer]);
    for (const found of [index, new KeyIndex(database, 'askers')]) {
      expect(found.candidates(alike[0] as Buffer)).toEqual([1, 16_384, 16_385]);
    }
  });

  it('is not misled by a key that lies across two others', () => {
    const { database, add } = newIndex();
    const index = new KeyIndex(database, 'askers');
    const others = Array.from({ length: 8192 }, () => hashOf('ffffffff'));
    add(index, [hashOf('00aabbccddee'), hashOf('ff0000000000'), ...others]);
    expect(index.candidates(hashOf('aabbccddeeff'))).toEqual([]);
  });

  it('is as before when the transaction fails', () => {
    const { database, add } = newIndex();
    const index = new KeyIndex(database, 'askers');
    const lost = randomBytes(32);
    const many = Array.from({ length: 9000 }, () => randomBytes(32));
    expect(() => add(index, [lost, ...many], true)).toThrow('disk full');
    expect(index.last).toBe(0);
    expect(index.candidates(lost)).toEqual([]);
    add(index, many);
    expect(index.last).toBe(9000);
    expect(index.candidates(many[8999] as Buffer)).toEqual([9000]);
  });

  it('finds ended requests of the store by digest long after, across packs and restarts', async () => {
    const world = await StoreWorld.open();
    const requests = Array.from({ length: 9000 }, () => denied(newRequest()));
    await Promise.all(requests.map((request) => submit(world.store, request)));
    for (const restarted of [false, true]) {
      if (restarted) await world.reopen();
      for (const at of [0, 1, 4096, 8190, 8191, 8192, 8193, 8447, 8999]) {
        const request = requests[at] as (typeof requests)[number];
        expect(await world.store.find(standing(request))).toEqual(request);
      }
      expect(await world.store.find(standing(newRequest()))).toBeNull();
    }
  });
});
