import { type Alerts, NOTIFICATIONS, parseQuietHours } from '../client/alerts.js';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';

/** The flags of a verb that opens a console. */
export interface AlertFlags {
  readonly notify?: string | undefined;
  readonly quiet?: string | undefined;
}

/**
 * How asks call the person: flag, then environment, into which the profile was filled, then by the bell at any hour.
 *
 * @throws Problem `usage`
 */
export function alertsOption(flags: AlertFlags, env: Environment): Alerts {
  const wanted = flags.notify ?? (env.COUNTERSIGN_NOTIFY || 'bell');
  const notify = NOTIFICATIONS.find((one) => one === wanted);
  if (notify === undefined) {
    throw new Problem('usage', `${JSON.stringify(wanted)} is no way to notify`, {
      hint: `--notify and COUNTERSIGN_NOTIFY take ${NOTIFICATIONS.join(', ')}`,
    });
  }
  const hours = flags.quiet ?? (env.COUNTERSIGN_QUIET || null);
  const quiet = hours === null ? null : parseQuietHours(hours);
  if (hours !== null && quiet === null) {
    throw new Problem('usage', `${JSON.stringify(hours)} are no quiet hours`, {
      hint: '--quiet and COUNTERSIGN_QUIET take hours of the day such as 22:00-07:00',
    });
  }
  return { notify, quiet, isInTmux: Boolean(env.TMUX) };
}
