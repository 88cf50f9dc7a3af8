import * as z from 'zod';
import type { ExportLine } from '../../src/protocol/audit-export.js';
import type { AuditHead } from '../../src/protocol/audit-head.js';
import { type ChainHead, GENESIS, hashBody, hashEntry, type LogEntry } from '../../src/protocol/event-log.js';
import { LEAST_RETENTION } from '../../src/protocol/hold-messages.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import { time } from '../../src/protocol/request-view.js';
import { parseRoster } from '../../src/protocol/statements.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { verifyAuditHead } from '../../src/ssh/audit-head.js';
import { verifySignature } from '../../src/ssh/signature.js';
import type { NewEvent } from '../requests/request.js';
import { checkBroker, checkSigner } from '../requests/verification.js';
import { BrokerKeyReplay } from './broker-key-replay.js';
import { type Finding, finding } from './finding.js';
import type { Moment, SignedKind } from './replayed-request.js';
import { RequestReplay } from './request-replay.js';
import { RosterReplay } from './roster-replay.js';

/** A head that the reader kept from before. */
export type KnownHead = Pick<AuditHead, 'epoch' | 'seq' | 'hash' | 'signed'>;

export interface VerificationOptions {
  /** The entries begin after this number: 0 for the whole log. */
  readonly after: number;
  /** Whether entries are left out: then each is looked at by itself. */
  readonly isSelection: boolean;
  /** The keys by which the reader knows the broker; none where he knows none. */
  readonly pinned: readonly Fingerprint[];
  /** In the order of their numbers. */
  readonly kept: readonly KnownHead[];
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

/** Kinds of which the bodies may go. */
const ERASABLE = /^request(?:er)?\./;

const restoredBody = z.object({
  epoch: z.string(),
  backup: z.object({ epoch: z.string(), seq: z.int(), hash: z.string() }),
});
/** The entries of one request whose bodies are gone. */
interface Gone {
  readonly first: number;
  readonly last: number;
  /** When the newest of them was written, which need not be the last. */
  readonly newest: EpochMs;
}

const anyBody = z.record(z.string(), z.unknown());
const epochBody = z.object({ epoch: z.string() });
const erasedBody = z.object({ ids: z.array(z.string()), through: z.int(), before: time });
const rosterSignedBody = z.object({
  serial: z.int(),
  old: z.string(),
  new: z.string(),
  approver: z.string(),
  statement: z.string(),
});

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
  readonly #restored: number[] = [];
  /** Requests of which a body is gone, until an entry names them. */
  readonly #gone = new Map<string, Gone>();
  #last: ChainHead | null;
  #entries = 0;
  #heads = 0;
  /** Of the newest entry, by the broker's clock. */
  #at: EpochMs = 0;
  #epoch: string | null = null;
  #attested: KnownHead | null = null;
  /** The last entry that a head in the log agreed with, and the last that a kept one did. */
  #agreed: number;
  #agreedKept: number;
  /** The next of the kept heads. */
  #nextKept = 0;

  constructor(options: VerificationOptions) {
    this.#options = options;
    this.#keys = new BrokerKeyReplay(options.pinned);
    this.#last = options.after === 0 ? GENESIS : null;
    this.#agreed = options.after;
    this.#agreedKept = options.after;
  }

