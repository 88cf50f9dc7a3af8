import { POLICY_CHANGE, ROSTER_CHANGE } from './change-messages.js';
import type { RequestDocument } from './document.js';
import type { Name } from './names.js';
import type { JsonValue } from './strict-json.js';

/** What a yes to an ask of this action lets its requester do; `as` is empty or ` as USER`. */
type Effect = (as: string) => string;

const EFFECTS: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['ssh.login', (as) => `log in over ssh${as}`],
  ['ssh.shell', (as) => `have a shell${as}`],
  ['ssh.command', (as) => `run the command below${as}`],
  ['ssh.sftp', (as) => `read and write files over SFTP${as}`],
  // Its user is who calls sudo; as whom the command runs stands in its words.
  ['sudo.run', () => 'run the command below through sudo'],
  ['su.login', (as) => `work${as === '' ? ' as another user' : as}`],
  ['command.run', (as) => `run the command below${as}`],
]);

const CHANGES: ReadonlyMap<string, string> = new Map([
  [ROSTER_CHANGE, 'who may sign or ask changes, as told below'],
  [POLICY_CHANGE, 'the policy below takes the place of the one in force'],
]);

/** Accounts with plain names; any other stands in its field alone. */
const PLAIN_USER = /^[a-z_][a-z0-9_-]{0,31}$/;

/**
 * What an approval of this one ask allows, in plain words: `alice may log in over ssh, once`. Of what others wrote only names stand
 * in it, which have neither spaces nor letters that could deceive, and an action is called one: `nothing` is a name too. Resource and
 * command stand in fields of their own.
 */
export function effectWords({ action, requester, details }: RequestDocument): string {
  const effect = EFFECTS.get(action)?.(asUser(details.user, requester)) ?? `take the action ${action}`;
  return CHANGES.get(action) ?? `${requester} may ${effect}, once`;
}

function asUser(user: JsonValue | undefined, requester: Name): string {
  if (typeof user !== 'string' || user === requester) return '';
  return PLAIN_USER.test(user) ? ` as ${user}` : ' as the user below';
}
