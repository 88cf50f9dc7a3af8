import { randomBytes, randomInt } from 'node:crypto';
import * as z from 'zod';
import { canarySecret } from '../protocol/canary.js';
import { parseDocument, type RequestDocument } from '../protocol/document.js';
import { asksNumber, type MatchedNumber } from '../protocol/matched-number.js';
import { type SubmitReply, submitReply } from '../protocol/messages.js';
import type { BearerToken, Claim, Digest, Name, Nonce, OidcToken, RequestId } from '../protocol/names.js';
import { Problem, type ProblemCode } from '../protocol/problems.js';
import { type Outcome, type RequestStatus, requestStatusSchema } from '../protocol/request-view.js';
import { formatCanary, formatSubmit } from '../protocol/statements.js';
import type { JsonObject } from '../protocol/strict-json.js';
import type { KeySigner } from '../ssh/key-signer.js';
import { askingName } from './broker-identity.js';
import type { Clock } from './clock.js';
import type { PinnedBroker } from './sign-in.js';
import type { StandingAsk, StandingAsks } from './standing-asks.js';

/** How the submitter proves who it is. */
export type SubmitCredential =
  | { readonly kind: 'key'; readonly submitter: Name; readonly signer: KeySigner }
  | { readonly kind: 'token'; readonly token: BearerToken | OidcToken }
  | { readonly kind: 'socket' };

export type Question = Omit<RequestDocument, 'nonce'>;

/** An ask, and how the broker answered when it was made or found. */
export interface Asked {
  readonly ask: StandingAsk;
  readonly reply: SubmitReply;
  /** False where it joins a request that stood already. */
  readonly isNew: boolean;
}

/** How a request can have ended when its asker comes back; then the question is asked anew. */
const ENDS: readonly ProblemCode[] = [
  'denied',
  'expired',
  'lapsed',
  'cancelled',
  'revoked',
  'spent',
  'request-ended',
  'not-found',
];

/** Longest that one call lets the broker hold back its answer, in seconds. */
const LONG_POLL = 60;

/** Asks a broker on behalf of one submitter, remembering what stands. */
export class Asker {
  readonly #broker: PinnedBroker;
  readonly #asks: StandingAsks;
  readonly #clock: Clock;

  constructor(broker: PinnedBroker, asks: StandingAsks, clock: Clock) {
    this.#broker = broker;
    this.#asks = asks;
    this.#clock = clock;
  }

  /**
   * Joins the standing request of this question, or makes one. What is known to have ended is asked anew, once.
   *
   * @param signers digest of the signers file that the receipts are checked with, where this asker is a door
   * @param onEnded hears of the ask that stood, and how it has ended, before anything is asked anew
   * @param nonceFor draws the nonce of a new ask, by its claim
   * @throws Problem of the broker.
   */
  async ask(
    question: Question,
    credential: SubmitCredential,
    signers: Digest | null = null,
    onEnded: (standing: StandingAsk, end: unknown) => Promise<void> = async () => {},
    nonceFor: (claim: Claim) => Nonce = () => randomBytes(16).toString('hex') as Nonce,
  ): Promise<Asked> {
    const standing = await this.#asks.find(askingName(this.#broker), question);
    if (standing !== null) {
      try {
        return await this.#rejoin(standing, credential, signers);
      } catch (error) {
        if (!hasEnded(error)) throw error;
        await onEnded(standing, error);
        await this.#asks.forget(standing);
      }
    }
    const claim = randomBytes(16).toString('hex') as Claim;
    const document = { ...question, nonce: nonceFor(claim) };
    const number = asksNumber(document) ? drawNumber() : null;
    return this.#submit({ document, claim, number, drawn: this.#clock.now() }, credential, signers);
  }

