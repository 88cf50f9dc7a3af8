import { MAX_DURATION_SECONDS } from '../../src/protocol/document.js';
import type { Digest, Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type PinnedRule, parseRule, pinRule } from '../../src/protocol/rule.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { ONE_OTHER_PERSON } from '../policy/one-other-person.js';
import type { Request } from '../requests/request.js';

/** Longest time between the check of a signature and the commit of its entry, in ms. */
export const COMMIT_DELAY = 10_000;

/** For requests whose rule this version cannot read: forbids nothing. Their quorum is not checked. */
export const UNKNOWN_RULE = pinRule({
  ...withoutText(ONE_OTHER_PERSON),
  longestValidity: 86_400,
  grants: { uses: 0 },
  work: { default: 0, longest: MAX_DURATION_SECONDS },
});

/** What must be known of a request that has ended: what is still signed about it. */
export interface EndedRequest {
  readonly digest: Digest;
  readonly scope: Digest;
  readonly rule: PinnedRule;
  readonly votes: readonly { readonly approver: Name }[];
  readonly opener: Name | null;
  readonly requester: Name;
  readonly state: 'redeemed' | 'ended';
}

/** A request about which anything can still happen, as it stands after the entries so far. */
export interface LiveRequest {
  readonly request: Request;
  readonly rule: PinnedRule;
  readonly isRuleKnown: boolean;
}

/** What is told of an entry beside whether it is good. */
export interface Witness {
  /** Something that the log alone cannot show. */
  unchecked(what: string): void;
  /** A signature that holds. */
  verified(what: SignedKind): void;
}
export type SignedKind =
  | 'decision'
  | 'break-glass'
  | 'revocation'
  | 'review'
  | 'canary'
  | 'unlocking'
  | 'roster'
  | 'handover';

/** The entry under examination. */
export interface Moment {
  readonly at: EpochMs;
  readonly request: string | null;
  /** What a statement may call the broker; null where the log does not say. */
  readonly brokers: (at: EpochMs) => readonly Fingerprint[] | null;
  readonly witness: Witness;
  /** Whether entries of a request have lost their text before this one. */
  readonly isErased: (id: string) => boolean;
}

/** What is kept of a request that has ended. */
export function compact({ request, rule }: LiveRequest, state: EndedRequest['state']): EndedRequest {
  const { digest, scope, votes, alone, document } = request;
  return {
    digest,
    scope,
    rule,
    state,
    requester: document.requester,
    votes: votes.map(({ approver }) => ({ approver })),
    opener: alone?.opened ? alone.vote.approver : null,
  };
}

/** Null for a rule of another version. */
export function readRule(text: string): PinnedRule | null {
  try {
    return parseRule(text);
  } catch (error) {
    if (error instanceof Problem) return null;
    throw error;
  }
}

function withoutText({ text: _text, digest: _digest, ...rule }: PinnedRule) {
  return rule;
}
