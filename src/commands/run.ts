import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Question, SubmitCredential } from '../client/ask.js';
import { locate } from '../client/locations.js';
import { impossibleQuorum } from '../door/quorum.js';
import { SpentState } from '../door/spent-state.js';
import { isName, parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { Outcome } from '../protocol/request-view.js';
import { credentialOf } from './asking.js';
import { type BoundCommand, bindCommand, checkUnchanged } from './bound-command.js';
import { CommandDoor } from './command-door.js';
import { parseSeconds } from './duration.js';
import { endLike, execute } from './execute.js';
import { DEMO } from './first-run.js';
import { whereFlags } from './invocation.js';
import { openBroker, withBroker } from './open-broker.js';
import { tell } from './output.js';
import {
  type RunSettings,
  readRunSettings,
  readSigners,
  runSettingsPath,
  signersPath,
  withinLongest,
} from './run-settings.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type FlagValues } from './verb.js';

const FLAGS = {
  ...BROKER_FLAGS,
  reason: 'text',
  ticket: 'text',
  env: 'texts',
  wait: 'text',
  for: 'text',
  signers: 'text',
  settings: 'text',
  door: 'text',
  resource: 'text',
  requester: 'text',
  submitter: 'text',
  key: 'text',
  tokenFile: 'text',
} as const;

/** Own exit codes begin above those that most commands use. */
const EXIT_OFFSET = 120;
const STILL_WAITING = EXIT_OFFSET + 3;
export const verb = defineVerb({
  help: `
Hold a command until somebody else has signed for it, then run exactly it, without a
shell. Bound are its arguments, the executable's path and SHA-256, the directory, the
user, the host, the variables that --env names, and what standard input is. The
signatures are verified here, against your own signers file and requirements.

Against the user who runs it this is a guard rail, not a wall: nothing keeps that
user from running the command without it.

Usage
  countersign run [FLAGS] -- COMMAND [ARGUMENT]…

Flags
  --reason TEXT       for the reader, not bound
  --ticket TEXT       for the reader, not bound
  --env NAME          bind this variable too; can be given several times
  --wait TIME         wait at most so long: 90, 15m (default: until there is an answer)
  --for TIME          ask for so much work from first use, up to longest-duration of
                      run.conf: a grant lives so long (default: duration there, else 0)
  --signers FILE      who may approve (default: signers in the configuration directory)
  --settings FILE     what this door requires, and defaults (default: run.conf there)
  --door D            the name of this door (default: run: and the host)
  --resource R        what is opened (default: the host)
  --requester N       who wants it (default: the submitter)
  --submitter NAME    ask as this submitter, signed with --key FILE (COUNTERSIGN_KEY)
  --key FILE          the submitter's key
  --token-file FILE   ask with the token in this file, a bearer token or an OIDC token
                      (COUNTERSIGN_TOKEN, COUNTERSIGN_OIDC_TOKEN)${BROKER_FLAGS_HELP}

Interrupted while waiting, the same line again finds the request, or its approval.
Exit: the code of the command; 121 error, 122 denied, 123 expired, lapsed or still
waiting, 124 cancelled or revoked. Killed by a signal, it dies of the same one.

Examples
  countersign run --reason "INC-4312 stuck workers" -- systemctl restart nginx
  countersign run --env KUBECONFIG --ticket CHG-118 --wait 15m -- kubectl delete pod web-0
  countersign run -- sh -c 'pg_dump orders | gzip > orders.sql.gz'
`,
  arguments: ['--', 'COMMAND'],
  flags: FLAGS,
  exitOffset: EXIT_OFFSET,
  async run({ arguments: argv, flags: given, env, display: { zone } }) {
    const locations = locate(given, env);
    const settings = await readRunSettings(given.settings ?? runSettingsPath(locations.config));
    const flags = withDefaults(given, settings);
    const readOwn = () => readSigners(flags.signers ?? signersPath(locations.config), settings.revokedKeys);
    const { signers } = await readOwn();
    // Not the settings of this program that come from its configuration file: the command does not get those.
    const command = await bindCommand(argv, flags.env, process.env);
    const patience =
      flags.wait === undefined ? Number.POSITIVE_INFINITY : parseSeconds(flags.wait, '--wait') * 1000;
    return withBroker(openBroker(flags, env), async (broker) => {
      const credential = await credentialOf(flags, env, broker);
      const { requirements } = settings;
      const duration =
        flags.for === undefined
          ? settings.duration
          : withinLongest(parseSeconds(flags.for, '--for'), requirements);
      const asked = { duration, number: requirements.number };
      const question = questionOf(flags, credential, command, asked);
      const impossible = impossibleQuorum(signers, requirements, question.requester);
      if (impossible !== null) {
        throw new Problem('no-quorum', `nobody can approve this: ${impossible}`, {
          hint: 'enrol the requester as NAME or alias of one person, or more approvers, and renew the signers file',
        });
      }
      const spent = new SpentState(join(broker.locations.state, 'run'), () => broker.clock.now());
      const where = whereFlags(flags, env);
      const door = new CommandDoor({ broker, readOwn, requirements, spent, patience, where, zone });
      const admission = await door.admit(question, credential);
      if (admission.kind === 'waiting') return STILL_WAITING;
      if (admission.kind === 'interrupted') return endLike({ code: null, signal: admission.signal });
      const { alone, approvers } = admission.approval;
      tell(`${alone ? 'opened alone' : 'approved'} by ${approvers.join(', ')}`);
      return runApproved(command, alone ? 'alone' : 'approved', (outcome, code) =>
        door.report(admission.ask, outcome, code),
      );
    });
  },
});

type RunFlags = FlagValues<typeof FLAGS>;

/** Flags come before the settings file. */
function withDefaults(flags: RunFlags, settings: RunSettings): RunFlags {
  const { door, resource, requester, submitter, key, signers, wait } = settings;
  return {
    ...flags,
    door: flags.door ?? door ?? undefined,
    resource: flags.resource ?? resource ?? undefined,
    requester: flags.requester ?? requester ?? undefined,
    // A token names its submitter itself.
    submitter: flags.submitter ?? (flags.tokenFile === undefined ? (submitter ?? undefined) : undefined),
    key: flags.key ?? key ?? undefined,
    signers: flags.signers ?? signers ?? undefined,
    wait: flags.wait ?? (wait === null ? undefined : String(wait)),
  };
}

function questionOf(
  flags: RunFlags,
  credential: SubmitCredential,
  { details }: BoundCommand,
  { duration, number }: { readonly duration: number; readonly number: boolean },
): Question {
  const host = hostname().toLowerCase();
  const door = flags.door ?? `run:${host}`;
  if (!isName(door))
    throw new Problem('usage', '--door is missing: the name of this host is no part of a name');
  const own =
    credential.kind === 'key' ? credential.submitter : credential.kind === 'socket' ? DEMO : undefined;
  const requester = flags.requester === undefined ? own : parseName(flags.requester, '--requester');
  if (requester === undefined) throw new Problem('usage', '--requester is missing');
  return {
    version: 1,
    action: parseName('command.run', 'the action'),
    resource: flags.resource ?? host,
    door,
    requester,
    details,
    context: {
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      ...(flags.ticket === undefined ? {} : { ticket: flags.ticket }),
      ...(number ? { number } : {}),
    },
    duration,
  };
}

/** Executes what was approved, if it still is what was approved, and tells the broker. */
async function runApproved(
  command: BoundCommand,
  how: 'approved' | 'alone',
  report: (outcome: Outcome, code: string) => Promise<void>,
): Promise<number> {
  try {
    await checkUnchanged(command);
    const { end } = await execute(command.path, command.argv);
    const reported = report('opened', how);
    const ended = await end;
    await reported;
    return endLike(ended);
  } catch (error) {
    await report('refused', error instanceof Problem ? error.code : 'internal');
    throw error;
  }
}
