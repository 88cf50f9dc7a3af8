import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../../broker/store/sqlite/open.js';
import { verifyChain } from '../../src/protocol/event-log.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type { Acknowledged } from './kill-nine-writer.ts';
import { wholeLog } from './whole-log.js';

const WRITER = fileURLToPath(new URL('./kill-nine-writer.ts', import.meta.url));
const CYCLES = 100;

interface Life {
  readonly lines: readonly Acknowledged[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs the writer to its end, or kills it some milliseconds after a number of its lines. */
async function live(
  command: readonly [string, ...string[]],
  kill?: { readonly lines: number; readonly milliseconds: number },
): Promise<Life> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lines: Acknowledged[] = [];
  let rest = '';
  let killing = kill === undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const whole = (rest + text).split('\n');
    // The last line may be cut off by the kill.
    rest = whole.pop() ?? '';
    lines.push(...whole.map((line) => JSON.parse(line) as Acknowledged));
    if (killing || lines.length < (kill?.lines ?? 0)) return;
    killing = true;
    setTimeout(() => child.kill('SIGKILL'), kill?.milliseconds);
  });
  await once(child, 'close');
  return { lines, code: child.exitCode, signal: child.signalCode, stderr };
}

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-kill-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Everything that was acknowledged is there, and nothing is there by half. */
async function expectWhole(directory: string, lines: readonly Acknowledged[]): Promise<void> {
  const file = new SqliteDatabase(join(directory, 'broker.db'), { readonly: true });
  expect(file.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(file.pragma('foreign_key_check')).toEqual([]);
  const rows = file.prepare<[], { id: RequestId; state: string }>('SELECT id, state FROM requests').all();
  const orphans = 'SELECT id FROM requests WHERE id NOT IN (SELECT request FROM askers)';
  expect(file.prepare(orphans).all()).toEqual([]);
  const nonces = new Set(file.prepare('SELECT nonce FROM nonces').pluck().all());
  expect(nonces.size).toBe(rows.length);
  file.close();

  const store = await openSqliteStore({ directory, clock: Date.now, random: Buffer.alloc });
  const log = await wholeLog(store);
  expect(verifyChain(log)).toBeNull();
  expect(store.seq).toBe(log.length);

  const steps = new Map<string, string[]>(rows.map(({ id }) => [id, []]));
  for (const { kind, request } of log.slice(1)) steps.get(request ?? '')?.push(kind.replace('request.', ''));
  const sound = [
    'submitted',
    'submitted denied',
    'submitted cancelled',
    'submitted approved',
    'submitted approved redeemed',
  ];
  for (const { id, state } of rows) {
    const told = steps.get(id) ?? [];
    expect(sound).toContain(told.join(' '));
    expect(told.at(-1)).toBe(state === 'pending' ? 'submitted' : state);
  }
  expect(log.length - 1).toBe([...steps.values()].flat().length);
  const live = rows.filter(({ state }) => state === 'pending' || state === 'approved');
  expect(store.live().map(({ id }) => id)).toEqual(live.map(({ id }) => id).sort());

  for (const line of lines) {
    if (line.did === 'submit') {
      const found = await store.find({ digest: line.digest, submitter: 'host-web-1' as Name });
      expect(found?.id).toBe(line.id);
      expect(await store.findAsker(line.hash)).toMatchObject({ request: line.id });
      expect(nonces).toContain(line.nonce);
    }
    if (line.did === 'end') expect(steps.get(line.id)).toContain(line.state);
  }
  await store.close();
}

describe('kill -9', () => {
  it(`loses nothing that was acknowledged and leaves nothing half done, ${CYCLES} times on one file`, async () => {
    const directory = newDirectory();
    const lines: Acknowledged[] = [];
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const kill = { lines: randomInt(1, 300), milliseconds: randomInt(12) };
      const life = await live([process.execPath, WRITER, directory], kill);
      expect(life).toMatchObject({ signal: 'SIGKILL', stderr: '' });
      expect(life.lines[0]?.did).toBe('opened');
      expect(life.lines.filter(({ did }) => did === 'fail')).toEqual([]);
      lines.push(...life.lines);
      if (cycle % 25 === 0) await expectWhole(directory, lines);
    }
    await expectWhole(directory, lines);
    const ended = lines.flatMap((line) => (line.did === 'end' && line.state !== 'redeemed' ? [line.id] : []));
    expect(new Set(ended).size).toBe(ended.length);
    expect(ended.length).toBeGreaterThan(CYCLES);
  }, 600_000);
});

describe('a disk that takes no more', () => {
  it('makes writes fail and spoils nothing that was acknowledged (A41)', async () => {
    const directory = newDirectory();
    // Files of at most 3 MiB; past that a write fails as on a full disk, once the signal for it is ignored.
    const limited = `trap '' XFSZ; ulimit -f 3072; exec "$0" "$@"`;
    const life = await live(['bash', '-c', limited, process.execPath, WRITER, directory, '2000']);
    expect(life).toMatchObject({ code: 0, stderr: '' });
    const failed = life.lines.filter((line) => line.did === 'fail');
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['storage-failed']));
    await expectWhole(directory, life.lines);
  });
});

describe('a process that forgets to close its store', () => {
  it('ends by itself all the same, and what it wrote is there', async () => {
    const directory = newDirectory();
    const life = await live([process.execPath, WRITER, directory, '1500']);
    expect(life).toMatchObject({ code: 0, signal: null, stderr: '' });
    await expectWhole(directory, life.lines);
  });
});
