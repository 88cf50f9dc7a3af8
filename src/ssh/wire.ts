import { Problem, type ProblemCode } from '../protocol/problems.js';

/** Longest name or other short text inside a key or a signature, in bytes. */
const MAX_TEXT_BYTES = 256;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/**
 * Reads the data types of RFC 4251 §5 one after the other, with exact bounds. Whoever reads to the end calls `end()`,
 * so that no byte stays unread. Every method throws a Problem of the given code where the bytes do not fit.
 */
export class WireReader {
  readonly #bytes: Buffer;
  readonly #code: ProblemCode;
  #offset = 0;

  constructor(bytes: Buffer, code: ProblemCode) {
    this.#bytes = bytes;
    this.#code = code;
  }

  bytes(length: number): Buffer {
    if (length > this.#bytes.length - this.#offset) throw this.fail('bytes are missing');
    const start = this.#offset;
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  uint8(): number {
    return this.bytes(1).readUInt8();
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.uint32());
  }

  /** A string of printable ASCII, as names and algorithms are. */
  text(): string {
    const bytes = this.string();
    const text = bytes.toString('latin1');
    if (bytes.length > MAX_TEXT_BYTES || !PRINTABLE_ASCII.test(text))
      throw this.fail('a name is too long or not printable ASCII');
    return text;
  }

  /** A positive mpint in its one minimal form: the big-endian magnitude without leading zeros. */
  positiveMpint(): Buffer {
    const bytes = this.string();
    const [first = 0, second = 0] = bytes;
    if (bytes.length === 0 || first >= 0x80) throw this.fail('a number is not positive');
    if (first !== 0) return bytes;
    if (second < 0x80) throw this.fail('a number has needless leading zeros');
    return bytes.subarray(1);
  }

  end(): void {
    if (this.#offset !== this.#bytes.length) throw this.fail('bytes are left over');
  }

  fail(what: string): Problem {
    return new Problem(this.#code, what);
  }
}

/** Writes an RFC 4251 uint32. */
export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Writes an RFC 4251 string; text is written as UTF-8. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

/** Writes a big-endian magnitude as an RFC 4251 mpint in its minimal form. */
export function wireMpint(magnitude: Buffer): Buffer {
  const start = magnitude.findIndex((byte) => byte !== 0);
  const minimal = start < 0 ? Buffer.alloc(0) : magnitude.subarray(start);
  const isNegative = (minimal[0] ?? 0) >= 0x80;
  return wireString(isNegative ? Buffer.concat([Buffer.of(0), minimal]) : minimal);
}
