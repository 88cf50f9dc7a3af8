import { locate } from '../client/locations.js';
import { shownTime } from '../client/shown-time.js';
import { isName, type Name, parseName } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { Person, PersonKey } from '../protocol/roster-messages.js';
import { type EpochMs, formatTime, parseTime } from '../protocol/time.js';
import { formatPublicKey, parseFingerprint, parsePublicKeyLine } from '../ssh/public-key.js';
import { exportSigners } from '../ssh/roster-export.js';
import { CHANGE_FLAGS, CHANGE_HELP, makeChange } from './enrolled-change.js';
import { hasDatabase, withDirectory } from './enrolled-directory.js';
import { exact, print, printJson } from './output.js';
import { readPublicKey } from './public-key-file.js';
import { signVerb, statusVerb } from './roster-signing.js';
import { formatTable } from './text-table.js';
import { defineVerb, type FlagValues, type VerbGroup } from './verb.js';

const KEY_FLAGS = { ...CHANGE_FLAGS, key: 'text', validAfter: 'text', validBefore: 'text' } as const;
const DIR_HELP = `
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)`;
const KEY_HELP = `
  --key FILE      a public key file, or - for stdin
  --valid-after TIME, --valid-before TIME
                  when the key may sign, as 2026-01-31T23:00:00Z${CHANGE_HELP}`;

