// Writes to a store as fast as it can and says on standard output what was acknowledged, one JSON line each, until it is
// killed or told to stop: node kill-nine-writer.ts DIRECTORY [COUNT]
import { randomBytes, randomInt } from 'node:crypto';
import type { Request } from '../../broker/requests/request.js';
import type { RequestChange, Store } from '../../broker/store/store.js';
import type { Digest, Nonce, RequestId } from '../../src/protocol/names.js';
import { say } from './kill-nine-program.ts';
import { newRequest, openStore } from './kill-nine-requests.ts';

/** A line of this program. */
export type Acknowledged =
  | { readonly did: 'opened'; readonly live: number }
  | {
      readonly did: 'submit';
      readonly id: RequestId;
      readonly digest: Digest;
      readonly hash: string;
      readonly nonce: Nonce;
    }
  | { readonly did: 'end'; readonly id: RequestId; readonly state: Request['state'] }
  | { readonly did: 'fail'; readonly code: string; readonly id: RequestId };

/** Concurrent writers; the commits of a turn hold about so many changes. */
const WIDTH = 24;
const WAYS = ['denied', 'cancelled', 'approved'] as const;
const [directory = '', count = 'Infinity'] = process.argv.slice(2);
let left = Number(count);

const store = await openStore(directory);
tell({ did: 'opened', live: store.live().length });
const leftOver = store.live().map(({ id }) => id);
await Promise.all([...Array(WIDTH).keys()].map(() => write(store, leftOver)));

async function write(to: Store, open: RequestId[]): Promise<void> {
  while (left > 0) {
    left -= 1;
    const id = open.pop() ?? (await submit(to));
    if (id === null) continue;
    // Several try to end it at once, each in another way: one of them may.
    const first = randomInt(3);
    await Promise.all([0, 1, 2].map((next) => end(to, id, WAYS[(first + next) % 3] ?? 'denied')));
    if (randomInt(2) === 0) await end(to, id, 'redeemed');
    // Some stay approved, so that the next life has live ones too.
  }
}

async function submit(to: Store): Promise<RequestId | null> {
  const now = Date.now();
  const request = newRequest(now, { reason: 'x'.repeat(randomInt(12_000)) });
  const { id, digest, submitter } = request;
  const hash = randomBytes(32).toString('hex');
  const nonce = randomBytes(16).toString('hex') as Nonce;
  return acknowledged(id, { did: 'submit', id, digest, hash, nonce }, () =>
    to.change(
      { digest, submitter },
      (): RequestChange<RequestId> => ({
        request,
        events: [{ kind: 'request.submitted', at: now, body: { digest } }],
        asker: { hash, request: id, attached: true },
        nonce: { nonce, expires: now + 3_600_000 },
        result: id,
      }),
    ),
  );
}

function end(to: Store, id: RequestId, state: 'denied' | 'cancelled' | 'approved' | 'redeemed') {
  const from = state === 'redeemed' ? 'approved' : 'pending';
  return acknowledged(id, { did: 'end', id, state }, () =>
    to.change({ id }, (current) => {
      if (current?.state !== from) throw new Error('somebody was faster');
      const request = { ...current, state, endedAt: Date.now() };
      return { request, events: [{ kind: `request.${state}`, at: Date.now(), body: {} }], result: null };
    }),
  );
}

async function acknowledged(id: RequestId, line: Acknowledged, change: () => Promise<unknown>) {
  try {
    await change();
    tell(line);
    return id;
  } catch (error) {
    if (error instanceof Error && 'code' in error) tell({ did: 'fail', code: String(error.code), id });
    return null;
  }
}

function tell(line: Acknowledged): void {
  say(line);
}
