// Writes events about some requests and about none, and sends them to its standard output, one JSON line for each try, until it
// is killed; with `drain` it writes nothing, and ends once nothing waits: node kill-nine-sender.ts DIRECTORY [drain]
import { randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Request } from '../../broker/requests/request.js';
import type { Name, RequestId } from '../../src/protocol/names.js';

/** A line of this program: one event as it reaches the receiver. */
export interface Arrival {
  readonly key: string;
  readonly seq: number;
  readonly request: RequestId | null;
}

const built = new URL('../../dist/', import.meta.url);
const load = async <Module>(file: string): Promise<Module> => import(new URL(file, built).href);
const { openSqliteStore } = await load<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { Outbox } = await load<typeof import('../../broker/outbox/outbox.js')>('broker/outbox/outbox.js');
const { parseDocument } =
  await load<typeof import('../../src/protocol/document.js')>('src/protocol/document.js');
const { pino } = await import('pino');
const { submitted } = await load<typeof import('../../broker/requests/lifecycle.js')>(
  'broker/requests/lifecycle.js',
);
const { ONE_OTHER_PERSON } = await load<typeof import('../../broker/policy/one-other-person.js')>(
  'broker/policy/one-other-person.js',
);
const { ulid } = await import('ulid');

const [directory = '', mode = 'write'] = process.argv.slice(2);
const store = await openSqliteStore({ directory, clock: Date.now, random: randomBytes });
const outbox = new Outbox({
  store,
  clock: Date.now,
  random: Math.random,
  log: pino({ enabled: false }),
  count: () => {},
  others: () => [],
});
await outbox.use([
  {
    sink: 'webhook:siem',
    wants: () => true,
    send: async ({ key, seq, request }) => {
      const line: Arrival = { key, seq, request };
      // What was written before the kill is there to be read: it has arrived.
      writeSync(1, `${JSON.stringify(line)}\n`);
      await pause(randomInt(4));
      return { outcome: 'taken' };
    },
  },
]);

if (mode === 'drain') {
  while (outbox.standings().some(({ waiting }) => waiting > 0)) await pause(5);
  await outbox.stop();
  await store.close();
} else {
  await Promise.all(Array.from({ length: 6 }, write));
}

async function write(): Promise<void> {
  for (;;) {
    const request = newRequest();
    const { id, digest, submitter } = request;
    await store.change({ digest, submitter }, () => ({
      request,
      events: [{ kind: 'request.submitted', at: Date.now(), body: {} }],
      result: null,
    }));
    for (let more = randomInt(6); more > 0; more -= 1) {
      await store.change({ id }, () => ({
        events: [{ kind: 'request.reconsidered', at: Date.now(), body: {} }],
        result: null,
      }));
      await pause(randomInt(10));
    }
    if (randomInt(4) === 0) await store.record({ kind: 'policy.loaded', at: Date.now(), body: {} });
  }
}

function newRequest(): Request {
  const now = Date.now();
  const bound = parseDocument({
    version: 1,
    action: 'demo.kill',
    door: 'demo',
    requester: 'alice',
    resource: 'web-1.example.com',
    details: {},
    context: {},
    duration: 0,
    nonce: randomBytes(16).toString('hex'),
  });
  return submitted(
    {
      id: ulid(now) as RequestId,
      bound,
      submitter: 'host-web-1' as Name,
      vouched: null,
      verified: null,
      signers: null,
      validated: null,
      rule: ONE_OTHER_PERSON,
      missing: [],
    },
    now,
  ).request;
}
