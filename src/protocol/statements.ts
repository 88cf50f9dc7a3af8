import { type CanarySecret, isCanarySecret } from './canary.js';
import type { Digest, Fingerprint, Name, Nonce } from './names.js';
import { Problem } from './problems.js';
import {
  choiceLine,
  commentLine,
  countLine,
  digestLine,
  fingerprintLine,
  formatStatement,
  nameLine,
  nonceLine,
  optionalDigestLine,
  optionalTextLine,
  parseStatement,
  type StatementForm,
  textLine,
  timeLine,
} from './statement.js';
import type { EpochMs } from './time.js';

/** One approver's yes or no to one request; signed with namespace `decision@countersign`. */
export interface Decision {
  readonly broker: Fingerprint;
  readonly door: Name;
  /** Digest of the document. */
  readonly request: Digest;
  readonly scope: Digest;
  /** `request` opens that one document; `scope` is a grant for every equal ask. */
  readonly covers: 'request' | 'scope';
  /** Digest of the rule text in force, null for none (offline). */
  readonly policy: Digest | null;
  readonly verdict: 'approve' | 'deny';
  readonly requester: Name;
  readonly approver: Name;
  /** By the signer's clock. */
  readonly decided: EpochMs;
  /** First use must lie before this. */
  readonly notAfter: EpochMs;
  /** Seconds of work, from first use; 0 for none. */
  readonly duration: number;
  /** 1 with `covers: request`; 0 is any number, only for a grant with a duration. */
  readonly uses: number;
  /** The six digits that the requester read out, null where no door demanded them. */
  readonly code: string | null;
  readonly comment: string;
}

const DECISION: StatementForm<Decision> = {
  title: 'countersign-decision 1',
  lines: {
    broker: fingerprintLine('broker'),
    door: nameLine('door'),
    request: digestLine('request'),
    scope: digestLine('scope'),
    covers: choiceLine('covers', 'request', 'scope'),
    policy: optionalDigestLine('policy'),
    verdict: choiceLine('verdict', 'approve', 'deny'),
    requester: nameLine('requester'),
    approver: nameLine('approver'),
    decided: timeLine('decided'),
    notAfter: timeLine('not-after'),
    duration: countLine('duration'),
    uses: countLine('uses'),
    code: optionalTextLine('code', /^\d{6}$/),
    comment: commentLine('comment'),
  },
};

/** Lines of a decision statement, the first included. */
export const DECISION_LINES = 16;

export const formatDecision = (decision: Decision): string => formatStatement(DECISION, decision);

/** @throws Problem `malformed-statement`, also where `uses` contradicts `covers` and `duration`. */
export function parseDecision(text: string): Decision {
  const decision = parseStatement(DECISION, text);
  if (decision.covers === 'request' && decision.uses !== 1) {
    throw new Problem('malformed-statement', 'not a statement: covers: request goes with uses: 1');
  }
  if (decision.uses === 0 && decision.duration === 0) {
    throw new Problem('malformed-statement', 'not a statement: uses: 0 needs a duration');
  }
  return decision;
}

/** Opens a session for an approver; signed with `session@countersign`. */
export interface SessionStatement {
  readonly broker: Fingerprint;
  readonly approver: Name;
  /** The 256 random bits that the broker offered, 64 hex digits. */
  readonly challenge: string;
  readonly issued: EpochMs;
  readonly expires: EpochMs;
}

const SESSION: StatementForm<SessionStatement> = {
  title: 'countersign-session 1',
  lines: {
    broker: fingerprintLine('broker'),
    approver: nameLine('approver'),
    challenge: textLine('challenge', /^[0-9a-f]{64}$/),
    issued: timeLine('issued'),
    expires: timeLine('expires'),
  },
};

export const formatSession = (session: SessionStatement): string => formatStatement(SESSION, session);
/** @throws Problem `malformed-statement` */
export const parseSession = (text: string): SessionStatement => parseStatement(SESSION, text);

/** A submitter vouches for one document, once; signed with `submit@countersign`. Good for ±60 s around `issued`. */
export interface SubmitStatement {
  readonly broker: Fingerprint;
  readonly submitter: Name;
  readonly request: Digest;
  /** Fresh for each call. */
  readonly nonce: Nonce;
  readonly issued: EpochMs;
}

const SUBMIT: StatementForm<SubmitStatement> = {
  title: 'countersign-submit 1',
  lines: {
    broker: fingerprintLine('broker'),
    submitter: nameLine('submitter'),
    request: digestLine('request'),
    nonce: nonceLine('nonce'),
    issued: timeLine('issued'),
  },
};

export const formatSubmit = (submit: SubmitStatement): string => formatStatement(SUBMIT, submit);
/** @throws Problem `malformed-statement` */
export const parseSubmit = (text: string): SubmitStatement => parseStatement(SUBMIT, text);

/** Lifts lock and mutes of a requester; signed with `unlock@countersign`. Good for ±60 s around `issued`, and once. */
export interface Unlocking {
  readonly broker: Fingerprint;
  /** A NAME or alias of the roster, or an account that is nobody's. */
  readonly requester: Name;
  readonly approver: Name;
  readonly issued: EpochMs;
  readonly comment: string;
}

