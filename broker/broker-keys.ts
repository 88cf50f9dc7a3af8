import type { Fingerprint } from '../src/protocol/names.js';
import type { EpochMs } from '../src/protocol/time.js';
import { type FormerKeys, formerKeys, verifyKeyHandover } from '../src/ssh/key-handover.js';
import { formatPublicKey, type PublicKey, parsePublicKeyLine } from '../src/ssh/public-key.js';
import type { Namespace } from '../src/ssh/signature.js';
import { type KeyRecord, loadBrokerKey, rotateBrokerKey, signWithBrokerKey } from './broker-key.js';

/** Under which keys a broker goes: its current one, and former ones until the end of their overlap. */
export class BrokerKeys {
  readonly #directory: string;
  #record: KeyRecord;
  /** The former keys as of the last rotation; later some of them have ended. */
  #former: FormerKeys;
  /** Whatever uses the key, one after the other. */
  #using: Promise<unknown> = Promise.resolve();

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
   * The keys after one of them, with the handover to each, oldest first: none after the current one. From a key that
   * did not hand over, or from none, it is the current key alone.
   *
   * @param line TYPE BASE64
   */
  since(line: string | null): readonly { readonly key: PublicKey; readonly handover: string | null }[] {
    if (line === formatPublicKey(this.current)) return [];
    const steps = this.#record.handovers.map((handover) => {
      const { fingerprint, nextKey } = verifyKeyHandover(handover);
      return { old: fingerprint, key: nextKey, handover };
    });
    const known = line === null ? null : parsePublicKeyLine(line).fingerprint;
    const first = steps.findIndex(({ old }) => old === known);
    if (first < 0) return [{ key: this.current, handover: null }];
    return steps.slice(first).map(({ key, handover }) => ({ key, handover }));
  }

  /**
   * Signs with the current key.
   *
   * @param statement makes the text, for the fingerprint of that key
   * @returns statement and armor
   * @throws Problem `signing-failed`
   */
  sign(namespace: Namespace, statement: (fingerprint: Fingerprint) => string): Promise<string> {
    const signing = this.#using.then(() =>
      signWithBrokerKey(this.#directory, namespace, statement(this.current.fingerprint)),
    );
    this.#using = signing.catch(() => {});
    return signing;
  }

  /**
   * Makes a new key, in force at once and durable when this returns.
   *
   * @param overlap how long the present one stays good, in ms
   * @throws Problem `signing-failed` where the present key cannot sign; then nothing has changed.
   */
  rotate(overlap: number, now: EpochMs): Promise<void> {
    const rotation = this.#using.then(async () => {
      this.#record = await rotateBrokerKey(this.#directory, this.#record, {
        now,
        validUntil: now + overlap,
      });
      this.#former = formerKeys(this.#record.handovers, this.current.fingerprint, now);
    });
    this.#using = rotation.catch(() => {});
    return rotation;
  }
}
