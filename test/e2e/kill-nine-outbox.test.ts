import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import type { Arrival } from './kill-nine-sender.ts';

const SENDER = fileURLToPath(new URL('./kill-nine-sender.ts', import.meta.url));
const KILLS = 12;

/** Runs the sender to its end, or kills it as soon as so many lines have come. Returns what has reached its receiver. */
async function live(directory: string, killAfter: number | null): Promise<readonly Arrival[]> {
  const args = [SENDER, directory, killAfter === null ? 'drain' : 'write'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const whole = (rest + text).split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole);
    if (killAfter !== null && lines.length >= killAfter) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect([errors, child.signalCode]).toEqual(['', killAfter === null ? null : 'SIGKILL']);
  return lines.map((line) => JSON.parse(line) as Arrival);
}

test(`after ${KILLS} kill -9 every event has arrived, under one key, in the order of its request (A41)`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kill-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const arrivals: Arrival[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) arrivals.push(...(await live(directory, randomInt(1, 120))));
  arrivals.push(...(await live(directory, null)));

  const store = await openSqliteStore({ directory, clock: Date.now, random: Buffer.alloc });
  onTestFinished(() => store.close());
  // The log begins with the database itself, before anybody follows it.
  const log = await store.events({ after: 1, limit: 100_000 });
  expect(new Set(arrivals.map(({ seq }) => seq))).toEqual(new Set(log.map(({ seq }) => seq)));
  expect(new Set(arrivals.map(({ key }) => key)).size).toBe(log.length);
  for (const [request, line] of Map.groupBy(arrivals, (arrival) => arrival.request)) {
    const numbers = line.map(({ seq }) => seq);
    // A repeat never comes behind a later one.
    expect([request, numbers]).toEqual([request, numbers.toSorted((a, b) => a - b)]);
  }
  expect(arrivals.length).toBeGreaterThan(log.length);
}, 120_000);
