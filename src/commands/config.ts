import { existsSync } from 'node:fs';
import { DEFAULT_LISTEN, locate } from '../client/locations.js';
import { writePrivately } from '../client/private-file.js';
import { localZone } from '../client/shown-time.js';
import { Problem } from '../protocol/problems.js';
import { configurationPath, readConfiguration } from './configuration-file.js';
import { EXAMPLE_CONFIGURATION } from './example-configuration.js';
import { exact, print, printJson, tell } from './output.js';
import { type Setting, type Settings, settle, sourceName } from './settings.js';
import { formatTable } from './text-table.js';
import { BROKER_FLAGS, BROKER_FLAGS_HELP, defineVerb, type VerbGroup } from './verb.js';

export const verb: VerbGroup = {
  help: `
Your brokers and how you reach them. The file config.yaml gives each of them a name,
an address, a key and a colour, so that --profile production is enough. A flag comes
before a variable, that before the file, that before the default.

Usage
  countersign config show [--json]
  countersign config path
  countersign config init [--print]

Flags
  --json          as JSON
  --print         print the example instead of writing it

Examples
  countersign config init
  countersign config show
  countersign --profile staging list
`,
  verbs: {
    show: defineVerb({
      help: `
Print every setting, and whether a flag, a variable, a line of config.yaml or the
default gives it. Takes the flags that the other verbs take, to show what they do.
Connects to nothing.

Usage
  countersign config show [--json]

Flags
  --key FILE      the key to sign with (COUNTERSIGN_KEY)
  --token-file FILE
                  the token to ask with (COUNTERSIGN_TOKEN, COUNTERSIGN_TOKEN_FILE)
  --json          as JSON${BROKER_FLAGS_HELP}

Examples
  countersign config show
  countersign config show --profile staging --json | jq -r .settings.url.value
`,
      arguments: [],
      flags: { ...BROKER_FLAGS, key: 'text', tokenFile: 'text', json: 'switch' },
      ownConfiguration: true,
      async run({ flags, env }) {
        const file = configurationPath(locate({}, env));
        const configuration = await readConfiguration(file);
        const settings = settle(flags, env, configuration, { counterpart: 'broker', file });
        const rows = settingRows(settings, env);
        if (flags.json) {
          printJson({
            file: configuration === null ? null : file,
            profiles: [...(configuration?.profiles.keys() ?? [])],
            shownAs: settings.label,
            unused: settings.unused,
            settings: Object.fromEntries(
              rows.map(([name, { value, source }]) => [name, { value, source: sourceName(source) }]),
            ),
          });
        } else {
          print(`file      ${exact(file)}${configuration === null ? ' (there is none)' : ''}\n`);
          print(formatTable([['SETTING', 'VALUE', 'SOURCE'], ...rows.map(formatRow)]));
          if (settings.unused !== null) print(`\n${exact(settings.unused)}`);
        }
        return 0;
      },
    }),
    path: defineVerb({
      help: `
Print where the configuration file is, or would be.

Usage
  countersign config path

Examples
  countersign config path
  \${EDITOR:-vi} "$(countersign config path)"
`,
      arguments: [],
      flags: {},
      ownConfiguration: true,
      async run({ env }) {
        print(configurationPath(locate({}, env)));
        return 0;
      },
    }),
    init: defineVerb({
      help: `
Write an example of a configuration file, all of it commented out. A file that is
there already is left alone.

Usage
  countersign config init [--print]

Flags
  --print         print it instead

Examples
  countersign config init
  countersign config init --print
`,
      arguments: [],
      flags: { print: 'switch' },
      ownConfiguration: true,
      async run({ flags, env }) {
        if (flags.print) {
          process.stdout.write(EXAMPLE_CONFIGURATION);
          return 0;
        }
        const file = configurationPath(locate({}, env));
        if (existsSync(file)) {
          throw new Problem('usage', `${file} is there already`, {
            hint: 'see an example beside it: countersign config init --print',
          });
        }
        await writePrivately(file, EXAMPLE_CONFIGURATION);
        tell(`wrote ${exact(file)}; take out the # before what you need`);
        return 0;
      },
    }),
  },
};

type Row = readonly [name: string, setting: Setting<string | boolean | null>];

/** What is shown; a token itself never is. */
function settingRows(settings: Settings, env: Readonly<Record<string, string | undefined>>): readonly Row[] {
  const { profile, url, dir, ca, key, tokenFile, retain, webhooks, colour, utc } = settings;
  const { notify, quiet, theme, ascii, screenReader, clipboard } = settings;
  const variable = (name: string) => ({ kind: 'variable', variable: name }) as const;
  const token = ['COUNTERSIGN_TOKEN', 'COUNTERSIGN_OIDC_TOKEN'].find((name) => env[name]);
  return [
    ['profile', profile],
    ['url', url],
    ['dir', dir.value === null ? { ...dir, value: locate({}, {}).data } : dir],
    ['ca', ca],
    ['key', key],
    ...(token !== undefined && tokenFile.source.kind !== 'flag'
      ? ([['token', { value: 'set, not shown', source: variable(token) }]] as const)
      : ([['token-file', tokenFile]] as const)),
    ...(retain.value === null ? [] : ([['retain', retain]] as const)),
    ...(webhooks.value === null ? [] : ([['webhooks', webhooks]] as const)),
    ['colour', colour],
    ['utc', utc],
    ['zone', zoneRow(utc, env)],
    ...(notify.value === null ? [] : ([['notify', notify]] as const)),
    ...(quiet.value === null ? [] : ([['quiet', quiet]] as const)),
    ...(theme.value === null ? [] : ([['theme', theme]] as const)),
    ...(ascii.value === null ? [] : ([['ascii', ascii]] as const)),
    ...(screenReader.value === null ? [] : ([['screen-reader', screenReader]] as const)),
    ...(clipboard.value === null ? [] : ([['clipboard', clipboard]] as const)),
  ];
}

function zoneRow(utc: Setting<boolean>, env: Readonly<Record<string, string | undefined>>): Setting<string> {
  if (utc.value) return { value: 'UTC', source: utc.source };
  const source = env.TZ ? ({ kind: 'variable', variable: 'TZ' } as const) : ({ kind: 'default' } as const);
  return { value: localZone(), source };
}

/** What stands for a value that nobody gives. */
const UNSET: Readonly<Record<string, string>> = {
  url: `the socket in dir, else http://${DEFAULT_LISTEN.host}:${DEFAULT_LISTEN.port}`,
  ca: "the system's",
  key: 'the first that is enrolled, of the agent and ~/.ssh',
};

const formatRow = ([name, { value, source }]: Row): readonly string[] => [
  name,
  value === null ? (UNSET[name] ?? '-') : exact(String(value)),
  sourceName(source),
];