export const verb: VerbGroup = {
  help: `
The people who may sign: one name each, several keys, aliases and groups. Works
through the socket of a running broker, else on the data directory itself, and over
a URL for approvers. While the broker runs and two approvers are enrolled, a change
is a request: it waits for others to sign it, and takes effect then. Doors take it
over with a new signers file: by hand, or signed for by approvers (sign, status).

Exits with 0 done, 2 denied, 3 nobody answered in time, 4 cancelled, 1 error.

Usage
  countersign roster list [--json]
  countersign roster add NAME --key FILE [--alias A]… [--group G]…
  countersign roster set NAME [--alias A]… [--group G]…
  countersign roster remove NAME
  countersign roster add-key NAME --key FILE
  countersign roster rotate-key NAME FINGERPRINT --key FILE
  countersign roster remove-key NAME FINGERPRINT
  countersign roster export [--for DOOR]
  countersign roster sign [--from DIGEST]
  countersign roster status [--json]

Flags
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)
  --key FILE      a public key file, or - for stdin (add, add-key, rotate-key)
  --valid-after TIME, --valid-before TIME
                  when that key may sign
  --alias A, --group G
                  other names and groups of a person (add, set)
  --for DOOR      the door that the signers file is for (export)
  --json          as JSON (list)
  --reason TEXT, --no-wait, --url ADDRESS, --sign-in FILE, --ca FILE
                  of a change: see countersign roster add --help

Examples
  countersign roster add bob --key bob.pub --alias bob@example.com --group oncall
  ssh-add -L | head -1 | countersign roster add alice --key -
  countersign roster export > signers
`,
  verbs: {
    list: defineVerb({
      help: `
List the people of the roster.

Usage
  countersign roster list [--json]

Flags${DIR_HELP}
  --json          as JSON

Examples
  countersign roster list
`,
      arguments: [],
      flags: { dir: 'text', json: 'switch' },
      async run({ flags, env, display: { zone } }) {
        const people = await readPeople(locate(flags, env).data);
        if (flags.json) printJson({ people: people.map(personOnWire) });
        else print(formatPeople(people, zone));
        return 0;
      },
    }),
    add: defineVerb({
      help: `
Enrol a person with a first key.

Usage
  countersign roster add NAME --key FILE [--alias A]… [--group G]…

Flags
  --alias A       another name of the person: local account, e-mail, chat or GitHub id
  --group G       a group that rules and doors may name${KEY_HELP}

Examples
  countersign roster add bob --key ~/bob.pub --alias bob@example.com --group oncall
  countersign roster add carol --key carol.pub --reason "joins the team" \\
    --url https://approvals.example.com:7433
`,
      arguments: ['NAME'],
      flags: { ...KEY_FLAGS, alias: 'texts', group: 'texts' },
      async run({ arguments: [name = ''], flags, env, display: { zone } }) {
        const person: Person = {
          name: parseName(name, 'NAME'),
          aliases: parseNames(flags.alias, '--alias'),
          groups: parseNames(flags.group, '--group'),
          keys: [await readKey(flags)],
        };
        const done = `added ${person.name}`;
        return makeChange({ of: 'people', change: { change: 'add', person }, done }, flags, env, zone);
      },
    }),
    set: defineVerb({
      help: `
Replace the aliases or the groups of a person. What is not given stays; a single -
empties the list.

Usage
  countersign roster set NAME [--alias A]… [--group G]…

Flags
  --alias A       an alias
  --group G       a group${CHANGE_HELP}

Examples
  countersign roster set bob --group oncall --group db
  countersign roster set bob --alias -
`,
      arguments: ['NAME'],
      flags: { ...CHANGE_FLAGS, alias: 'texts', group: 'texts' },
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        if (flags.alias.length + flags.group.length === 0) {
          throw new Problem('usage', 'neither --alias nor --group is given');
        }
        const aliases = parseReplacement(flags.alias, '--alias');
        const groups = parseReplacement(flags.group, '--group');
        const change = {
          change: 'set',
          name,
          ...(aliases === null ? {} : { aliases }),
          ...(groups === null ? {} : { groups }),
        } as const;
        return makeChange({ of: 'people', change, done: `changed ${name}` }, flags, env, zone);
      },
    }),
    remove: defineVerb({
      help: `
Remove a person with all keys. Open sessions and consoles of that person end at
once.

Usage
  countersign roster remove NAME

Flags${CHANGE_HELP}

Examples
  countersign roster remove bob
`,
      arguments: ['NAME'],
      flags: CHANGE_FLAGS,
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const done = `removed ${name}`;
        return makeChange({ of: 'people', change: { change: 'remove', name }, done }, flags, env, zone);
      },
    }),
    'add-key': defineVerb({
      help: `
Give a person one more key.

Usage
  countersign roster add-key NAME --key FILE

Flags${KEY_HELP}

Examples
  countersign roster add-key bob --key bob-token.pub
`,
      arguments: ['NAME'],
      flags: KEY_FLAGS,
      async run({ arguments: [text = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const key = await readKey(flags);
        const done = `added ${parsePublicKeyLine(key.key).fingerprint} to ${name}`;
        return makeChange({ of: 'people', change: { change: 'add-key', name, key }, done }, flags, env, zone);
      },
    }),
    'rotate-key': defineVerb({
      help: `
Replace one key of a person by another. Sessions of the old key end at once.

Usage
  countersign roster rotate-key NAME FINGERPRINT --key FILE

Flags${KEY_HELP}

Examples
  countersign roster rotate-key bob --key new.pub \\
    SHA256:fZ6V0mJkC3y0t2Qe4l3wq1yJ1rC0Hq3o7sU8mC0aTqE
`,
      arguments: ['NAME', 'FINGERPRINT'],
      flags: KEY_FLAGS,
      async run({ arguments: [text = '', old = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const fingerprint = parseFingerprint(old);
        const key = await readKey(flags);
        const change = { change: 'rotate-key', name, fingerprint, key } as const;
        const done = `replaced ${fingerprint} of ${name} by ${parsePublicKeyLine(key.key).fingerprint}`;
        return makeChange({ of: 'people', change, done }, flags, env, zone);
      },
    }),
    'remove-key': defineVerb({
      help: `
Take one key from a person. Sessions of that key end at once.

Usage
  countersign roster remove-key NAME FINGERPRINT

Flags${CHANGE_HELP}

Examples
  countersign roster remove-key bob SHA256:fZ6V0mJkC3y0t2Qe4l3wq1yJ1rC0Hq3o7sU8mC0aTqE
`,
      arguments: ['NAME', 'FINGERPRINT'],
      flags: CHANGE_FLAGS,
      async run({ arguments: [text = '', old = ''], flags, env, display: { zone } }) {
        const name = parseName(text, 'NAME');
        const fingerprint = parseFingerprint(old);
        const change = { change: 'remove-key', name, fingerprint } as const;
        const done = `removed ${fingerprint} from ${name}`;
        return makeChange({ of: 'people', change, done }, flags, env, zone);
      },
    }),
    sign: signVerb,
    status: statusVerb,
    export: defineVerb({
      help: `
Print the signers file that doors check signatures against. Compare it with the one
in place before you install it: countersign-pam check --signers NEW.

Usage
  countersign roster export [--for DOOR]

Flags
  --for DOOR      name the door in the first line${DIR_HELP}

Examples
  countersign roster export > signers
  countersign roster export --for host:web-1.example.com > signers
`,
      arguments: [],
      flags: { dir: 'text', for: 'text' },
      async run({ flags, env }) {
        const door = flags.for === undefined ? null : parseName(flags.for, '--for');
        const people = await readPeople(locate(flags, env).data);
        process.stdout.write(exportSigners(people, door));
        return 0;
      },
    }),
  },
};

async function readPeople(data: string): Promise<readonly Person[]> {
  if (!hasDatabase(data)) return [];
  return withDirectory(data, (directory) => directory.people());
}

async function readKey({ key, validAfter, validBefore }: FlagValues<typeof KEY_FLAGS>): Promise<PersonKey> {
  return {
    key: formatPublicKey(await readPublicKey(key)),
    validAfter: parseOptionalTime(validAfter, '--valid-after'),
    validBefore: parseOptionalTime(validBefore, '--valid-before'),
  };
}

function parseOptionalTime(text: string | undefined, what: string): EpochMs | null {
  if (text === undefined) return null;
  const time = parseTime(text);
  if (time === null) throw new Problem('usage', `${what} is not a time like 2026-01-31T23:00:00Z`);
  return time;
}

function parseNames(texts: readonly string[], what: string): Name[] {
  return texts.map((text) => {
    if (isName(text)) return text;
    return parseName(text, `${what} ${JSON.stringify(text)}`);
  });
}

/** null leaves a list as it is. */
function parseReplacement(texts: readonly string[], what: string): Name[] | null {
  if (texts.length === 0) return null;
  return texts.length === 1 && texts[0] === '-' ? [] : parseNames(texts, what);
}

function formatPeople(people: readonly Person[], zone: string): string {
  if (people.length === 0) return 'nobody is enrolled';
  return formatTable([
    ['NAME', 'ALIASES', 'GROUPS', 'TYPE', 'KEY', 'VALID'],
    ...people.flatMap(({ name, aliases, groups, keys }) =>
      keys.map((entry) => {
        const { type, fingerprint } = parsePublicKeyLine(entry.key);
        return [
          name,
          aliases.join(',') || '-',
          groups.join(',') || '-',
          type,
          fingerprint,
          validity(entry, zone),
        ].map(exact);
      }),
    ),
  ]);
}

function validity({ validAfter, validBefore }: PersonKey, zone: string): string {
  const parts = [
    ...(validAfter === null ? [] : [`after ${shownTime(validAfter, { zone, now: Date.now() })}`]),
    ...(validBefore === null ? [] : [`before ${shownTime(validBefore, { zone, now: Date.now() })}`]),
  ];
  return parts.join(', ') || 'always';
}

function personOnWire(person: Person): object {
  const time = (at: EpochMs | null): string | null => (at === null ? null : formatTime(at));
  return {
    ...person,
    keys: person.keys.map(({ key, validAfter, validBefore }) => ({
      key,
      validAfter: time(validAfter),
      validBefore: time(validBefore),
    })),
  };
}
