// Measures the store alone, against a bare program that does only the necessary work, and with a million stored requests
// against none:
//   npm run build && node scripts/bench/store.ts [FOLDER OF THE COMPILED PROGRAM]
// Both sides of a ratio are measured in turns, so that a slow disk or a busy machine weighs on both.
import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { ulid } from 'ulid';
import type { Request } from '../../broker/requests/request.js';
import type { Asker, RequestChange, Store } from '../../broker/store/store.js';
import type { Claim, Nonce, RequestId } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { SUBMITTER } from './enrolment.ts';
import { insertionOf } from './insertion.ts';
import { compiled } from './modules.js';
import { hex128, newDocument } from './signed-calls.ts';
import { compare, median, quantile } from './statistics.ts';
import { inMs, printTable } from './table.ts';

const { openSqliteStore } = await compiled<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { KeyIndex } = await compiled<typeof import('../../broker/store/sqlite/key-index.js')>(
  'broker/store/sqlite/key-index.js',
);
const { searchRowOf } = await compiled<typeof import('../../broker/store/sqlite/rows.js')>(
  'broker/store/sqlite/rows.js',
);

const STORED = 1_000_000;
const ROUNDS = 9;
/** A submit statement and its armor have about this size. */
const VOUCHED = `${'s'.repeat(600)}\n`;

/** What is written by one submit. Made beforehand: drawing random numbers costs as much as an insert. */
interface Submit {
  readonly request: Request;
  readonly asker: Asker;
  readonly nonce: { readonly nonce: Nonce; readonly expires: EpochMs };
}

/** One durable write; resolved after its commit. */
type Write = (submit: Submit) => Promise<unknown>;
type Measure = (write: Write) => Promise<Run>;

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
try {
  printTable([...(await againstBareInserts()), ...(await againstAnEmptyStore())]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function againstBareInserts() {
  const store = await open('submits');
  const bare = openBare(join(folder, 'bare.db'));
  const sides = { ours: submitTo(store), bare: bare.write };
  const many: Measure = (write) => saturate(write, 64, 4_000);
  const plain = await inTurns(many, sides);
  const signed = await inTurns(many, { ours: verified(sides.ours), bare: verified(sides.bare) });
  await store.close();
  bare.close();
  return [
    rates('submits, 64 at a time', plain, '-'),
    rates('the same with signatures verified', signed, '≥ 0.6'),
    p99s('their p99', signed, '-'),
  ];
}

/** "Ours" is the store with a million requests, "bare" the empty one. */
async function againstAnEmptyStore() {
  for (const name of ['old', 'new']) await (await open(name)).close();
  fill(join(folder, 'old', 'broker.db'));
  const openings: { ours: number; bare: number }[] = [];
  for (let round = 0; round < 3 * ROUNDS; round += 1) {
    openings.push({ bare: await timeToOpen('new'), ours: await timeToOpen('old') });
  }
  const stores = { old: await open('old'), new: await open('new') };
  const sides = { ours: submitTo(stores.old), bare: submitTo(stores.new) };
  // Short turns and many: what else the machine does then falls on both sides alike.
  const calm = await inTurns((write) => steady(write, 500, 500), sides, 40);
  const busy = await inTurns((write) => saturate(write, 64, 6_000), sides);
  await stores.old.close();
  await stores.new.close();
  const opened = compare(openings);
  return [
    {
      name: 'open, a million stored against none',
      ours: inMs(opened.ours),
      bare: inMs(opened.bare),
      ratio: opened.ratio,
      ceiling: '≤ 1.2',
    },
    p99s('p99 submit at 500/s, same', calm, '≤ 1.1'),
    p99s('p99 submit, 64 at a time, same', busy, '-'),
    rates('submits, 64 at a time, same', busy, '-'),
  ];
}

interface Pair {
  readonly ours: Run;
  readonly bare: Run;
}

/** The sides take turns in going first; the first round warms up. */
async function inTurns(
  measure: Measure,
  sides: { readonly ours: Write; readonly bare: Write },
  rounds = ROUNDS,
): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const early = round % 2 === 0 ? await measure(sides.ours) : null;
    const bare = await measure(sides.bare);
    pairs.push({ bare, ours: early ?? (await measure(sides.ours)) });
  }
  return pairs.slice(1);
}

