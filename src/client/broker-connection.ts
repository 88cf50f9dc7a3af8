import * as z from 'zod';
import type { BearerToken, Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { type RequestStatus, type RequestView, requestStatusSchema } from '../protocol/request-view.js';
import type { KeySigner } from '../ssh/key-signer.js';
import { formatAddress } from './address.js';
import { fetchBackground } from './background.js';
import { fetchCanaries } from './canaries.js';
import type { Clock } from './clock.js';
import { answeringName, prepareDecision, prepareRevocation } from './decide.js';
import { brokerDirectory } from './directory.js';
import { fetchGrants } from './grants.js';
import { HeadWatch } from './head-watch.js';
import { brokerHistory } from './history.js';
import { type CallAs, mayHaveArrived } from './http-client.js';
import { logSource } from './log-source.js';
import { brokerOutbox } from './outbox.js';
import { brokerPolicy } from './policy.js';
import type { Cancelling, DecisionInput, Queue, QueueConnection, Suspend } from './queue.js';
import { type PinnedBroker, signIn } from './sign-in.js';
import { fetchStatistics } from './statistics.js';
import { type OpenStream, StreamClient } from './stream-client.js';
import { brokerTalk } from './talk.js';

export interface ConnectOptions {
  readonly broker: PinnedBroker;
  /** Finds out again who the broker is: its key may have been rotated while the connection was down. */
  readonly identify: () => Promise<PinnedBroker>;
  /** Looks again which of the approver's keys is enrolled: another one may be in its place. */
  readonly lookForKey: () => Promise<void>;
  /** Signs with the approver's key; with a terminal to lend, also where the key asks for a passphrase or a touch. */
  readonly signerWith: (terminal: Suspend | undefined) => KeySigner;
  /** Lends the terminal for the first sign-in. */
  readonly terminal: Suspend | undefined;
  readonly open: OpenStream;
  readonly clock: Clock;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  /** Where the heads of logs are kept: the user's configuration directory. */
  readonly config: string;
  /** See {@link QueueConnection.invitation}. */
  readonly invitation: readonly string[];
}

/** A live link to the queue of one broker, and the way to end it. */
export interface BrokerConnection extends QueueConnection {
  close(): void;
}

/**
 * Signs in and opens the stream of the queue. Later sign-ins happen without a terminal, behind the picture.
 *
 * @throws Problem where the first sign-in fails.
 */
export async function connectQueue(options: ConnectOptions): Promise<BrokerConnection> {
  const { identify, lookForKey, signerWith, terminal, open, clock, random, invitation, config } = options;
  let { broker } = options;
  const signer = signerWith(terminal);
  const { approver, ...session } = await signIn(broker, signer, clock);
  let { token } = session;
  const signInAgain = async (lent?: Suspend): Promise<BearerToken> => {
    const session = await signIn(broker, signerWith(lent), clock);
    if (session.approver !== approver) throw anotherPerson(session.approver, approver);
    ({ token } = session);
    return token;
  };
  const lookAgain = async (): Promise<void> => {
    broker = await identify();
  };
  const call: CallAs = (schema, given) => broker.client.call(schema, { ...given, token });
  const heads = new HeadWatch({
    config,
    address: formatAddress(broker.client.address),
    names: () => broker,
    lookAgain,
    source: logSource(call),
    clock,
    onStanding: (standing) => stream.showLog(standing),
  });
  const stream = new StreamClient({
    open,
    clock,
    random,
    token,
    lookAgain,
    signIn: () => signInAgain(),
    heads,
  });
  stream.start();
  heads.start();
  return {
    approver,
    address: formatAddress(broker.client.address),
    isTouched: signer.publicKey.type.startsWith('sk-'),
    get fingerprint() {
      return broker.fingerprint;
    },
    get pins() {
      return broker.pins;
    },
    invitation,
    history: brokerHistory(call),
    directory: brokerDirectory(call),
    policy: brokerPolicy(call),
    outbox: brokerOutbox(call),
    talk: brokerTalk(call),
    background: (id, zone, signal) => fetchBackground(call, id, zone, signal),
    grants: (signal) => fetchGrants(call, signal),
    statistics: (query, signal) => fetchStatistics(call, query, signal),
    canaries: (signal) => fetchCanaries(call, signal),
    queue: () => stream.queue(),
    showReading: (id) => stream.showReading(id),
    reconnect: (suspend) =>
      stream.reconnect(async () => {
        await lookForKey();
        return signInAgain(suspend);
      }),
    subscribe: (listener) => stream.subscribe(listener),
    close() {
      heads.stop();
      stream.stop();
    },
    async decide(request, decision, suspend, cancelling) {
      checkLive(stream.queueNow());
      const decider = { broker, approver, signer: signerWith(suspend), clock, cancelling };
      await sendDecision(decider, request, decision);
    },
    async revoke(request, comment, suspend, cancelling) {
      checkLive(stream.queueNow());
      const decider = { broker, approver, signer: signerWith(suspend), clock, cancelling };
      await sendRevocation(decider, request, comment);
    },
    async acknowledgeRestoration() {
      await call(z.unknown(), { method: 'POST', path: '/v1/restoration/acknowledgements', body: {} });
    },
  };
}

const anotherPerson = (owner: Name, approver: Name): Problem =>
  new Problem('wrong-principal', `this key is ${owner}'s now, and this console ${approver}'s`, {
    hint: 'leave with q and open the console again',
  });

/** A28: what is decided must be what the broker shows now. */
function checkLive({ link }: Queue): void {
  if (link.state === 'live') return;
  throw new Problem('broker-unreachable', 'the queue may be old, so nothing is decided on it', {
    hint: 'wait until the connection is back',
  });
}

/** Who decides, with which key, at which broker. */
export interface Decider {
  readonly broker: PinnedBroker;
  readonly approver: Name;
  readonly signer: KeySigner;
  readonly clock: Clock;
  /** Absent: it cannot be cancelled. */
  readonly cancelling?: Cancelling | undefined;
}

/**
 * Signs one decision about exactly the request that is passed in, and sends it.
 *
 * @returns where the request stands with it
 * @throws Problem `shown-differs`, `signing-failed`, `unanswered`, or any problem of the broker.
 */
export async function sendDecision(
  { broker, approver, signer, clock, cancelling }: Decider,
  request: RequestView,
  decision: DecisionInput,
): Promise<RequestStatus> {
  const statement = prepareDecision(request, {
    ...decision,
    approver,
    broker: answeringName(request, broker),
    now: clock.now(),
  });
  const armor = await signer.sign('decision@countersign', statement, { signal: cancelling?.signal });
  checkWanted(cancelling);
  return sendSigned(broker, request, 'decisions', { receipt: statement + armor });
}

/**
 * Signs the revocation of exactly the request that is passed in, and sends it.
 *
 * @returns where the request stands with it
 * @throws Problem `shown-differs`, `signing-failed`, `unanswered`, or any problem of the broker.
 */
export async function sendRevocation(
  { broker, approver, signer, clock, cancelling }: Decider,
  request: RequestView,
  comment: string,
): Promise<RequestStatus> {
  const statement = prepareRevocation(request, {
    approver,
    broker: answeringName(request, broker),
    now: clock.now(),
    comment,
  });
  const armor = await signer.sign('revoke@countersign', statement, { signal: cancelling?.signal });
  checkWanted(cancelling);
  return sendSigned(broker, request, 'revocations', { statement: statement + armor });
}

/** Nothing is between this and the sending: what is cancelled before is never sent, and what comes after is too late. */
function checkWanted(cancelling: Cancelling | undefined): void {
  if (cancelling?.signal.aborted) throw new Problem('signing-failed', 'signing was cancelled');
  cancelling?.onSending();
}

/** Nobody may take a signature that got no answer for one that does not count (A50). */
async function sendSigned(
  { client }: PinnedBroker,
  { id }: RequestView,
  what: 'decisions' | 'revocations',
  body: object,
): Promise<RequestStatus> {
  try {
    return await client.call(requestStatusSchema, {
      method: 'POST',
      path: `/v1/requests/${id}/${what}`,
      body,
    });
  } catch (cause) {
    if (!mayHaveArrived(cause)) throw cause;
    throw new Problem('unanswered', 'it was signed and sent, and no answer came: it may count', {
      hint: `look before you sign again: countersign show ${id}`,
      cause,
    });
  }
}
