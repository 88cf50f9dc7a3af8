import type { Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { type RequestStatus, type RequestView, requestStatusSchema } from '../protocol/request-view.js';
import type { AvailableKey, KeyEnvironment } from '../ssh/available-keys.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { formatAddress } from './address.js';
import type { Clock } from './clock.js';
import { prepareDecision } from './decide.js';
import type { DecisionInput, QueueConnection, Suspend } from './queue.js';
import { type PinnedBroker, signIn } from './sign-in.js';
import { type OpenStream, StreamClient } from './stream-client.js';

export interface ConnectOptions {
  readonly broker: PinnedBroker;
  readonly key: AvailableKey;
  readonly env: KeyEnvironment;
  readonly clock: Clock;
  /** From 0 to below 1, for the jitter. */
  readonly random: () => number;
  readonly open: OpenStream;
  /** Gives the terminal to ssh-keygen for the first sign-in. */
  readonly withTerminal?: Suspend;
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
  const { broker, key, env, clock, random, open, withTerminal } = options;
  const session = await signIn(broker, createKeySigner(key, { env, withTerminal }), clock);
  const renewal = createKeySigner(key, { env });
  const stream = new StreamClient({
    open,
    clock,
    random,
    token: session.token,
    signIn: async () => (await signIn(broker, renewal, clock)).token,
  });
  stream.start();
  return {
    approver: session.approver,
    address: formatAddress(broker.client.address),
    fingerprint: broker.fingerprint,
    queue: () => stream.queue(),
    subscribe: (listener) => stream.subscribe(listener),
    close() {
      stream.stop();
      broker.client.close();
    },
    async decide(request, decision, suspend) {
      // A28: what is decided must be what the broker shows now.
      if (stream.queue().link.state !== 'live') {
        throw new Problem(
          'broker-unreachable',
          'the picture of the queue may be old, so nothing is decided on it',
          {
            hint: 'wait until the connection is back',
          },
        );
      }
      await sendDecision(
        { ...options, approver: session.approver, withTerminal: suspend },
        request,
        decision,
      );
    },
  };
}

/** Who decides, with which key, at which broker. */
export interface Decider {
  readonly broker: PinnedBroker;
  readonly approver: Name;
  readonly key: AvailableKey;
  readonly env: KeyEnvironment;
  readonly clock: Clock;
  readonly withTerminal?: Suspend | undefined;
}

/**
 * Signs one decision about exactly the request that is passed in, and sends it.
 *
 * @returns where the request stands with it
 * @throws Problem `shown-differs`, `signing-failed`, or any problem of the broker.
 */
export async function sendDecision(
  { broker, approver, key, env, clock, withTerminal }: Decider,
  request: RequestView,
  decision: DecisionInput,
): Promise<RequestStatus> {
  const { client, fingerprint } = broker;
  const statement = prepareDecision(request, {
    ...decision,
    approver,
    broker: fingerprint,
    now: clock.now(),
  });
  const armor = await createKeySigner(key, { env, withTerminal }).sign('decision@countersign', statement);
  return client.call(requestStatusSchema, {
    method: 'POST',
    path: `/v1/requests/${request.id}/decisions`,
    body: { receipt: statement + armor },
  });
}
