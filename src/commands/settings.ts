import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { formatAddress, parseAddress } from '../client/address.js';
import type { ProfileColour, ProfileLabel } from '../client/display.js';
import type { Environment } from '../client/locations.js';
import { Problem } from '../protocol/problems.js';
import type { Configuration, Entry, Profile } from './configuration.js';

/** Where a value comes from. */
export type Source =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'variable'; readonly variable: string }
  | { readonly kind: 'file'; readonly line: number }
  | { readonly kind: 'default' };

export interface Setting<Value> {
  readonly value: Value;
  readonly source: Source;
}

/** The values that have a flag, a variable and a key of a profile; null is the default. */
export interface Settings {
  readonly profile: Setting<string | null>;
  readonly url: Setting<string | null>;
  readonly dir: Setting<string | null>;
  readonly ca: Setting<string | null>;
  readonly key: Setting<string | null>;
  readonly tokenFile: Setting<string | null>;
  /** How long the broker of the data directory keeps closed requests. */
  readonly retain: Setting<string | null>;
  readonly webhooks: Setting<string | null>;
  readonly colour: Setting<ProfileColour | null>;
  readonly utc: Setting<boolean>;
  /** How asks call the person, and when they do not. */
  readonly notify: Setting<string | null>;
  readonly quiet: Setting<string | null>;
  /** How the console looks: a theme, and `yes` or `no`. */
  readonly theme: Setting<string | null>;
  readonly ascii: Setting<string | null>;
  readonly screenReader: Setting<string | null>;
  /** Where the console copies to. */
  readonly clipboard: Setting<string | null>;
  /** Name and colour of the profile; null unless the broker is the one that it names. */
  readonly label: ProfileLabel | null;
  /** What of the profile is not used, and why, for a reader; null where all of it is. */
  readonly unused: string | null;
}

/** Flags as the command line gave them; only those that settings have are looked at. */
export type GivenFlags = Readonly<Record<string, unknown>>;

/** What a verb talks to: a broker wherever it is, or a data directory of this machine. */
export type Counterpart = 'broker' | 'directory';

/** The variables beside `COUNTERSIGN_PROFILE`, by the setting that they give. */
const VARIABLES = {
  url: 'COUNTERSIGN_URL',
  dir: 'COUNTERSIGN_DIR',
  ca: 'COUNTERSIGN_CA',
  key: 'COUNTERSIGN_KEY',
  tokenFile: 'COUNTERSIGN_TOKEN_FILE',
  retain: 'COUNTERSIGN_RETAIN',
  webhooks: 'COUNTERSIGN_WEBHOOKS',
  notify: 'COUNTERSIGN_NOTIFY',
  quiet: 'COUNTERSIGN_QUIET',
  theme: 'COUNTERSIGN_THEME',
  ascii: 'COUNTERSIGN_ASCII',
  screenReader: 'COUNTERSIGN_SCREEN_READER',
  clipboard: 'COUNTERSIGN_CLIPBOARD',
} as const;
type Name = keyof typeof VARIABLES;

/** Those that may begin with `~/`. */
const PATHS: readonly Name[] = ['dir', 'ca', 'key', 'tokenFile', 'webhooks'];

const FLAGS: Readonly<Record<Name, string>> = {
  url: '--url',
  dir: '--dir',
  ca: '--ca',
  key: '--key',
  tokenFile: '--token-file',
  retain: '--retain',
  webhooks: '--webhooks',
  notify: '--notify',
  quiet: '--quiet',
  theme: '--theme',
  ascii: '--ascii',
  screenReader: '--screen-reader',
  clipboard: '--clipboard',
};

/**
 * Decides every setting: flag, then environment, then the profile, then the default. What a profile says is about one
 * broker: where a flag or a variable names another one, nothing of it is used but `utc`, unless `--profile` asks for
 * key and CA by name; and its token never goes to another broker, nor do its name and colour stand over one.
 *
 * @throws Problem `usage` for a profile that there is not, that the verb cannot work on, or that is asked for beside a
 * variable that names another broker
 */
