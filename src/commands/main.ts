import { locate } from '../client/locations.js';
import { localZone } from '../client/shown-time.js';
import { nearest } from '../protocol/nearest.js';
import { PROBLEMS, Problem } from '../protocol/problems.js';
import { VERSION } from '../version.js';
import { parseCommandLine, partBeforeVerb } from './command-line.js';
import { configurationPath, readConfiguration } from './configuration-file.js';
import { exitCodeOf } from './exit-code.js';
import { print, tellProblem } from './output.js';
import { settle, withSettings } from './settings.js';
import {
  GLOBAL_FLAGS,
  GLOBAL_FLAGS_HELP,
  type Invocation,
  isVerbGroup,
  type Verb,
  type VerbGroup,
} from './verb.js';
import { VERBS } from './verbs.js';

/** What `countersign --help` prints. */
export const HELP = `countersign: a second person signs before a door opens

Usage
  countersign VERB [ARGUMENTS] [FLAGS]
  countersign VERB --help

Start
  up         make a data directory on first use, start the broker, open the console
  serve      run the broker alone
  console    open the console on a running broker

Ask
  request    ask for something, and wait for the answer if told to
  run        hold a command until its approval is verified, then run it
  wait       wait for a request that was made before
  cancel     take a request back
  canary     ask for what nobody needs, to see whether approvers read
  break-glass
             let yourself in alone, where rule and door allow it

Decide
  list       list requests
  show       show one request as a whole, with its digests recomputed
  approve    sign yes
  deny       sign no
  revoke     take an approval or a grant back
  grants     approvals that cover later equal asks; what doors watch just now
  review     look at what somebody opened alone, and sign that you did
  locks      who may not ask now
  unlock     let somebody ask again
  comment    say something to the other approvers about a request
  escalate   have everybody rung who could sign
  sign       sign what a door prints while its broker is down

Manage
  roster     people, their keys, aliases and groups; export a signers file
  submitter  hosts, jobs and tools that may ask, and what they may ask for
  statistics how long people wait, who decides how much, what becomes of it
  policy     the policy file: check it, explain it, test it, import one
  broker     the key that names the broker, its rotation, and the brokers pinned here
  outbox     what leaves the broker, and what a receiver did not take
  webhook    the file of webhooks: check it, call a receiver of it
  audit      the log of events: export, verify and report it; kept heads, legal holds
  backup     copy the database, while the broker runs or not
  restore    put such a copy in its place
  status     how the broker fares
  doctor     check this installation and say what to mend
  config     your brokers and their profiles; where each setting comes from
${GLOBAL_FLAGS_HELP}

Exit codes: 0 approved or done, 1 error, 2 denied, 3 expired or lapsed, 4 cancelled or revoked.
run passes the code of its command through, and has 121 to 124 for its own 1 to 4.
`;

/**
 * Runs one command line. Errors are told, never thrown.
 *
 * @returns the exit code
 */
export async function main(argv: readonly string[]): Promise<number> {
  // Whoever reads our output has gone: nothing is left to say, and nothing may look like a success.
  const { leading, rest } = partBeforeVerb(argv);
  const code = rest[0] === 'run' ? 121 : 1;
  process.stdout.on('error', endOnBrokenPipe(code));
  process.stderr.on('error', endOnBrokenPipe(code));
  try {
    return await dispatch(rest, leading);
  } catch (error) {
    return failed(error, rest);
  }
}

function failed(error: unknown, argv: readonly string[]): number {
  tellProblem(error instanceof Problem && error.hint === PROBLEMS.usage.hint ? withHelp(error, argv) : error);
  return exitCodeOf(error);
}

/** How many words name a verb of these groups. */
const GROUPS: Readonly<Record<string, number>> = {
  roster: 2,
  submitter: 2,
  config: 2,
  policy: 2,
  audit: 2,
  broker: 3,
};

/** Names the help that fits: of the verb that was called. */
function withHelp({ code, message }: Problem, argv: readonly string[]): Problem {
  const words = argv.filter((word) => !word.startsWith('-')).slice(0, GROUPS[argv[0] ?? ''] ?? 1);
  return new Problem(code, message, { hint: `see countersign ${words.join(' ')} --help` });
}

async function dispatch(argv: readonly string[], leading: readonly string[]): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined || word === 'help' || isHelp(word)) {
    print(HELP.trimEnd());
    return word === undefined ? 1 : 0;
  }
  if (word === '--version' || word === '-V' || word === 'version') {
    print(VERSION);
    return 0;
  }
  const load = lookUp(VERBS, word, 'verb');
  const { verb } = await load();
  if (isVerbGroup(verb)) return runGroup(verb, word, { argv: rest, leading });
  const { exitOffset } = verb;
  const ended = runVerb(verb, [...leading, ...rest]);
  if (exitOffset === undefined) return ended;
  return ended.catch((error: unknown) => exitOffset + failed(error, argv));
}

async function runGroup(
  group: VerbGroup,
  name: string,
  { argv, leading }: { readonly argv: readonly string[]; readonly leading: readonly string[] },
): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined || isHelp(word)) {
    print(group.help.trim());
    return word === undefined ? 1 : 0;
  }
  const verb = lookUp(group.verbs, word, `verb of ${name}`);
  return isVerbGroup(verb)
    ? runGroup(verb, `${name} ${word}`, { argv: rest, leading })
    : runVerb(verb, [...leading, ...rest]);
}

async function runVerb(verb: Verb, argv: readonly string[]): Promise<number> {
  const end = argv.indexOf('--');
  if ((end < 0 ? argv : argv.slice(0, end)).some(isHelp)) {
    print(`${verb.help.trim()}\n${GLOBAL_FLAGS_HELP}`);
    return 0;
  }
  const line = parseCommandLine({ ...verb, flags: { ...verb.flags, ...GLOBAL_FLAGS } }, argv);
  return verb.run({ ...line, ...(await surroundings(verb, line.flags)) });
}

/** What the environment and the configuration file add to a command line. */
async function surroundings(
  verb: Verb,
  flags: Invocation<typeof GLOBAL_FLAGS>['flags'],
): Promise<Pick<Invocation, 'env' | 'display'>> {
  const { env } = process;
  if (verb.ownConfiguration === true) return { env, display: { zone: localZone(), profile: null } };
  const file = configurationPath(locate({}, env));
  const settings = settle(flags, env, await readConfiguration(file), {
    counterpart: 'url' in verb.flags ? 'broker' : 'directory',
    file,
  });
  const zone = settings.utc.value ? 'UTC' : localZone();
  return { env: withSettings(settings, env), display: { zone, profile: settings.label } };
}

function lookUp<Value>(table: Readonly<Record<string, Value>>, word: string, what: string): Value {
  const found = Object.hasOwn(table, word) ? table[word] : undefined;
  if (found !== undefined) return found;
  const close = nearest(word, Object.keys(table));
  throw new Problem('usage', `unknown ${what} ${JSON.stringify(word)}`, {
    hint: close === null ? 'see countersign --help' : `did you mean ${close}?`,
  });
}

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

const endOnBrokenPipe =
  (code: number) =>
  (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(code);
  };
