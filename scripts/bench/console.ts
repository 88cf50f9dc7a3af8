// What the console costs whoever keeps it open all night, beside Ink's hello world:
//   npm run build && node scripts/bench/console.ts [FOLDER OF THE COMPILED PROGRAM [ROUNDS]]
// The real program on a terminal of its own, signed in at a real broker.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { enrol } from './enrolment.ts';
import { type HttpConnection, httpCall, succeeded, withConnections } from './http-connection.ts';
import { saturate } from './load.ts';
import { program as countersign } from './modules.js';
import { startBroker } from './programs.ts';
import { newDocument, submitCall } from './signed-calls.ts';
import { compare, quantile } from './statistics.ts';
import { inMs, printTable } from './table.ts';
import { TerminalProgram } from './terminal-program.ts';

const ROUNDS = Number(process.argv[3] ?? 7);
const PENDING = 10_000;
const CHANGES_A_SECOND = 50;
const KEYS = 300;
const NIGHT = 20_000;
/** So many of them wait at once. */
const TOGETHER = 20;
const IDLE_SECONDS = 30;
/** Until then the age of a request is shown by the second. */
const SECONDS_SHOWN = 75_000;
const MIB = 1024 * 1024;
/** On the first frame, and on each one that moves the selection. */
const [HEADER, CURSOR] = ['Queue', '▸'];

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const directory = join(folder, 'broker');
const key = join(folder, 'key');
execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', key]);
const { submitter } = await enrol(directory, readFileSync(`${key}.pub`, 'utf8').trim());
const broker = await startBroker(directory);
const { address, fingerprint } = broker.facts;
const env = { HOME: folder, XDG_CONFIG_HOME: join(folder, 'config'), XDG_STATE_HOME: join(folder, 'state') };
const openConsole = (): TerminalProgram =>
  new TerminalProgram([countersign, 'console', '--url', address, '--key', key], { env });
const sayHello = (): TerminalProgram =>
  new TerminalProgram([fileURLToPath(new URL('hello-process.js', import.meta.url))], { env });
const nextDocument = (n: number) => newDocument(`host-${n % 5000}.example.com`);

try {
  const first = await firstFrame();
  const idle = await idleProcessor();
  const moved = await selectionMove();
  const grown = await night();
  const p99 = await keyToFrame();
  const only = (name: string, ours: string, ratio: number, ceiling: string) => ({
    name,
    ours,
    bare: '-',
    ratio,
    ceiling,
  });
  printTable([
    {
      name: 'first frame',
      ours: inMs(first.ours),
      bare: inMs(first.bare),
      ratio: first.ratio,
      ceiling: '≤ 1.3',
    },
    only(
      `key to frame, p99, ${PENDING} pending, ${CHANGES_A_SECOND} changes/s`,
      inMs(p99),
      p99 / 33,
      '≤ 1 (33 ms)',
    ),
    only('bytes of a selection move, median', String(moved), moved / 200, '≤ 1 (200)'),
    only(
      `idle processor over ${IDLE_SECONDS} s`,
      `${(idle * 100).toFixed(2)} %`,
      idle / 0.015,
      '≤ 1 (1.5 %)',
    ),
    only('resident memory before the night', inMiB(grown.before), grown.before / MIB / 150, '≤ 1 (150 MB)'),
    only(`after ${NIGHT} requests`, inMiB(grown.after), grown.after / MIB / 150, '≤ 1 (150 MB)'),
    only(`after ${2 * NIGHT}`, inMiB(grown.later), grown.later / grown.after, 'flat'),
  ]);
} finally {
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function firstFrame() {
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const bare = await timeToFirst(sayHello(), 'Hello');
    const ours = await timeToFirst(openConsole(), HEADER);
    // The first round warms the files up.
    if (round > 0) rounds.push({ ours, bare });
  }
  return compare(rounds);
}

async function timeToFirst(program: TerminalProgram, what: string): Promise<number> {
  const at = await program.says(what);
  await program.stop();
  return at - program.startedAt;
}

/** With a screenful of requests, whose clocks go as seldom as those of old ones. */
async function idleProcessor(): Promise<number> {
  await submit(20);
  const program = openConsole();
  await program.says('20 pending');
  await pause(SECONDS_SHOWN);
  const before = program.processorTime();
  await pause(IDLE_SECONDS * 1000);
  const share = (program.processorTime() - before) / (IDLE_SECONDS * 1000);
  await program.stop();
  return share;
}

async function selectionMove(): Promise<number> {
  const program = openConsole();
  await program.says('20 pending');
  await pause(1_000);
  const moves: number[] = [];
  for (let at = 0; at < 30; at += 1) {
    program.forget();
    program.type(at % 12 < 6 ? 'j' : 'k');
    await program.says(CURSOR);
    await pause(150);
    moves.push(program.bytes);
  }
  await program.stop();
  return quantile(moves, 0.5);
}

/** Requests come and are taken back, as many as in a bad night of twelve hours, and as many again. */
async function night() {
  const program = openConsole();
  await program.says('pending');
  await pause(2_000);
  const before = program.residentMemory();
  await comeAndGo(NIGHT);
  const after = program.residentMemory();
  await comeAndGo(NIGHT);
  const later = program.residentMemory();
  await program.stop();
  return { before, after, later };
}

async function comeAndGo(count: number): Promise<void> {
  for (let done = 0; done < count; done += TOGETHER) {
    const replies = await submit(TOGETHER);
    const cancels = replies.map(({ id, watch }) =>
      httpCall('DELETE', `/v1/requests/${id}?cancel=now`, { headers: { authorization: `Bearer ${watch}` } }),
    );
    await withConnections(address, 16, (connections) => saturate(connections, cancels));
  }
  await pause(2_000);
}

async function keyToFrame(): Promise<number> {
  for (let have = 0; have < PENDING; have += 1000) await submit(1000, have);
  const program = openConsole();
  await program.says(' pending');
  await pause(3_000);
  const latencies: number[] = [];
  await withConnections(address, 1, async ([connection]) => {
    if (connection === undefined) throw new Error('no connection');
    const changing = new AbortController();
    const changes = change(connection, changing.signal);
    for (let at = 0; at < KEYS; at += 1) {
      // Not in step with the changes.
      await pause(60 + Math.random() * 60);
      program.forget();
      const pressed = performance.now();
      program.type(at % 20 < 10 ? 'j' : 'k');
      latencies.push((await program.says(CURSOR)) - pressed);
    }
    changing.abort();
    await changes;
  });
  await program.stop();
  return quantile(latencies, 0.99);
}

async function change(connection: HttpConnection, signal: AbortSignal): Promise<void> {
  const from = performance.now();
  for (let n = 0; !signal.aborted; n += 1) {
    const early = from + (n * 1000) / CHANGES_A_SECOND - performance.now();
    if (early > 0) await pause(early);
    succeeded(await connection.call(submitCall(submitter, fingerprint, nextDocument(n))));
  }
}

async function submit(
  count: number,
  offset = 0,
): Promise<readonly { readonly id: string; readonly watch: string }[]> {
  const calls = Array.from({ length: count }, (_, n) =>
    submitCall(submitter, fingerprint, nextDocument(offset + n)),
  );
  const { replies } = await withConnections(address, 16, (connections) => saturate(connections, calls));
  return replies.map(({ body }) => JSON.parse(body));
}

function inMiB(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