export function settle(
  flags: GivenFlags,
  env: Environment,
  configuration: Configuration | null,
  { counterpart, file }: { readonly counterpart: Counterpart; readonly file: string },
): Settings {
  const chosen = chooseProfile(flags, env, configuration);
  const profile = chosen.value === null ? null : findProfile(chosen.value, configuration, file);
  const named = namedBroker(flags, env, counterpart);
  const isIts = profile !== null && isBrokerOf(profile, named, { counterpart, env });
  const isAskedFor = chosen.source.kind === 'flag';
  if (profile !== null && isAskedFor && counterpart === 'directory' && profile.url && named === null) {
    throw new Problem(
      'usage',
      `the profile ${profile.name} is the broker at ${profile.url.value}; this verb works on a data directory`,
      { hint: "run it on that broker's machine, or name the directory with --dir" },
    );
  }
  if (profile !== null && isAskedFor && !isIts && named?.source.kind === 'variable') {
    const variable = sourceName(named.source);
    throw new Problem('usage', `--profile ${profile.name} and ${variable} name two brokers`, {
      hint: `unset ${variable}, or say which one with --url or --dir`,
    });
  }
  const isUsed = isIts || isAskedFor;
  const setting = (name: Name, entry: Entry<string> | null | undefined): Setting<string | null> => {
    // A data directory that is given as a flag comes before a URL of the environment.
    const isOverruled = name === 'url' && textOf(flags.dir) !== null;
    const given = givenSetting(name, flags, isOverruled ? {} : env);
    if (given !== null) return given;
    const { value, source } = fromFile<string | null>(entry, null);
    return { value: value === null || !PATHS.includes(name) ? value : inHome(value, env), source };
  };
  const ofBroker = named === null && isUsed ? profile : null;
  const other = isUsed ? profile : null;
  return {
    profile: chosen,
    url: setting('url', ofBroker?.url),
    dir: setting('dir', ofBroker?.dir),
    ca: setting('ca', other?.ca),
    key: setting('key', other?.key),
    // Whoever is shown a token can use it, unlike a signature, which names the broker that it is for.
    tokenFile: setting('tokenFile', isIts ? profile?.tokenFile : null),
    // How long history is kept is not said of another broker by mistake.
    retain: setting('retain', isIts ? profile?.retain : null),
    webhooks: setting('webhooks', isIts ? profile?.webhooks : null),
    colour: fromFile(isIts ? profile.colour : null, null),
    utc:
      flags.utc === true
        ? { value: true, source: { kind: 'flag', flag: '--utc' } }
        : fromFile(profile?.utc, false),
    notify: setting('notify', isIts ? profile?.notify : null),
    quiet: setting('quiet', isIts ? profile?.quiet : null),
    // About the reader's eyes and terminal, whichever broker it is; a profile may have colours of its own.
    theme: setting('theme', (isIts ? profile?.theme : null) ?? configuration?.theme),
    ascii: setting('ascii', yesOrNo(configuration?.ascii)),
    screenReader: setting('screenReader', yesOrNo(configuration?.screenReader)),
    clipboard: setting('clipboard', configuration?.clipboard),
    label: isIts ? { name: profile.name, colour: profile.colour?.value ?? null } : null,
    unused: profile === null || isIts ? null : whyUnused(profile, named, isAskedFor),
  };
}

/** The environment with what the profile says in place of variables that are not set. */
export function withSettings(settings: Settings, env: Environment): Environment {
  const filled: Record<string, string | undefined> = { ...env };
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const { value, source } = settings[name as Name];
    if (source.kind === 'file' && value !== null) filled[variable] = value;
  }
  return filled;
}

function chooseProfile(
  flags: GivenFlags,
  env: Environment,
  configuration: Configuration | null,
): Setting<string | null> {
  const flag = textOf(flags.profile);
  if (flag !== null) return { value: flag, source: { kind: 'flag', flag: '--profile' } };
  const variable = env.COUNTERSIGN_PROFILE || null;
  if (variable !== null) {
    return { value: variable, source: { kind: 'variable', variable: 'COUNTERSIGN_PROFILE' } };
  }
  return fromFile<string | null>(configuration?.profile, null);
}

