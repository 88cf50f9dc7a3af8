// Makes closed requests, then erases closed requests as fast as it can, and says on standard output what was acknowledged,
// one JSON line for each commit, until it is killed: node kill-nine-eraser.ts DIRECTORY COUNT
import { randomBytes } from 'node:crypto';
import type { RequestId } from '../../src/protocol/names.js';
import { say } from './kill-nine-program.ts';
import { newRequest, openStore } from './kill-nine-requests.ts';

/** A line of this program. */
export type Acknowledged = { readonly did: 'ask' | 'erase'; readonly ids: readonly RequestId[] };

const [directory = '', count = '0'] = process.argv.slice(2);
const store = await openStore(directory);
tell({ did: 'ask', ids: await Promise.all(Array.from({ length: Number(count) }, askAndDeny)) });
for (;;) {
  const before = Date.now() + 1;
  const ids = await store.closed({ after: null, before, limit: 7 });
  if (ids.length === 0) break;
  const erased = await store.erase({ ids, before, holds: store.holds(), at: Date.now() });
  tell({ did: 'erase', ids: erased?.requests ?? [] });
}
// Nothing is left: it waits for its end.
setInterval(() => {}, 1000);

async function askAndDeny(): Promise<RequestId> {
  const now = Date.now() - 60_000;
  const request = {
    ...newRequest(now, { reason: 'x'.repeat(3000) }),
    state: 'denied' as const,
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

function tell(line: Acknowledged): void {
  say(line);
}
