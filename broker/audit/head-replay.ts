import * as z from 'zod';
import type { AuditHead } from '../../src/protocol/audit-head.js';
import type { ChainHead, LogEntry } from '../../src/protocol/event-log.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { formatTime } from '../../src/protocol/time.js';
import { verifyAuditHead } from '../../src/ssh/audit-head.js';
import type { BrokerKeyReplay } from './broker-key-replay.js';
import { type Finding, finding } from './finding.js';
import type { ChainOptions } from './log-chain.js';

/** A head that the reader kept from before. */
export type KnownHead = Pick<AuditHead, 'epoch' | 'seq' | 'hash' | 'signed'>;

export interface HeadOptions extends ChainOptions {
  /** The keys by which the reader knows the broker; none where he knows none. */
  readonly pinned: readonly Fingerprint[];
  /** In the order of their numbers. */
  readonly kept: readonly KnownHead[];
}

const epochBody = z.object({ epoch: z.string() });
const restoredBody = z.object({
  epoch: z.string(),
  backup: z.object({ epoch: z.string(), seq: z.int(), hash: z.string() }),
});

/** That the entries are those of which heads were signed: heads in the log, and heads that the reader kept. */
export class HeadReplay {
  readonly #options: HeadOptions;
  readonly #keys: BrokerKeyReplay;
  /** Entries at which the log goes on from a back-up. */
  readonly restored: number[] = [];
  #count = 0;
  #attested: KnownHead | null = null;
  /** The life of the database that the entries tell of; null while none has. */
  #epoch: string | null = null;
  /** The last entry that a head in the log agreed with, and the last that a kept one did. */
  #agreed: number;
  #agreedKept: number;
  /** The next of the kept heads. */
  #nextKept = 0;

  constructor(options: HeadOptions, keys: BrokerKeyReplay) {
    this.#options = options;
    this.#keys = keys;
    this.#agreed = options.after;
    this.#agreedKept = options.after;
  }

  /** How many heads in the log fit. */
  get count(): number {
    return this.#count;
  }

  /** The newest head by a key that the reader knows, or by any where he knows none. */
  get attested(): KnownHead | null {
    return this.#attested;
  }

  /** The first of the kept heads that no entry has reached. */
  get beyond(): KnownHead | null {
    return this.#options.kept[this.#nextKept] ?? null;
  }

  /** Holds an entry against the kept heads. */
  entry({ seq, hash }: LogEntry): Finding | null {
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

  /** Holds a head in the log against the entry before it. */
  head(text: string, { seq, hash }: ChainHead): Finding | null {
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
    this.#count += 1;
    this.#agreed = seq;
    if (this.#options.pinned.length === 0 || this.#keys.isTrusted(head.broker)) this.#attested = head;
    return null;
  }

  /**
   * An entry `store.created`.
   *
   * @throws ZodError
   */
  begins(body: JsonObject): void {
    this.#epoch = epochBody.parse(body).epoch;
  }

  /**
   * An entry `store.restored`: the log goes on from a back-up, exactly from the entry before this one.
   *
   * @throws ZodError, or Problem `statement-mismatch`
   */
  goesOn(body: JsonObject, { seq, previous }: LogEntry): void {
    const { epoch, backup } = restoredBody.parse(body);
    const fits =
      backup.seq === seq - 1 &&
      backup.hash === previous &&
      (this.#epoch === null || backup.epoch === this.#epoch);
    if (!fits) throw new Problem('statement-mismatch', 'it does not go on from the entry before it');
    this.#epoch = epoch;
    this.restored.push(seq);
  }

  #fork(seq: number, why: string, agreed: number): Finding {
    const restored = this.restored.findLast((at) => at <= seq);
    const after = restored === undefined ? '' : `; the log goes on from a back-up since entry ${restored}`;
    return finding('forked', seq, why + after, Math.min(agreed + 1, seq));
  }
}
