import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDocument } from '../../../src/protocol/document.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { makeSoftwareKey } from '../../ssh/software-keys.js';
import { ANYTHING, newClaim, TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

type What = 'roster' | 'submitters';
const ask = (what: What, body: unknown, token?: string) =>
  broker.call('POST', `/v1/${what}/changes`, {
    body,
    ...(token === undefined ? { viaSocket: true } : { token }),
  });
const read = async (id: string) =>
  (await broker.call('GET', `/v1/requests/${id}`, { token: await broker.signIn() })).json;
/** Waits as the one who asked does. */
const ended = async ({ id, watch }: { id: string; watch: string }) =>
  (await broker.call('GET', `/v1/requests/${id}`, { token: watch, headers: { prefer: 'wait=20' } })).json
    .status;
const person = async (name: string) => {
  const { people } = (await broker.call('GET', '/v1/roster', { viaSocket: true })).json;
  return people.find((one: { name: string }) => one.name === name);
};
const newPerson = (name: string, change = {}) => ({
  change: 'add',
  person: {
    name,
    aliases: [],
    groups: [],
    keys: [{ key: makeSoftwareKey('ssh-ed25519').line, validAfter: null, validBefore: null }],
    ...change,
  },
});
const approveAsked = async (id: string) => {
  await broker.approve(id, 'bob');
  return broker.approve(id, 'carol');
};

describe('a change that the owner asks for, with two approvers or more (A17)', () => {
  test('a second identity for himself waits for two people, and is then applied and reported by the broker', async () => {
    const change = newPerson('owner-too', { groups: ['oncall'] });
    const { status, json } = await ask('roster', { ...change, reason: 'a friend of mine' });
    expect([status, json.status.state, json.status.missing]).toEqual([
      202,
      'pending',
      ['2 more people: alice, bob or carol'],
    ]);
    const { document, submitter, vouched } = await read(json.id);
    const [key] = change.person.keys;
    const { fingerprint } = parsePublicKeyLine(key?.key ?? '');
    expect({ document, submitter, vouched }).toMatchObject({
      document: {
        action: 'roster.change',
        door: 'broker:test',
        resource: 'person owner-too',
        requester: 'owner',
        context: { reason: 'a friend of mine' },
        details: {
          summary: `enrol owner-too, who can sign from then on, with ${fingerprint} (ssh-ed25519); groups: oncall; aliases: none`,
          person: change,
          before: null,
          after: { aliases: [], groups: ['oncall'], keys: [`${fingerprint} (ssh-ed25519)`] },
        },
      },
      submitter: 'countersign',
      vouched: null,
    });
    expect((await broker.approve(json.id, 'bob')).json.state).toBe('pending');
    expect(await person('owner-too')).toBeUndefined();
    expect((await broker.approve(json.id, 'carol')).json.state).toBe('approved');
    expect(await ended(json)).toMatchObject({
      state: 'redeemed',
      report: { outcome: 'opened', code: null },
      endedBy: 'applied by the broker',
    });
    expect(await person('owner-too')).toMatchObject({ groups: ['oncall'] });
    const { events } = (await broker.call('GET', '/v1/events', { token: await broker.signIn() })).json;
    const own = events.filter(({ request }: { request: string }) => request === json.id);
    expect(own.map(({ kind }: { kind: string }) => kind)).toEqual([
      'request.submitted',
      'request.voted',
      'request.voted',
      'request.approved',
      'request.redeemed',
      'roster.changed',
      'request.reported',
    ]);
    expect(JSON.parse(own.at(-2).body)).toMatchObject({ change: 'add', request: json.id });
  });

  test.each([
    [
      'a key for somebody else',
      'roster',
      () => ({ change: 'add-key', name: 'bob', key: newPerson('x').person.keys[0] }),
    ],
    ['a wider group', 'roster', () => ({ change: 'set', name: 'alice', groups: ['security'] })],
    [
      'a submitter with wider limits',
      'submitters',
      () => ({
        change: 'add',
        submitter: { name: 'all', credential: { kind: 'token', hash: '0'.repeat(64) }, limits: ANYTHING },
      }),
    ],
  ] as const)(
    '%s is nothing that he decides: a no ends it, and nothing has changed',
    async (_title, what, change) => {
      const before = await Promise.all(
        ['/v1/roster', '/v1/submitters'].map((path) => broker.call('GET', path, { viaSocket: true })),
      );
      const { json } = await ask(what, change());
      const { document, policy } = await read(json.id);
      const receipt = broker.decision(parseDocument(document), policy, { verdict: 'deny' });
      await broker.call('POST', `/v1/requests/${json.id}/decisions`, { body: { receipt } });
      expect((await ended(json)).state).toBe('denied');
      const after = await Promise.all(
        ['/v1/roster', '/v1/submitters'].map((path) => broker.call('GET', path, { viaSocket: true })),
      );
      expect(after.map((reply) => reply.json)).toEqual(before.map((reply) => reply.json));
    },
  );

  test('of a new token the document holds the hash, and it works once approved', async () => {
    const { createHash, randomBytes } = await import('node:crypto');
    const token = randomBytes(32).toString('base64url');
    const hash = createHash('sha256').update(token).digest('hex');
    const { json } = await ask('submitters', {
      change: 'add',
      submitter: { name: 'job', credential: { kind: 'token', hash }, limits: ANYTHING },
    });
    const submit = () => {
      const { canonical } = broker.document();
      return broker.call('POST', '/v1/requests', { token, body: { document: JSON.parse(canonical) } });
    };
    expect((await submit()).status).toBe(401);
    await approveAsked(json.id);
    await ended(json);
    expect((await submit()).status).toBe(201);
    expect(JSON.stringify(await read(json.id))).not.toContain(token);
  });
});

describe('a change that an approver asks for (A17)', () => {
  test('needs one other person, and never counts his own yes', async () => {
    const bob = await broker.signIn();
    const { json } = await ask('roster', newPerson('dave'), bob);
    expect((await read(json.id)).document.requester).toBe('bob');
    expect((await broker.approve(json.id, 'bob')).json.code).toBe('self-approval');
    await broker.approve(json.id, 'carol');
    expect((await ended(json)).report.outcome).toBe('opened');
  });

  test('is refused where nobody else could approve, while the owner changes it at once', async () => {
    await broker.change('roster', { change: 'remove', name: 'carol' });
    await broker.change('roster', { change: 'remove', name: 'alice' });
    expect((await ask('roster', newPerson('dave'), await broker.signIn())).json.code).toBe('forbidden');
    const { status, json } = await ask('roster', newPerson('dave'));
    expect([status, json.people.length]).toEqual([200, 2]);
    expect((await ask('roster', newPerson('erin'))).status).toBe(202);
  });
});

describe('what was approved is what is applied', () => {
  test('of two changes of one person the second is refused, and the roster stays (A17)', async () => {
    const first = (await ask('roster', { change: 'set', name: 'alice', groups: ['db'] })).json;
    const second = (await ask('roster', { change: 'set', name: 'alice', groups: ['oncall'] })).json;
    await approveAsked(first.id);
    await ended(first);
    await approveAsked(second.id);
    expect(await ended(second)).toMatchObject({
      state: 'redeemed',
      report: { outcome: 'refused', code: 'change-outdated' },
      endedBy: 'not applied: alice was changed since this was asked',
    });
    expect((await person('alice')).groups).toEqual(['db']);
  });

  test('a name that was taken meanwhile is refused', async () => {
    const [first, second] = [
      (await ask('roster', newPerson('dave', { aliases: ['d@example.com'] }))).json,
      (await ask('roster', newPerson('erin', { aliases: ['d@example.com'] }))).json,
    ];
    for (const { id } of [first, second]) await approveAsked(id);
    expect((await ended(second)).report).toMatchObject({ outcome: 'refused', code: 'roster-conflict' });
    expect(await person('erin')).toBeUndefined();
  });

  test('an approved change is applied once: a second asker, a replayed receipt and a restart do nothing (A17)', async () => {
    const change = (await ask('roster', { change: 'set', name: 'alice', groups: ['db'] })).json;
    const { document, policy } = await read(change.id);
    await approveAsked(change.id);
    await ended(change);
    await broker.change('roster', { change: 'set', name: 'alice', groups: [] });
    const receipt = broker.decision(parseDocument(document), policy, { comment: 'once more' });
    const again = await broker.call('POST', `/v1/requests/${change.id}/decisions`, { body: { receipt } });
    expect(again.json.code).toBe('request-ended');
    const redeemed = await broker.call('POST', `/v1/requests/${change.id}/redeem`, {
      token: change.watch,
      body: { claim: newClaim() },
    });
    expect(redeemed.json.code).toBe('unauthenticated');
    await broker.restart();
    expect((await person('alice')).groups).toEqual([]);
  });

  test('the vote of somebody who was removed meanwhile does not count (A15)', async () => {
    const { json } = await ask('roster', newPerson('dave'));
    await broker.approve(json.id, 'bob');
    const removal = (await ask('roster', { change: 'remove', name: 'bob' })).json;
    await broker.approve(removal.id, 'alice');
    await broker.approve(removal.id, 'carol');
    await ended(removal);
    await broker.approve(json.id, 'carol');
    const token = await broker.signIn(broker.keys.carol, 'carol');
    expect((await broker.call('GET', `/v1/requests/${json.id}`, { token })).json.state).toBe('pending');
    expect(await person('dave')).toBeUndefined();
  });
});

test('no other submitter asks for changes of the broker, however wide its limits (A17)', async () => {
  for (const action of ['roster.change', 'policy.change']) {
    expect((await broker.submit(broker.document({ action }))).json.code).toBe('submitter-limits');
  }
});

test.each([
  ['roster', newPerson('owner')],
  ['roster', newPerson('countersign')],
  ['roster', newPerson('dave', { aliases: ['owner'] })],
  ['roster', { change: 'set', name: 'bob', aliases: ['owner'] }],
  [
    'submitters',
    {
      change: 'add',
      submitter: {
        name: 'countersign',
        credential: { kind: 'token', hash: '0'.repeat(64) },
        limits: ANYTHING,
      },
    },
  ],
] as const)(
  'nobody is enrolled under a name that speaks of the broker: %s %j (A17)',
  async (what, change) => {
    expect((await ask(what, change)).json.code).toBe('roster-conflict');
  },
);

test('whoever asked takes it back', async () => {
  const { json } = await ask('roster', newPerson('dave'));
  await broker.call('DELETE', `/v1/requests/${json.id}?cancel=now`, { token: json.watch });
  expect((await approveAsked(json.id)).json.code).toBe('request-ended');
});
