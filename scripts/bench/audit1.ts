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
import type { Digest, Fingerprint, Name } from '../../src/protocol/names.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { beside, compiled } from './modules.js';

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
const { parseDocument } =
  await compiled<typeof import('../../src/protocol/document.js')>('src/protocol/document.js');
const { formatDecision } = await compiled<typeof import('../../src/protocol/statements.js')>(
  'src/protocol/statements.js',
);
const { formatTime } = await compiled<typeof import('../../src/protocol/time.js')>('src/protocol/time.js');
const { makeSshKey, signedText } = await beside<typeof import('./ssh-key.js')>('ssh-key.ts');

const ENTRIES = Number(process.argv[3] ?? 1_000_000);
const BROKER = `SHA256:${'A'.repeat(43)}` as Fingerprint;
const bob = makeSshKey();
const name = (text: string): Name => text as Name;

const folder = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
try {
  const file = await fill();
  for (let round = 0; round < 1; round += 1) measure(file);
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
    name: name('bob'),
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
    const bound = parseDocument({
      action: 'ssh.login',
      context: { reason: 'INC-4312 restart nginx' },
      details: { service: 'sshd', source: '203.0.113.9', user: 'alice' },
      door: 'host:web-1.example.com',
      duration: 0,
      nonce: randomBytes(16).toString('hex'),
      requester: 'alice',
      resource: 'web-1.example.com',
      version: 1,
    });
    const { digest, scope, document } = bound;
    const { text: rule, digest: policy } = ONE_OTHER_PERSON;
    const about = { id, digest };
    append('submitted', id, {
      ...about,
      scope,
      submitter: 'host:web-1',
      vouched: 's'.repeat(600),
      rule,
      policy,
      document: { ...document },
      answerBy: formatTime(now + 300_000),
    });
    const statement = formatDecision({
      broker: BROKER,
      door: document.door,
      request: digest,
      scope,
      covers: 'request',
      policy: policy as Digest,
      verdict: 'approve',
      requester: document.requester,
      approver: name('bob'),
      decided: now,
      notAfter: now + 900_000,
      duration: 0,
      uses: 1,
      code: null,
      comment: 'looks right',
    });
    append('voted', id, {
      ...about,
      approver: 'bob',
      receipt: signedText(bob, statement, 'decision@countersign'),
    });
    append('approved', id, { ...about, claimBy: formatTime(now + 600_000), counted: { bob: {} } });
    append('redeemed', id, { ...about, because: 'redeemed by the door' });
    append('reported', id, { ...about, outcome: 'opened', code: null });
  };
  while (head.seq < ENTRIES) database.transaction(() => Array.from({ length: 2_000 }, ask))();
  database.close();
  return file;
}
