import { Console } from 'node:console';
import { EventEmitter, once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import { runConsole } from '../../components/run-console.js';
import { SETTLE_MS } from '../../components/state/console-state.js';
import { type Display, type Looks, PLAIN_LOOKS } from '../../src/client/display.js';
import type { QueueConnection } from '../../src/client/queue.js';
import { NOW } from './sample-requests.js';
import type { ScreenRun } from './screenshot-svg.js';

// Ink keeps what is logged away from the screen; for that it needs a part of the console that vitest's own lacks.
console.Console ??= Console;

export const PLAIN: Display = { zone: 'UTC', profile: null };

/** How long a screen may take to show what a test waits for. */
const PATIENCE_MS = 10_000;

const KEYS: Readonly<Record<string, string>> = {
  Enter: '\r',
  Escape: '\u001b',
  Tab: '\t',
  Up: '\u001b[A',
  Down: '\u001b[B',
  Left: '\u001b[D',
  PageDown: '\u001b[6~',
  PageUp: '\u001b[5~',
  'Ctrl-C': '\u0003',
  'Ctrl-L': '\u000c',
  'Ctrl-R': '\u0012',
};

export interface ScreenOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly display?: Display;
  readonly looks?: Partial<Looks>;
  readonly warnings?: readonly string[];
}

/** Which lines of a request are shown, and of how many. */
const LINES = /lines (\d+)[–-](\d+) of (\d+)/;

/** The console on a terminal that is held in memory: what a person would see, and the keys of that person. */
export class TerminalScreen {
  /** Resolves, or rejects, as the console does. */
  readonly done: Promise<void>;
  /** All bytes that the console wrote. */
  written = '';
  readonly #terminal: xterm.Terminal;
  readonly #stdin = new TerminalInput();
  readonly #stdout: TerminalOutput;
  readonly #changes = new EventEmitter();
  #now = NOW;
  #failure: unknown = null;

