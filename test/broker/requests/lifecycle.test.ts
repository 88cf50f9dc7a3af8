import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { ONE_OTHER_PERSON } from '../../../broker/policy/one-other-person.js';
import {
  approved,
  denied,
  detached,
  endedProblem,
  IDLE_GRACE,
  joined,
  nextDeadline,
  overdue,
  redeemed,
  reported,
  revoked,
  submitted,
  withdrawn,
} from '../../../broker/requests/lifecycle.js';
import type { Request, Vote } from '../../../broker/requests/request.js';
import { type Step, voided } from '../../../broker/requests/step.js';
import { statusOnWire, viewOnWire } from '../../../broker/requests/view.js';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import type { RequestId } from '../../../src/protocol/names.js';
import type { ProblemCode } from '../../../src/protocol/problems.js';
import {
  REQUEST_STATES,
  type RequestState,
  requestStatusSchema,
  requestViewSchema,
} from '../../../src/protocol/request-view.js';
import { codeOf } from '../../ssh/problem.js';
import { bind, claim, NOON, name } from './world.js';

const rule = ONE_OTHER_PERSON;
const vote = (approver: string, verdict: Vote['verdict'] = 'approve'): Vote => ({
  approver: name(approver),
  verdict,
  decided: NOON,
  notAfter: NOON + 900_000,
  covers: 'request',
  duration: 0,
  uses: 1,
  comment: 'a "comment"\n',
  receipt: `receipt of ${approver}`,
});
const yes = () => ({ satisfied: true, missing: [], dropped: [], counted: {} });
const notYet = () => ({ satisfied: false, missing: ['one more'], dropped: [], counted: {} });

const born = submitted(
  {
    id: '01KG9Z8QW5D3M7X1R2T4V6B8NC' as RequestId,
    bound: bind(),
    signers: null,
    submitter: name('host:web-1'),
    vouched: 'statement',
    verified: null,
    validated: null,
    rule,
    missing: ['one approval'],
  },
  NOON,
);
const approvedStep = approved(born.request, vote('bob'), rule, yes, NOON);
const redeemedStep = redeemed(approvedStep.request, claim('a'), NOON) as Step;
const forScope = (approver: string, duration = 3600, uses = 0): Vote => ({
  ...vote(approver),
  covers: 'scope',
  duration,
  uses,
});
const given = approved(born.request, forScope('bob'), rule, yes, NOON).request;
const active = (redeemed(given, claim('a'), NOON) as Step).request;
const A_WEEK = NOON + 7 * 24 * 3_600_000;

/** A request in each state, reached the only way there is. */
const standing: Readonly<Record<RequestState, Request>> = {
  pending: born.request,
  approved: approvedStep.request,
  active,
  redeemed: redeemedStep.request,
  denied: denied(born.request, vote('bob', 'deny'), NOON).request,
  expired: (overdue(born.request, A_WEEK) as Step).request,
  cancelled: withdrawn(born.request, NOON).request,
  lapsed: (overdue(approvedStep.request, A_WEEK) as Step).request,
  revoked: revoked(approvedStep.request, name('bob'), 'statement', NOON).request,
};

const outcomeOf = (step: () => Step | null): RequestState | ProblemCode | 'unchanged' => {
  let state: RequestState | 'unchanged' = 'unchanged';
  const code = codeOf(() => {
    state = step()?.request.state ?? 'unchanged';
  });
  return code ?? state;
};

test('an approval says in the log whose votes were counted, and in which groups they were', () => {
  const counted = { bob: { oncall: 'roster' } };
  const step = approved(born.request, vote('bob'), rule, () => ({ ...yes(), counted }), NOON);
  expect(step.events.at(-1)).toMatchObject({ kind: 'request.approved', body: { counted } });
});

/** What each step makes of a request in each state: the whole of design §4. */
const TABLE: Readonly<
  Record<string, [(request: Request) => Step | null, Readonly<Record<RequestState, string>>]>
