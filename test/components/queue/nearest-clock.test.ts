import { expect, test } from 'vitest';
import { nearestClock } from '../../../components/queue/nearest-clock.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { NOW, sampleRequest, sampleVote } from '../sample-requests.js';

const answerBy = NOW + 180_000;
const claimBy = NOW + 500_000;
const grant = sampleVote({ covers: 'scope', duration: 3600, uses: 0 });

test.each<[string, Partial<RequestView>, number | null]>([
  ['the time to answer', { answerBy }, answerBy],
  [
    'a signature that ends before',
    { answerBy, votes: [sampleVote({ notAfter: NOW + 90_000 })] },
    NOW + 90_000,
  ],
  ['a signature that ends later', { answerBy, votes: [sampleVote()] }, answerBy],
  [
    'a no, which is none of those',
    { answerBy, votes: [sampleVote({ verdict: 'deny', notAfter: NOW })] },
    answerBy,
  ],
  ['the time to use an approval', { state: 'approved', claimBy }, claimBy],
  ['the end of a grant', { state: 'active', redeemedAt: NOW, claimBy, votes: [grant] }, NOW + 3_600_000],
  ['nothing, once it is over', { state: 'denied', claimBy }, null],
])('the nearest clock is %s', (_what, given, expected) => {
  expect(nearestClock(sampleRequest(given))).toBe(expected);
});
