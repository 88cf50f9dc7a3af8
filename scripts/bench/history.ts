// Measures the search of 1,000,000 closed requests, what a submit waits meanwhile, and what being searchable costs a submit:
//   npm run build && node scripts/bench/history.ts [FOLDER OF THE COMPILED PROGRAM [DATA DIRECTORY]]
// It fills a database in a few minutes, in the data directory if one is given: a second run there goes on with what it finds.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { ulid } from 'ulid';
import type { Request } from '../../broker/requests/request.js';
import type { Store } from '../../broker/store/store.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import { insertionOf } from './insertion.ts';
import { compiled } from './modules.js';
import { median, quantile } from './statistics.ts';
import { inMs } from './table.ts';

const { openSqliteStore } = await compiled<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { KeyIndex } = await compiled<typeof import('../../broker/store/sqlite/key-index.js')>(
  'broker/store/sqlite/key-index.js',
);
const { bytesOf, lifeOf, searchRowOf } = await compiled<typeof import('../../broker/store/sqlite/rows.js')>(
  'broker/store/sqlite/rows.js',
);
const { parseFilter } = await compiled<typeof import('../../src/protocol/filter-text.js')>(
  'src/protocol/filter-text.js',
);
const { parseDocument } =
  await compiled<typeof import('../../src/protocol/document.js')>('src/protocol/document.js');

const STORED = 1_000_000;
/** After so long the broker answers a search with what it has. */
const PATIENCE = 250;
const PAGE = 50;
const ACTIONS = ['ssh.login', 'sudo.run', 'k8s.exec', 'db.query', 'ci.deploy'];
const STATES = ['redeemed', 'redeemed', 'redeemed', 'expired', 'denied', 'cancelled'] as const;
const SEARCHES = {
  everything: '',
  'a common name': 'person:person-3',
  'a common word': 'restart',
  'a common state and action': 'state:opened action:ssh.*',
  'a rare word': '"change 12345"',
  'a rare word, last month': '"change 12345" since:30d',
  'no such name': 'person:nobody',
  'no such vote': 'approver:person-1 verdict:deny action:none',
  'no such word': 'zebra-crossing',
};

/** Number of the newest request. */
let submitted = STORED;

const given = process.argv[3];
const folder = given ?? mkdtempSync(join(tmpdir(), 'countersign-bench-'));
try {
  await compareInserts();
  await fill();
  const store = await open();
  for (const [name, text] of Object.entries(SEARCHES)) await search(store, name, text);
  await submitMeanwhile(store);
  await store.close();
  sizes();
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}

function open(): Promise<Store> {
  return openSqliteStore({ directory: join(folder, 'data'), clock: Date.now, random: randomBytes });
}

/** The n-th of all requests, asked over the last year. */
function requestNumber(n: number): Request {
  const host = `web-${(n * 7919) % 400}.prod.example.com`;
  const at = Date.now() - ((STORED - n) * 365 * 86_400_000) / STORED;
  const bound = parseDocument({
    action: ACTIONS[n % ACTIONS.length] ?? '',
    context: { reason: `INC-${4000 + (n % 9000)} restart nginx after change ${n}` },
    details: { service: 'sshd', source: '203.0.113.9', user: 'deploy' },
    door: `host:${host}`,
    duration: 0,
    nonce: n.toString(16).padStart(32, '0'),
    requester: `person-${(n * 31) % 150}`,
    resource: host,
    version: 1,
  });
  const state = STATES[n % STATES.length] ?? 'redeemed';
  const vote = {
    decided: at,
    notAfter: at + 900_000,
    covers: 'request',
    duration: 0,
    uses: 1,
    comment: '',
  } as const;
  const isOpened = state === 'redeemed';
  return {
    ...bound,
    id: ulid(at) as RequestId,
    submitter: `host-web-${n % 400}` as Name,
    vouched: 's'.repeat(600),
    verified: null,
    rule: '{"people":1}',
    policy: bound.scope,
    submittedAt: Math.floor(at),
    answerBy: Math.floor(at) + 300_000,
    state,
    claimBy: null,
    votes:
      isOpened || state === 'denied'
        ? [
            {
              ...vote,
              approver: `person-${n % 40}` as Name,
              verdict: isOpened ? 'approve' : 'deny',
              receipt: 'r'.repeat(900),
            },
          ]
        : [],
    alone: null,
    missing: [],
    claim: null,
    redeemedAt: null,
    grant: null,
    uses: 0,
    watchedAt: null,
    report: isOpened
      ? { claim: 'c'.repeat(32) as never, outcome: 'opened', code: null, at: Math.floor(at) }
      : null,
    canary: null,
    endedAt: Math.floor(at),
    endedBy: null,
    comments: [],
    escalated: null,
    askers: 0,
    idleSince: null,
  };
}

