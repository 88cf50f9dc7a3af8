import { formatAuditHead, type SignedHead } from '../../src/protocol/audit-head.js';
import type { Digest } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { formatPublicKey, parsePublicKeyLine } from '../../src/ssh/public-key.js';
import type { BrokerKeys } from '../broker-keys.js';
import type { Store } from '../store/store.js';

/** While the log grows, a head is signed so often, in ms; tried again as often where that fails. */
export const HEAD_INTERVAL = 60_000;

export interface HeadsOptions {
  readonly store: Store;
  readonly keys: BrokerKeys;
  readonly clock: () => EpochMs;
  /** Called with each new head once it is durable. */
  readonly onSigned: (head: SignedHead) => void;
  /** Called once for each try that failed; the next one is {@link HEAD_INTERVAL} later. */
  readonly onFailed: (error: unknown) => void;
}

/** Signs how far the log has got. It is no part of the log, and a request never waits for it. */
export class Heads {
  readonly #options: HeadsOptions;
  /** When signing was last tried, by whatever the clock said then. */
  #triedAt: EpochMs = Number.NEGATIVE_INFINITY;
  #signing: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(options: HeadsOptions) {
    this.#options = options;
  }

  /** Whether the last try to sign failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Entries after the newest head. */
  get unsigned(): number {
    const { store } = this.#options;
    return store.seq - (store.newestHead()?.seq ?? 0);
  }

  /**
   * Sees to it that the log names the broker's key, and every one on the way to it, so that whoever verifies the log can
   * follow them from a pinned one.
   *
   * @throws Problem `storage-failed`
   */
  async nameKey(): Promise<void> {
    const { store, keys, clock } = this.#options;
    for (const { key, handover } of keys.since(store.brokerKey())) {
      await store.record({ kind: 'broker.key', at: clock(), body: { key: formatPublicKey(key), handover } });
    }
  }

  /** Signs where there is something new and the last try is long enough ago; a clock that was set back does not stop it. */
  async tick(now: EpochMs): Promise<void> {
    if (this.unsigned === 0 || Math.abs(now - this.#triedAt) < HEAD_INTERVAL) return;
    this.#triedAt = now;
    await this.sign();
  }

  /** Signs what there is now. Failing is told and counted, not thrown: the broker goes on without. */
  sign(): Promise<void> {
    this.#signing = this.#signing.then(async () => {
      try {
        await this.#sign();
        this.#isFailing = false;
      } catch (error) {
        this.#isFailing = true;
        this.#options.onFailed(error);
      }
    });
    return this.#signing;
  }

  async #sign(): Promise<void> {
    const { store, keys, clock, onSigned } = this.#options;
    await this.nameKey();
    if (this.unsigned === 0) return;
    const { seq, hash } = store.chainHead();
    const named = store.brokerKey();
    const text = await keys.sign('audit@countersign', (broker) => {
      // A head by a key that the log names only later would be bad for ever.
      if (named === null || parsePublicKeyLine(named).fingerprint !== broker) {
        throw new Problem('signing-failed', 'the key was rotated while a head was to be signed');
      }
      return formatAuditHead({
        broker,
        epoch: store.epoch,
        seq,
        hash: `sha256:${hash}` as Digest,
        signed: clock(),
      });
    });
    const head = { seq, text };
    await store.keepHead(head);
    onSigned(head);
  }
}
