import { setFlagsFromString } from 'node:v8';
import type { Alerts } from '../client/alerts.js';
import type { Clipboard } from '../client/clipboard.js';
import type { Display, Looks } from '../client/display.js';
import { type JobShell, PLAIN_SHELL } from '../client/job-shell.js';
import type { Environment } from '../client/locations.js';
import { findAgentSocket, isForwarded } from '../ssh/agent-socket.js';
import { FORWARDED } from './examinations/agent.js';
import { sharedTmuxRemark, sharedTmuxWarnings, tmuxSocketFacts } from './examinations/tmux-socket.js';
import { hasJobShell, isForeground, ownStanding, processStanding } from './job-control.js';
import type { OpenBroker } from './open-broker.js';
import { openQueue } from './open-queue.js';

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
    readonly stop?: Partial<Omit<JobShell, 'isThere' | 'isInFront'>>;
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
  // It stays open all night and does little: garbage is worth collecting before there are hundreds of megabytes of it.
  setFlagsFromString('--optimize-for-size');
  // Drawing pulls in a lot, and verbs that do not draw never pay for it.
  const drawing = import('../../components/run-console.js');
  const loading = drawing.then(({ loadDrawing }) => loadDrawing());
  // Whoever cannot sign in never hears of it; else it is met again where it is awaited.
  loading.catch(() => {});
  const surroundings = Promise.all([findAgentSocket(env), tmuxSocketFacts(env)]);
  const connection = await openQueue(broker, { key, env, invitation, isLookedAt: true });
  try {
    const { runConsole } = await drawing;
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
      shell: {
        ...PLAIN_SHELL,
        isThere: () => hasJobShell(processStanding, process.pid),
        isInFront: () => isForeground(ownStanding()),
        ...stop,
      },
    });
  } finally {
    connection.close();
  }
}
