import meow from 'meow';
import { Problem } from '../protocol/problems.js';
import { nearest } from './nearest.js';
import type { FlagKind, Flags, FlagValues, Verb } from './verb.js';

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
 * or too many are refused.
 *
 * @throws Problem `usage`, with the flag that was probably meant.
 */
export function parseCommandLine<Known extends Flags>(
  verb: Pick<Verb<Known>, 'arguments' | 'flags'>,
  argv: readonly string[],
): ParsedLine<Known> {
  const { input, flags } = callMeow(verb.flags, argv);
  checkArguments(verb.arguments, input);
  const values: Record<string, unknown> = {};
  checkKnown(flags, verb.flags);
  checkValues(argv, verb.flags, flags);
  for (const [name, kind] of Object.entries(verb.flags)) {
    const given = Object.entries(flags).find(([key]) => squash(key) === squash(name));
    values[name] = readFlag(name, kind, given?.[1]);
  }
  return { arguments: input, flags: values as FlagValues<Known> };
}

function callMeow(known: Flags, argv: readonly string[]) {
  const names = new Set(
    Object.entries(known)
      .filter(([, kind]) => kind === 'optional')
      .map(([name]) => `--${kebabCase(name)}`),
  );
  try {
    const { input, flags } = meow({
      importMeta: import.meta,
      // Only `--flag=VALUE` gives such a flag a value: what follows it is never taken for one.
      argv: argv.map((word) => (names.has(word) ? `${word}=` : word)),
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

function readFlag(name: string, kind: FlagKind, value: unknown): unknown {
  const flag = `--${kebabCase(name)}`;
  switch (kind) {
    case 'switch':
      if (value === undefined || value === true) return value === true;
      throw usage(`${flag} takes no value`);
    case 'optional':
      return value === '' ? true : oneText(flag, value);
    case 'text':
      if (value === '') throw usage(`${flag} needs a value`);
      return oneText(flag, value);
    case 'texts': {
      const values = (value ?? []) as readonly unknown[];
      if (values.some((one) => typeof one !== 'string' || one === '')) throw usage(`${flag} needs a value`);
      return values;
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

/** A flag that can be given many times leaves no trace where its value is missing. */
function checkValues(argv: readonly string[], known: Flags, given: Readonly<Record<string, unknown>>): void {
  for (const [name, kind] of Object.entries(known)) {
    if (kind !== 'texts') continue;
    const flag = `--${kebabCase(name)}`;
    const times = argv.filter((word) => word === flag || word.startsWith(`${flag}=`)).length;
    const values = given[name];
    if (Array.isArray(values) && values.length < times) throw usage(`${flag} needs a value`);
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