> = {
  approve: [
    (request) => approved(request, vote('bob'), rule, yes, NOON),
    { ...all('request-ended'), pending: 'approved' },
  ],
  'approve, more needed': [
    (request) => approved(request, vote('bob'), rule, notYet, NOON),
    { ...all('request-ended'), pending: 'pending' },
  ],
  deny: [
    (request) => denied(request, vote('bob', 'deny'), NOON),
    { ...all('request-ended'), pending: 'denied' },
  ],
  redeem: [
    (request) => redeemed(request, claim('a'), NOON),
    {
      ...ends(),
      pending: 'request-ended',
      approved: 'redeemed',
      active: 'unchanged',
      redeemed: 'unchanged',
    },
  ],
  'redeem with another claim': [
    (request) => redeemed(request, claim('b'), NOON),
    { ...ends(), pending: 'request-ended', approved: 'redeemed', active: 'spent', redeemed: 'spent' },
  ],
  'report opened': [
    (request) => reported(request, { claim: claim('a'), outcome: 'opened', code: null }, NOON),
    { ...all('not-redeemed'), active: 'active', redeemed: 'redeemed' },
  ],
  'report opened with another claim': [
    (request) => reported(request, { claim: claim('b'), outcome: 'opened', code: null }, NOON),
    all('not-redeemed'),
  ],
  'report refused': [
    (request) => reported(request, { claim: claim('a'), outcome: 'refused', code: 'quorum' }, NOON),
    { ...all('not-redeemed'), active: 'active', redeemed: 'redeemed' },
  ],
  'report observed': [
    (request) => reported(request, { claim: claim('a'), outcome: 'observed', code: null }, NOON),
    { ...all('request-ended'), pending: 'cancelled' },
  ],
  withdraw: [(request) => withdrawn(request, NOON), { ...all('request-ended'), pending: 'cancelled' }],
  revoke: [
    (request) => revoked(request, name('bob'), 'statement', NOON),
    { ...all('nothing-to-revoke'), approved: 'revoked', active: 'revoked' },
  ],
  'revoke, a door waits to hear of it': [
    (request) => revoked(request, name('bob'), 'statement', NOON, true),
    { ...all('nothing-to-revoke'), approved: 'revoked', active: 'revoked', redeemed: 'revoked' },
  ],
  'a week': [
    (request) => overdue(request, A_WEEK),
    { ...all('unchanged'), pending: 'expired', approved: 'lapsed', active: 'redeemed' },
  ],
  join: [joined, same()],
  detach: [(request) => detached(request, NOON), same()],
};

function all(outcome: string): Record<RequestState, string> {
  return Object.fromEntries(REQUEST_STATES.map((state) => [state, outcome])) as Record<RequestState, string>;
}
function same(): Record<RequestState, string> {
  return Object.fromEntries(REQUEST_STATES.map((state) => [state, state])) as Record<RequestState, string>;
}
/** The problem of an ended request is named after its end. */
function ends(): Record<RequestState, string> {
  return same();
}

describe.each(Object.entries(TABLE))('%s', (_title, [step, expected]) => {
  test.each(REQUEST_STATES)('of a request that is %s', (state) => {
    expect(outcomeOf(() => step(standing[state]))).toBe(expected[state]);
  });
});

