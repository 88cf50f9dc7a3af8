import { expect, test } from 'vitest';
import { prepareOfflineApproval } from '../../src/client/offline-approval.js';
import { parseDocument } from '../../src/protocol/document.js';
import type { Fingerprint, Name } from '../../src/protocol/names.js';

const BOUND = parseDocument({
  version: 1,
  action: 'ssh.login',
  door: 'host:web-1',
  requester: 'alice',
  resource: 'web-1',
  details: { user: 'alice' },
  context: {},
  duration: 3600,
  nonce: '1'.repeat(32),
});
const BY_BOB = {
  approver: 'bob' as Name,
  broker: `SHA256:${'A'.repeat(43)}` as Fingerprint,
  code: null,
  comment: 'by telephone',
  now: Date.parse('2026-03-01T12:00:00.900Z'),
  validity: 900,
};

test('an offline approval is for one ask, once, without work and under no rule of a broker', () => {
  expect(prepareOfflineApproval(BOUND, BY_BOB).split('\n')).toEqual([
    'countersign-decision 1',
    `broker: ${BY_BOB.broker}`,
    'door: host:web-1',
    `request: ${BOUND.digest}`,
    `scope: ${BOUND.scope}`,
    'covers: scope',
    'policy: -',
    'verdict: approve',
    'requester: alice',
    'approver: bob',
    'decided: 2026-03-01T12:00:00Z',
    'not-after: 2026-03-01T12:15:00Z',
    'duration: 0',
    'uses: 1',
    'code: -',
    'comment: "by telephone"',
    '',
  ]);
});

test.each([
  ['for oneself (A8)', { approver: 'alice' as Name }, 'self-approval'],
  ['for more than 15 minutes', { validity: 901 }, 'usage'],
  ['for no time', { validity: 0 }, 'usage'],
  ['with a comment that fits no statement', { comment: 'x'.repeat(1000) }, 'usage'],
])('none is made %s', (_, change, code) => {
  expect(() => prepareOfflineApproval(BOUND, { ...BY_BOB, ...change })).toThrow(
    expect.objectContaining({ code }),
  );
});
