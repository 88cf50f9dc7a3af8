import type { Display } from '../client/display.js';
import type { Environment } from '../client/locations.js';

/**
 * What a flag takes: `text` one value, `texts` one value each time it is given, `switch` none, `optional` a value only in
 * the form `--flag=VALUE`.
 */
export type FlagKind = 'text' | 'texts' | 'switch' | 'optional';
/** Flags by their name in camel case; on the command line they are written in kebab case. */
export type Flags = Readonly<Record<string, FlagKind>>;

interface FlagValue {
  readonly text: string | undefined;
  readonly texts: readonly string[];
  readonly switch: boolean;
  /** True where the flag stands without a value. */
  readonly optional: string | true | undefined;
}
export type FlagValues<Known extends Flags> = { readonly [Name in keyof Known]: FlagValue[Known[Name]] };

/** One call of a verb, with its command line parsed. */
export interface Invocation<Known extends Flags = Flags> {
  /** As many as the verb names in `arguments`; absent optional ones are missing at the end. */
  readonly arguments: readonly string[];
  readonly flags: FlagValues<Known>;
  /** The environment, with what the profile says in place of variables that are not set. */
  readonly env: Environment;
  readonly display: Display;
}

/** A verb of the command line. */
export interface Verb<Known extends Flags = Flags> {
  /** Usage, what it does, its flags, and examples that can be pasted. */
  readonly help: string;
  /** Names of the positional arguments; those that end in `?` may be absent. `--` first: a command, word by word. */
  readonly arguments: readonly string[];
  readonly flags: Known;
  /** True for a verb that reads the configuration file itself, to say what is in it. */
  readonly ownConfiguration?: boolean;
  /** Added to the exit codes of errors, where those below belong to the command that the verb runs. */
  readonly exitOffset?: number;
  /** @returns the exit code: 0…4, or that of the command which was run. */
  run(invocation: Invocation<Known>): Promise<number>;
}

/** A verb that only leads to others: `roster add`. */
export interface VerbGroup {
  readonly help: string;
  readonly verbs: Readonly<Record<string, Verb | VerbGroup>>;
}

/** Checks a verb against its own flags and forgets their types, which only `run` needs. */
export function defineVerb<const Known extends Flags>(verb: Verb<Known>): Verb {
  return verb as unknown as Verb;
}

export const isVerbGroup = (verb: Verb | VerbGroup): verb is VerbGroup => 'verbs' in verb;

/** The flags that every verb has. */
export const GLOBAL_FLAGS = { profile: 'text', utc: 'switch' } as const satisfies Flags;
export const GLOBAL_FLAGS_HELP = `
Everywhere
  --profile NAME  a broker of your configuration file: see countersign config
  --utc           show times in UTC`;

/** The flags of every verb that talks to a broker. */
export const BROKER_FLAGS = { url: 'text', dir: 'text', ca: 'text' } as const satisfies Flags;
export const BROKER_FLAGS_HELP = `
  --url ADDRESS   broker: http(s)://HOST:PORT or the path of its socket (COUNTERSIGN_URL)
  --dir DIR       data directory, where the socket is (COUNTERSIGN_DIR)
  --ca FILE       CA certificates for https, instead of the system's (COUNTERSIGN_CA)`;
