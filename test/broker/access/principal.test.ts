import { describe, expect, test } from 'vitest';
import { authorise, type Principal, type Verb } from '../../../broker/access/principal.js';
import type { RequestId } from '../../../src/protocol/names.js';
import { codeOf } from '../../ssh/problem.js';
import { fingerprintOf, HOST, keys, NOON, name } from '../requests/world.js';

const OWN = '01KG9Z8QW5D3M7X1R2T4V6B8NC' as RequestId;
const OTHER = '01KG9Z8QW5D3M7X1R2T4V6B8ND' as RequestId;

const principals: Readonly<Record<Principal['kind'], Principal>> = {
  anonymous: { kind: 'anonymous' },
  unverified: { kind: 'unverified', token: 'a.b.c' },
  owner: { kind: 'owner' },
  submitter: { kind: 'submitter', submitter: HOST },
  asker: { kind: 'asker', hash: 'a'.repeat(64), request: OWN },
  approver: {
    kind: 'approver',
    name: name('bob'),
    session: { hash: 'b'.repeat(64), approver: name('bob'), key: fingerprintOf(keys.bob), expires: NOON },
  },
};
const kinds = Object.keys(principals) as Principal['kind'][];
const ALL = kinds;

/** Written a second time, from the routes of design §5: who reaches what. */
const REACH: Readonly<Record<Verb, readonly Principal['kind'][]>> = {
  'broker.read': ALL,
  'request.decide': ALL,
  'request.revoke': ALL,
  'request.review': ALL,
  'lock.lift': ALL,
  'canary.reveal': ALL,
  'session.open': ALL,
  'roster.sign': ALL,
  'roster.follow': ALL,
  'roster.propose': ['owner', 'approver'],
  'health.read': ['owner'],
  'status.read': ['owner', 'approver'],
  'lock.read': ['owner', 'approver'],
  'directory.read': ['owner', 'approver'],
  'directory.change': ['owner', 'approver'],
  'key.rotate': ['owner'],
  'webhook.test': ['owner'],
  'request.submit': ['submitter'],
  'request.read': ['asker', 'approver'],
  'request.redeem': ['asker'],
  'request.report': ['asker'],
  'request.watch': ['asker'],
  'request.detach': ['asker'],
  'request.background': ['approver'],
  'request.explain': ['approver'],
  'request.comment': ['approver'],
  'request.escalate': ['approver'],
  'grant.read': ['approver'],
  'statistics.read': ['approver'],
  'request.list': ['approver'],
  'canary.read': ['approver'],
  'stream.read': ['approver'],
  'events.read': ['approver'],
  'hold.read': ['owner', 'approver'],
  'hold.change': ['owner'],
  'outbox.read': ['owner', 'approver'],
  'outbox.change': ['owner', 'approver'],
  'policy.read': ['owner', 'approver'],
  'restoration.acknowledge': ['approver'],
};
const verbs = Object.keys(REACH) as Verb[];
const UNKNOWN = { anonymous: true, unverified: true };
const SIGNED = verbs.filter((verb) => REACH[verb] === ALL);

describe.each(kinds)('%s (A18)', (kind) => {
  test.each(verbs)('%s', (verb) => {
    const code = codeOf(() => authorise(principals[kind], verb, OWN));
    if (REACH[verb].includes(kind)) expect(code).toBe(null);
    else expect(code).toBe(kind in UNKNOWN ? 'unauthenticated' : 'forbidden');
  });
});

describe('a watch token (A18, A60)', () => {
  test.each(verbs.filter((verb) => REACH[verb].includes('asker') && !SIGNED.includes(verb)))(
    'reaches %s of its own request only, and learns nothing of another',
    (verb) => {
      expect(codeOf(() => authorise(principals.asker, verb, OWN))).toBe(null);
      expect(codeOf(() => authorise(principals.asker, verb, OTHER))).toBe('unauthenticated');
    },
  );

  test.each(verbs.filter((verb) => REACH[verb].includes('asker') && !SIGNED.includes(verb)))(
    'does not reach %s where nobody said of which request',
    (verb) => {
      expect(codeOf(() => authorise(principals.asker, verb))).toBe('unauthenticated');
    },
  );

  test.each(SIGNED)('is no obstacle to %s, which is open to anyone', (verb) => {
    for (const about of [OWN, OTHER, null])
      expect(codeOf(() => authorise(principals.asker, verb, about))).toBe(null);
  });
});

test('only the socket and approvers ask for changes of who is enrolled (A17, A48)', () => {
  for (const kind of kinds)
    expect(codeOf(() => authorise(principals[kind], 'directory.change')) === null).toBe(
      kind === 'owner' || kind === 'approver',
    );
});

test('the owner of the socket decides and submits nothing by that alone', () => {
  for (const verb of [
    'request.submit',
    'request.redeem',
    'request.report',
    'request.detach',
    'stream.read',
  ] as const)
    expect(codeOf(() => authorise(principals.owner, verb))).toBe('forbidden');
});
