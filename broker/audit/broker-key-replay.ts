import * as z from 'zod';
import type { AuditHead } from '../../src/protocol/audit-head.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { verifyKeyHandover } from '../../src/ssh/key-handover.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';

const keyBody = z.object({ key: z.string(), handover: z.nullable(z.string()) });

interface FormerName {
  readonly fingerprint: Fingerprint;
  readonly validUntil: EpochMs;
}

/** Under which keys the broker went at each entry, and which of them the reader has reason to trust. */
export class BrokerKeyReplay {
  readonly #trusted: Set<Fingerprint>;
  #current: Fingerprint | null = null;
  /** Oldest first; each handed over to the next one, and the last to the current key. */
  #former: readonly FormerName[] = [];
  #isTrusted = false;

  /** @param pinned the keys that the reader knows of this broker; none where he knows none */
  constructor(pinned: readonly Fingerprint[]) {
    this.#trusted = new Set(pinned);
  }

  /** The key in force; null while no entry has named one. */
  get current(): Fingerprint | null {
    return this.#current;
  }

  /** Whether a signature by this key is the word of the broker that the reader knows. */
  isTrusted(key: Fingerprint): boolean {
    return this.#trusted.has(key);
  }

  /** What a statement may call the broker; null while no entry has named a key. */
  namesAt(at: EpochMs): readonly Fingerprint[] | null {
    if (this.#current === null) return null;
    const ended = this.#former.findLastIndex(({ validUntil }) => validUntil <= at);
    return [this.#current, ...this.#former.slice(ended + 1).map(({ fingerprint }) => fingerprint)];
  }

  /**
   * An entry `broker.key`. A key follows one that is trusted by that one's signed handover alone.
   *
   * @throws Problem `unknown-key`, and that of a handover which does not verify
   */
  changed(body: unknown): void {
    const { key, handover } = keyBody.parse(body);
    const { fingerprint } = parsePublicKeyLine(key);
    const from = handover === null ? null : verifyKeyHandover(handover);
    if (from !== null && from.next !== fingerprint) {
      throw new Problem('unknown-key', `the handover leads to ${from.next}, not to ${fingerprint}`);
    }
    const follows = from !== null && (this.#current === null || from.fingerprint === this.#current);
    if (this.#isTrusted && !follows && !this.#trusted.has(fingerprint)) {
      throw new Problem('unknown-key', `the key ${this.#current} did not hand over to ${fingerprint}`);
    }
    if (follows && this.#isTrusted) this.#trusted.add(fingerprint);
    const kept = this.#former.filter((former) => former.fingerprint !== fingerprint);
    this.#former = follows && from !== null ? [...kept, from] : [];
    this.#current = fingerprint;
    this.#isTrusted = this.#trusted.has(fingerprint);
  }

  /** @throws Problem `unknown-key` for a head by another key than the one in force */
  checkHead({ broker }: AuditHead): void {
    if (this.#current === null || this.#current === broker) return;
    throw new Problem(
      'unknown-key',
      `it is signed by ${broker}, while the key in force was ${this.#current}`,
    );
  }
}