  /**
   * Waits until the request is approved and uses the approval, or until the broker answers that it is still pending.
   *
   * @param seconds how long this call may take
   * @throws Problem that says how the request ended.
   */
  async redeem(
    { id, watch, claim }: StandingAsk,
    seconds: number,
    signal?: AbortSignal,
  ): Promise<SubmitReply> {
    return this.#broker.client.call(submitReply, {
      method: 'POST',
      path: `/v1/requests/${id}/redeem`,
      body: { claim },
      wait: Math.min(seconds, LONG_POLL),
      signal,
      ...withToken(watch),
    });
  }

  /** Waits until the request is answered, or until the broker says that it is still pending, and uses nothing. */
  async look({ id, watch }: StandingAsk, seconds: number, signal?: AbortSignal): Promise<SubmitReply> {
    return this.#broker.client.call(submitReply, {
      method: 'GET',
      path: `/v1/requests/${id}`,
      wait: Math.min(seconds, LONG_POLL),
      signal,
      ...withToken(watch),
    });
  }

  /** Reveals that an ask was a canary, whose submitter signs for it. */
  async reveal(
    { id, document, claim }: StandingAsk,
    { submitter, signer }: Extract<SubmitCredential, { kind: 'key' }>,
    signal?: AbortSignal,
  ): Promise<RequestStatus> {
    const statement = formatCanary({
      broker: askingName(this.#broker),
      submitter,
      request: parseDocument({ ...document }).digest,
      secret: canarySecret(claim),
      issued: this.#clock.now(),
    });
    const armor = await signer.sign('canary@countersign', statement);
    return this.#broker.client.call(requestStatusSchema, {
      method: 'POST',
      path: `/v1/requests/${id}/canary`,
      body: { statement: statement + armor },
      signal,
    });
  }

  /** Tells the broker that nobody waits here any more. With `cancel` a request without other askers ends at once. */
  async detach(
    ask: StandingAsk,
    options: { readonly cancel: boolean },
    signal?: AbortSignal,
  ): Promise<SubmitReply> {
    const { id, watch } = ask;
    const reply = await this.#broker.client.call(submitReply, {
      method: 'DELETE',
      path: `/v1/requests/${id}${options.cancel ? '?cancel=now' : ''}`,
      signal,
      ...withToken(watch),
    });
    if (options.cancel) await this.#asks.forget(ask);
    else await this.#asks.save({ ...ask, watch: null });
    return reply;
  }

  /** Tells what was done with the approval. */
  async report(
    { id, watch, claim }: StandingAsk,
    outcome: Outcome,
    code: string,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#broker.client.call(z.unknown(), {
      method: 'POST',
      path: `/v1/requests/${id}/reports`,
      body: { claim, outcome, code },
      signal,
      ...withToken(watch),
    });
  }

  async #rejoin(standing: StandingAsk, credential: SubmitCredential, signers: Digest | null): Promise<Asked> {
    const { id, watch } = standing;
    const reply = watch === null ? null : await this.#read(id, watch);
    if (reply === null) return { ...(await this.#submit(standing, credential, signers)), isNew: false };
    const { state, endedBy } = reply.status;
    if (state === 'pending' || state === 'approved') return { ask: standing, reply, isNew: false };
    // A redeem whose answer got lost: the same claim gets the same answer again, any other one that it is spent.
    if (state === 'redeemed' || state === 'active')
      return { ask: standing, reply: await this.redeem(standing, 0), isNew: false };
    throw new Problem(state, endedBy ?? `the request is ${state}`);
  }

  /** Null where the broker does not know the watch token, as after its database was made anew. */
  async #read(id: RequestId, token: BearerToken): Promise<SubmitReply | null> {
    const call = { method: 'GET', path: `/v1/requests/${id}`, token } as const;
    return this.#broker.client.call(submitReply, call).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'unauthenticated') return null;
      throw error;
    });
  }

  async #submit(
    { document, claim, number, drawn }: Pick<StandingAsk, 'document' | 'claim' | 'number' | 'drawn'>,
    credential: SubmitCredential,
    signers: Digest | null,
  ): Promise<Asked> {
    const { client } = this.#broker;
    const broker = askingName(this.#broker);
    const { digest } = parseDocument({ ...document } as unknown as JsonObject);
    const statement = await this.#vouch(digest, credential);
    const reply = await client.call(submitReply, {
      method: 'POST',
      path: '/v1/requests',
      body: {
        document,
        ...(statement === null ? {} : { statement }),
        ...(signers === null ? {} : { signers }),
      },
      ...(credential.kind === 'token' ? { token: credential.token } : {}),
    });
    if (reply.digest !== digest)
      throw new Problem('broker-reply', 'the broker answered about another document');
    const ask: StandingAsk = { broker, document, claim, number, drawn, id: reply.id, watch: reply.watch };
    await this.#asks.save(ask);
    return { ask, reply, isNew: true };
  }

  async #vouch(request: Digest, credential: SubmitCredential): Promise<string | null> {
    if (credential.kind !== 'key') return null;
    const statement = formatSubmit({
      broker: askingName(this.#broker),
      submitter: credential.submitter,
      request,
      nonce: randomBytes(16).toString('hex') as Nonce,
      issued: this.#clock.now(),
    });
    return statement + (await credential.signer.sign('submit@countersign', statement));
  }
}

/** Six digits, each text of them equally likely. */
const drawNumber = (): MatchedNumber => String(randomInt(1_000_000)).padStart(6, '0') as MatchedNumber;

/** Whether this says that the request is over, so that asking anew is right. */
export const hasEnded = (error: unknown): boolean => error instanceof Problem && ENDS.includes(error.code);

function withToken(watch: BearerToken | null): { readonly token?: BearerToken } {
  return watch === null ? {} : { token: watch };
}