function rates(name: string, pairs: readonly Pair[], ceiling: string) {
  const rate = ({ latencies, milliseconds }: Run): number => (latencies.length * 1000) / milliseconds;
  const { ours, bare, ratio } = compare(
    pairs.map((pair) => ({ ours: rate(pair.ours), bare: rate(pair.bare) })),
  );
  return { name, ours: `${ours.toFixed(0)}/s`, bare: `${bare.toFixed(0)}/s`, ratio, ceiling };
}

function p99s(name: string, pairs: readonly Pair[], ceiling: string) {
  const p99 = ({ latencies }: Run): number => quantile(latencies, 0.99);
  const { ours, bare, ratio } = compare(
    pairs.map((pair) => ({ ours: p99(pair.ours), bare: p99(pair.bare) })),
  );
  return { name, ours: inMs(ours), bare: inMs(bare), ratio, ceiling };
}

async function timeToOpen(name: string): Promise<number> {
  const times: number[] = [];
  for (let time = 0; time < 3; time += 1) {
    const from = performance.now();
    const store = await open(name);
    times.push(performance.now() - from);
    await store.close();
  }
  return median(times);
}

/** Adds to each write what a submit statement costs: one Ed25519 verification. */
function verified(write: Write): Write {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const statement = Buffer.from(VOUCHED);
  const signature = sign(null, statement, privateKey);
  return (submit) => {
    if (!verify(null, statement, publicKey, signature)) throw new Error('not verified');
    return write(submit);
  };
}

interface Run {
  readonly milliseconds: number;
  readonly latencies: readonly number[];
}

