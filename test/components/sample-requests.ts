import { ONE_OTHER_PERSON } from '../../broker/policy/one-other-person.js';
import { sha256Digest } from '../../src/protocol/canonical.js';
import { parseDocument, type RequestDocument } from '../../src/protocol/document.js';
import type { Fingerprint, Name, RequestId } from '../../src/protocol/names.js';
import type { RequestView, VoteView } from '../../src/protocol/request-view.js';
import { pinRule, type Rule } from '../../src/protocol/rule.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** 2026-01-31T23:00:00Z, the hour at which all samples are looked at. */
export const NOW: EpochMs = Date.parse('2026-01-31T23:00:00Z');
export const BROKER = 'SHA256:qJ3xW8mN0aTzKf5uYh2LrP7vCdE9sGbXoI4tMwRk1eQ' as Fingerprint;
export const RULE = ONE_OTHER_PERSON.text;

/** The text of the same rule with something else in it. */
export function sampleRule(change: Partial<Rule>): string {
  const { text: _text, digest: _digest, ...rule } = ONE_OTHER_PERSON;
  return pinRule({ ...rule, ...change }).text;
}

const ULID_DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A well-formed request id: the n-th of a run. */
export function sampleId(n: number): RequestId {
  let rest = n;
  let tail = '';
  for (let at = 0; at < 10; at += 1) {
    tail = ULID_DIGITS[rest % 32] + tail;
    rest = Math.floor(rest / 32);
  }
  return `01KG8J0PX0ABCDEF${tail}` as RequestId;
}

export interface Sample extends Partial<Omit<RequestView, 'document'>> {
  readonly n?: number;
  /** How long ago it was asked, in seconds. */
  readonly age?: number;
  readonly document?: Partial<Record<keyof RequestDocument, JsonValue>>;
}

/** A request as a broker shows it: a login of alice on web-1 unless told otherwise, with digests that agree. */
export function sampleRequest({ n = 1, age = 120, document, ...given }: Sample = {}): RequestView {
  const bound = parseDocument({
    action: 'ssh.login',
    context: { reason: 'INC-4312 restart nginx' },
    details: { service: 'sshd', source: '203.0.113.9', user: 'alice' },
    door: 'host:web-1.example.com',
    duration: 0,
    nonce: n.toString(16).padStart(32, '5'),
    requester: 'alice',
    resource: 'web-1.example.com',
    version: 1,
    ...document,
  });
  const submittedAt = NOW - age * 1000;
  return {
    id: sampleId(n),
    digest: bound.digest,
    scope: bound.scope,
    document: bound.document,
    submitter: 'web-1' as Name,
    vouched: null,
    verified: null,
    rule: RULE,
    policy: sha256Digest(given.rule ?? RULE),
    submittedAt,
    ring: null,
    answerBy: submittedAt + 300_000,
    state: 'pending',
    claimBy: null,
    waiting: 1,
    votes: [],
    alone: null,
    missing: ['1 more person: bob, carol or dave'],
    redeemedAt: null,
    grant: null,
    uses: 0,
    comments: [],
    escalated: null,
    watchedAt: null,
    report: null,
    canary: null,
    endedAt: null,
    endedBy: null,
    ...given,
  };
}

/** A vote of carol, 20 s before now. */
export function sampleVote(given: Partial<VoteView> = {}): VoteView {
  return {
    approver: 'carol' as Name,
    verdict: 'approve',
    decided: NOW - 20_000,
    notAfter: NOW + 600_000,
    covers: 'request',
    duration: 0,
    uses: 1,
    comment: 'seen the ticket',
    receipt: '',
    ...given,
  };
}

/** What a door's report of opening makes of a request. */
export const opened: Partial<RequestView> = {
  state: 'redeemed',
  missing: [],
  redeemedAt: NOW - 60_000,
  endedAt: NOW - 60_000,
  endedBy: 'redeemed by the door',
  report: { outcome: 'opened', code: null, at: NOW - 59_000 },
};
