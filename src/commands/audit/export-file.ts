import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { type ExportHeader, parseExportHeader, parseExportLine } from '../../protocol/audit-export.js';
import type { ChainHead } from '../../protocol/event-log.js';
import { Problem } from '../../protocol/problems.js';

/** Read at once, in bytes. */
const CHUNK = 64 * 1024;
/** Longest line: an entry with the largest document, escaped twice. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;
const LF = 0x0a;

/** Where lines of an export go. */
export interface ExportSink {
  write(line: string): Promise<void>;
}

/** How far an export that stands there has got. */
export interface ExportEnd {
  readonly header: ExportHeader;
  /** The last entry; null where there is none yet. */
  readonly last: ChainHead | null;
  /** Whether the head of that entry stands after it. */
  readonly hasHead: boolean;
  /** Bytes of a broken last line, which are gone now. */
  readonly cut: number;
}

/** An export on the disk, which is gone on with after its last whole line. */
export class ExportFile implements ExportSink {
  readonly #descriptor: number;
  #waiting: string[] = [];
  #size = 0;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Opens a file that is there already; null where there is none, or nothing whole in it. @throws Problem `malformed-export` */
  static open(path: string): { readonly file: ExportFile; readonly end: ExportEnd | null } {
    const isThere = existsSync(path);
    const descriptor = openSync(path, isThere ? 'r+' : 'wx+', 0o600);
    try {
      return { file: new ExportFile(descriptor), end: isThere ? endOf(descriptor) : null };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  async write(line: string): Promise<void> {
    this.#waiting.push(line, '\n');
    this.#size += line.length;
    if (this.#size > CHUNK) this.#flush();
  }

  /** Returns once all of it is on the disk. */
  close(): void {
    try {
      this.#flush();
      fsyncSync(this.#descriptor);
    } finally {
      closeSync(this.#descriptor);
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting.join(''));
    const { size } = fstatSync(this.#descriptor);
    for (let at = 0; at < bytes.length; )
      at += writeSync(this.#descriptor, bytes, at, bytes.length - at, size + at);
    this.#waiting = [];
    this.#size = 0;
  }
}

/** Reads an export from its end back, and cuts off what a killed one has left of a line. */
function endOf(descriptor: number): ExportEnd | null {
  const { size } = fstatSync(descriptor);
  const whole = beginOfLine(descriptor, size);
  if (whole < size) ftruncateSync(descriptor, whole);
  if (whole === 0) return null;
  const headerEnd = endOfLine(descriptor, 0);
  const header = parseExportHeader(textBetween(descriptor, 0, headerEnd));
  let hasHead = false;
  for (let end = whole; end > headerEnd + 1; ) {
    const begin = beginOfLine(descriptor, end - 1);
    const line = parseExportLine(textBetween(descriptor, begin, end - 1));
    if (line.kind === 'entry') {
      const { seq, hash } = line.entry;
      return { header, last: { seq, hash }, hasHead, cut: size - whole };
    }
    hasHead = true;
    end = begin;
  }
  return { header, last: null, hasHead: false, cut: size - whole };
}

/** Where the line begins that `end` stands in, or at the end of. */
function beginOfLine(descriptor: number, end: number): number {
  const buffer = Buffer.alloc(CHUNK);
  for (let at = end; at > 0; ) {
    if (end - at > MAX_LINE_BYTES) throw new Problem('malformed-export', 'a line of it is far too long');
    const from = Math.max(0, at - CHUNK);
    const found = buffer.subarray(0, readSync(descriptor, buffer, 0, at - from, from)).lastIndexOf(LF);
    if (found >= 0) return from + found + 1;
    at = from;
  }
  return 0;
}

function endOfLine(descriptor: number, begin: number): number {
  const buffer = Buffer.alloc(CHUNK);
  for (let at = begin; ; at += CHUNK) {
    const length = readSync(descriptor, buffer, 0, CHUNK, at);
    const found = buffer.subarray(0, length).indexOf(LF);
    if (found >= 0) return at + found;
    if (length < CHUNK) return at + length;
  }
}

function textBetween(descriptor: number, begin: number, end: number): string {
  const bytes = Buffer.alloc(end - begin);
  readSync(descriptor, bytes, 0, bytes.length, begin);
  return bytes.toString('utf8');
}

/**
 * The lines of an export, one after the other, in the memory of the longest.
 *
 * @returns whether the last line had no end
 * @throws Problem `malformed-export` for bytes that are no UTF-8, and for lines that are far too long
 */
export function* readLines(path: string): Generator<string, boolean> {
  const descriptor = openSync(path, 'r');
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const chunk = Buffer.alloc(1024 * 1024);
  let rest: Buffer = Buffer.alloc(0);
  try {
    for (;;) {
      const length = readSync(descriptor, chunk, 0, chunk.length, null);
      if (length === 0) return rest.length > 0;
      const bytes = Buffer.concat([rest, chunk.subarray(0, length)]);
      let begin = 0;
      for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, begin)) {
        yield decoded(utf8, bytes.subarray(begin, end));
        begin = end + 1;
      }
      rest = bytes.subarray(begin);
      if (rest.length > MAX_LINE_BYTES) throw new Problem('malformed-export', 'a line is far too long');
    }
  } finally {
    closeSync(descriptor);
  }
}

/** What is no UTF-8 is no line of an export either. */
function decoded(utf8: InstanceType<typeof TextDecoder>, bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return '';
  }
}
