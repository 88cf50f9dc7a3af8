import type { Fingerprint } from '../src/protocol/names.js';
import type { EpochMs } from '../src/protocol/time.js';
import { type FormerKeys, formerKeys } from '../src/ssh/key-handover.js';
import type { PublicKey } from '../src/ssh/public-key.js';
import { type KeyRecord, loadBrokerKey, rotateBrokerKey } from './broker-key.js';

/** Under which keys a broker goes: its current one, and former ones until the end of their overlap. */
export class BrokerKeys {
  readonly #directory: string;
  #record: KeyRecord;
  /** The former keys as of the last rotation; later some of them have ended. */
  #former: FormerKeys;
  #rotation: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, record: KeyRecord, now: EpochMs) {
    this.#directory = directory;
    this.#record = record;
    this.#former = formerKeys(record.handovers, record.key.fingerprint, now);
  }

  /** @throws Problem of the key or of a handover */
  static async open(directory: string, now: EpochMs): Promise<BrokerKeys> {
    return new BrokerKeys(directory, await loadBrokerKey(directory), now);
  }

  get current(): PublicKey {
    return this.#record.key;
  }

  /** Former keys that are still good, oldest first. A key after one that has ended leads nowhere back. */
  formerAt(now: EpochMs): FormerKeys {
    const ended = this.#former.findLastIndex(({ validUntil }) => validUntil <= now);
    return this.#former.slice(ended + 1);
  }

  /** What a statement may call this broker, the current key first. */
  namesAt(now: EpochMs): readonly Fingerprint[] {
    return [this.current.fingerprint, ...this.formerAt(now).map(({ fingerprint }) => fingerprint)];
  }

  /**
   * Makes a new key, in force at once and durable when this returns.
   *
   * @param overlap how long the present one stays good, in ms
   * @throws Problem `signing-failed` where the present key cannot sign; then nothing has changed.
   */
  rotate(overlap: number, now: EpochMs): Promise<void> {
    const rotation = this.#rotation.then(async () => {
      this.#record = await rotateBrokerKey(this.#directory, this.#record, {
        now,
        validUntil: now + overlap,
      });
      this.#former = formerKeys(this.#record.handovers, this.current.fingerprint, now);
    });
    this.#rotation = rotation.catch(() => {});
    return rotation;
  }
}
