import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Checkpointer } from '../../../broker/store/sqlite/checkpoint.js';
import { newRequest, StoreWorld, submit, temporaryDirectory } from './store-world.js';

interface Frames {
  readonly log: number;
  readonly checkpointed: number;
}

class CheckpointWorld {
  readonly file = join(temporaryDirectory(), 'broker.db');
  readonly database: Database = new SqliteDatabase(this.file);
  readonly gate: string[] = [];
  readonly checkpointer: Checkpointer;

  constructor(limits: { readonly pending: number; readonly length: number }) {
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('wal_autocheckpoint = 0');
    this.database.exec('CREATE TABLE rows (body BLOB) STRICT');
    const gate = { hold: () => this.gate.push('hold'), release: () => this.gate.push('release') };
    this.checkpointer = new Checkpointer(this.database, gate, limits);
    onTestFinished(async () => {
      await this.checkpointer.close();
      this.database.close();
    });
  }

  /** One commit of about this many frames. */
  commit(frames = 1): void {
    this.database.prepare('INSERT INTO rows VALUES (zeroblob(?))').run(frames * 4096);
    this.checkpointer.committed();
  }

  get frames(): Frames {
    return this.database.prepare<[], Frames>('PRAGMA wal_checkpoint(NOOP)').get() as Frames;
  }

  async until(reached: (frames: Frames) => boolean): Promise<void> {
    while (!reached(this.frames)) await nextTurn();
  }
}

const whole = ({ log, checkpointed }: Frames): boolean => log > 0 && log === checkpointed;

describe('checkpoints', () => {
  it('are made by a worker once the log is long enough, and the log then starts over', async () => {
    const world = new CheckpointWorld({ pending: 20, length: 1000 });
    world.commit(10);
    await nextTurn();
    expect(world.frames.checkpointed).toBe(0);
    world.commit(30);
    await world.until(whole);
    world.commit();
    expect(world.frames.log).toBeLessThan(10);
    expect(world.gate).toEqual([]);
  });

  it('hold the commits for a moment when the log grows under steady load, and let them go again', async () => {
    const world = new CheckpointWorld({ pending: 20, length: 60 });
    const afterRelease: number[] = [];
    while (afterRelease.length < 3) {
      const held = world.gate.at(-1) === 'hold';
      if (!held) world.commit(8);
      if (world.gate.length > 2 * afterRelease.length && !held) afterRelease.push(world.frames.log);
      await nextTurn();
    }
    expect(world.gate.slice(0, 6)).toEqual(['hold', 'release', 'hold', 'release', 'hold', 'release']);
    expect(Math.max(...afterRelease)).toBeLessThan(60);
  });

  it('hold nobody for long, nor again and again, while a reader keeps the log from being copied', async () => {
    const world = new CheckpointWorld({ pending: 50, length: 60 });
    world.commit();
    const reader = new SqliteDatabase(world.file);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM rows').get();
    world.commit(100);
    while (world.gate.length < 2) await nextTurn();
    for (let round = 0; round < 10; round += 1) {
      world.commit();
      await nextTurn();
    }
    expect(world.gate).toEqual(['hold', 'release']);
    expect(whole(world.frames)).toBe(false);
    reader.close();
    world.commit(100);
    await world.until(whole);
  });

  it('of the store lose nothing', async () => {
    const world = await StoreWorld.open();
    const requests = Array.from({ length: 3000 }, () => newRequest());
    await Promise.all(requests.map((request) => submit(world.store, request)));
    await world.reopen();
    expect(world.store.live()).toEqual(requests);
    expect(world.outside().pragma('integrity_check', { simple: true })).toBe('ok');
  });
});
