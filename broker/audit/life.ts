import * as z from 'zod';
import { holds, type LogEntry } from '../../src/protocol/event-log.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipt, parseSignedText } from '../../src/protocol/receipt.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { coverWords } from '../../src/protocol/rule-words.js';
import { parseCanary, parseReview, parseRevocation, parseSubmit } from '../../src/protocol/statements.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { type Namespace, verifySignature } from '../../src/ssh/signature.js';

/** A signed text that stands in an entry. */
export interface SignedWord {
  /** Statement and armor. */
  readonly text: string;
  /** Of the key that made the signature; null where it does not hold. */
  readonly key: Fingerprint | null;
  /** Why it does not hold, or is about something else; null where it is good. */
  readonly fault: string | null;
}

/** One entry of the life of a request, for a reader. */
export interface LifeEntry {
  readonly seq: number;
  readonly at: EpochMs;
  /** Without `request.`. */
  readonly kind: string;
  /** In words; what others wrote is in them as it is. */
  readonly words: string;
  readonly signed: SignedWord | null;
  /** Whether the entry holds by itself: its hash is over its fields, and its body has its digest. */
  readonly holds: boolean;
}

const text = z.string();
/** What is told of the entries of a life. */
const BODIES = {
  'request.submitted': z.object({
    submitter: text,
    vouched: z.nullable(text),
    digest: text,
    rule: text,
    answerBy: text,
    document: z.object({ requester: text, action: text, resource: text, door: text }),
  }),
  'request.voted': z.object({ digest: text, receipt: text }),
  'request.alone': z.object({ digest: text, receipt: text, opensAt: text }),
  'request.approved': z.object({
    claimBy: text,
    alone: z.optional(z.boolean()),
    automatic: z.optional(z.boolean()),
    grant: z.optional(text),
  }),
  'request.denied': z.object({ digest: text, because: text, receipt: z.optional(text) }),
  'request.revoked': z.object({ digest: text, because: text, statement: z.optional(text) }),
  'request.reviewed': z.object({ digest: text, approver: text, statement: text, done: z.boolean() }),
  'request.canary': z.object({ digest: text, statement: text }),
  'request.used': z.object({ by: text, uses: z.int() }),
  'request.reported': z.object({ outcome: text, code: z.nullable(text) }),
  'request.reconsidered': z.object({ dropped: z.array(text), missing: z.array(text) }),
  'request.commented': z.object({ approver: text, text }),
  'request.escalated': z.object({ approver: text }),
  ended: z.object({ because: text }),
};
const ruleText = z.object({ name: text });

/**
 * Reads the entries of one request. Each is looked at by itself, and each signature against the text that it stands under:
 * whether the log around them is true, and whose keys these were, takes the whole log (verification.ts).
 */
export const lifeOf = (entries: readonly LogEntry[]): readonly LifeEntry[] => entries.map(lived);

function lived(entry: LogEntry): LifeEntry {
  const { seq, at, kind, body } = entry;
  const about = { seq, at, kind: kind.replace(/^request\./, ''), holds: holds(entry) };
  if (body === null) return { ...about, words: 'erased: it was kept long enough', signed: null };
  try {
    return { ...about, ...said(kind, body) };
  } catch {
    return { ...about, words: `not in a form that this version reads: ${body}`, signed: null };
  }
}

type Said = Pick<LifeEntry, 'words' | 'signed'>;

