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
    const votes = [sampleVote()];
    expect(words({ state: 'redeemed', votes })).toBe('approved by carol, no report yet');
    expect(words({ state: 'approved', votes, claimBy: NOW + 200_000 })).toBe(
      'approved by carol, not used yet',
    );
  });

  test('says who approved, and how many where they were several', () => {
    const own = sampleVote({ approver: 'bob' as Name });
    const approved = (votes: Sample['votes'] = []) => words({ state: 'approved', votes });
    expect(approved([own])).toBe('approved by you, not used yet');
    expect(approved([own, sampleVote()])).toBe('approved by 2, not used yet');
    expect(approved()).toBe('approved, not used yet');
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
    const missing = ['1 more person: bob or dave'];
    expect(words({ missing, votes: [sampleVote()] })).toBe('waiting, 1/2 signed');
    expect(
      words({ missing: ['2 more of oncall: ann, bob, carol, dave, erin or 7 more', '1 more of db: dave'] }),
    ).toBe('waiting, 0/3 signed');
    expect(words({ missing: ['1 more of a: x, or else 2 more people: y'], votes: [sampleVote()] })).toBe(
      'waiting, 1 signed',
    );
    expect(words({ missing, votes: [sampleVote({ approver: 'bob' as Name })] })).toBe(
      '1/2 signed, you among them',
    );
    expect(words({ state: 'denied', votes: [sampleVote({ verdict: 'deny' })] })).toBe('denied by carol');
  });
});
