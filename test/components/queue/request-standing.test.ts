import { describe, expect, test } from 'vitest';
import { standingOf } from '../../../components/queue/request-standing.js';
import type { Name } from '../../../src/protocol/names.js';
import { OUTCOMES, REQUEST_STATES } from '../../../src/protocol/request-view.js';
import { NOW, opened, type Sample, sampleRequest, sampleVote } from '../sample-requests.js';

const stands = (given: Sample) => standingOf(sampleRequest(given), 'bob', NOW);
const words = (given: Sample): string => stands(given).words;

describe('how a request stands', () => {
  test('is green only when the door itself reported that it opened (A50)', () => {
    expect(stands(opened)).toEqual({ symbol: '✓', words: 'opened', tone: 'good' });
    for (const state of REQUEST_STATES) {
      for (const outcome of [null, ...OUTCOMES]) {
        const report = outcome === null ? null : { outcome, code: null, at: NOW };
        const isGreen = stands({ state, report }).tone === 'good';
        expect(isGreen, `${state} ${outcome}`).toBe(
          outcome === 'opened' && ['redeemed', 'approved', 'active'].includes(state),
        );
      }
    }
  });

  test('says that an approval without a report is no opening (A50)', () => {
    expect(words({ state: 'redeemed' })).toBe('approved, door has not reported');
    expect(words({ state: 'approved', claimBy: NOW + 200_000 })).toBe('approved, not used yet, 3m 20s');
  });

  test('is never a success where the door only watches (A50)', () => {
    expect(words({ state: 'redeemed', report: { outcome: 'observed', code: null, at: NOW } })).toContain(
      'observed only',
    );
  });

  test('names the reason of a door that refused', () => {
    expect(words({ state: 'redeemed', report: { outcome: 'refused', code: 'spent', at: NOW } })).toBe(
      'door refused (spent)',
    );
  });

  test('says aloud that a door opened what was not approved, or what was revoked', () => {
    const report = { outcome: 'opened', code: null, at: NOW } as const;
    expect(stands({ state: 'denied', report })).toMatchObject({
      words: 'opened, not approved',
      tone: 'danger',
    });
    expect(stands({ state: 'revoked', report })).toMatchObject({
      words: 'opened, then revoked',
      tone: 'danger',
    });
  });

  test('tells whoever decided on a canary how he did, and the others only that it was one (A33)', () => {
    const votes = (verdict: 'approve' | 'deny') => [sampleVote({ approver: 'bob' as Name, verdict })];
    const canary = { state: 'denied', canary: NOW } as const;
    expect(words({ ...canary, votes: votes('deny') })).toBe('a canary: you caught it');
    expect(words({ ...canary, state: 'cancelled', votes: votes('approve') })).toBe(
      'a canary: you approved it',
    );
    expect(words(canary)).toBe('a canary, asked to see who reads');
  });

  test('tells whether anybody waits, and what is mine', () => {
    expect(words({})).toBe('waiting');
    expect(words({ waiting: 0 })).toBe('nobody waiting');
    expect(words({ document: { requester: 'bob' } })).toBe('your own ask');
    expect(words({ votes: [sampleVote()] })).toBe('waiting, 1 signed');
    expect(words({ votes: [sampleVote({ approver: 'bob' as Name })] })).toBe('you signed, others must too');
    expect(words({ state: 'denied', votes: [sampleVote({ verdict: 'deny' })] })).toBe('denied by carol');
  });
});