const UNLOCKING: StatementForm<Unlocking> = {
  title: 'countersign-unlock 1',
  lines: {
    broker: fingerprintLine('broker'),
    requester: nameLine('requester'),
    approver: nameLine('approver'),
    issued: timeLine('issued'),
    comment: commentLine('comment'),
  },
};

export const formatUnlocking = (unlocking: Unlocking): string => formatStatement(UNLOCKING, unlocking);
/** @throws Problem `malformed-statement` */
export const parseUnlocking = (text: string): Unlocking => parseStatement(UNLOCKING, text);

/** Takes an approval back; signed with `revoke@countersign`. */
export interface Revocation {
  readonly broker: Fingerprint;
  readonly request: Digest;
  readonly scope: Digest;
  readonly approver: Name;
  readonly issued: EpochMs;
  readonly comment: string;
}

const REVOCATION: StatementForm<Revocation> = {
  title: 'countersign-revoke 1',
  lines: {
    broker: fingerprintLine('broker'),
    request: digestLine('request'),
    scope: digestLine('scope'),
    approver: nameLine('approver'),
    issued: timeLine('issued'),
    comment: commentLine('comment'),
  },
};

export const formatRevocation = (revocation: Revocation): string => formatStatement(REVOCATION, revocation);
/** @throws Problem `malformed-statement` */
export const parseRevocation = (text: string): Revocation => parseStatement(REVOCATION, text);

/** The signers file `next` may follow `old` at a door; signed with `roster@countersign` by the people of `old`. */
export interface RosterStatement {
  readonly broker: Fingerprint;
  /** At least 1; doors take only higher ones than the last. */
  readonly serial: number;
  /** SHA-256 of the bytes of the file in force: the first one of a door is installed by hand. */
  readonly old: Digest;
  /** SHA-256 of the bytes of the file that takes its place. */
  readonly next: Digest;
  /** From then on a door does not take it any more. */
  readonly validUntil: EpochMs;
  readonly approver: Name;
  readonly issued: EpochMs;
  readonly comment: string;
}

const ROSTER: StatementForm<RosterStatement> = {
  title: 'countersign-roster 1',
  lines: {
    broker: fingerprintLine('broker'),
    serial: countLine('serial'),
    old: digestLine('old'),
    next: digestLine('new'),
    validUntil: timeLine('valid-until'),
    approver: nameLine('approver'),
    issued: timeLine('issued'),
    comment: commentLine('comment'),
  },
};

export const formatRoster = (roster: RosterStatement): string => formatStatement(ROSTER, roster);
/** @throws Problem `malformed-statement` */
export const parseRoster = (text: string): RosterStatement => parseStatement(ROSTER, text);
/** Says that somebody looked at what was opened by its requester alone; signed with `review@countersign`. */
export type ReviewStatement = Revocation;

const REVIEW: StatementForm<ReviewStatement> = { ...REVOCATION, title: 'countersign-review 1' };

export const formatReview = (review: ReviewStatement): string => formatStatement(REVIEW, review);
/** @throws Problem `malformed-statement` */
export const parseReview = (text: string): ReviewStatement => parseStatement(REVIEW, text);

/** A submitter says that a request of its own was a canary; signed with `canary@countersign`. */
export interface CanaryStatement {
  readonly broker: Fingerprint;
  readonly submitter: Name;
  readonly request: Digest;
  /** What its nonce was made of. */
  readonly secret: CanarySecret;
  readonly issued: EpochMs;
}

const CANARY: StatementForm<CanaryStatement> = {
  title: 'countersign-canary 1',
  lines: {
    broker: fingerprintLine('broker'),
    submitter: nameLine('submitter'),
    request: digestLine('request'),
    secret: {
      name: 'secret',
      format: (secret) => secret,
      parse: (text) => (isCanarySecret(text) ? text : undefined),
    },
    issued: timeLine('issued'),
  },
};

export const formatCanary = (canary: CanaryStatement): string => formatStatement(CANARY, canary);
/** @throws Problem `malformed-statement` */
export const parseCanary = (text: string): CanaryStatement => parseStatement(CANARY, text);

/** A broker's former key names the next one; signed by the former key with `broker@countersign`. */
export interface KeyHandover {
  readonly old: Fingerprint;
  /** TYPE BASE64 */
  readonly next: string;
  readonly issued: EpochMs;
  /** Until then the broker goes by the old key too, and this statement counts. */
  readonly oldValidUntil: EpochMs;
}

const KEY_HANDOVER: StatementForm<KeyHandover> = {
  title: 'countersign-broker-key 1',
  lines: {
    old: fingerprintLine('old'),
    next: textLine('new', /^[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{1,4096}={0,2}$/),
    issued: timeLine('issued'),
    oldValidUntil: timeLine('old-valid-until'),
  },
};

export const formatKeyHandover = (handover: KeyHandover): string => formatStatement(KEY_HANDOVER, handover);
/** @throws Problem `malformed-statement` */
export const parseKeyHandover = (text: string): KeyHandover => parseStatement(KEY_HANDOVER, text);
