import { afterAll, beforeAll, expect, test } from 'vitest';
import { lifeOf } from '../../../broker/audit/life.js';
import { eventsReply, type LogEntry } from '../../../src/protocol/event-log.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { newClaim, TestBroker } from '../test-broker.js';

/** alice asks, bob approves, the door opens. */
let broker: TestBroker;
let entries: readonly LogEntry[];

beforeAll(async () => {
  broker = await TestBroker.start();
  const claim = newClaim();
  const { json } = await broker.submit();
  await broker.approve(json.id, 'bob');
  const watch = { token: json.watch };
  await broker.call('POST', `/v1/requests/${json.id}/redeem`, { ...watch, body: { claim } });
  await broker.call('POST', `/v1/requests/${json.id}/reports`, {
    ...watch,
    body: { claim, outcome: 'opened' },
  });
  await broker.submit(broker.document({ resource: 'other' }));
  const token = await broker.signIn();
  const reply = await broker.call('GET', `/v1/events?request=${json.id}`, { token });
  entries = eventsReply.parse(reply.json).events;
});
afterAll(() => broker.stop());

test('the life of a request tells in order who asked, who signed, and what the door did', () => {
  expect(lifeOf(entries).map(({ kind, words }) => `${kind}: ${words}`)).toEqual([
    expect.stringMatching(
      /^submitted: host:web-1 asks for alice: ssh.login on web-1, opened by host:web-1; rule /,
    ),
    expect.stringMatching(/^voted: bob says yes, for this one ask, until 2026-01-31T12:15:00Z: looks right$/),
    expect.stringMatching(/^approved: the rule is met; to be used by /),
    'redeemed: a door took the approval',
    'reported: the door says: opened',
  ]);
});

test('the life of a request has its signatures, each verified and with the key that made it', () => {
  const [submitted, voted, ...others] = lifeOf(entries).map(({ signed }) => signed);
  expect(submitted).toMatchObject({
    key: parsePublicKeyLine(broker.keys.host.line).fingerprint,
    fault: null,
  });
  expect(voted).toMatchObject({ key: parsePublicKeyLine(broker.keys.bob.line).fingerprint, fault: null });
  expect(voted?.text).toMatch(/^countersign-decision 1\n/);
  expect(others).toEqual([null, null, null]);
});

test('the life of a request shows an entry that was edited, and a signature that was (A49)', () => {
  const edited = entries.map((entry) => ({
    ...entry,
    body: entry.body?.replace('looks right', 'looks wrong') ?? null,
  }));
  const bad = lifeOf(edited).filter(({ holds, signed }) => !holds || signed?.fault);
  expect(bad).toMatchObject([
    { kind: 'voted', holds: false, signed: { key: null, fault: expect.stringContaining('does not fit') } },
  ]);
});

test('the life of a request shows a signature about something else', () => {
  const other = `sha256:${'0'.repeat(64)}`;
  const moved = entries.map((entry) => {
    const { digest } = JSON.parse(entry.body ?? '{}');
    return { ...entry, body: entry.body?.replaceAll(`"digest":"${digest}"`, `"digest":"${other}"`) ?? null };
  });
  expect(lifeOf(moved)[1]?.signed).toMatchObject({ fault: 'it is about another document' });
});

test('the life of a request says what was erased, and what this version cannot read', () => {
  const [first, second] = entries as [LogEntry, LogEntry];
  const [erased, strange] = lifeOf([
    { ...first, body: null },
    { ...second, body: '{"new":1}' },
  ]);
  expect(erased).toMatchObject({ words: expect.stringContaining('erased'), holds: true, signed: null });
  expect(strange?.words).toContain('{"new":1}');
});
