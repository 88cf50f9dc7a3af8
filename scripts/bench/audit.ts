// Measures how long it takes to verify a log of 1,000,000 entries with 200,000 signatures, and in how much memory:
//   npm run build && node scripts/bench/audit.ts [FOLDER OF THE COMPILED PROGRAM]
// Each ask is five entries: submitted, voted, approved, redeemed, reported.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ulid } from 'ulid';
import type { LogEntry } from '../../src/protocol/event-log.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { APPROVER, SUBMITTER } from './enrolment.ts';
import { compiled } from './modules.js';
import { approval, newDocument } from './signed-calls.ts';
import { makeSshKey } from './ssh-key.ts';

const { openSqliteStore } = await compiled<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { EventInsertion } = await compiled<typeof import('../../broker/store/sqlite/event-rows.js')>(
  'broker/store/sqlite/event-rows.js',
);
const { auditLines } = await compiled<typeof import('../../broker/store/sqlite/audit-lines.js')>(
  'broker/store/sqlite/audit-lines.js',
);
const { newestEvent } = await compiled<typeof import('../../broker/store/sqlite/inspection.js')>(
  'broker/store/sqlite/inspection.js',
);
const { Verification } = await compiled<typeof import('../../broker/audit/verification.js')>(
  'broker/audit/verification.js',
);
const { ONE_OTHER_PERSON } = await compiled<typeof import('../../broker/policy/one-other-person.js')>(
  'broker/policy/one-other-person.js',
);
const { changeRoster } = await compiled<typeof import('../../broker/roster/directory.js')>(
  'broker/roster/directory.js',
);
const { appendEntry } =
  await compiled<typeof import('../../src/protocol/event-log.js')>('src/protocol/event-log.js');
const { canonicalJson } =
  await compiled<typeof import('../../src/protocol/canonical.js')>('src/protocol/canonical.js');
const { formatTime } = await compiled<typeof import('../../src/protocol/time.js')>('src/protocol/time.js');

const ENTRIES = Number(process.argv[3] ?? 1_000_000);
const BROKER = `SHA256:${'A'.repeat(43)}` as Fingerprint;
const bob = makeSshKey();

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
try {
  const file = await fill();
  for (let round = 0; round < 3; round += 1) measure(file);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure(file: string): void {
  const database = new Database(file, { readonly: true });
  const verification = new Verification({
    after: 0,
    isSelection: false,
    pinned: [],
    kept: [],
    mayEnd: false,
  });
  const began = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  let most = 0;
  let count = 0;
  for (const line of auditLines(database)) {
    const found = verification.line(line);
    if (found !== null) throw new Error(`entry ${found.seq}: ${found.why}`);
    count += 1;
    if (count % 10_000 === 0) most = Math.max(most, process.memoryUsage().rss);
  }
  const found = verification.end();
  if (found !== null) throw new Error(found.why);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const { entries, signatures } = verification.verified;
  console.log(
    `${entries} entries, ${signatures.decision} signatures: ${seconds.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processor), at most ${Math.round(most / 1024 / 1024)} MiB`,
  );
  database.close();
}

async function fill(): Promise<string> {
  let now = Date.parse('2026-01-31T12:00:00Z');
  const store = await openSqliteStore({ directory: folder, clock: () => now, random: randomBytes });
  const person = {
    name: APPROVER,
    aliases: [],
    groups: [],
    keys: [{ key: bob.line, validAfter: null, validBefore: null }],
  };
  await store.changeDirectory((current) => changeRoster(current, { change: 'add', person }, now));
  await store.close();
  const file = join(folder, 'broker.db');
  const database = new Database(file);
  database.pragma('synchronous = OFF');
  const insertion = new EventInsertion(database);
  let head = newestEvent(database) as LogEntry;
  const append = (kind: string, id: string, body: JsonObject): void => {
    head = appendEntry(head, { at: now, kind: `request.${kind}`, request: id, body: canonicalJson(body) });
    insertion.run(head);
  };
  const ask = (): void => {
    now += 1000;
    const id = ulid(now);
    const bound = newDocument();
    const { digest, scope, document } = bound;
    const { text: rule, digest: policy } = ONE_OTHER_PERSON;
    const about = { id, digest };
    append('submitted', id, {
      ...about,
      scope,
      submitter: SUBMITTER,
      vouched: 's'.repeat(600),
      rule,
      policy,
      document: { ...document },
      answerBy: formatTime(now + 300_000),
    });
    append('voted', id, {
      ...about,
      approver: APPROVER,
      receipt: approval(bob, BROKER, bound, policy, now),
    });
    append('approved', id, { ...about, claimBy: formatTime(now + 600_000), counted: { [APPROVER]: {} } });
    append('redeemed', id, { ...about, because: 'redeemed by the door' });
    append('reported', id, { ...about, outcome: 'opened', code: null });
  };
  while (head.seq < ENTRIES) database.transaction(() => Array.from({ length: 2_000 }, ask))();
  database.close();
  return file;
}