function requestRow(n: number, request: Request) {
  return {
    n,
    id: request.id,
    digest: bytesOf(request.digest.slice(7)),
    submitter: request.submitter,
    scope: bytesOf(request.scope.slice(7)),
    state: request.state,
    requester: request.document.requester,
    resource: request.document.resource,
    submitted_at: request.submittedAt,
    canonical: request.canonical,
    vouched: request.vouched,
    verified: request.verified,
    rule: request.rule,
    policy: bytesOf(request.policy.slice(7)),
    life: lifeOf({ ...request, votes: request.votes.map((vote) => ({ ...vote, decided: 1, notAfter: 1 })) }),
  };
}

async function fill(): Promise<void> {
  const directory = join(folder, 'data');
  if (existsSync(directory)) return;
  mkdirSync(directory, { mode: 0o700, recursive: true });
  await (await open()).close();
  const from = performance.now();
  const database = new Database(join(directory, 'broker.db'));
  database.pragma('synchronous = OFF');
  const first = requestNumber(1);
  const insert = insertionOf(database, 'requests', requestRow(1, first));
  const insertSearch = insertionOf(database, 'request_search', searchRowOf(first));
  const index = new KeyIndex(database, 'requests');
  const some = database.transaction((start: number) => {
    const digests: Buffer[] = [];
    for (let n = start; n < start + 10_000; n += 1) {
      const request = requestNumber(n);
      const row = requestRow(n, request);
      insert.run(row);
      insertSearch.run(searchRowOf(request));
      digests.push(row.digest);
    }
    index.adopt(digests, index.write(digests));
  });
  for (let n = 1; n <= STORED; n += 10_000) some(n);
  database.pragma('wal_checkpoint(TRUNCATE)');
  database.close();
  console.log(`filled in ${((performance.now() - from) / 1000).toFixed(0)} s`);
}

/** The first page of a search, as a client reads it: again and again until it is full or everything was looked at. */
async function firstPage(store: Store, text: string) {
  const filter = parseFilter(text, Date.now());
  const from = performance.now();
  const processor = process.cpuUsage();
  const calls: number[] = [];
  let found = 0;
  for (let before: RequestId | null = null; ; ) {
    const start = performance.now();
    const goesOn = (): boolean => performance.now() < start + PATIENCE;
    const page = await store.list({ filter, before, limit: PAGE - found }, goesOn);
    calls.push(performance.now() - start);
    found += page.requests.length;
    if (page.next === null || found >= PAGE) {
      const { user, system } = process.cpuUsage(processor);
      return { found, calls, total: performance.now() - from, processor: (user + system) / 1000 };
    }
    before = page.next;
  }
}

async function search(store: Store, name: string, text: string): Promise<void> {
  const rounds = [];
  for (let round = 0; round < 3; round += 1) rounds.push(await firstPage(store, text));
  const total = inMs(median(rounds.map((round) => round.total)));
  const processor = inMs(median(rounds.map((round) => round.processor)));
  const { found, calls } = rounds[0] ?? { found: 0, calls: [] };
  const longest = Math.max(...rounds.flatMap((round) => round.calls));
  console.log(
    `${name.padEnd(28)}${total.padStart(12)}  processor ${processor.padStart(10)}  ${found} found in ${calls.length} replies, the slowest ${inMs(longest)}`,
  );
}

