import { Problem } from '../protocol/problems.js';

/** What stands in the configuration of a door: each key once, with its text. */
export type Settings = ReadonlyMap<string, string>;

const LINES = /^(?:[\x20-\x7e]*\n)+$/;
const LINE = /^([a-z][a-z-]*)=([^ ](?:.*[^ ])?)$/;

/**
 * Reads lines of `key=value`, blank lines and whole-line comments that begin with `#`, in printable ASCII, each ended by
 * LF: the form of pam.conf. Nothing is guessed and nothing unquoted.
 *
 * @param keys the keys that are known
 * @param where the name of the file, for the message
 * @throws Problem `bad-config` for an unknown, repeated or malformed line, naming it
 */
export function parseSettings(text: string, keys: readonly string[], where: string): Settings {
  if (!LINES.test(text)) throw bad(where, 'not lines of printable ASCII, each ended by LF');
  const settings = new Map<string, string>();
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, key, value] = LINE.exec(line) ?? [];
    if (key === undefined || value === undefined) throw bad(`${where} line ${index + 1}`, 'not key=value');
    if (!keys.includes(key)) throw bad(`${where} line ${index + 1}`, `unknown key ${key}`);
    if (settings.has(key)) throw bad(`${where} line ${index + 1}`, `${key} stands twice`);
    settings.set(key, value);
  }
  return settings;
}

/**
 * Reads the value of one key.
 *
 * @returns the default where the key is absent
 * @throws Problem `bad-config` where `parse` returns undefined
 */
export function setting<Value, Default>(
  settings: Settings,
  key: string,
  parse: (text: string) => Value | undefined,
  absent: Default,
): Value | Default {
  const text = settings.get(key);
  if (text === undefined) return absent;
  const value = parse(text);
  if (value === undefined) throw bad(key, `${JSON.stringify(text)} is not a value of this key`);
  return value;
}

/** A whole number without leading zeros, from `least` to `most`. */
export const count =
  (least: number, most: number) =>
  (text: string): number | undefined => {
    const number = /^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  };

/** One of these words. */
export const oneOf =
  <Word extends string>(...words: readonly Word[]) =>
  (text: string): Word | undefined =>
    words.find((word) => word === text);

export const yesOrNo = (text: string): boolean | undefined =>
  text === 'yes' ? true : text === 'no' ? false : undefined;

const bad = (where: string, what: string): Problem => new Problem('bad-config', `${where}: ${what}`);
