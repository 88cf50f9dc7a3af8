import meow from 'meow';
import { nearest } from '../protocol/nearest.js';
import { Problem } from '../protocol/problems.js';
import { BROKER_FLAGS, type FlagKind, type Flags, type FlagValues, GLOBAL_FLAGS, type Verb } from './verb.js';

export interface ParsedLine<Known extends Flags> {
  readonly arguments: readonly string[];
  readonly flags: FlagValues<Known>;
}

const MEOW_FLAGS = {
  text: { type: 'string' },
  texts: { type: 'string', isMultiple: true },
  switch: { type: 'boolean' },
  optional: { type: 'string' },
} as const satisfies Record<FlagKind, object>;

/**
 * Parses what follows a verb. Nothing is guessed: unknown flags, flags given twice, missing values and arguments too few
 * or too many are refused. The words of a command, after `--`, are taken as they stand.
 *
 * @throws Problem `usage`, with the flag that was probably meant.
 */
export function parseCommandLine<Known extends Flags>(
  verb: Pick<Verb<Known>, 'arguments' | 'flags'>,
  argv: readonly string[],
): ParsedLine<Known> {
  const [own, command] = verb.arguments[0] === '--' ? splitCommand(argv) : [argv, null];
  const { input, flags } = callMeow(verb.flags, own);
  checkArguments(command === null ? verb.arguments : [], input);
  const values: Record<string, unknown> = {};
  checkKnown(flags, verb.flags);
  for (const [name, kind] of Object.entries(verb.flags)) {
    const given = Object.entries(flags).find(([key]) => squash(key) === squash(name));
    values[name] = readFlag(name, kind, given?.[1]);
  }
  return { arguments: command ?? input, flags: values as FlagValues<Known> };
}

/** The words before the first `--`, and those after it. */
function splitCommand(argv: readonly string[]): [own: readonly string[], command: readonly string[]] {
  const end = argv.indexOf('--');
  if (end < 0 || end === argv.length - 1) {
    throw new Problem('usage', 'the command is missing', {
      hint: 'write it after two dashes: countersign run -- COMMAND ARGUMENTS',
    });
  }
  return [argv.slice(0, end), argv.slice(end + 1)];
}

/** Flags of most verbs, which may stand before the verb as well. */
const LEADING: Flags = { ...GLOBAL_FLAGS, ...BROKER_FLAGS, key: 'text', json: 'switch' };

/** Parts a command line before its verb: `--url X list`, `--profile production roster list`. */
export function partBeforeVerb(argv: readonly string[]): {
  readonly leading: readonly string[];
  readonly rest: readonly string[];
} {
  let at = 0;
  for (;;) {
    const [, name = '', value] = /^--([a-z]+)(=.*)?$/s.exec(argv[at] ?? '') ?? [];
    const kind = Object.hasOwn(LEADING, name) ? LEADING[name] : undefined;
    if (kind === undefined) return { leading: argv.slice(0, at), rest: argv.slice(at) };
    at += kind === 'switch' || value !== undefined ? 1 : 2;
  }
}

function callMeow(known: Flags, argv: readonly string[]) {
  try {
    const { input, flags } = meow({
      importMeta: import.meta,
      argv: joinValues(known, argv),
      flags: Object.fromEntries(Object.entries(known).map(([name, kind]) => [name, { ...MEOW_FLAGS[kind] }])),
      booleanDefault: undefined,
      autoHelp: false,
      autoVersion: false,
    });
    return { input, flags: flags as Readonly<Record<string, unknown>> };
  } catch (cause) {
    const { message } = cause as Error;
    const [, twice] = /^The flag --(\w+) can only be set once/.exec(message) ?? [];
    throw usage(twice === undefined ? message : `--${kebabCase(twice)} can be given only once`, cause);
  }
}

/**
 * Writes each flag and its value as one word, which leaves the parser nothing to guess: `-` and `-x` may be values, and
 * only `--flag=VALUE` gives an optional one. The parser takes one pair of quotes around a value away: it gets one for that, so
 * that quotes of the value itself stay.
 */
function joinValues(known: Flags, argv: readonly string[]): string[] {
  const kinds = new Map(Object.entries(known).map(([name, kind]) => [`--${kebabCase(name)}`, kind]));
  const end = argv.indexOf('--');
  const words = [...(end < 0 ? argv : argv.slice(0, end))];
  const joined: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, flag = word, written] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const kind = kinds.get(flag);
    if (kind === 'optional') {
      joined.push(`${flag}="${written ?? ''}"`);
    } else if (kind === 'text' || kind === 'texts') {
      const value = written ?? (words[0]?.startsWith('--') ? '' : words.shift());
      if (value === undefined || value === '') throw usage(`${flag} needs a value`);
      joined.push(`${flag}="${value}"`);
    } else if (kind === 'switch' && word.startsWith('--no-')) {
      // The parser would take it for the opposite of another switch.
      joined.push(`${word}=true`);
    } else joined.push(word);
  }
  return end < 0 ? joined : [...joined, ...argv.slice(end)];
}

function readFlag(name: string, kind: FlagKind, value: unknown): unknown {
  const flag = `--${kebabCase(name)}`;
  switch (kind) {
    case 'switch':
      if (value === undefined || value === true) return value === true;
      throw usage(`${flag} takes no value`);
    case 'optional':
      return value === '' ? true : oneText(flag, value);
    case 'text':
      return oneText(flag, value);
    case 'texts': {
      const values: readonly unknown[] = Array.isArray(value) ? value : [];
      return values.map((one) => oneText(flag, one));
    }
  }
}

function oneText(flag: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw usage(`${flag} is not one text`);
}

function checkKnown(given: Readonly<Record<string, unknown>>, known: Flags): void {
  const names = new Set(Object.keys(known).map(squash));
  for (const name of Object.keys(given)) {
    if (names.has(squash(name))) continue;
    const close = nearest(kebabCase(name), Object.keys(known).map(kebabCase));
    throw new Problem('usage', `unknown flag ${name.length === 1 ? '-' : '--'}${kebabCase(name)}`, {
      ...(close === null ? {} : { hint: `did you mean --${close}?` }),
    });
  }
}

function checkArguments(names: readonly string[], given: readonly string[]): void {
  const missing = names.find((name, index) => index >= given.length && !name.endsWith('?'));
  if (missing !== undefined) throw usage(`${missing} is missing`);
  const extra = given[names.length];
  if (extra !== undefined) throw usage(`unexpected argument ${JSON.stringify(extra)}`);
}

export const kebabCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** meow writes `--yes-i-read-it` as yesIreadIt: the letters alone tell a flag. */
const squash = (name: string): string => name.replaceAll('-', '').toLowerCase();

const usage = (message: string, cause?: unknown): Problem => new Problem('usage', message, { cause });