function said(kind: string, body: string): Said {
  const value: unknown = JSON.parse(body);
  switch (kind) {
    case 'request.submitted': {
      const { submitter, vouched, digest, rule, answerBy, document } = BODIES[kind].parse(value);
      const { requester, action, resource, door } = document;
      const named = ruleText.safeParse(JSON.parse(rule)).data?.name ?? 'unknown';
      return {
        words: `${submitter} asks for ${requester}: ${action} on ${resource}, opened by ${door}; rule ${named}; answer by ${answerBy}`,
        signed: vouched === null ? null : signedSubmit(vouched, digest),
      };
    }
    case 'request.voted':
      return { ...decided(BODIES[kind].parse(value)) };
    case 'request.alone': {
      const alone = BODIES[kind].parse(value);
      const { words, signed } = decided(alone);
      return { words: `${words}; alone, from ${alone.opensAt} on`, signed };
    }
    case 'request.denied': {
      const { digest, because, receipt } = BODIES[kind].parse(value);
      return receipt === undefined ? { words: because, signed: null } : decided({ digest, receipt });
    }
    case 'request.approved':
      return { words: approved(BODIES[kind].parse(value)), signed: null };
    case 'request.revoked': {
      const { digest, because, statement } = BODIES[kind].parse(value);
      if (statement === undefined) return { words: because, signed: null };
      return { words: because, signed: signedWord(statement, 'revoke@countersign', revokes(digest)) };
    }
    case 'request.reviewed': {
      const { digest, approver, statement, done } = BODIES[kind].parse(value);
      return {
        words: `${approver} looked at it${done ? ', the last whose look was needed' : ''}`,
        signed: signedWord(statement, 'review@countersign', reviews(digest)),
      };
    }
    case 'request.canary': {
      const { digest, statement } = BODIES[kind].parse(value);
      return {
        words: 'its submitter reveals that it was a canary',
        signed: signedWord(statement, 'canary@countersign', reveals(digest)),
      };
    }
    case 'request.used': {
      const { by, uses } = BODIES[kind].parse(value);
      return { words: `use ${uses} of the grant, by ${by}`, signed: null };
    }
    case 'request.redeemed':
      return { words: ended(value, 'a door took the approval'), signed: null };
    case 'request.watched':
      return { words: 'the door watches, to end what it opened once this is revoked', signed: null };
    case 'request.reported': {
      const { outcome, code } = BODIES[kind].parse(value);
      return { words: `the door says: ${outcome}${code === null ? '' : ` (${code})`}`, signed: null };
    }
    case 'request.reconsidered': {
      const { missing } = BODIES[kind].parse(value);
      return { words: `counted anew: ${missing.join('; ') || 'nothing is missing'}`, signed: null };
    }
    case 'request.commented': {
      const comment = BODIES[kind].parse(value);
      return { words: `${comment.approver} says to the other approvers: ${comment.text}`, signed: null };
    }
    case 'request.escalated':
      return {
        words: `${BODIES[kind].parse(value).approver} has everybody rung who could sign`,
        signed: null,
      };
    case 'request.expired':
    case 'request.cancelled':
    case 'request.lapsed':
      return { words: ended(value, ''), signed: null };
    default:
      return { words: body, signed: null };
  }
}

const ended = (value: unknown, otherwise: string): string =>
  BODIES.ended.safeParse(value).data?.because ?? otherwise;

function approved(said: z.output<(typeof BODIES)['request.approved']>): string {
  const by = `; to be used by ${said.claimBy}`;
  if (said.alone === true) return `nobody said no in time: its requester is let in alone${by}`;
  if (said.automatic === true) return `by its rule, which asks for nobody${by}`;
  return said.grant === undefined ? `the rule is met${by}` : `under the grant ${said.grant}${by}`;
}

function decided({ digest, receipt }: { readonly digest: string; readonly receipt: string }): Said {
  const { decision } = parseReceipt(receipt);
  const { approver, verdict, comment, notAfter } = decision;
  const isFraud = verdict === 'deny' && isFraudComment(comment);
  const yes = `yes, for ${coverWords(decision)}, until ${formatTime(notAfter)}`;
  const words = `${approver} says ${verdict === 'approve' ? yes : isFraud ? 'no, and calls it a fraud' : 'no'}`;
  return {
    words: comment === '' ? words : `${words}: ${comment}`,
    signed: signedWord(receipt, 'decision@countersign', () => decision.request === digest),
  };
}

const signedSubmit = (vouched: string, digest: string): SignedWord =>
  signedWord(vouched, 'submit@countersign', (statement) => parseSubmit(statement).request === digest);
const revokes = (digest: string) => (statement: string) => parseRevocation(statement).request === digest;
const reveals = (digest: string) => (statement: string) => parseCanary(statement).request === digest;
const reviews = (digest: string) => (statement: string) => parseReview(statement).request === digest;

/** @param isAbout whether the statement is about the request in whose life it stands */
function signedWord(
  signed: string,
  namespace: Namespace,
  isAbout: (statement: string) => boolean,
): SignedWord {
  try {
    const { statement, armor } = parseSignedText(signed);
    const { key } = verifySignature(statement, armor, namespace);
    const fault = isAbout(statement) ? null : 'it is about another document';
    return { text: signed, key: key.fingerprint, fault };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { text: signed, key: null, fault: error.message };
  }
}
