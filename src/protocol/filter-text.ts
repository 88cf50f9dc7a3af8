import {
  type Filter,
  STANDINGS,
  TEXT_KEYS,
  type Term,
  type TextKey,
  type TimeTerm,
  VERDICTS,
} from './filter.js';
import { foldCase, type Glob } from './glob.js';
import { nearest } from './nearest.js';
import { Problem } from './problems.js';
import { type EpochMs, formatTime, parseTime } from './time.js';

/** Longest text of a filter, in UTF-16 units. */
export const MAX_FILTER_LENGTH = 1024;
/** Most terms of a filter, and most values of one term. */
export const MAX_TERMS = 32;

/** What can stand before a colon, each with what comes after it, for help and completion. */
export const FILTER_KEYS: Readonly<Record<Exclude<Term['key'], 'word'>, string>> = {
  person: 'a requester or approver: person:bob',
  requester: 'who asked: requester:alice,ci-*',
  approver: 'who said yes or no: approver:bob',
  submitter: 'which machine or tool sent it: submitter:host-web-1',
  action: 'what is to be done: action:ssh.*',
  resource: 'what is opened: resource:web-*',
  door: 'what opens it: door:host:web-1',
  id: 'its id or the beginning of it: id:01K9*',
  state: `one of ${STANDINGS.join(' ')}`,
  verdict: `which votes count: ${VERDICTS.join(' or ')}`,
  since: 'asked then or later: since:7d, since:2026-11-01, since:2026-11-01T08:30:00Z',
  until: 'asked before: until:1d, until:2026-11-30 (with that day), until:2026-11-30T08:30:00Z',
};
const KEYS = Object.keys(FILTER_KEYS);

/** One character as it was written; a quoted one stands for itself. */
interface Mark {
  readonly char: string;
  readonly quoted: boolean;
}

/**
 * Reads a filter: terms with spaces between them, all of which must fit.
 *
 * A term is `KEY:VALUE`, or a word that is looked for in action, resource, requester, reason and id. A comma between values is
 * an or, a `*` any text, a `-` before a term turns it round. Double quotes take away every meaning of what is between them
 * (spaces, commas, colons, stars); `\"` and `\\` stand for `"` and `\` there. Capitals A–Z and small letters are alike. Days
 * are days of UTC; `7d` counts back from `now`.
 *
 * @throws Problem `usage` that names the term that is wrong and says what is possible
 */
export function parseFilter(text: string, now: EpochMs): Filter {
  if (text.length > MAX_FILTER_LENGTH) {
    throw bad(`the filter is longer than ${MAX_FILTER_LENGTH} characters`);
  }
  if (!text.isWellFormed()) throw bad('the filter is not well-formed Unicode');
  const terms = splitTerms(text).map((marks) => parseTerm(marks, now));
  if (terms.length > MAX_TERMS) throw bad(`the filter has more than ${MAX_TERMS} terms`);
  if (terms.filter((term) => term.key === 'verdict' && !term.not).length > 1) {
    throw bad('verdict: stands twice; verdict:approve,deny is a vote of either kind');
  }
  return { terms };
}

/** Writes a filter so that {@link parseFilter} reads the same one at any time. */
export const formatFilter = ({ terms }: Filter): string => terms.map(formatTerm).join(' ');

const isSpace = (char: string): boolean => /^[ \t\r\n]$/.test(char);

function splitTerms(text: string): readonly (readonly Mark[])[] {
  const terms: Mark[][] = [];
  let term: Mark[] | null = null;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    let char = text.charAt(at);
    if (!quoted && isSpace(char)) {
      term = null;
      continue;
    }
    if (/^[\0-\x1f\x7f]$/.test(char)) throw bad(`the filter has a control character in ${shown(text)}`);
    if (term === null) {
      term = [];
      terms.push(term);
    }
    if (char === '"') {
      quoted = !quoted;
      // What is between quotes is something, also where it is empty.
      term.push({ char: '', quoted: true });
      continue;
    }
    if (quoted && char === '\\') {
      at += 1;
      char = text.charAt(at);
      if (char !== '"' && char !== '\\')
        throw bad(`a \\ between quotes stands before " or \\ only: ${shown(text)}`);
    }
    term.push({ char, quoted });
  }
  if (quoted) throw bad(`a quote is not closed in ${shown(text)}`);
  return terms;
}

