import { connectQueue } from '../client/broker-connection.js';
import type { Environment } from '../client/locations.js';
import { findEnrolledKey } from '../client/sign-in.js';
import { webSocketStream } from '../client/websocket.js';
import type { OpenBroker } from './open-broker.js';
import { ownTerminal } from './open-broker.js';

/** Signs in, opens the console and returns when it is closed. The broker's client is closed with it. */
export async function openConsole(
  broker: OpenBroker,
  { key, env }: { readonly key: string | undefined; readonly env: Environment },
): Promise<void> {
  const { client, locations, clock } = broker;
  const found = await findEnrolledKey(client, key, { env, config: locations.config });
  const withTerminal = ownTerminal();
  const connection = await connectQueue({
    broker,
    key: found,
    env,
    clock,
    random: Math.random,
    open: webSocketStream(client),
    ...(withTerminal === undefined ? {} : { withTerminal }),
  });
  try {
    // Drawing pulls in a lot, and verbs that do not draw never pay for it.
    const { runConsole } = await import('../../components/run-console.js');
    await runConsole({ connection });
  } finally {
    connection.close();
  }
}