function findProfile(name: string, configuration: Configuration | null, file: string): Profile {
  const profile = configuration?.profiles.get(name);
  if (profile !== undefined) return profile;
  throw new Problem('usage', `there is no profile ${JSON.stringify(name)} in ${file}`, {
    hint:
      configuration === null
        ? 'there is no such file yet: countersign config init'
        : whichProfiles(configuration.profiles.keys()),
  });
}

/** The broker that a flag or a variable names, in the order of {@link locateBroker}; null where none does. */
function namedBroker(
  flags: GivenFlags,
  env: Environment,
  counterpart: Counterpart,
): (Setting<string | null> & { readonly name: 'url' | 'dir' }) | null {
  const order = [
    { name: 'url', from: 'flag' },
    { name: 'dir', from: 'flag' },
    { name: 'url', from: 'variable' },
    { name: 'dir', from: 'variable' },
  ] as const;
  for (const { name, from } of order) {
    if (counterpart === 'directory' && name === 'url') continue;
    const given = from === 'flag' ? givenSetting(name, flags, {}) : givenSetting(name, {}, env);
    if (given !== null) return { ...given, name };
  }
  return null;
}

function isBrokerOf(
  profile: Profile,
  named: ReturnType<typeof namedBroker>,
  { counterpart, env }: { readonly counterpart: Counterpart; readonly env: Environment },
): boolean {
  if (counterpart === 'directory' && profile.url !== null) return false;
  if (named === null) return true;
  const own = named.name === 'url' ? profile.url : profile.dir;
  if (own === null || named.value === null) return false;
  return named.name === 'url'
    ? addressOf(own.value) === addressOf(named.value)
    : resolve(inHome(own.value, env)) === resolve(named.value);
}

function givenSetting(name: Name, flags: GivenFlags, env: Environment): Setting<string> | null {
  const flag = textOf(flags[name]);
  if (flag !== null) return { value: flag, source: { kind: 'flag', flag: FLAGS[name] } };
  const variable = VARIABLES[name];
  const value = env[variable];
  return value ? { value, source: { kind: 'variable', variable } } : null;
}

function fromFile<Value>(entry: Entry<Value> | null | undefined, otherwise: Value): Setting<Value> {
  if (!entry) return { value: otherwise, source: { kind: 'default' } };
  return { value: entry.value, source: { kind: 'file', line: entry.line } };
}

/** As a variable says it. */
const yesOrNo = (entry: Entry<boolean> | null | undefined): Entry<string> | null =>
  entry ? { value: entry.value ? 'yes' : 'no', line: entry.line } : null;

function whyUnused({ name }: Profile, named: ReturnType<typeof namedBroker>, isAskedFor: boolean): string {
  const because =
    named === null
      ? 'this verb works on a data directory'
      : `${sourceName(named.source)} names another broker than the profile ${name}`;
  return isAskedFor
    ? `${because}: its key and CA are used because --profile asks for it, its token, name and colour are not`
    : `${because}: nothing of it is used but utc`;
}

/** Names the profiles that there are. */
export function whichProfiles(names: Iterable<string>): string {
  const known = [...names].sort();
  return known.length === 0 ? 'the file has no profiles' : `the profiles are ${known.join(', ')}`;
}

/** How a reader finds the place: `--url`, `COUNTERSIGN_URL`, `config.yaml line 4`, `default`. */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case 'flag':
      return source.flag;
    case 'variable':
      return source.variable;
    case 'file':
      return `config.yaml line ${source.line}`;
    case 'default':
      return 'default';
  }
}

function inHome(path: string, env: Environment): string {
  return path.startsWith('~/') ? join(env.HOME || homedir(), path.slice(2)) : path;
}

/** An address that is none is a mistake for whoever uses it to tell. */
function addressOf(text: string): string {
  try {
    return formatAddress(parseAddress(text));
  } catch {
    return text;
  }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
