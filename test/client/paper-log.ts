import { randomBytes } from 'node:crypto';
import type { LogSource } from '../../src/client/log-comparison.js';
import { formatAuditHead } from '../../src/protocol/audit-head.js';
import { appendEntry, GENESIS, type LogEntry } from '../../src/protocol/event-log.js';
import type { Digest, Fingerprint } from '../../src/protocol/names.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../ssh/software-keys.js';

const NOON = Date.parse('2026-01-31T12:00:00Z');
const MINUTE = 60_000;

/**
 * The log of a broker whose key the test has, as a thief of it would: every change is followed by all hashes after it, and
 * every head is signed.
 */
export class PaperLog {
  entries: readonly LogEntry[] = [];
  epoch = 'a'.repeat(32);
  key: SoftwareKey = makeSoftwareKey('ssh-ed25519');

  readonly #name = randomBytes(4).toString('hex');

  constructor(length: number) {
    this.grow(length);
  }

  get fingerprint(): Fingerprint {
    return parsePublicKeyLine(this.key.line).fingerprint;
  }

  grow(count: number): void {
    for (let n = 0; n < count; n += 1)
      this.#append('request.submitted', { of: this.#name, n: this.entries.length });
  }

  /** What whoever may write there does to it: everything from `seq` on is another entry. */
  edit(seq: number): void {
    const after = this.entries.slice(seq - 1);
    this.cut(seq - 1);
    for (const { kind, body } of after) {
      const isFirst = this.entries.length === seq - 1;
      this.#append(kind, isFirst ? { n: 'something else' } : JSON.parse(body ?? ''));
    }
  }

  cut(length: number): void {
    this.entries = this.entries.slice(0, length);
  }

  /** Puts a back-up of `length` entries in its place. */
  restore(length: number): void {
    const backup = this.entries[length - 1];
    this.cut(length);
    const epoch = 'b'.repeat(31) + length;
    const from = { epoch: this.epoch, seq: length, hash: backup?.hash };
    this.epoch = epoch.slice(-32);
    this.#append('store.restored', { epoch: this.epoch, backup: from, replaced: null, ended: 0 });
  }

  /** A head of its first entries, all of them unless told otherwise, signed a minute later for each. */
  head(length = this.entries.length): string {
    const { seq = 0, hash } = this.entries[length - 1] ?? {};
    const statement = formatAuditHead({
      broker: this.fingerprint,
      epoch: this.epoch,
      seq,
      hash: `sha256:${hash}` as Digest,
      signed: NOON + seq * MINUTE,
    });
    return statement + signInSoftware(this.key, statement, { namespace: 'audit@countersign' });
  }

  readonly source: LogSource = {
    links: async (after, limit) => {
      const page = this.entries.slice(after, after + Math.min(limit, 1000));
      return page.map((entry) => ({ ...entry, body: null }));
    },
    entry: async (seq) => {
      return this.entries[seq - 1] ?? null;
    },
  };

  #append(kind: string, body: unknown): void {
    const last = this.entries.at(-1) ?? GENESIS;
    const at = NOON + last.seq * MINUTE;
    const entry = appendEntry(last, { at, kind, request: null, body: JSON.stringify(body) });
    this.entries = [...this.entries, entry];
  }
}