function parseTerm(marks: readonly Mark[], now: EpochMs): Term {
  const written = marks.map(({ char }) => char).join('');
  const not = isPlain(marks[0], '-');
  const rest = not ? marks.slice(1) : marks;
  if (rest.length === 0)
    throw bad('a - stands alone; put it before the term that it turns round, or quote it');
  const colon = rest.findIndex((mark) => isPlain(mark, ':'));
  const key = rest.slice(0, Math.max(0, colon)).every(({ quoted }) => !quoted)
    ? rest
        .slice(0, Math.max(0, colon))
        .map(({ char }) => char)
        .join('')
    : '';
  if (!/^[a-z][a-z-]*$/i.test(key)) return { key: 'word', not, any: globs('word', rest, written) };
  const value = rest.slice(colon + 1);
  if (isTextKey(key)) return { key, not, any: globs(key, value, written) };
  switch (key) {
    case 'state':
      return { key, not, any: split(value, written).map((one) => choice(key, one, STANDINGS, written)) };
    case 'verdict':
      return { key, not, any: split(value, written).map((one) => choice(key, one, VERDICTS, written)) };
    case 'since':
    case 'until':
      return timeTerm(key, not, value.map(({ char }) => char).join(''), now, written);
    default:
      throw unknownKey(key, written);
  }
}

const isPlain = (mark: Mark | undefined, char: string): boolean => mark?.char === char && !mark.quoted;

const isTextKey = (key: string): key is Exclude<TextKey, 'word'> =>
  key !== 'word' && TEXT_KEYS.some((known) => known === key);

/** The values between the commas of a term. */
function split(marks: readonly Mark[], written: string): readonly (readonly Mark[])[] {
  const values: Mark[][] = [[]];
  for (const mark of marks) {
    if (isPlain(mark, ',')) values.push([]);
    else values.at(-1)?.push(mark);
  }
  if (values.length > MAX_TERMS) throw bad(`${shown(written)} has more than ${MAX_TERMS} values`);
  return values;
}

function globs(key: TextKey, marks: readonly Mark[], written: string): readonly Glob[] {
  return split(marks, written).map((value) => {
    const glob = globOf(value);
    if (glob.length === 1 && glob[0] === '') throw noValue(key, written);
    if (!glob.every((literal) => isPossible(key, literal))) throw impossible(key, written);
    return glob;
  });
}

/** Two stars side by side are one. */
function globOf(marks: readonly Mark[]): Glob {
  const literals = [''];
  for (const mark of marks) {
    if (isPlain(mark, '*')) literals.push('');
    else literals.push(`${literals.pop()}${mark.char}`);
  }
  const [first = '', ...rest] = literals.map(foldCase);
  const last = rest.pop();
  return last === undefined ? [first] : [first, ...rest.filter((literal) => literal !== ''), last];
}

/** Whether what a key looks at can hold a literal, its case folded. */
function isPossible(key: TextKey, literal: string): boolean {
  if (key === 'resource' || key === 'word') return true;
  return key === 'id' ? /^[0-9a-z]*$/.test(literal) : /^[a-z0-9._@:+-]*$/.test(literal);
}

