import type { Alerts } from '../client/alerts.js';
import { connectQueue } from '../client/broker-connection.js';
import { identifyBroker } from '../client/broker-identity.js';
import type { Clipboard } from '../client/clipboard.js';
import type { Display, Looks } from '../client/display.js';
import { type JobShell, PLAIN_SHELL } from '../client/job-shell.js';
import type { Environment } from '../client/locations.js';
import { findEnrolledKey } from '../client/sign-in.js';
import { webSocketStream } from '../client/websocket.js';
import { findAgentSocket, isForwarded } from '../ssh/agent-socket.js';
import { createKeySigner } from '../ssh/key-signer.js';
import { FORWARDED } from './examinations/agent.js';
import { sharedTmuxRemark, sharedTmuxWarnings, tmuxSocketFacts } from './examinations/tmux-socket.js';
import { hasJobShell, processStanding } from './job-control.js';
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
    /** What Ctrl-Z stops beside the console, and who is told of that. */
    readonly stop?: Partial<Omit<JobShell, 'isThere'>>;
  },
): Promise<void> {
  const {
    key,
    env,
    display,
    looks,
    invitation = [],
    alerts,
    clipboard,
    onPending = () => {},
    stop,
  } = options;
  const { client, locations, clock } = broker;
  const surroundings = Promise.all([findAgentSocket(env), tmuxSocketFacts(env)]);
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
    const [agent, tmux] = await surroundings;
    await runConsole({
      connection,
      display,
      looks,
      warnings: [...(isForwarded(agent) ? [FORWARDED.what] : []), ...sharedTmuxWarnings(tmux)],
      remark: sharedTmuxRemark(tmux),
      alerts,
      clipboard,
      onPending,
      shell: { ...PLAIN_SHELL, isThere: () => hasJobShell(processStanding, process.pid), ...stop },
    });
  } finally {
    connection.close();
  }
}
