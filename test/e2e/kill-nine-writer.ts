// Writes to a store as fast as it can and says on standard output what was acknowledged, one JSON line each, until it is
// killed or told to stop: node kill-nine-writer.ts DIRECTORY [COUNT]
import { randomBytes, randomInt } from 'node:crypto';
import type { Request } from '../../broker/requests/request.js';
import type { RequestChange, Store } from '../../broker/store/store.js';
import type { Digest, Name, Nonce, RequestId } from '../../src/protocol/names.js';

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

/** Concurrent writers; the commits of a turn hold about so many changes. */
const WIDTH = 24;
const WAYS = ['denied', 'cancelled', 'approved'] as const;
const [directory = '', count = 'Infinity'] = process.argv.slice(2);
let left = Number(count);

const store = await openSqliteStore({ directory, clock: Date.now, random: randomBytes });
say({ did: 'opened', live: store.live().length });
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
  const bound = parseDocument({
    version: 1,
    action: 'demo.kill',
    door: 'demo',
    requester: 'alice',
    resource: 'web-1.example.com',
    details: {},
    context: { reason: 'x'.repeat(randomInt(12_000)) },
    duration: 0,
    nonce: randomBytes(16).toString('hex'),
  });
  const request = submitted(
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
    say(line);
    return id;
  } catch (error) {
    if (error instanceof Error && 'code' in error) say({ did: 'fail', code: String(error.code), id });
    return null;
  }
}

/** Pipes are written synchronously: what was said before the kill is there to be read. */
function say(line: Acknowledged): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
