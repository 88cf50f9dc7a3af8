import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Report, Reporter } from '../../../broker/audit/report.js';
import { figuresOf, grouped, peopleOf, waitsOf } from '../../../broker/audit/report-figures.js';
import { tableOf } from '../../../broker/audit/report-tables.js';
import { eventsReply, type LogEntry } from '../../../src/protocol/event-log.js';
import { NOON, newClaim, TestBroker } from '../test-broker.js';

/**
 * Noon: alice asks; bob says yes after 30 s, her door opens. A minute later she asks twice: carol says no to one after
 * 90 s, nobody answers the other. Then bob calls an ask of hers a fraud.
 */
let broker: TestBroker;
let entries: readonly LogEntry[];

beforeAll(async () => {
  broker = await TestBroker.start({ mutingDenials: 9 });
  const first = broker.document();
  const claim = newClaim();
  const asked = await broker.submit(first);
  broker.pass(30);
  await broker.approve(asked.json.id, 'bob');
  const watch = { token: asked.json.watch };
  await broker.call('POST', `/v1/requests/${asked.json.id}/redeem`, { ...watch, body: { claim } });
  await broker.call('POST', `/v1/requests/${asked.json.id}/reports`, {
    ...watch,
    body: { claim, outcome: 'opened' },
  });
  broker.pass(60);
  const denied = broker.document({ resource: 'web-2' });
  const { json } = await broker.submit(denied);
  await broker.submit(broker.document({ resource: 'web-3' }));
  broker.pass(90);
  await broker.decide(
    json.id,
    denied,
    { verdict: 'deny', approver: 'carol' as never, comment: '=HYPERLINK("x")' },
    broker.keys.carol,
  );
  broker.pass(3600);
  const fraud = broker.document({ resource: 'web-4' });
  const last = await broker.submit(fraud);
  broker.pass(5);
  await broker.decide(last.json.id, fraud, { verdict: 'deny', comment: 'fraud: not me' });
  const reply = await broker.call('GET', '/v1/events', { token: await broker.signIn() });
  entries = eventsReply.parse(reply.json).events;
});
afterAll(() => broker.stop());

function reportOf(since = NOON, until = NOON + 86_400_000, log = entries): Report {
  const reporter = new Reporter(since, until);
  for (const entry of log) reporter.add(entry);
  return reporter.report();
}

describe('a report', () => {
  test('tells who approved what, after how long, and what became of it', () => {
    const { decisions } = reportOf();
    expect(
      decisions.map(({ at, person, deed, request: { resource, askedAt, fate, opened } }) => ({
        person,
        deed,
        resource,
        waited: at - askedAt,
        fate,
        opened,
      })),
    ).toEqual([
      { person: 'bob', deed: 'approve', resource: 'web-1', waited: 30_000, fate: 'redeemed', opened: true },
      { person: 'carol', deed: 'deny', resource: 'web-2', waited: 90_000, fate: 'denied', opened: false },
      { person: 'bob', deed: 'fraud', resource: 'web-4', waited: 5_000, fate: 'denied', opened: false },
    ]);
  });

  test('counts what became of everything that was asked', () => {
    expect(figuresOf(reportOf().requests)).toMatchObject({
      asked: 4,
      approved: 1,
      denied: 2,
      expired: 1,
      opened: 1,
      alone: 0,
      waits: { median: 30_000, p90: 90_000, longest: 90_000 },
    });
  });

  test('counts people by what they signed, and requesters by what they asked', () => {
    expect(peopleOf(reportOf()).map(({ person, asked, deeds }) => ({ person, asked, ...deeds }))).toEqual([
      { person: 'bob', asked: 0, approve: 1, deny: 0, fraud: 1, alone: 0, revoke: 0, review: 0 },
      { person: 'carol', asked: 0, approve: 0, deny: 1, fraud: 0, alone: 0, revoke: 0, review: 0 },
      { person: 'alice', asked: 4, approve: 0, deny: 0, fraud: 0, alone: 0, revoke: 0, review: 0 },
    ]);
  });

  test('takes what was asked in the period, with what was decided after it', () => {
    const { requests, decisions } = reportOf(NOON + 1, NOON + 91_000);
    expect(requests.map(({ resource }) => resource)).toEqual(['web-2', 'web-3']);
    expect(decisions.map(({ person }) => person)).toEqual(['carol']);
    expect(reportOf(NOON, NOON).requests).toEqual([]);
  });

  test('counts what was erased as that, and does not guess', () => {
    const erased = entries.map((entry) =>
      entry.request === reportOf().requests[0]?.id ? { ...entry, body: null } : entry,
    );
    const { requests, decisions } = reportOf(NOON, NOON + 86_400_000, erased);
    expect(figuresOf(requests)).toMatchObject({ asked: 4, erased: 1, approved: 0 });
    expect(decisions).toHaveLength(2);
  });

  test('names an entry that no broker has written', () => {
    const [bad] = entries.filter(({ kind }) => kind === 'request.voted');
    expect(() =>
      reportOf(NOON, NOON + 86_400_000, [...entries, { ...(bad as LogEntry), body: '{' }]),
    ).toThrow(`entry ${bad?.seq} of the log cannot be read`);
  });
});

describe('the tables of a report', () => {
  test('have a cell for each column, whatever they are laid out by', () => {
    const report = reportOf();
    for (const view of ['decision', 'request', 'person', 'rule', 'door', 'resource', 'requester'] as const) {
      const { head, rows } = tableOf(report, view);
      expect(rows.length, view).toBeGreaterThan(0);
      for (const row of rows) expect(row, view).toHaveLength(head.length);
    }
  });

  test('say of a decision all that an auditor asks for', () => {
    const [, row] = tableOf(reportOf(), 'decision').rows;
    expect(row?.slice(0, 10)).toEqual([
      '2026-01-31T12:03:00Z',
      'carol',
      'deny',
      'alice',
      'ssh.login',
      'web-2',
      'host:web-1',
      expect.any(String),
      '90',
      'denied',
    ]);
  });

  test('gather requests by what they have in common, the most asked first', () => {
    expect(grouped(reportOf().requests, ({ requester }) => requester)).toMatchObject([
      { key: 'alice', figures: { asked: 4 } },
    ]);
    expect(grouped(reportOf().requests, ({ resource }) => resource).map(({ key }) => key)).toEqual([
      'web-1',
      'web-2',
      'web-3',
      'web-4',
    ]);
  });
});

describe('waiting times', () => {
  test('are by nearest rank, so that each of them was waited by somebody', () => {
    expect(waitsOf([])).toBeNull();
    expect(waitsOf([7])).toEqual({ median: 7, p90: 7, longest: 7 });
    expect(waitsOf([10, 1, 3, 2, 4, 5, 6, 7, 8, 9])).toEqual({ median: 5, p90: 9, longest: 10 });
  });
});