/** Submits at a steady rate, in turns with nothing else and while somebody searches for what is not there. */
async function submitMeanwhile(store: Store): Promise<void> {
  const latencies = { alone: [] as number[], searching: [] as number[] };
  await submits(store);
  for (let round = 0; round < 6; round += 1) {
    latencies.alone.push(...(await submits(store)));
    let isOver = false;
    const searching = (async () => {
      while (!isOver) await firstPage(store, 'zebra-crossing');
    })();
    latencies.searching.push(...(await submits(store)));
    isOver = true;
    await searching;
  }
  for (const [name, values] of Object.entries(latencies)) {
    const p = (share: number): string => inMs(quantile(values, share));
    console.log(`submit at 200/s, ${name.padEnd(12)} p50 ${p(0.5)}  p99 ${p(0.99)}  max ${p(1)}`);
  }
}

async function submits(store: Store): Promise<number[]> {
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const from = performance.now();
  for (let index = 0; index < 400; index += 1) {
    const due = from + index * 5;
    while (performance.now() < due) await pause(1);
    submitted += 1;
    const request = requestNumber(submitted);
    const asked = { kind: 'request.submitted', at: request.submittedAt, body: {} } as const;
    const write = store.change({ digest: request.digest, submitter: request.submitter }, () => ({
      request,
      events: [asked],
      result: null,
    }));
    open.push(write.then(() => void latencies.push(performance.now() - due)));
  }
  await Promise.all(open);
  return latencies;
}

/** Commits of 16 requests each, with the index of before and with the table of now, in turns. */
async function compareInserts(): Promise<void> {
  const sides = {
    'index of before': 'CREATE INDEX requests_listed ON requests (id, state, requester, resource)',
    'table of now': null,
  };
  const schema = new Database(':memory:');
  const { migrate } = await compiled<typeof import('../../broker/store/sqlite/migrations.js')>(
    'broker/store/sqlite/migrations.js',
  );
  migrate(schema);
  const tables = schema
    .prepare<[], { readonly sql: string }>(
      "SELECT sql FROM sqlite_schema WHERE name IN ('requests', 'request_search', 'requests_live') ORDER BY rowid",
    )
    .all();
  const opened = Object.entries(sides).map(([name, index]) => {
    const file = join(folder, `${createHash('sha256').update(name).digest('hex').slice(0, 8)}.db`);
    rmSync(file, { force: true });
    mkdirSync(folder, { recursive: true });
    const database = new Database(file);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('wal_autocheckpoint = 0');
    for (const { sql } of tables) database.exec(sql);
    if (index !== null) database.exec(index);
    const sample = requestNumber(1);
    const insert = insertionOf(database, 'requests', requestRow(1, sample));
    const insertSearch = index === null ? insertionOf(database, 'request_search', searchRowOf(sample)) : null;
    const commit = database.transaction((start: number, requests: readonly Request[]) => {
      requests.forEach((request, index) => {
        insert.run(requestRow(start + index, request));
        insertSearch?.run(searchRowOf(request));
      });
    });
    return { name, file, database, commit, times: [] as number[], written: 0 };
  });
  const wal = (file: string): number => statSync(`${file}-wal`).size;
  for (let n = 1; n < 16 * 2_000; n += 16) {
    const requests = Array.from({ length: 16 }, (_, index) => requestNumber(n + index));
    for (const side of opened) {
      const before = wal(side.file);
      const from = performance.now();
      side.commit(n, requests);
      side.times.push(performance.now() - from);
      side.written += wal(side.file) - before;
      if (n % 1600 === 1) side.database.pragma('wal_checkpoint(TRUNCATE)');
    }
  }
  for (const { name, file, database, times, written } of opened) {
    const bytes = (written / times.length / 16).toFixed(0);
    console.log(
      `commit of 16 submits, ${name.padEnd(16)} p50 ${inMs(median(times))}  ${bytes} bytes written a submit`,
    );
    database.close();
    rmSync(file);
  }
}

function sizes(): void {
  const database = new Database(join(folder, 'data', 'broker.db'));
  const size = (name: string): string => {
    const bytes = database
      .prepare('SELECT sum(pgsize) FROM dbstat WHERE name = ?')
      .pluck()
      .get(name) as number;
    return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  };
  database.exec('CREATE INDEX before ON requests (id, state, requester, resource)');
  console.log(
    `size of request_search ${size('request_search')}, of the index of before ${size('before')}, of requests ${size('requests')}`,
  );
  database.exec('DROP INDEX before');
  database.close();
}