  get verified(): Verified {
    return {
      entries: this.#entries,
      head: this.#last ?? { seq: this.#options.after, hash: '' },
      heads: this.#heads,
      attested: this.#attested,
      signatures: this.#signatures,
      unapproved: this.#unapproved,
      restored: this.#restored,
      unchecked: [...this.#unchecked].map(([what, { count, first }]) => ({ what, count, first })),
    };
  }

  /** Something stands there that is no line of an export. */
  malformed(): Finding {
    return finding('malformed', this.#expected, 'its line is no line of an export');
  }

  line(line: ExportLine): Finding | null {
    return line.kind === 'entry' ? this.#entry(line.entry) : this.#head(line.text);
  }

  /** To be called after the last line. `isCut`: the last line has no end. */
  end(isCut = false): Finding | null {
    if (isCut) return finding('truncated', this.#expected, 'its line was cut off');
    const { kept, mayEnd, pinned, isSelection } = this.#options;
    const [gone] = [...this.#gone.values()].map(({ first }) => first).sort((a, b) => a - b);
    if (gone !== undefined) {
      return finding('body-gone', gone, 'its body is gone, and no entry says that it was erased in its time');
    }
    const beyond = kept[this.#nextKept];
    const { seq } = this.verified.head;
    if (beyond !== undefined && !isSelection && beyond.seq > seq) {
      const why = `this machine kept a head of entry ${kept.at(-1)?.seq}, signed ${formatTime(kept.at(-1)?.signed ?? 0)}`;
      if (!mayEnd) return finding('truncated', seq + 1, why);
      this.#note(`the entries after ${seq}: ${why}`, seq + 1);
    }
    if (this.#attested !== null && this.#at - this.#attested.signed > HEAD_LATE) {
      const since = formatTime(this.#attested.signed);
      this.#note(
        `entries after the newest head, signed ${since}: they could be made anew`,
        this.#attested.seq + 1,
      );
    }
    if (pinned.length > 0 && this.#attested === null && !isSelection) {
      return finding('unknown-key', Math.max(seq, 1), `no head here is signed by ${pinned.join(' or ')}`, 1);
    }
    return null;
  }

  get #expected(): number {
    return (this.#last?.seq ?? this.#options.after) + 1;
  }

  #entry(entry: LogEntry): Finding | null {
    const broken = this.#chain(entry);
    if (broken !== null) return broken;
    this.#last = { seq: entry.seq, hash: entry.hash };
    this.#entries += 1;
    if (entry.at < this.#at) this.#note('when things happened: the clock of the broker went back', entry.seq);
    this.#at = entry.at;
    const forked = this.#keptAt(entry);
    if (forked !== null) return forked;
    if (entry.body === null) return this.#erased(entry);
    if (ERASABLE.test(entry.kind) && this.#gone.has(entry.request ?? '')) {
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

  #chain(entry: LogEntry): Finding | null {
    const { seq, previous, hash, digest, body } = entry;
    const expected = this.#expected;
    if (this.#options.isSelection ? seq < expected : seq !== expected) {
      return finding('missing', expected, `entry ${seq} stands where ${expected} should`);
    }
    if (!this.#options.isSelection && this.#last !== null && previous !== this.#last.hash) {
      return finding(
        'edited',
        seq,
        `it does not follow entry ${seq - 1}: one of the two was changed or put in`,
      );
    }
    if (hash !== hashEntry(entry)) return finding('edited', seq, 'it is not what its hash says');
    const isWhole = digest === null ? body !== null : body === null || hashBody(body) === digest;
    return isWhole ? null : finding('edited', seq, 'its body is not what its digest says');
  }

  #keptAt({ seq, hash }: LogEntry): Finding | null {
    const { kept, isSelection } = this.#options;
    while ((kept[this.#nextKept]?.seq ?? Number.POSITIVE_INFINITY) < seq) this.#nextKept += 1;
    for (let head = kept[this.#nextKept]; head?.seq === seq; head = kept[this.#nextKept]) {
      if (head.hash !== `sha256:${hash}`)
        return this.#fork(
          seq,
          `a head that this machine kept, signed ${formatTime(head.signed)}, says another hash`,
          this.#agreedKept,
        );
      if (!isSelection) this.#agreedKept = seq;
      this.#nextKept += 1;
    }
    return null;
  }

  #fork(seq: number, why: string, agreed: number): Finding {
    const restored = this.#restored.findLast((at) => at <= seq);
    const after = restored === undefined ? '' : `; the log goes on from a back-up since entry ${restored}`;
    return finding('forked', seq, why + after, Math.min(agreed + 1, seq));
  }

  #head(text: string): Finding | null {
    const { seq, hash } = this.verified.head;
    let head: AuditHead;
    try {
      head = verifyAuditHead(text);
      if (!this.#options.isSelection) this.#keys.checkHead(head);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const fault = error.code === 'unknown-key' ? 'unknown-key' : 'bad-head';
      return finding(fault, Math.max(seq, 1), `the head after entry ${seq}: ${error.message}`);
    }
    if (head.seq > seq)
      return finding(
        'truncated',
        seq + 1,
        `a head of entry ${head.seq} was signed ${formatTime(head.signed)}`,
      );
    if (head.seq < seq)
      return finding('bad-head', seq, `after entry ${seq} stands a head of entry ${head.seq}`);
    if (head.hash !== `sha256:${hash}`)
      return this.#fork(
        seq,
        `the head that was signed ${formatTime(head.signed)} says another hash`,
        Math.max(this.#agreed, this.#agreedKept),
      );
    if (this.#epoch !== null && head.epoch !== this.#epoch) {
      return finding('bad-head', seq, `the head after it is of another life of the database: ${head.epoch}`);
    }
    this.#heads += 1;
    this.#agreed = seq;
    if (this.#options.pinned.length === 0 || this.#keys.isTrusted(head.broker)) this.#attested = head;
    return null;
  }

  #erased({ seq, at, kind, request }: LogEntry): Finding | null {
    if (!ERASABLE.test(kind)) return finding('body-gone', seq, `the body of ${kind} is never erased`);
    const gone = this.#gone.get(request ?? '') ?? { first: seq, newest: at };
    this.#gone.set(request ?? '', { ...gone, last: seq, newest: Math.max(gone.newest, at) });
    if (kind === 'requester.locked') this.#requests.forgetLocks();
    this.#note('bodies that were erased after their time', seq);
    return null;
  }

  /** What is named before its time stays gone: retention is no way to hide what happened lately. */
  #erasedInTime({ ids, through, before }: z.output<typeof erasedBody>, at: EpochMs): void {
    if (before > at - LEAST_RETENTION * 1000) return;
    for (const id of ids) {
      const { last, newest } = this.#gone.get(id) ?? { last: 0, newest: 0 };
      if (last <= through && newest < before) this.#gone.delete(id);
    }
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
      isErased: (id) => this.#gone.has(id),
    };
    if (this.#requests.step(kind, body, moment)) return;
    switch (kind) {
      case 'roster.changed':
      case 'submitters.changed': {
        const isErased = this.#gone.has(String(body.request));
        if (isErased) this.#note('what people approved of changes whose requests were erased', seq);
        const approved = isErased ? 'erased' : this.#requests.takeChange(body.request);
        if (this.#roster.changed(kind, body, entry, approved)) this.#unapproved.push(seq);
        return;
      }
      case 'policy.loaded':
        if (body.without === 'approval') this.#unapproved.push(seq);
        return;
      case 'roster.signed':
        this.#rosterSigned(body, moment);
        return;
      case 'broker.key':
        this.#keys.changed(body);
        if (body.handover !== null) this.#signatures.handover += 1;
        return;
      case 'store.created':
        this.#epoch = epochBody.parse(body).epoch;
        return;
      case 'store.restored':
        this.#goesOn(body, entry);
        return;
      case 'history.erased':
        this.#erasedInTime(erasedBody.parse(body), at);
        return;
      default:
        if ((WITHOUT_EFFECT as readonly string[]).includes(kind)) return;
        this.#note('entries of kinds that this version does not know', seq);
        return;
    }
  }

  #rosterSigned(body: JsonObject, { at, brokers, witness }: Moment): void {
    const said = rosterSignedBody.parse(body);
    const { statement, armor } = parseSignedText(said.statement);
    const roster = parseRoster(statement);
    const names = brokers(at);
    if (names !== null) checkBroker(roster.broker, { brokers: names });
    const isSame =
      roster.serial === said.serial &&
      roster.old === said.old &&
      roster.next === said.new &&
      roster.approver === said.approver;
    if (!isSame) throw new Problem('statement-mismatch', 'the entry says another thing than the signed text');
    if (roster.next !== this.#roster.exported) {
      throw new Problem('roster-conflict', 'it is about another signers file than the roster exported');
    }
    const { key } = verifySignature(statement, armor, 'roster@countersign');
    checkSigner(roster.approver, this.#roster.principals.signer(key.fingerprint, at).name);
    witness.verified('roster');
  }

  /** The log goes on from a back-up: exactly from the entry before this one. */
  #goesOn(body: JsonObject, { seq, previous }: LogEntry): void {
    const { epoch, backup } = restoredBody.parse(body);
    const fits =
      backup.seq === seq - 1 &&
      backup.hash === previous &&
      (this.#epoch === null || backup.epoch === this.#epoch);
    if (!fits) throw new Problem('statement-mismatch', 'it does not go on from the entry before it');
    this.#epoch = epoch;
    this.#restored.push(seq);
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
