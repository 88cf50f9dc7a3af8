import type { Alerts } from '../client/alerts.js';
import { connectQueue } from '../client/broker-connection.js';
import { identifyBroker } from '../client/broker-identity.js';
import type { Clipboard } from '../client/clipboard.js';
import type { Display, Looks } from '../client/display.js';
import type { Environment } from '../client/locations.js';
import { findEnrolledKey } from '../client/sign-in.js';
import { webSocketStream } from '../client/websocket.js';
import { findAgentSocket, isForwarded } from '../ssh/agent-socket.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { FORWARDED } from './examinations/agent.js';
import { type OpenBroker, ownTerminal } from './open-broker.js';

/** Signs in, opens the console and returns when it is closed. */
export async function openConsole(
  broker: OpenBroker,
  options: {
    readonly key: string | undefined;
    readonly env: Environment;
    readonly display: Display;
    readonly looks: Looks;
    readonly invitation?: readonly string[];
    readonly alerts: Alerts;
    readonly clipboard: Clipboard;
    readonly onPending?: (pending: number | null) => void;
  },
): Promise<void> {
  const { key, env, display, looks, invitation = [], alerts, clipboard, onPending = () => {} } = options;
  const { client, locations, clock } = broker;
  const findKey = () => findEnrolledKey(client, key, { env, config: locations.config });
  let found = await findKey();
  const connection = await connectQueue({
    broker,
    identify: async () => ({ client, ...(await identifyBroker(client, locations)) }),
    lookForKey: async () => {
      found = await findKey();
    },
    signerWith: (withTerminal) => createKeySigner(found, { env, withTerminal }),
    terminal: ownTerminal(),
    open: webSocketStream(client),
    clock,
    random: Math.random,
    config: locations.config,
    invitation,
  });
  try {
    // Drawing pulls in a lot, and verbs that do not draw never pay for it.
    const { runConsole } = await import('../../components/run-console.js');
    const isAtRisk = isForwarded(await findAgentSocket(env));
    await runConsole({
      connection,
      display,
      looks,
      warnings: isAtRisk ? [FORWARDED.what] : [],
      alerts,
      clipboard,
      onPending,
    });
  } finally {
    connection.close();
  }
}
