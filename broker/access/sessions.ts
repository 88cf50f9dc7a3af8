import type { BearerToken, Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import { parseSession } from '../../src/protocol/statements.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { checkBroker, checkClock, checkSigner } from '../requests/verification.js';
import type { Principals } from '../roster/principals.js';
import type { Store } from '../store/store.js';
import { hashToken, type RandomBytes, randomToken } from './tokens.js';

/** Longest life of a session, in ms. */
export const SESSION_LIFE = 12 * 3600 * 1000;
const CHALLENGE_LIFE = 60_000;
const MAX_CHALLENGES = 1000;

interface Challenge {
  readonly approver: Name;
  readonly expires: EpochMs;
}

/** Signs approvers in: a challenge, a statement signed over it, a bearer token. */
export class Sessions {
  readonly #store: Store;
  readonly #broker: Fingerprint;
  readonly #random: RandomBytes;
  /** Oldest first; a challenge is good once. */
  readonly #challenges = new Map<string, Challenge>();

  constructor(store: Store, broker: Fingerprint, random: RandomBytes) {
    this.#store = store;
    this.#broker = broker;
    this.#random = random;
  }

  /** @throws Problem of the key line, or `unknown-key` */
  challenge(
    keyLine: string,
    principals: Principals,
    now: EpochMs,
  ): Challenge & { readonly challenge: string } {
    const approver = principals.signer(parsePublicKeyLine(keyLine).fingerprint, now).name;
    for (const [old, { expires }] of this.#challenges) {
      if (expires > now && this.#challenges.size < MAX_CHALLENGES) break;
      this.#challenges.delete(old);
    }
    const challenge = this.#random(32).toString('hex');
    const entry = { approver, expires: now + CHALLENGE_LIFE };
    this.#challenges.set(challenge, entry);
    return { ...entry, challenge };
  }

  /** @throws Problem of the statement, the signature, the key or the challenge */
  async open(
    signedText: string,
    principals: Principals,
    now: EpochMs,
  ): Promise<{ readonly token: BearerToken; readonly approver: Name; readonly expires: EpochMs }> {
    const { statement, armor } = parseSignedText(signedText);
    const session = parseSession(statement);
    checkBroker(session.broker, { broker: this.#broker });
    checkClock('issued', session.issued, now);
    const { key } = verifySignature(statement, armor, 'session@countersign');
    checkSigner(session.approver, principals.signer(key.fingerprint, now).name);
    const challenge = this.#challenges.get(session.challenge);
    if (challenge === undefined || challenge.expires <= now || challenge.approver !== session.approver) {
      throw new Problem('challenge-unknown', 'the challenge is unknown, used or too old');
    }
    this.#challenges.delete(session.challenge);
    const expires = Math.min(session.expires, now + SESSION_LIFE);
    const token = randomToken(this.#random);
    await this.#store.addSession({
      hash: hashToken(token),
      approver: session.approver,
      key: key.fingerprint,
      expires,
    });
    return { token, approver: session.approver, expires };
  }
}
