import * as z from 'zod';
import type { ExportLine } from '../../src/protocol/audit-export.js';
import type { ChainHead, LogEntry } from '../../src/protocol/event-log.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { NewEvent } from '../requests/request.js';
import { BrokerKeyReplay } from './broker-key-replay.js';
import { ErasureReplay, isErasable } from './erasure-replay.js';
import { type Finding, finding } from './finding.js';
import { type HeadOptions, HeadReplay, type KnownHead } from './head-replay.js';
import { LogChain } from './log-chain.js';
import type { Moment, SignedKind } from './replayed-request.js';
import { RequestReplay } from './request-replay.js';
import { RosterReplay } from './roster-replay.js';

export interface VerificationOptions extends HeadOptions {
  /** Whether a log that ends before a kept head is told of, and not found bad: its end was cut on purpose. */
  readonly mayEnd: boolean;
}

/** Something that could not be checked, how often, and the first entry where. */
export interface Unchecked {
  readonly what: string;
  readonly count: number;
  readonly first: number;
}

/** What was verified, as far as it went. */
export interface Verified {
  readonly entries: number;
  /** The newest entry that was read; before the first one where there was none. */
  readonly head: ChainHead;
  readonly heads: number;
  /** The newest head by a key that the reader knows, or by any where he knows none. */
  readonly attested: KnownHead | null;
  readonly signatures: Readonly<Record<SignedKind, number>>;
  /** Changes of people, submitters or policy that nobody approved, as the log itself says. */
  readonly unapproved: readonly number[];
  /** Entries at which the log goes on from a back-up. */
  readonly restored: readonly number[];
  readonly unchecked: readonly Unchecked[];
}

const anyBody = z.record(z.string(), z.unknown());

/** Kinds that change nothing which people signed for, and nobody who may sign. */
const WITHOUT_EFFECT: readonly NewEvent['kind'][] = [
  'request.watched',
  'request.reported',
  'requester.muted',
  'hold.placed',
  'hold.lifted',
  'restore.acknowledged',
  'outbox.retried',
  'outbox.dropped',
];

/** A broker signs its log once a minute: so much later than the newest head, in ms, something kept it from that. */
const HEAD_LATE = 5 * 60_000;

/** Codes that may come of what stands before the beginning of a log that is not whole. */
const BEFORE_THE_BEGINNING = [
  'unknown-key',
  'roster-unknown',
  'roster-conflict',
  'wrong-principal',
  'not-an-approver',
  'no-quorum',
  'request-ended',
  'no-receipt',
  'forbidden',
  'change-outdated',
];

/**
 * Verifies a log, line after line, in one pass: each entry follows the one before, each head fits, and everything that
 * people signed holds against the roster as it stood there. To be fed until it finds something, then no more. Pure: it
 * keeps what the replay needs, and reads nothing.
 */