describe('each state', () => {
  test.each(REQUEST_STATES)('%s was reached, and goes over the wire and back', (state) => {
    const request = standing[state];
    expect(request.state).toBe(state);
    const view = z.decode(requestViewSchema, JSON.parse(JSON.stringify(viewOnWire(request, null))));
    expect(view).toMatchObject({
      id: request.id,
      digest: request.digest,
      scope: request.scope,
      state,
      policy: rule.digest,
      waiting: request.askers,
      claimBy: request.claimBy,
      endedAt: request.endedAt,
      endedBy: request.endedBy,
      votes: request.votes,
    });
    expect(canonicalJson({ ...view.document })).toBe(request.canonical);
    expect(view).toMatchObject(
      z.decode(requestStatusSchema, JSON.parse(JSON.stringify(statusOnWire(request)))),
    );
    // What only the door may know stays with the broker.
    expect(JSON.stringify(viewOnWire({ ...request, claim: claim('c') }, null))).not.toContain(claim('c'));
  });

  test.each(REQUEST_STATES)('%s: has an end if and only if nothing can happen any more', (state) => {
    const { endedAt, endedBy, missing } = standing[state];
    const isLive = ['pending', 'approved', 'active'].includes(state);
    expect([endedAt === null, endedBy === null]).toEqual([isLive, isLive]);
    expect(nextDeadline(standing[state]) === null).toBe(!isLive);
    if (!isLive) expect(missing).toEqual([]);
  });

  test.each(REQUEST_STATES)('%s: an asker is told by a problem', (state) => {
    const names: Partial<Record<RequestState, ProblemCode>> = {
      pending: 'request-ended',
      approved: 'request-ended',
      active: 'spent',
      redeemed: 'spent',
    };
    expect(endedProblem(standing[state]).code).toBe(names[state] ?? state);
  });
});

describe('the log', () => {
  test('the first entry says all that was asked, so that it can be checked without the broker', () => {
    const [event] = born.events;
    expect(born.events).toHaveLength(1);
    expect(event).toMatchObject({ kind: 'request.submitted', at: NOON });
    expect(event?.body).toMatchObject({
      digest: born.request.digest,
      scope: born.request.scope,
      submitter: 'host:web-1',
      vouched: 'statement',
      rule: rule.text,
      policy: rule.digest,
      answerBy: '2026-01-31T12:05:00Z',
    });
    expect(canonicalJson(event?.body.document ?? null)).toBe(born.request.canonical);
  });

  test('every decision stands there with its receipt', () => {
    const first = approved(born.request, vote('bob'), rule, notYet, NOON);
    expect(first.events.map(({ kind, body }) => [kind, body.receipt])).toEqual([
      ['request.voted', 'receipt of bob'],
    ]);
    expect(approvedStep.events.map(({ kind }) => kind)).toEqual(['request.voted', 'request.approved']);
    const deny = denied(born.request, vote('bob', 'deny'), NOON);
    expect(deny.events[0]?.body).toMatchObject({ because: 'denied by bob', receipt: 'receipt of bob' });
    const revoke = revoked(standing.approved, name('carol'), 'the statement', NOON);
    expect(revoke.events[0]?.body).toMatchObject({ because: 'revoked by carol', statement: 'the statement' });
  });

  test('the claim, with which the receipts can be fetched, does not', () => {
    expect(JSON.stringify(redeemedStep.events)).not.toContain(claim('a'));
    const report = reported(standing.redeemed, { claim: claim('a'), outcome: 'opened', code: null }, NOON);
    expect(JSON.stringify(report?.events)).not.toContain(claim('a'));
  });

  test('who waits changes nothing that is asked, and is not in it', () => {
    expect([...joined(born.request).events, ...detached(born.request, NOON).events]).toEqual([]);
  });

  test('every entry names the request, and has a canonical form', () => {
    const steps = [born, approvedStep, redeemedStep, voided(standing.approved, [name('bob')], NOON)];
    for (const { events } of steps)
      for (const { body } of events) {
        expect(body).toMatchObject({ id: born.request.id, digest: born.request.digest });
        expect(() => canonicalJson(body)).not.toThrow();
      }
  });
});

