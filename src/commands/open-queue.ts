import { type BrokerConnection, connectQueue } from '../client/broker-connection.js';
import { identifyBroker } from '../client/broker-identity.js';
import type { Environment } from '../client/locations.js';
import { findEnrolledKey } from '../client/sign-in.js';
import { webSocketStream } from '../client/websocket.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { type OpenBroker, ownTerminal } from './open-broker.js';

/**
 * Signs in and opens the stream of the queue.
 *
 * @throws Problem where the first sign-in fails
 */
export async function openQueue(
  broker: OpenBroker,
  options: {
    readonly key: string | undefined;
    readonly env: Environment;
    readonly invitation?: readonly string[];
    /** False for a program that reads along: nobody is there who would see an ask. */
    readonly isLookedAt: boolean;
  },
): Promise<BrokerConnection> {
  const { key, env, invitation = [], isLookedAt } = options;
  const { client, locations, clock } = broker;
  const findKey = () => findEnrolledKey(client, key, { env, config: locations.config });
  let found = await findKey();
  return connectQueue({
    broker,
    identify: async () => ({ client, ...(await identifyBroker(client, locations)) }),
    lookForKey: async () => {
      found = await findKey();
    },
    signerWith: (withTerminal) => createKeySigner(found, { env, withTerminal }),
    terminal: ownTerminal(),
    open: webSocketStream(client, { isLookedAt }),
    clock,
    random: Math.random,
    config: locations.config,
    invitation,
  });
}
