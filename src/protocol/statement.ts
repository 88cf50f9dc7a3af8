import {
  type Digest,
  type Fingerprint,
  isDigest,
  isFingerprint,
  isName,
  isNonce,
  type Name,
  type Nonce,
} from './names.js';
import { Problem } from './problems.js';
import { type EpochMs, formatTime, parseTime } from './time.js';

/**
 * A statement is a signed text: a first line that names its kind and version, then `name: value` lines, each once and
 * in order, printable ASCII, each ended by LF. A shell can match it line by line.
 */
export interface StatementForm<Fields> {
  /** For example `countersign-decision 1`. */
  readonly title: string;
  /** One codec a line, in the order in which the lines stand. */
  readonly lines: { readonly [Key in keyof Fields]: LineCodec<Fields[Key]> };
}

/** How one value stands on its line. `name` is the text before the colon. */
export interface LineCodec<Value> {
  readonly name: string;
  readonly format: (value: Value) => string;
  /** undefined: the text is no value of this line. */
  readonly parse: (text: string) => Value | undefined;
}

/** Longest JSON text of a comment, quotes included, in bytes. */
export const MAX_COMMENT_BYTES = 1000;

const PRINTABLE_ASCII_LINES = /^(?:[\x20-\x7e]+\n)+$/;

/** Writes the text that is signed, each line ended by LF. */
export function formatStatement<Fields>(form: StatementForm<Fields>, fields: Fields): string {
  let text = `${form.title}\n`;
  for (const key of Object.keys(form.lines) as (keyof Fields)[]) {
    const line = form.lines[key];
    text += `${line.name}: ${line.format(fields[key])}\n`;
  }
  return text;
}

/**
 * Reads a statement back. What this accepts, {@link formatStatement} can have written, but for the choice of escapes in
 * a comment.
 *
 * @throws Problem `malformed-statement` naming the first line that is wrong.
 */
export function parseStatement<Fields>(form: StatementForm<Fields>, text: string): Fields {
  const keys = Object.keys(form.lines) as (keyof Fields)[];
  if (!PRINTABLE_ASCII_LINES.test(text))
    throw malformed('it is not lines of printable ASCII, each ended by LF');
  const lines = text.slice(0, -1).split('\n');
  if (lines[0] !== form.title) throw malformed(`its first line is not "${form.title}"`);
  if (lines.length !== keys.length + 1)
    throw malformed(`it has ${lines.length} lines, not ${keys.length + 1}`);
  const fields: Partial<Fields> = {};
  keys.forEach((key, index) => {
    const codec = form.lines[key];
    const line = lines[index + 1] ?? '';
    const prefix = `${codec.name}: `;
    const value = line.startsWith(prefix) ? codec.parse(line.slice(prefix.length)) : undefined;
    if (value === undefined) throw malformed(`line ${index + 2} is not a valid "${codec.name}" line`);
    fields[key] = value;
  });
  return fields as Fields;
}

function malformed(what: string): Problem {
  return new Problem('malformed-statement', `not a statement: ${what}`);
}

const asWritten = (value: string): string => value;

export const nameLine = (name: string): LineCodec<Name> => ({
  name,
  format: asWritten,
  parse: (text) => (isName(text) ? text : undefined),
});

export const digestLine = (name: string): LineCodec<Digest> => ({
  name,
  format: asWritten,
  parse: (text) => (isDigest(text) ? text : undefined),
});

/** A digest, or `-` for none. */
export const optionalDigestLine = (name: string): LineCodec<Digest | null> => ({
  name,
  format: (digest) => digest ?? '-',
  parse: (text) => (text === '-' ? null : isDigest(text) ? text : undefined),
});

export const fingerprintLine = (name: string): LineCodec<Fingerprint> => ({
  name,
  format: asWritten,
  parse: (text) => (isFingerprint(text) ? text : undefined),
});

export const nonceLine = (name: string): LineCodec<Nonce> => ({
  name,
  format: asWritten,
  parse: (text) => (isNonce(text) ? text : undefined),
});

export const timeLine = (name: string): LineCodec<EpochMs> => ({
  name,
  format: formatTime,
  parse: (text) => parseTime(text) ?? undefined,
});

/** A whole number 0…999999999 without leading zeros. */
export const countLine = (name: string): LineCodec<number> => ({
  name,
  format: String,
  parse: (text) => (/^(?:0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined),
});

export const choiceLine = <Choice extends string>(
  name: string,
  ...choices: readonly Choice[]
): LineCodec<Choice> => ({
  name,
  format: asWritten,
  parse: (text) => choices.find((choice) => choice === text),
});

/** A text that matches `pattern`, or `-` for none. */
export const optionalTextLine = (name: string, pattern: RegExp): LineCodec<string | null> => ({
  name,
  format: (text) => text ?? '-',
  parse: (text) => (text === '-' ? null : pattern.test(text) ? text : undefined),
});

export const textLine = (name: string, pattern: RegExp): LineCodec<string> => ({
  name,
  format: asWritten,
  parse: (text) => (pattern.test(text) ? text : undefined),
});

const COMMENT = /^"(?:[ !#-[\]-~]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/;

/** A JSON string in printable ASCII, `\u` escapes for the rest, at most {@link MAX_COMMENT_BYTES} with its quotes. */
export const commentLine = (name: string): LineCodec<string> => ({
  name,
  format: formatComment,
  parse: (text) =>
    text.length <= MAX_COMMENT_BYTES && COMMENT.test(text) ? (JSON.parse(text) as string) : undefined,
});

/** True if the comment fits into a statement. */
export function commentFits(comment: string): boolean {
  return formatComment(comment).length <= MAX_COMMENT_BYTES;
}

function formatComment(comment: string): string {
  return JSON.stringify(comment).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
