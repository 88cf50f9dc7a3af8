import { describe, expect, test } from 'vitest';
import type { OutgoingMessage } from '../../../broker/outbox/sender.js';
import type { Request } from '../../../broker/requests/request.js';
import { eventBody } from '../../../broker/webhooks/event-body.js';
import { EVENT_KINDS, summaryOf } from '../../../broker/webhooks/summary.js';
import { canonicalJson, sha256Digest } from '../../../src/protocol/canonical.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { Fingerprint, RequestId } from '../../../src/protocol/names.js';
import type { JsonObject } from '../../../src/protocol/strict-json.js';
import { NOON } from '../test-broker.js';

const BROKER = `SHA256:${'a'.repeat(43)}` as Fingerprint;
const ID = '01K9ZJ4M2Q8W5R7T0V3X6Y1B2C' as RequestId;
const bound = parseDocument({
  action: 'sudo.run',
  context: { reason: 'INC-4312: *look* at <https://evil.example|this>, @channel' },
  details: { argv: ['ls', '-l'], umlaut: 'ü' },
  door: 'host:db-2.example.com',
  duration: 0,
  nonce: '0'.repeat(32),
  requester: 'alice',
  resource: 'db-2.example.com',
  version: 1,
});
const subject = { ...bound, id: ID } as Request;
const message = (change: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  key: 'f00d-7',
  epoch: 'f00d',
  seq: 7,
  at: NOON,
  kind: 'request.denied',
  request: ID,
  body: canonicalJson({ because: 'denied by bob', digest: bound.digest, id: ID }),
  subject,
  attempt: 1,
  ...change,
});

describe('what is sent of an event', () => {
  test('is all of it, the document as it is signed', () => {
    const text = eventBody(message(), BROKER);
    expect(JSON.parse(text)).toEqual({
      type: 'request.denied',
      timestamp: '2026-01-31T12:00:00Z',
      data: {
        broker: BROKER,
        epoch: 'f00d',
        seq: 7,
        summary: 'Denied: sudo⟨.⟩run on db-2⟨.⟩example⟨.⟩com for alice: denied by bob',
        request: ID,
        event: { because: 'denied by bob', digest: bound.digest, id: ID },
        document: bound.document,
      },
    });
    const [, document = ''] = /"document":(.*)\}\}$/.exec(text) ?? [];
    expect(sha256Digest(document)).toBe(bound.digest);
  });

  test('has null for what there is not, or not any more', () => {
    const { data } = JSON.parse(
      eventBody(message({ kind: 'roster.changed', request: null, subject: null, body: null }), BROKER),
    );
    expect(data).toMatchObject({ summary: 'People changed', request: null, event: null, document: null });
  });
});

describe('a summary', () => {
  const summary = (kind: string, body: JsonObject = {}, about: Request | null = subject): string =>
    summaryOf(kind, body, about);

  test('A38: says who asks for what, and nothing of the reason can be more than text', () => {
    expect(summary('request.submitted')).toBe(
      'Asked: sudo⟨.⟩run on db-2⟨.⟩example⟨.⟩com for alice: INC-4312: ⟨U+002A⟩look⟨U+002A⟩ at ⟨U+003C⟩https⟨:⟩⟨/⟩⟨/⟩evil⟨.⟩example⟨U+007C⟩this⟨U+003E⟩, ⟨@⟩channel',
    );
  });

  test.each([
    ['request.voted', { approver: 'bob' }, 'Signed yes by bob: sudo⟨.⟩run on '],
    ['request.reported', { outcome: 'refused', code: 'no-quorum' }, ' for alice: refused, no-quorum'],
    [
      'request.commented',
      { approver: 'bob', text: '*wait* @all' },
      ' for alice: ⟨U+002A⟩wait⟨U+002A⟩ ⟨@⟩all',
    ],
    ['request.escalated', { approver: 'bob' }, 'Everybody rung by bob: sudo⟨.⟩run on '],
    ['request.kind-of-tomorrow', {}, 'Event request⟨.⟩kind-of-tomorrow: sudo'],
  ])('of %s has what its body tells', (kind, body, part) => {
    expect(summary(kind, body as JsonObject)).toContain(part);
  });

  test('of what is about no request names whom it is about', () => {
    expect(summary('requester.muted', { requester: 'alice', resource: 'x' }, null)).toBe(
      'Muted after denials: alice',
    );
    expect(summary('outbox.dropped', { by: 'bob', events: [4], sink: 'webhook:siem' }, null)).toBe(
      'Dead letters dropped by bob: webhook⟨:⟩siem',
    );
  });

  test('begins with a word of ours, whatever the event', () => {
    for (const kind of [...EVENT_KINDS, 'x']) expect(summary(kind)).toMatch(/^[A-Z][a-z]*\b/);
  });

  test('is short, however long everything is', () => {
    const long = parseDocument({
      ...bound.document,
      resource: '.'.repeat(1024),
      context: { reason: '*'.repeat(9000) },
    });
    expect([...summary('request.submitted', {}, { ...subject, ...long })].length).toBeLessThan(800);
  });
});
