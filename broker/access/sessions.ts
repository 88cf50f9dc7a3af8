import { createHmac, timingSafeEqual } from 'node:crypto';
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
/** A challenge is these many bytes, then as many of their code: 256 bits in all. */
const CHALLENGE_BYTES = 16;
const TIME_BYTES = 6;

interface Challenge {
  readonly approver: Name;
  readonly expires: EpochMs;
}

/**
 * Signs approvers in: a challenge, a statement signed over it, a bearer token. A challenge carries its own end and is
 * recognised by its code, so that whoever asks for many, as anybody may, neither fills memory nor pushes others' out.
 */
export class Sessions {
  readonly #store: Store;
  readonly #brokers: (now: EpochMs) => readonly Fingerprint[];
  readonly #random: RandomBytes;
  /** Under which challenges are coded; those of an earlier process are void. */
  readonly #secret: Buffer;
  /** Challenges that opened a session, with their ends: each is good once. */
  readonly #used = new Map<string, EpochMs>();

  /** @param brokers what a statement may call this broker */
  constructor(store: Store, brokers: (now: EpochMs) => readonly Fingerprint[], random: RandomBytes) {
    this.#store = store;
    this.#brokers = brokers;
    this.#random = random;
    this.#secret = random(32);
  }

  /** @throws Problem of the key line, or `unknown-key` */
  challenge(
    keyLine: string,
    principals: Principals,
    now: EpochMs,
  ): Challenge & { readonly challenge: string } {
    const approver = principals.signer(parsePublicKeyLine(keyLine).fingerprint, now).name;
    const expires = now + CHALLENGE_LIFE;
    const body = this.#random(CHALLENGE_BYTES);
    body.writeUIntBE(expires, 0, TIME_BYTES);
    return { approver, expires, challenge: this.#coded(body, approver) };
  }

  /** @throws Problem of the statement, the signature, the key or the challenge */
  async open(
    signedText: string,
    principals: Principals,
    now: EpochMs,
  ): Promise<{ readonly token: BearerToken; readonly approver: Name; readonly expires: EpochMs }> {
    const { statement, armor } = parseSignedText(signedText);
    const session = parseSession(statement);
    checkBroker(session.broker, { brokers: this.#brokers(now) });
    checkClock('issued', session.issued, now);
    const { key } = verifySignature(statement, armor, 'session@countersign');
    checkSigner(session.approver, principals.signer(key.fingerprint, now).name);
    this.#use(session.challenge, session.approver, now);
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

  /** @throws Problem `challenge-unknown` */
  #use(challenge: string, approver: Name, now: EpochMs): void {
    for (const [old, expires] of this.#used) if (expires <= now) this.#used.delete(old);
    const body = Buffer.from(challenge, 'hex').subarray(0, CHALLENGE_BYTES);
    const expires = body.readUIntBE(0, TIME_BYTES);
    const isOurs = timingSafeEqual(Buffer.from(this.#coded(body, approver)), Buffer.from(challenge));
    if (!isOurs || expires <= now || this.#used.has(challenge)) {
      throw new Problem('challenge-unknown', 'the challenge is unknown, used or too old');
    }
    this.#used.set(challenge, expires);
  }

  #coded(body: Buffer, approver: Name): string {
    const code = createHmac('sha256', this.#secret).update(body).update(approver).digest();
    return Buffer.concat([body, code.subarray(0, CHALLENGE_BYTES)]).toString('hex');
  }
}
