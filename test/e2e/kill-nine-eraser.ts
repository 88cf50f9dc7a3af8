// Makes closed requests, then erases closed requests as fast as it can, and says on standard output what was acknowledged,
// one JSON line for each commit, until it is killed: node kill-nine-eraser.ts DIRECTORY COUNT
import { randomBytes } from 'node:crypto';
import type { Request } from '../../broker/requests/request.js';
import type { Name, RequestId } from '../../src/protocol/names.js';

/** A line of this program. */
export type Acknowledged = { readonly did: 'ask' | 'erase'; readonly ids: readonly RequestId[] };

const built = new URL('../../dist/', import.meta.url);
const load = async <Module>(file: string): Promise<Module> => import(new URL(file, built).href);
const { openSqliteStore } = await load<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { parseDocument } =
  await load<typeof import('../../src/protocol/document.js')>('src/protocol/document.js');
const { submitted } = await load<typeof import('../../broker/requests/lifecycle.js')>(
  'broker/requests/lifecycle.js',
);
const { ONE_OTHER_PERSON } = await load<typeof import('../../broker/policy/one-other-person.js')>(
  'broker/policy/one-other-person.js',
);
const { ulid } = await import('ulid');

const [directory = '', count = '0'] = process.argv.slice(2);
const store = await openSqliteStore({ directory, clock: Date.now, random: randomBytes });
say({ did: 'ask', ids: await Promise.all(Array.from({ length: Number(count) }, askAndDeny)) });
for (;;) {
  const before = Date.now() + 1;
  const ids = await store.closed({ after: null, before, limit: 7 });
  if (ids.length === 0) break;
  const erased = await store.erase({ ids, before, holds: store.holds(), at: Date.now() });
  say({ did: 'erase', ids: erased?.requests ?? [] });
}
// Nothing is left: it waits for its end.
setInterval(() => {}, 1000);

async function askAndDeny(): Promise<RequestId> {
  const now = Date.now() - 60_000;
  const bound = parseDocument({
    version: 1,
    action: 'demo.kill',
    door: 'demo',
    requester: 'alice',
    resource: 'web-1.example.com',
    details: {},
    context: { reason: 'x'.repeat(3000) },
    duration: 0,
    nonce: randomBytes(16).toString('hex'),
  });
  const request: Request = {
    ...submitted(
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
    ).request,
    state: 'denied',
    endedAt: now,
    endedBy: 'bob',
  };
  const { id, digest, submitter } = request;
  await store.change({ digest, submitter }, () => ({
    request,
    events: [
      { kind: 'request.submitted' as const, at: now, body: { digest } },
      { kind: 'request.denied' as const, at: now, body: {} },
    ],
    asker: { hash: randomBytes(32).toString('hex'), request: id, attached: true },
    result: null,
  }));
  return id;
}

/** Pipes are written synchronously: what was said before the kill is there to be read. */
function say(line: Acknowledged): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