describe('the three clocks', () => {
  test('answer-by: to the millisecond', () => {
    expect(born.request.answerBy).toBe(NOON + 300_000);
    expect(overdue(born.request, NOON + 299_999)).toBe(null);
    expect(overdue(born.request, NOON + 300_000)?.request.state).toBe('expired');
    for (const step of [
      () => approved(born.request, vote('bob'), rule, yes, NOON + 300_000),
      () => denied(born.request, vote('bob', 'deny'), NOON + 300_000),
      () => withdrawn(born.request, NOON + 300_000),
      () => reported(born.request, { claim: claim('a'), outcome: 'observed', code: null }, NOON + 300_000),
    ])
      expect(codeOf(step)).toBe('request-ended');
  });

  test('claim-by: the rule or the earliest not-after, whichever is earlier', () => {
    const early = { ...vote('carol'), notAfter: NOON + 100_000 };
    const first = approved(born.request, early, rule, notYet, NOON).request;
    const both = approved(first, vote('bob'), rule, yes, NOON + 1000).request;
    expect(both.claimBy).toBe(NOON + 100_000);
    expect(standing.approved.claimBy).toBe(NOON + 600_000);
    expect(overdue(both, NOON + 99_999)).toBe(null);
    expect(overdue(both, NOON + 100_000)?.request.state).toBe('lapsed');
  });

  test('nobody waits: a minute, which a joiner stops', () => {
    const alone = detached(born.request, NOON + 1000).request;
    expect([alone.askers, alone.idleSince, nextDeadline(alone)]).toEqual([
      0,
      NOON + 1000,
      NOON + 1000 + IDLE_GRACE,
    ]);
    expect(overdue(alone, NOON + 1000 + IDLE_GRACE - 1)).toBe(null);
    expect(overdue(alone, NOON + 1000 + IDLE_GRACE)?.request.state).toBe('cancelled');
    const again = joined(alone).request;
    expect([again.askers, again.idleSince, nextDeadline(again)]).toEqual([1, null, NOON + 300_000]);
  });

  test('answer-by comes first where it is earlier', () => {
    const alone = detached(born.request, NOON + 290_000).request;
    expect(nextDeadline(alone)).toBe(NOON + 300_000);
    expect(overdue(alone, NOON + 400_000)?.request.state).toBe('expired');
  });

  test('an approval stops waiting for askers, and a decision is kept when they go', () => {
    const alone = detached(born.request, NOON).request;
    const granted = approved(alone, vote('bob'), rule, yes, NOON + 1000).request;
    expect([granted.idleSince, nextDeadline(granted)]).toEqual([null, NOON + 1000 + 600_000]);
    expect(detached(standing.approved, NOON).request).toMatchObject({ state: 'approved', idleSince: null });
  });

  test('there are never fewer than no askers', () => {
    expect(detached(detached(born.request, NOON).request, NOON).request.askers).toBe(0);
  });
});

describe('the same again changes nothing', () => {
  test('a report', () => {
    const said = { claim: claim('a'), outcome: 'refused', code: 'quorum' } as const;
    const after = (reported(standing.redeemed, said, NOON) as Step).request;
    expect(reported(after, said, NOON + 1000)).toBe(null);
    for (const other of [
      { ...said, code: null },
      { ...said, outcome: 'opened' as const },
      { ...said, claim: claim('b') },
      { ...said, outcome: 'observed' as const },
    ])
      expect(codeOf(() => reported(after, other, NOON))).toBe('already-reported');
  });

  test('a vote of the same person is another vote, and refused', () => {
    const first = approved(born.request, vote('bob'), rule, notYet, NOON).request;
    expect(codeOf(() => approved(first, { ...vote('bob'), receipt: 'another' }, rule, yes, NOON))).toBe(
      'already-voted',
    );
    expect(denied(first, vote('bob', 'deny'), NOON).request.state).toBe('denied');
  });
});

test('a step makes a new request and leaves the old one as it was', () => {
  const frozen = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
    Object.values(Object.freeze(value)).forEach(frozen);
  };
  for (const state of REQUEST_STATES) frozen(standing[state]);
  for (const [step] of Object.values(TABLE))
    for (const state of REQUEST_STATES) expect(() => outcomeOf(() => step(standing[state]))).not.toThrow();
});
