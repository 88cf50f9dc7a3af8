import * as z from 'zod';
import type { LogEntry } from '../../src/protocol/event-log.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseReceipt, parseSignedText } from '../../src/protocol/receipt.js';
import { isFraudComment } from '../../src/protocol/restraints.js';
import { parseReview, parseRevocation } from '../../src/protocol/statements.js';
import type { EpochMs } from '../../src/protocol/time.js';

/** What somebody signed about a request. `alone` is a requester who lets himself in. */
export type Deed = 'approve' | 'deny' | 'fraud' | 'alone' | 'revoke' | 'review';

export interface ReportedDecision {
  readonly at: EpochMs;
  readonly person: string;
  readonly deed: Deed;
  readonly comment: string;
  readonly request: ReportedRequest;
}

/** How a request stands at the end of what was read; `erased` where its entries have lost their bodies. */
export type Fate =
  | 'pending'
  | 'approved'
  | 'active'
  | 'redeemed'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'lapsed'
  | 'revoked'
  | 'erased';

/** By what a request was let pass. */
export type Way = 'signed' | 'grant' | 'automatic' | 'alone';

export interface ReportedRequest {
  readonly id: string;
  readonly askedAt: EpochMs;
  readonly requester: string;
  readonly action: string;
  readonly resource: string;
  readonly door: string;
  /** As the policy calls it; `-` where the entry does not say. */
  readonly rule: string;
  readonly fate: Fate;
  /** Null while nothing has let it pass. */
  readonly way: Way | null;
  /** From the ask until it was approved by people, or denied by one, in ms; null where that never came. */
  readonly waited: number | null;
  /** Whether its door said that it opened. */
  readonly opened: boolean;
}

/** What the log tells of the requests that were asked in a period, and of what became of them. */
export interface Report {
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly requests: readonly ReportedRequest[];
  /** In the order of the log. */
  readonly decisions: readonly ReportedDecision[];
}

type Draft = { -readonly [Field in keyof ReportedRequest]: ReportedRequest[Field] };

/** What entries say of a request, as far as a report needs it; other fields, and other entries, are passed over. */
const submittedBody = z.object({
  document: z.object({
    requester: z.string(),
    action: z.string(),
    resource: z.string(),
    door: z.string(),
  }),
  rule: z.string(),
});
const receiptBody = z.object({ receipt: z.string() });
const statementBody = z.object({ statement: z.string() });
const approvedBody = z.object({
  alone: z.optional(z.boolean()),
  automatic: z.optional(z.boolean()),
  grant: z.optional(z.string()),
});
const reportedBody = z.object({ outcome: z.string() });
const ruleText = z.object({ name: z.string() });

/**
 * Reads entries in the order of the log, from the first of the period on to the end of what there is: what was asked in
 * the period may be decided after it. The entries are taken as they are: `audit verify` says whether they are true.
 */
export class Reporter {
  readonly #since: EpochMs;
  readonly #until: EpochMs;
  readonly #requests = new Map<string, Draft>();
  readonly #decisions: ReportedDecision[] = [];

  /** @param until the first moment that is not part of the period */
  constructor(since: EpochMs, until: EpochMs) {
    this.#since = since;
    this.#until = until;
  }

  /** @throws Problem `storage-failed` for an entry that no broker writes */
  add(entry: LogEntry): void {
    try {
      this.#add(entry);
    } catch (cause) {
      throw new Problem('storage-failed', `entry ${entry.seq} of the log cannot be read`, {
        hint: 'countersign audit verify says what is wrong with this log',
        cause,
      });
    }
  }

  report(): Report {
    return {
      since: this.#since,
      until: this.#until,
      requests: [...this.#requests.values()],
      decisions: this.#decisions,
    };
  }

  #add({ at, kind, request: id, body }: LogEntry): void {
    if (id === null || !kind.startsWith('request.')) return;
    if (kind === 'request.submitted') {
      if (at >= this.#since && at < this.#until) this.#requests.set(id, submitted(id, at, body));
      return;
    }
    const request = this.#requests.get(id);
    if (request === undefined || body === null) return;
    const signed = signedDeed(kind, body);
    if (signed !== null) this.#decisions.push({ at, ...signed, request });
    follow(request, at, kind, body);
  }
}

function submitted(id: string, askedAt: EpochMs, body: string | null): Draft {
  const nothing = { fate: 'pending' as Fate, way: null, waited: null, opened: false };
  const said = body === null ? null : readBody(submittedBody, body);
  if (said === null) {
    const unknown = { requester: '-', action: '-', resource: '-', door: '-', rule: '-' };
    return { id, askedAt, ...unknown, ...nothing, fate: 'erased' };
  }
  const rule = readBody(ruleText, said.rule)?.name ?? '-';
  return { id, askedAt, ...said.document, rule, ...nothing };
}

/** What the entry does to where the request stands. */
function follow(request: Draft, at: EpochMs, kind: string, body: string): void {
  switch (kind) {
    case 'request.approved': {
      request.fate = 'approved';
      request.way = wayOf(body);
      if (request.way === 'signed') request.waited = at - request.askedAt;
      return;
    }
    case 'request.denied':
      if (readBody(receiptBody, body) !== null) request.waited = at - request.askedAt;
      request.fate = 'denied';
      return;
    case 'request.used':
      request.fate = 'active';
      return;
    case 'request.redeemed':
    case 'request.expired':
    case 'request.cancelled':
    case 'request.lapsed':
    case 'request.revoked':
      request.fate = kind.slice('request.'.length) as Fate;
      return;
    case 'request.reported':
      request.opened = readBody(reportedBody, body)?.outcome === 'opened';
      return;
  }
}

function wayOf(body: string): Way {
  const said = readBody(approvedBody, body);
  if (said?.alone === true) return 'alone';
  if (said?.automatic === true) return 'automatic';
  return said?.grant === undefined ? 'signed' : 'grant';
}

interface Signed {
  readonly person: string;
  readonly deed: Deed;
  readonly comment: string;
}

/** What a person signed in this entry; null for what the broker did by itself. */
function signedDeed(kind: string, body: string): Signed | null {
  switch (kind) {
    case 'request.voted':
    case 'request.denied':
    case 'request.alone': {
      const said = readBody(receiptBody, body);
      return said === null ? null : decisionIn(said.receipt, kind === 'request.alone');
    }
    case 'request.revoked':
    case 'request.reviewed': {
      const said = readBody(statementBody, body);
      if (said === null) return null;
      const isReview = kind === 'request.reviewed';
      const { statement } = parseSignedText(said.statement);
      const { approver, comment } = isReview ? parseReview(statement) : parseRevocation(statement);
      return { person: approver, deed: isReview ? 'review' : 'revoke', comment };
    }
    default:
      return null;
  }
}

function decisionIn(receipt: string, isAlone: boolean): Signed {
  const { approver, verdict, comment } = parseReceipt(receipt).decision;
  const isFraud = verdict === 'deny' && isFraudComment(comment);
  return { person: approver, deed: isAlone ? 'alone' : isFraud ? 'fraud' : verdict, comment };
}

/** Null for a body that does not say it. */
function readBody<Said>(schema: z.ZodType<Said>, text: string): Said | null {
  const read = schema.safeParse(JSON.parse(text));
  return read.success ? read.data : null;
}
