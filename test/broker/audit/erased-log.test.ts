import { describe, expect, test } from 'vitest';
import { Verification } from '../../../broker/audit/verification.js';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import { appendEntry, GENESIS, type LogEntry } from '../../../src/protocol/event-log.js';
import { formatTime } from '../../../src/protocol/time.js';

const NOON = Date.parse('2026-01-31T12:00:00Z');
const DAY = 86_400_000;
const ID = '01KG9PWMV00000000000000001';
const LATER = '01KG9PWMV00000000000000002';

/** A log in which two entries of one request have lost their bodies, and what it says of that. */
function logWith(said: {
  readonly ids: readonly string[];
  readonly through: number;
  readonly before: number;
}): LogEntry[] {
  const entries: LogEntry[] = [];
  const append = (entry: Pick<LogEntry, 'at' | 'kind' | 'request'>, body: object) => {
    const whole = canonicalJson(JSON.parse(JSON.stringify(body)));
    entries.push(appendEntry(entries.at(-1) ?? GENESIS, { ...entry, body: whole }));
  };
  append({ at: NOON, kind: 'store.created', request: null }, { epoch: '0'.repeat(32) });
  append({ at: NOON, kind: 'request.submitted', request: ID }, {});
  append({ at: NOON + DAY, kind: 'request.denied', request: ID }, {});
  const { ids, through, before } = said;
  append(
    { at: NOON + 40 * DAY, kind: 'history.erased', request: null },
    { ids, through, before: formatTime(before) },
  );
  return entries.map((entry) => (entry.request === null ? entry : { ...entry, body: null }));
}

function verify(entries: readonly LogEntry[]) {
  const verification = new Verification({
    after: 0,
    isSelection: false,
    pinned: [],
    kept: [],
    mayEnd: false,
  });
  for (const entry of entries) {
    const found = verification.line({ kind: 'entry', entry });
    if (found !== null) return found;
  }
  return verification.end();
}

describe('a log of which something was erased (A49)', () => {
  test('is good where it says so', () => {
    expect(verify(logWith({ ids: [ID], through: 3, before: NOON + 10 * DAY }))).toBeNull();
  });

  test.each([
    ['names another request', { ids: [LATER], through: 3, before: NOON + 10 * DAY }],
    ['names fewer entries', { ids: [ID], through: 2, before: NOON + 10 * DAY }],
    ['speaks of what is older', { ids: [ID], through: 3, before: NOON + DAY }],
    ['says that it went after less than 30 days', { ids: [ID], through: 3, before: NOON + 10 * DAY + 1000 }],
  ])('is bad from the first such entry on where it %s', (_how, said) => {
    expect(verify(logWith(said))).toMatchObject({ seq: 2, fault: 'body-gone' });
  });
});

test.each(['null', '5', '"x"', '[]'])('a body %s is the first bad entry, whatever its kind (A49)', (body) => {
  for (const kind of [
    'roster.changed',
    'submitters.changed',
    'policy.loaded',
    'request.submitted',
    'other',
  ]) {
    expect(verify([appendEntry(GENESIS, { at: NOON, kind, request: null, body })]), kind).toMatchObject({
      seq: 1,
      fault: 'invalid',
    });
  }
});
