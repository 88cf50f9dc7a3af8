import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explanationReply } from '../../../src/protocol/explanation.js';
import { policyReply } from '../../../src/protocol/policy-messages.js';
import { decodeReply } from '../../../src/protocol/request-view.js';
import { parseRule } from '../../../src/protocol/rule.js';
import { TestBroker } from '../test-broker.js';

const POLICY = `version: 1
rules:
  - name: databases
    when: action.startsWith("db.") || ("note" in context && context.note == "other")
    approvals: { people: 2 }
  - name: noon
    when: time.getHours() == 12 && action == "ssh.login"
    approvals: { people: 1 }
  - name: everything
    approvals: { people: 2 }
    grants: { uses: 5 }
`;
let broker: TestBroker;
let token: string;
beforeEach(async () => {
  broker = await TestBroker.start();
  await broker.restartWith(POLICY);
  token = await broker.signIn();
});
afterEach(() => broker.stop());

const submitted = async (change: Parameters<TestBroker['document']>[0] = {}): Promise<string> =>
  (await broker.submit(broker.document(change))).json.id;
const explained = async (id: string) => {
  const { status, json } = await broker.call('GET', `/v1/requests/${id}/explanation`, { token });
  expect(status).toBe(200);
  return decodeReply(explanationReply, json);
};

describe('the explanation of a request, over HTTP', () => {
  test('says which rules were not for it and what they looked at, by the time at which it was asked', async () => {
    const id = await submitted({ context: { note: 'x'.repeat(2000) } });
    broker.pass(240);
    const reply = await explained(id);
    expect(reply.tried.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['databases', 'passed-over'],
      ['noon', 'decides'],
    ]);
    expect(reply.tried[1]?.parts[0]?.looked).toEqual(['time is "2026-01-31T12:00:00Z"']);
    expect(reply.isInForce).toBe(true);
    expect(parseRule(reply.rule).name).toBe('noon');
    const [, note = ''] = reply.tried[0]?.parts[0]?.looked ?? [];
    expect(note).toMatch(/^context\.note is "x+…$/);
    expect(note).toHaveLength(300);
  });

  test('says who could sign and who has, and what is missing then', async () => {
    const bound = broker.document({ action: 'db.open' });
    const { id } = (await broker.submit(bound)).json;
    const before = await explained(id);
    expect(before.people.map(({ name, signed, why }) => [name, signed, why])).toEqual([
      ['alice', null, 'is the requester'],
      ['bob', null, null],
      ['carol', null, null],
    ]);
    await broker.decide(id, bound);
    const after = await explained(id);
    expect(after.people.find(({ name }) => name === 'bob')?.signed).toBe('approve');
    expect(after.missing).toEqual(['1 more person: carol']);
    expect(after.satisfiable).toBe(true);
  });

  test('of a change of the broker itself tells the rule that was pinned, not the one that the policy alone would give (A16, A17)', async () => {
    const body = { change: 'set', name: 'alice', groups: ['db'] };
    const { json } = await broker.call('POST', '/v1/roster/changes', { token, body });
    const reply = await explained(json.id);
    expect(reply.tried.at(-1)?.name).toBe('everything');
    expect(reply.isInForce).toBe(false);
    expect(parseRule(reply.rule).grants).toBeNull();
    expect(reply.people.find(({ name }) => name === 'bob')?.why).toBe('is the requester');
  });

  test('is for approvers, and of requests that are there', async () => {
    const id = await submitted();
    for (const credential of [undefined, broker.ciToken]) {
      const { status } = await broker.call('GET', `/v1/requests/${id}/explanation`, { token: credential });
      expect(status).not.toBe(200);
    }
    for (const wrong of ['01KG8J0PX0ABCDEF0000000001', 'x', '..%2f..']) {
      const { status } = await broker.call('GET', `/v1/requests/${wrong}/explanation`, { token });
      expect(status).toBe(404);
    }
  });
});

describe('the policy, over HTTP', () => {
  test('has its rules in order with their lines, and who is in which group', async () => {
    await broker.change('roster', { change: 'set', name: 'carol', groups: ['db', 'oncall'] });
    const { json } = await broker.call('GET', '/v1/policy', { token });
    const { order, groups } = decodeReply(policyReply, json);
    expect(order.map(({ line, rule }) => [line, parseRule(rule).name])).toEqual([
      [3, 'databases'],
      [6, 'noon'],
      [9, 'everything'],
    ]);
    expect(groups).toEqual([
      { name: 'db', source: 'roster', members: ['carol'] },
      { name: 'oncall', source: 'roster', members: ['carol'] },
    ]);
  });
});

test('without a policy file the one rule for everything is told', async () => {
  const plain = await TestBroker.start();
  const { json } = await plain.call('GET', '/v1/policy', { token: await plain.signIn() });
  expect(decodeReply(policyReply, json)).toMatchObject({ policy: null, order: [{ line: 0 }] });
  await plain.stop();
});
