import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { verifyChain } from '../../src/protocol/event-log.js';
import type { Acknowledged } from './kill-nine-eraser.ts';

const ERASER = fileURLToPath(new URL('./kill-nine-eraser.ts', import.meta.url));
const CYCLES = 6;

/** Runs the eraser and kills it some milliseconds after it has erased so often. */
async function erase(directory: string, kill: { readonly commits: number; readonly milliseconds: number }) {
  const child = spawn(process.execPath, [ERASER, directory, '60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const lines: Acknowledged[] = [];
  createInterface({ input: child.stdout }).on('line', (text) => {
    // The last line may be cut off by the kill.
    if (!text.endsWith('}')) return;
    lines.push(JSON.parse(text));
    if (lines.length === kill.commits + 1) setTimeout(() => child.kill('SIGKILL'), kill.milliseconds);
  });
  await ended;
  expect(child.signalCode).toBe('SIGKILL');
  return lines;
}

describe('kill -9 in the middle of erasing', () => {
  it('leaves nothing erased without the entry that names it, and nothing named that is not erased', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'countersign-erase-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const acknowledged: string[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const lines = await erase(directory, { commits: randomInt(1, 5), milliseconds: randomInt(6) });
      acknowledged.push(...lines.flatMap(({ did, ids }) => (did === 'erase' ? ids : [])));
    }
    const file = new SqliteDatabase(join(directory, 'broker.db'), { readonly: true });
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(file.pragma('foreign_key_check')).toEqual([]);
    const gone = file.prepare<[], string>("SELECT id FROM requests WHERE state = 'erased'").pluck().all();
    const withAskers = file.prepare<[], string>('SELECT request FROM askers').pluck().all();
    const kept = file.prepare<[], string>("SELECT id FROM requests WHERE state <> 'erased'").pluck().all();
    file.close();
    const store = await openSqliteStore({ directory, clock: Date.now, random: randomBytes });
    const log = await store.events({ after: 0, limit: 100_000 });
    await store.close();
    expect(verifyChain(log)).toBeNull();
    const named = log
      .filter(({ kind }) => kind === 'history.erased')
      .flatMap(({ body }) => JSON.parse(body ?? '').ids as string[]);
    expect(named.toSorted()).toEqual(gone.toSorted());
    expect(new Set(named).size).toBe(named.length);
    expect(acknowledged.filter((id) => !named.includes(id))).toEqual([]);
    expect(withAskers.toSorted()).toEqual(kept.toSorted());
    for (const { body, request } of log) {
      expect(body === null).toBe(request !== null && named.includes(request));
    }
    expect(kept.length).toBeGreaterThan(0);
    expect(acknowledged.length).toBeGreaterThan(CYCLES);
  });
});