/** Keeps `width` writes in flight until `count` are done. */
async function saturate(write: Write, width: number, count: number): Promise<Run> {
  const submits = Array.from({ length: count }, newSubmit);
  const latencies: number[] = [];
  const from = performance.now();
  const worker = async (): Promise<void> => {
    for (let submit = submits.pop(); submit !== undefined; submit = submits.pop()) {
      const sent = performance.now();
      await write(submit);
      latencies.push(performance.now() - sent);
      await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return { milliseconds: performance.now() - from, latencies };
}

/** Writes at a given rate, whether or not the earlier ones are answered. */
async function steady(write: Write, perSecond: number, count: number): Promise<Run> {
  const submits = Array.from({ length: count }, newSubmit);
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const from = performance.now();
  for (const [index, submit] of submits.entries()) {
    const due = from + (index * 1000) / perSecond;
    while (performance.now() < due) await pause(1);
    open.push(write(submit).then(() => void latencies.push(performance.now() - due)));
  }
  await Promise.all(open);
  return { milliseconds: performance.now() - from, latencies };
}

function open(name: string): Promise<Store> {
  return openSqliteStore({ directory: join(folder, name), clock: Date.now, random: randomBytes });
}

function submitTo(store: Store): Write {
  return ({ request, asker, nonce }) =>
    store.change(
      { digest: request.digest, submitter: request.submitter },
      (current): RequestChange<RequestId> => {
        if (current !== null) throw new Error('not new');
        return {
          request,
          asker,
          nonce,
          events: [
            {
              kind: 'request.submitted',
              at: request.submittedAt,
              body: { canonical: request.canonical, submitter: SUBMITTER },
            },
          ],
          result: request.id,
        };
      },
    );
}

/** Group-committed inserts of the same bytes into one table, FULL, with SQLite's own checkpoints. */
function openBare(file: string): { readonly write: Write; close(): void } {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE bare (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO bare (id, body) VALUES (?, ?)');
  let waiting: { readonly request: Request; readonly resolve: (value?: unknown) => void }[] = [];
  const commit = database.transaction((rows: typeof waiting) => {
    for (const { request } of rows) insert.run(request.id, request.canonical + request.canonical + VOUCHED);
  }).immediate;
  const flush = (): void => {
    const rows = waiting;
    waiting = [];
    commit(rows);
    for (const { resolve } of rows) resolve();
  };
  const write: Write = ({ request }) =>
    new Promise((resolve) => {
      if (waiting.push({ request, resolve }) === 1) setImmediate(flush);
    });
  return { write, close: () => void database.close() };
}

function newSubmit(): Submit {
  const request = newRequest();
  const expires = request.submittedAt + 60_000;
  return {
    request,
    asker: { hash: randomBytes(32).toString('hex'), request: request.id, attached: true },
    nonce: { nonce: hex128() as Nonce, expires },
  };
}

function newRequest(): Request {
  const now = Date.now();
  const bound = newDocument();
  return {
    ...bound,
    id: ulid(now) as RequestId,
    submitter: SUBMITTER,
    vouched: VOUCHED,
    verified: null,
    rule: '{"people":1}',
    policy: bound.scope,
    submittedAt: now,
    answerBy: now + 300_000,
    // Not live, so that what is held in memory stays the same throughout.
    state: 'redeemed',
    claimBy: now + 900_000,
    votes: [],
    alone: null,
    missing: [],
    claim: hex128() as Claim,
    redeemedAt: now,
    grant: null,
    uses: 0,
    watchedAt: null,
    report: null,
    canary: null,
    endedAt: now,
    endedBy: null,
    comments: [],
    escalated: null,
    askers: 1,
    idleSince: null,
  };
}

/** A million ended requests with an approval each, in the order in which a broker would have written them. */
function fill(file: string): void {
  const sample = newRequest();
  const life = { ...JSON.parse(lifeSample(sample)), receipt: 'r'.repeat(900) };
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  const insertRequest = database.prepare(
    `INSERT INTO requests (n, id, digest, submitter, scope, state, requester, resource, submitted_at, canonical,
       vouched, rule, policy, life)
     VALUES (:n, :id, :hash, :submitter, :hash, 'redeemed', 'alice', 'web-1.example.com', :n, :canonical,
       :vouched, :rule, :hash, :life)`,
  );
  const insertSearch = insertionOf(database, 'request_search', searchRowOf(sample));
  const insertAsker = database.prepare('INSERT INTO askers VALUES (:n, :id, :hash, 1)');
  const insertEvent = database.prepare(
    'INSERT INTO events (at, kind, request, body, hash) VALUES (:n, :kind, :id, :canonical, :hash)',
  );
  const indexes = [new KeyIndex(database, 'requests'), new KeyIndex(database, 'askers')];
  const fixed = {
    submitter: SUBMITTER,
    canonical: sample.canonical,
    vouched: sample.vouched,
    rule: sample.rule,
    life: JSON.stringify(life),
  };
  const step = database.transaction((from: number, hashes: readonly Buffer[]) => {
    hashes.forEach((hash, index) => {
      const row = { ...fixed, n: from + index, id: String(from + index).padStart(26, '0'), hash };
      insertRequest.run(row);
      insertSearch.run({ ...searchRowOf(sample), id: row.id as RequestId });
      insertAsker.run(row);
      insertEvent.run({ ...row, kind: 'request.submitted' });
      insertEvent.run({ ...row, kind: 'request.redeemed' });
    });
    for (const index of indexes) index.adopt(hashes, index.write(hashes));
  });
  for (let n = 1; n <= STORED; n += 10_000)
    step(
      n,
      Array.from({ length: 10_000 }, () => randomBytes(32)),
    );
  database.close();
  const descriptor = openSync(file, 'r+');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function lifeSample({ answerBy, claimBy, votes, claim, redeemedAt, askers }: Request): string {
  return JSON.stringify({ answerBy, claimBy, votes, claim, redeemedAt, askers });
}
