import { randomBytes } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { BROKER_ITSELF } from '../../../broker/changes/broker-submitter.js';
import { guardChanges } from '../../../broker/changes/change-rule.js';
import { Changes } from '../../../broker/changes/changes.js';
import { describeChange } from '../../../broker/changes/directory-change.js';
import { describePolicy, policyLoaded } from '../../../broker/changes/policy-change.js';
import { type CompiledPolicy, compilePolicy } from '../../../broker/policy/compile.js';
import { oneOtherPerson } from '../../../broker/policy/one-other-person.js';
import type { Request } from '../../../broker/requests/request.js';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import { OWNER, ROSTER_CHANGE } from '../../../src/protocol/change-messages.js';
import type { RosterChange } from '../../../src/protocol/roster-messages.js';
import { BROKER, bind, keys, name, World } from '../requests/world.js';

let world: World;
let errors: unknown[];
beforeEach(() => {
  errors = [];
  world = new World(guardChanges(oneOtherPerson));
});

/** The part of the broker that applies changes, as a process starts it. */
const source = {
  name: 'policy.yaml',
  compile: (text: string) => compilePolicy(text, { principals: world.principals, file: 'policy.yaml' }),
};
const start = (called = 'test') =>
  new Changes({
    store: world.store,
    requests: world.requests,
    principals: () => world.principals,
    name: called,
    fingerprint: () => BROKER,
    clock: () => world.now,
    random: randomBytes,
    policy: () => source,
    onError: (error) => errors.push(error),
  });
const groupsOfAlice = () => world.store.directory().people.find((person) => person.name === 'alice')?.groups;
const kinds = () => world.store.log.map(({ kind }) => kind);

/** A wider group for alice, signed by two people at a broker that is killed before it applies that. */
async function approvedAndKilled(): Promise<Request> {
  const change: RosterChange = { change: 'set', name: name('alice'), groups: [name('security')] };
  const { resource, details } = describeChange(world.store.directory(), { of: 'people', change }, world.now);
  const bound = bind({ action: ROSTER_CHANGE, door: 'broker:test', requester: OWNER, resource, details });
  const body = { bound, statement: null, claim: null, signers: null };
  const { request } = await world.requests.submit(body, BROKER_ITSELF, null);
  await world.requests.decide(request.id, world.decision(request));
  const carol = { approver: name('carol') };
  const approved = await world.requests.decide(request.id, world.decision(request, carol, keys.carol));
  expect([approved.state, groupsOfAlice()]).toEqual(['approved', []]);
  world.restart();
  return approved;
}

test('a change that was approved before the broker was killed is applied at the next start, once (A17)', async () => {
  const { id } = await approvedAndKilled();
  await start().resume();
  expect(await world.read(id)).toMatchObject({ state: 'redeemed', report: { outcome: 'opened' } });
  expect(groupsOfAlice()).toEqual(['security']);
  world.restart();
  await start().resume();
  expect(kinds().filter((kind) => kind === 'roster.changed')).toHaveLength(1);
});

test('an approval that is too old by then lapses, and the roster stays', async () => {
  const { id } = await approvedAndKilled();
  await world.pass(601);
  await start().resume();
  expect((await world.read(id)).state).toBe('lapsed');
  expect(groupsOfAlice()).toEqual([]);
});

test('a signer who lost the right meanwhile takes the approval with him (A15)', async () => {
  const { id } = await approvedAndKilled();
  await world.changeRoster({ change: 'remove', name: name('bob') });
  await start().resume();
  expect((await world.read(id)).state).toBe('revoked');
  expect(groupsOfAlice()).toEqual([]);
});

test('a receipt that was put into the database counts for nothing', async () => {
  const approved = await approvedAndKilled();
  const forged = approved.votes.map((vote) => ({ ...vote, receipt: vote.receipt.replace('bob', 'eve') }));
  world.store.requests.set(approved.id, { ...approved, votes: forged });
  await start().resume();
  expect(errors).toMatchObject([{ code: 'statement-mismatch' }]);
  expect([(await world.read(approved.id)).state, groupsOfAlice()]).toEqual(['approved', []]);
});

test('a policy that was approved before the broker was killed comes into force at the next start, once (A17)', async () => {
  const [old, next] = [1, 2].map((people) =>
    source.compile(`version: 1\nrules:\n  - name: all\n    approvals: { people: ${people} }\n`),
  ) as [CompiledPolicy, CompiledPolicy];
  await world.store.keepPolicy(
    { text: old.text, digest: old.digest, since: world.now },
    policyLoaded('policy.yaml', old, world.now, {}),
  );
  const { action, resource, details } = describePolicy(old, next);
  const bound = bind({ action, door: 'broker:test', requester: OWNER, resource, details });
  const body = { bound, statement: null, claim: null, signers: null };
  const { request } = await world.requests.submit(body, BROKER_ITSELF, null);
  await world.requests.decide(request.id, world.decision(request));
  await world.requests.decide(request.id, world.decision(request, { approver: name('carol') }, keys.carol));
  expect(world.store.policy()?.text).toBe(old.text);
  world.restart();
  await start().resume();
  expect(world.store.policy()).toEqual({ text: next.text, digest: next.digest, since: world.now });
  expect((await world.read(request.id)).report).toMatchObject({ outcome: 'opened', code: null });
  world.restart();
  await start().resume();
  expect(kinds().filter((kind) => kind === 'policy.loaded')).toHaveLength(2);
  expect(errors).toEqual([]);
});

test('a policy that the roster does not bear any more is not applied, and that is reported', async () => {
  const old = source.compile('version: 1\nrules:\n  - name: all\n    approvals: { people: 1 }\n');
  const text = old.text.replace('people: 1', 'nobody: 1');
  const next = { text, digest: sha256Digest(text), rules: old.rules };
  await world.store.keepPolicy(
    { text: old.text, digest: old.digest, since: world.now },
    policyLoaded('policy.yaml', old, world.now, {}),
  );
  const { action, resource, details } = describePolicy(old, next);
  const bound = bind({ action, door: 'broker:test', requester: OWNER, resource, details });
  const { request } = await world.requests.submit(
    { bound, statement: null, claim: null, signers: null },
    BROKER_ITSELF,
    null,
  );
  await world.requests.decide(request.id, world.decision(request));
  await world.requests.decide(request.id, world.decision(request, { approver: name('carol') }, keys.carol));
  world.restart();
  await start().resume();
  expect(world.store.policy()?.text).toBe(old.text);
  expect((await world.read(request.id)).report).toMatchObject({ outcome: 'refused', code: 'bad-policy' });
});

test.each([
  ['prod-1', /^broker:prod-1$/],
  ['Approvals of the Web Team', /^broker:[0-9a-f]{16}$/],
])('the door of a broker called %j is a name', async (called, door) => {
  const change = { change: 'remove', name: name('dave') } as const;
  const asked = await start(called).change({ of: 'people', change }, { requester: OWNER, reason: 'gone' });
  if (asked.applied) throw new Error('nobody was asked');
  const { document } = asked.submitted.request;
  expect(document.door).toMatch(door);
  expect(document).toMatchObject({
    requester: 'owner',
    resource: 'person dave',
    context: { reason: 'gone' },
  });
});