export class Verification {
  readonly #options: VerificationOptions;
  readonly #keys: BrokerKeyReplay;
  readonly #roster = new RosterReplay();
  readonly #requests = new RequestReplay(this.#roster);
  readonly #erasures = new ErasureReplay();
  readonly #chain: LogChain;
  readonly #heads: HeadReplay;
  readonly #unchecked = new Map<string, { count: number; first: number }>();
  readonly #signatures: Record<SignedKind, number> = {
    decision: 0,
    'break-glass': 0,
    revocation: 0,
    review: 0,
    canary: 0,
    unlocking: 0,
    roster: 0,
    handover: 0,
  };
  readonly #unapproved: number[] = [];
  #entries = 0;
  /** Of the newest entry, by the broker's clock. */
  #at: EpochMs = 0;

  constructor(options: VerificationOptions) {
    this.#options = options;
    this.#keys = new BrokerKeyReplay(options.pinned);
    this.#chain = new LogChain(options);
    this.#heads = new HeadReplay(options, this.#keys);
  }

  get verified(): Verified {
    return {
      entries: this.#entries,
      head: this.#chain.head,
      heads: this.#heads.count,
      attested: this.#heads.attested,
      signatures: this.#signatures,
      unapproved: this.#unapproved,
      restored: this.#heads.restored,
      unchecked: [...this.#unchecked].map(([what, { count, first }]) => ({ what, count, first })),
    };
  }

  /** Something stands there that is no line of an export. */
  malformed(): Finding {
    return finding('malformed', this.#chain.expected, 'its line is no line of an export');
  }

  line(line: ExportLine): Finding | null {
    return line.kind === 'entry' ? this.#entry(line.entry) : this.#heads.head(line.text, this.#chain.head);
  }

  /** To be called after the last line. `isCut`: the last line has no end. */
  end(isCut = false): Finding | null {
    if (isCut) return finding('truncated', this.#chain.expected, 'its line was cut off');
    const { kept, mayEnd, pinned, isSelection } = this.#options;
    const { unnamed } = this.#erasures;
    if (unnamed !== null) {
      return finding(
        'body-gone',
        unnamed,
        'its body is gone, and no entry says that it was erased in its time',
      );
    }
    const { beyond, attested } = this.#heads;
    const { seq } = this.#chain.head;
    if (beyond !== null && !isSelection && beyond.seq > seq) {
      const why = `this machine kept a head of entry ${kept.at(-1)?.seq}, signed ${formatTime(kept.at(-1)?.signed ?? 0)}`;
      if (!mayEnd) return finding('truncated', seq + 1, why);
      this.#note(`the entries after ${seq}: ${why}`, seq + 1);
    }
    if (attested !== null && this.#at - attested.signed > HEAD_LATE) {
      const since = formatTime(attested.signed);
      this.#note(`entries after the newest head, signed ${since}: they could be made anew`, attested.seq + 1);
    }
    if (pinned.length > 0 && attested === null && !isSelection) {
      return finding('unknown-key', Math.max(seq, 1), `no head here is signed by ${pinned.join(' or ')}`, 1);
    }
    return null;
  }

  #entry(entry: LogEntry): Finding | null {
    const broken = this.#chain.take(entry);
    if (broken !== null) return broken;
    this.#entries += 1;
    if (entry.at < this.#at) this.#note('when things happened: the clock of the broker went back', entry.seq);
    this.#at = entry.at;
    const forked = this.#heads.entry(entry);
    if (forked !== null) return forked;
    if (entry.body === null) return this.#erased(entry);
    if (isErasable(entry) && this.#erasures.has(entry.request ?? '')) {
      this.#note('entries of requests that were erased in part', entry.seq);
      return null;
    }
    try {
      this.#replay(entry, anyBody.parse(JSON.parse(entry.body)) as JsonObject);
      return null;
    } catch (error) {
      return this.#judge(entry, error);
    }
  }

  #erased(entry: LogEntry): Finding | null {
    const { seq, kind } = entry;
    if (!isErasable(entry)) return finding('body-gone', seq, `the body of ${kind} is never erased`);
    this.#erasures.take(entry);
    if (kind === 'requester.locked') this.#requests.forgetLocks();
    this.#note('bodies that were erased after their time', seq);
    return null;
  }

  #replay(entry: LogEntry, body: JsonObject): void {
    const { seq, at, kind, request } = entry;
    const moment: Moment = {
      at,
      request,
      brokers: (time) => this.#keys.namesAt(time),
      witness: {
        unchecked: (what) => this.#note(what, seq),
        verified: (what) => {
          this.#signatures[what] += 1;
        },
      },
      isErased: (id) => this.#erasures.has(id),
    };
    if (this.#requests.step(kind, body, moment)) return;
    switch (kind) {
      case 'roster.changed':
      case 'submitters.changed': {
        const isErased = this.#erasures.has(String(body.request));
        if (isErased) this.#note('what people approved of changes whose requests were erased', seq);
        const approved = isErased ? 'erased' : this.#requests.takeChange(body.request);
        if (this.#roster.changed(kind, body, entry, approved)) this.#unapproved.push(seq);
        return;
      }
      case 'policy.loaded':
        if (body.without === 'approval') this.#unapproved.push(seq);
        return;
      case 'roster.signed':
        this.#roster.signed(body, moment);
        return;
      case 'broker.key':
        this.#keys.changed(body);
        if (body.handover !== null) this.#signatures.handover += 1;
        return;
      case 'store.created':
        this.#heads.begins(body);
        return;
      case 'store.restored':
        this.#heads.goesOn(body, entry);
        return;
      case 'history.erased':
        this.#erasures.named(body, at);
        return;
      default:
        if ((WITHOUT_EFFECT as readonly string[]).includes(kind)) return;
        this.#note('entries of kinds that this version does not know', seq);
        return;
    }
  }

  #judge({ seq, kind, digest }: LogEntry, error: unknown): Finding | null {
    if (error instanceof z.ZodError || error instanceof SyntaxError) {
      return finding('invalid', seq, `it has not the form of ${kind}`);
    }
    if (!(error instanceof Problem)) throw error;
    const { isSelection, after } = this.#options;
    if ((isSelection || after > 0) && BEFORE_THE_BEGINNING.includes(error.code)) {
      this.#note('what depends on entries that are not here', seq);
      return null;
    }
    if (digest === null && error.code === 'forbidden') {
      this.#note('who allowed changes, which entries of an older version do not tell', seq);
      return null;
    }
    return finding(
      error.code === 'unknown-key' && kind === 'broker.key' ? 'unknown-key' : 'invalid',
      seq,
      `${kind}: ${error.message}`,
    );
  }

  #note(what: string, seq: number): void {
    const known = this.#unchecked.get(what);
    if (known === undefined) this.#unchecked.set(what, { count: 1, first: seq });
    else known.count += 1;
  }
}
