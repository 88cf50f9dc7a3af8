import { Problem } from './problems.js';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Nesting deeper than this is refused: no honest document needs it, and no reader can follow it. */
export const MAX_DEPTH = 16;
/** Longest string, in bytes of UTF-8. */
export const MAX_STRING_BYTES = 16 * 1024;

interface Limits {
  /** Longest string in bytes of UTF-8. */
  readonly maxStringBytes: number;
}

/**
 * Reads one I-JSON value (RFC 7493) and refuses whatever two readers could understand differently: duplicate keys,
 * lone surrogates, noncharacters, invalid UTF-8, a byte order mark, and every number that is not written as a plain
 * integer 0…2^53−1.
 *
 * @throws Problem `malformed-json` with the offset of the first offence.
 */
export function parseStrictJson(
  input: Uint8Array | string,
  limits: Limits = { maxStringBytes: MAX_STRING_BYTES },
): JsonValue {
  return new Reader(typeof input === 'string' ? input : decode(input), limits).readWhole();
}

/** True for a JSON object, false for arrays, null and scalars. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Problem('malformed-json', 'not valid UTF-8', { cause });
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const NUMBER = /-?\d[\d.eE+-]*/y;
const PLAIN_INTEGER = /^(?:0|[1-9]\d{0,15})$/;
const PLAIN_RUN = /[^"\\\u0000-\u001f]+/y;
const NONCHARACTER = /\p{Noncharacter_Code_Point}/u;

class Reader {
  readonly #text: string;
  readonly #limits: Limits;
  #at = 0;

  constructor(text: string, limits: Limits) {
    this.#text = text;
    this.#limits = limits;
  }

  readWhole(): JsonValue {
    this.#skipSpace();
    const value = this.#readValue(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#refuse('text after the value');
    return value;
  }

  #readValue(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#refuse(`nested deeper than ${MAX_DEPTH} levels`);
    const first = this.#text[this.#at];
    if (first === '{') return this.#readObject(depth);
    if (first === '[') return this.#readArray(depth);
    if (first === '"') return this.#readString();
    if (this.#take('true')) return true;
    if (this.#take('false')) return false;
    if (this.#take('null')) return null;
    return this.#readNumber();
  }

  #readObject(depth: number): JsonObject {
    this.#at += 1;
    // No prototype: "__proto__" is a key like any other.
    const object: Record<string, JsonValue> = Object.create(null);
    this.#skipSpace();
    if (this.#take('}')) return object;
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') throw this.#refuse('expected a key');
      const key = this.#readString();
      if (key in object) throw this.#refuse(`duplicate key ${JSON.stringify(key)}`);
      this.#skipSpace();
      if (!this.#take(':')) throw this.#refuse('expected ":"');
      this.#skipSpace();
      object[key] = this.#readValue(depth + 1);
      this.#skipSpace();
      if (this.#take('}')) return object;
      if (!this.#take(',')) throw this.#refuse('expected "," or "}"');
    }
  }

  #readArray(depth: number): JsonValue[] {
    this.#at += 1;
    const items: JsonValue[] = [];
    this.#skipSpace();
    if (this.#take(']')) return items;
    for (;;) {
      this.#skipSpace();
      items.push(this.#readValue(depth + 1));
      this.#skipSpace();
      if (this.#take(']')) return items;
      if (!this.#take(',')) throw this.#refuse('expected "," or "]"');
    }
  }

  #readString(): string {
    const start = this.#at;
    this.#at += 1;
    let value = '';
    for (;;) {
      PLAIN_RUN.lastIndex = this.#at;
      const run = PLAIN_RUN.exec(this.#text)?.[0] ?? '';
      value += run;
      this.#at += run.length;
      const stop = this.#text[this.#at];
      if (stop === '"') break;
      if (stop !== '\\')
        throw this.#refuse(stop === undefined ? 'unfinished string' : 'raw control character');
      value += this.#readEscape();
    }
    this.#at += 1;
    if (!value.isWellFormed()) throw this.#refuse('lone surrogate', start);
    if (NONCHARACTER.test(value)) throw this.#refuse('noncharacter', start);
    if (Buffer.byteLength(value) > this.#limits.maxStringBytes) {
      throw this.#refuse(`string longer than ${this.#limits.maxStringBytes} bytes`, start);
    }
    return value;
  }

  #readEscape(): string {
    const kind = this.#text[this.#at + 1] ?? '';
    if (kind === 'u') {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw this.#refuse('bad \\u escape');
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const character = ESCAPES[kind];
    if (character === undefined) throw this.#refuse('unknown escape');
    this.#at += 2;
    return character;
  }

  #readNumber(): number {
    NUMBER.lastIndex = this.#at;
    const written = NUMBER.exec(this.#text)?.[0];
    if (written === undefined) throw this.#refuse('expected a value');
    const number = Number(written);
    if (!PLAIN_INTEGER.test(written) || !Number.isSafeInteger(number)) {
      throw this.#refuse('numbers are plain integers from 0 to 2^53-1');
    }
    this.#at += written.length;
    return number;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at += 1;
    }
  }

  #refuse(what: string, at = this.#at): Problem {
    return new Problem('malformed-json', `${what} at offset ${at}`);
  }
}