  constructor(connection: QueueConnection, options: ScreenOptions = {}) {
    const { columns = 120, rows = 40, display = PLAIN, looks, warnings = [] } = options;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
    this.#stdout = new TerminalOutput(columns, rows, (text, written) => {
      this.written += text;
      this.#terminal.write(text, () => {
        written();
        this.#changes.emit('change');
      });
    });
    this.done = runConsole({
      connection,
      display,
      looks: { ...PLAIN_LOOKS, ...looks },
      warnings,
      stdin: this.#stdin as unknown as NodeJS.ReadStream,
      stdout: this.#stdout as unknown as NodeJS.WriteStream,
      clock: () => this.#now,
    });
    this.done.catch((error: unknown) => {
      this.#failure = error;
      this.#changes.emit('change');
    });
  }

  /** What stands on the screen, without the spaces at the ends of its lines. */
  text(): string {
    const { buffer, rows } = this.#terminal;
    return Array.from({ length: rows }, (_, row) =>
      (buffer.active.getLine(row)?.translateToString(true) ?? '').trimEnd(),
    ).join('\n');
  }

  /** What is drawn in which row, for a picture. */
  drawnRuns(): readonly (readonly ScreenRun[])[] {
    const { buffer, rows, cols } = this.#terminal;
    return Array.from({ length: rows }, (_, row) => {
      const line = buffer.active.getLine(row);
      const runs: ScreenRun[] = [];
      for (let column = 0; column < cols; column += 1) {
        const cell = line?.getCell(column);
        const text = cell?.getChars() || ' ';
        const next: ScreenRun = {
          column,
          width: 1,
          text,
          colour: cell?.isFgPalette() ? cell.getFgColor() : null,
          ground: cell?.isBgPalette() ? cell.getBgColor() : null,
          isBold: Boolean(cell?.isBold()),
          isFaint: Boolean(cell?.isDim()),
        };
        const last = runs.at(-1);
        const isSame =
          last !== undefined &&
          last.colour === next.colour &&
          last.ground === next.ground &&
          last.isBold === next.isBold &&
          last.isFaint === next.isFaint;
        if (isSame) runs[runs.length - 1] = { ...last, width: last.width + 1, text: last.text + text };
        else runs.push(next);
      }
      return runs;
    });
  }

  get columns(): number {
    return this.#terminal.cols;
  }

  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate';
  }

  /** The number of the colour in which a text that stands on the screen begins; -1 for the terminal's own. */
  colourOf(text: string): number {
    const { buffer, rows, cols } = this.#terminal;
    for (let row = 0; row < rows; row += 1) {
      const line = buffer.active.getLine(row);
      const column = line?.translateToString(true).indexOf(text) ?? -1;
      if (column >= 0 && column < cols) return line?.getCell(column)?.getFgColor() ?? -1;
    }
    throw new RangeError(`not on the screen: ${text}`);
  }

  /** Another program writes onto the screen. */
  scribble(text: string): this {
    this.#terminal.write(text);
    return this;
  }

  async waitForContent(wanted: string | RegExp): Promise<string> {
    return this.#waitUntil(
      (text) => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)),
      `"${wanted}" to appear`,
    );
  }

  async waitForContentToGo(unwanted: string): Promise<string> {
    return this.#waitUntil((text) => !text.includes(unwanted), `"${unwanted}" to go`);
  }

  async pressAndWaitForChange(key: string): Promise<string> {
    const before = this.text();
    this.press(key);
    return this.#waitUntil((text) => text !== before, `a change after ${key}`);
  }

  /** Waits for the queue and opens the row under the cursor. */
  async openFirstRow(): Promise<string> {
    await this.waitForContent(/ [▸>] /);
    this.letItSettle().press('Enter');
    return this.#waitUntil(
      (text) => /If approved|Asked:|What came/.test(text) && !text.includes('Preview: '),
      'the request to open',
    );
  }

  /** Pages through the opened request until it may be approved. */
  async readToTheEnd(): Promise<void> {
    for (;;) {
      const text = await this.waitForContent(/more lines? to read|a approves/);
      if (text.includes('a approves')) break;
      const [, first, last, all] = LINES.exec(text) ?? [];
      if (last !== all) await this.pressAndWaitForChange('PageDown');
      else if (first === '1') await this.waitForContent('a approves');
      else {
        // On a busy machine two pages may be painted as one, and what was skipped does not count as read. Until this key is heard no
        // other may follow: it would be heard last.
        this.press('g');
        await this.waitForContent(/lines 1[–-]/);
      }
    }
    const isAtTheEnd = (text: string): boolean => {
      const [, , last, all] = LINES.exec(text) ?? [];
      return last === all;
    };
    if (isAtTheEnd(this.text())) return;
    this.press('G');
    await this.#waitUntil(isAtTheEnd, 'the end of the request');
  }

  /** Pages on until this is on the screen. */
  async pageTo(what: string): Promise<void> {
    while (!this.text().includes(what)) await this.pressAndWaitForChange('PageDown');
  }

  /** Lets so much time pass that what is on the screen may be decided on. */
  letItSettle(): this {
    return this.letTimePass(SETTLE_MS);
  }

  letTimePass(ms: number): this {
    this.#now += ms;
    return this;
  }

  /** Sends one key. Two in a row may arrive as one text, as they do from a fast hand. */
  press(key: string): this {
    return this.send(KEYS[key] ?? key);
  }

  /** Sends exactly these bytes at once. */
  send(bytes: string): this {
    this.#stdin.write(bytes);
    return this;
  }

  /** Does something once, as soon as the console has read what comes next. */
  afterInput(then: () => void): this {
    this.#stdin.once('readable', then);
    return this;
  }

  paste(text: string): this {
    return this.send(`\u001b[200~${text}\u001b[201~`);
  }

  resize(columns: number, rows: number): this {
    this.#terminal.resize(columns, rows);
    this.#stdout.resizeTo(columns, rows);
    return this;
  }

  /** Ctrl-C leaves from anywhere. */
  async leave(): Promise<void> {
    this.press('Ctrl-C');
    await this.done;
  }

  async #waitUntil(holds: (text: string) => boolean, what: string): Promise<string> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!holds(this.text())) {
      if (this.#failure !== null) throw this.#failure;
      try {
        await once(this.#changes, 'change', { signal });
      } catch (cause) {
        throw new Error(`waited for ${what} on this screen:\n${this.text()}`, { cause });
      }
    }
    return this.text();
  }
}

class TerminalInput extends PassThrough {
  readonly isTTY = true;
  setRawMode(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

class TerminalOutput extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly #draw: (text: string, written: () => void) => void;

  constructor(columns: number, rows: number, draw: (text: string, written: () => void) => void) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
    this.#draw = draw;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.#draw(chunk.toString(), done);
  }

  resizeTo(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }
}
