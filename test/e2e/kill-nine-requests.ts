// The store that is killed, and requests to write into it.
import { randomBytes } from 'node:crypto';
import { ulid } from 'ulid';
import type { Request } from '../../broker/requests/request.js';
import type { Store } from '../../broker/store/store.js';
import type { Name, RequestId } from '../../src/protocol/names.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { built } from './kill-nine-program.ts';

const { openSqliteStore } = await built<typeof import('../../broker/store/sqlite/open.js')>(
  'broker/store/sqlite/open.js',
);
const { parseDocument } =
  await built<typeof import('../../src/protocol/document.js')>('src/protocol/document.js');
const { submitted } = await built<typeof import('../../broker/requests/lifecycle.js')>(
  'broker/requests/lifecycle.js',
);
const { ONE_OTHER_PERSON } = await built<typeof import('../../broker/policy/one-other-person.js')>(
  'broker/policy/one-other-person.js',
);

export const openStore = (directory: string): Promise<Store> =>
  openSqliteStore({ directory, clock: Date.now, random: randomBytes });

/** One that nobody has asked before. */
export function newRequest(now: number, context: JsonObject = {}): Request {
  const bound = parseDocument({
    version: 1,
    action: 'demo.kill',
    door: 'demo',
    requester: 'alice',
    resource: 'web-1.example.com',
    details: {},
    context,
    duration: 0,
    nonce: randomBytes(16).toString('hex'),
  });
  const submission = {
    id: ulid(now) as RequestId,
    bound,
    submitter: 'host-web-1' as Name,
    vouched: null,
    verified: null,
    signers: null,
    validated: null,
    rule: ONE_OTHER_PERSON,
    missing: [],
  };
  return submitted(submission, now).request;
}