function choice<Value extends string>(
  key: 'state' | 'verdict',
  marks: readonly Mark[],
  known: readonly Value[],
  written: string,
): Value {
  const value = marks.map(({ char }) => char).join('');
  if (value === '') throw noValue(key, written);
  const found = known.find((candidate) => candidate === foldCase(value));
  if (found !== undefined) return found;
  const meant = nearest(foldCase(value), known);
  throw bad(
    `${shown(written)}: there is no ${key} ${shown(value)}${meant === null ? '' : `; did you mean ${meant}?`}`,
    `${key}: is ${FILTER_KEYS[key]}`,
  );
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** `-since:` is `until:`, and the other way round. */
function timeTerm(
  key: TimeTerm['key'],
  not: boolean,
  value: string,
  now: EpochMs,
  written: string,
): TimeTerm {
  if (value === '') throw noValue(key, written);
  const at = parseMoment(value, now, key === 'until');
  if (at === null || parseTime(formatTime(at)) !== at) {
    throw bad(`${shown(written)} is not a time`, `${key}: is ${FILTER_KEYS[key]}; days are days of UTC`);
  }
  if (!not) return { key, at };
  return { key: key === 'since' ? 'until' : 'since', at };
}

/**
 * Reads `7d` (that long ago), `2026-11-01` (a day of UTC: its beginning, or its end) or `2026-11-01T08:00:00Z`; null for
 * anything else.
 */
export function parseMoment(value: string, now: EpochMs, isEnd: boolean): EpochMs | null {
  const [, digits, unit = ''] = /^(\d{1,5})([smhdw])$/.exec(value) ?? [];
  if (digits !== undefined) {
    return (Math.floor(now / 1000) - Number(digits) * SECONDS[unit as keyof typeof SECONDS]) * 1000;
  }
  const day = parseTime(`${value}T00:00:00Z`);
  if (day === null) return parseTime(value);
  return isEnd ? day + SECONDS.d * 1000 : day;
}

function formatTerm(term: Term): string {
  if ('at' in term) return `${term.key}:${formatTime(term.at)}`;
  const sign = term.not ? '-' : '';
  if (term.key === 'state' || term.key === 'verdict') return `${sign}${term.key}:${term.any.join(',')}`;
  const values = term.any.map((glob) => formatGlob(glob, term.key === 'word')).join(',');
  return term.key === 'word' ? `${sign}${values}` : `${sign}${term.key}:${values}`;
}

/** Without quotes where nothing in it could mean something else: a word must not look like a key or a minus. */
function formatGlob(glob: Glob, isWord: boolean): string {
  const plain = isWord ? /^[a-z0-9._@+/=-]*$/ : /^[a-z0-9._@+/=:-]*$/;
  return glob
    .map((literal, index) => {
      const isMinus = isWord && index === 0 && literal.startsWith('-');
      return plain.test(literal) && !isMinus ? literal : `"${literal.replace(/["\\]/g, '\\$&')}"`;
    })
    .join('*');
}

function noValue(key: Term['key'], written: string): Problem {
  if (key === 'word') return bad(`${shown(written)} looks for nothing`, 'give a word, or KEY:VALUE');
  return bad(`${shown(written)} has no value`, `${key}: is ${FILTER_KEYS[key]}`);
}

function impossible(key: TextKey, written: string): Problem {
  const made = key === 'id' ? 'ids are made of letters and digits' : 'names are made of a-z 0-9 . _ @ : + -';
  return bad(
    `${shown(written)} can fit nothing: ${made}`,
    `${key}: is ${FILTER_KEYS[key as keyof typeof FILTER_KEYS]}`,
  );
}

function unknownKey(key: string, written: string): Problem {
  const meant = nearest(foldCase(key), KEYS);
  return bad(
    `${shown(written)}: there is no key ${key}${meant === null ? '' : `; did you mean ${meant}?`}`,
    `use ${KEYS.map((known) => `${known}:`).join(' ')}, or quote it to look for the text: "${key}:…"`,
  );
}

/** As JSON, so that nothing in it can pretend to be something else, and at most so much that a line can hold it. */
const shown = (text: string): string => {
  const quoted = JSON.stringify(text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text);
  return quoted.replace(/[^\x20-\x7e…]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
};

const bad = (message: string, hint = 'see FILTER in: countersign list --help'): Problem =>
  new Problem('usage', message, { hint });
