import type { Size } from '../state/console-state.js';
import { type Cell, CellGrid, type Row, styleChange } from './cell-grid.js';

const ESC = '\u001b';
const ENTER = `${ESC}[?1049h`;
const LEAVE = `${ESC}[?1049l`;
/** Synchronised output: what stands between is shown at once, by terminals that know it. */
const [BEGIN, END] = [`${ESC}[?2026h`, `${ESC}[?2026l`];
/** Sequences that move nothing on the screen: private modes, titles and other strings, the bell. They go through as they are. */
const ASIDE =
  /(\u001b\[\?[0-9;]*[hl]|\u001b\[[0-9;]*t|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001bP(?:[^\u001b]|\u001b[^\\])*\u001b\\|\u0007)/;
/** So many columns that stay the same are written again rather than jumped over: a jump costs as much. */
const NEAR = 6;
/** Characters of which every terminal agrees that they take one column: ASCII, Latin, and the lines, blocks and symbols of ours. */
const SURE = /^[ -~\u00a1-\u024f\u2010-\u2027\u2190-\u21ff\u2500-\u25ff\u2713\u2717\u27e8\u27e9]$/;

/** Styles that are seen on a space: underlined, reversed, or with a background. */
const GROUND = /(?:^|;)(?:[47]|4[0-7]|10[0-7]|48;.*)(?:;|$)/;

/** What a terminal is to a program: somewhere to write, of a size that may change. */
type Terminal = NodeJS.WriteStream;

/**
 * A terminal to which only those cells are written that have changed. Ink repaints a line from its first change to its end: with two panes
 * side by side that is most of the screen for one step of the cursor, too much for a bad line at night.
 *
 * Outside of the alternate screen everything goes through as it is.
 */
export function paintedTerminal(terminal: Terminal): Terminal {
  const painter = new TerminalPainter(
    () => ({ columns: terminal.columns || 80, rows: terminal.rows || 24 }),
    (text, written) => terminal.write(text, written),
  );
  // Ink may ask before anybody else hears of it.
  terminal.prependListener('resize', () => painter.forget());
  const write: Terminal['write'] = (
    chunk: string | Uint8Array,
    ...rest: readonly (BufferEncoding | ((error?: Error | null) => void) | undefined)[]
  ) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return painter.write(
      text,
      rest.find((one) => typeof one === 'function'),
    );
  };
  return new Proxy(terminal, {
    get(target, key) {
      if (key === 'write') return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

type Written = ((error?: Error | null) => void) | undefined;

class TerminalPainter {
  readonly #size: () => Size;
  readonly #out: (text: string, written: Written) => boolean;
  /** What is to be on the screen; null outside of the alternate one. */
  #wanted: CellGrid | null = null;
  /** What is there, row by row; null for a row of which that is not known. */
  #shown: (Row | null)[] = [];
  #isHeld = false;

  constructor(size: () => Size, out: (text: string, written: Written) => boolean) {
    this.#size = size;
    this.#out = out;
  }

  /** What is on the screen is not known any more. */
  forget(): void {
    this.#wanted = this.#wanted?.resized(this.#size()) ?? null;
    this.#shown = [];
  }

  write(text: string, written: Written): boolean {
    let out = '';
    for (const [index, piece] of text.split(ASIDE).entries()) {
      if (piece === '') continue;
      out += index % 2 === 1 ? this.#aside(piece) : this.#take(piece);
    }
    if (!this.#isHeld) out += this.#paint();
    return this.#out(out, written);
  }

  #aside(sequence: string): string {
    if (this.#wanted !== null && (sequence === BEGIN || sequence === END)) {
      this.#isHeld = sequence === BEGIN;
      return '';
    }
    if (sequence === ENTER) {
      const grid = new CellGrid(this.#size());
      this.#wanted = grid;
      this.#shown = Array.from({ length: grid.size.rows }, (_, row) => [...grid.row(row)]);
      return `${sequence}${ESC}[H${ESC}[2J`;
    }
    const before = this.#paint();
    if (sequence === LEAVE) {
      this.#wanted = null;
      this.#isHeld = false;
    }
    return before + sequence;
  }

  #take(text: string): string {
    if (this.#wanted === null) return text;
    if (this.#wanted.write(text)) return '';
    // Not of Ink as it is known: rather all of it once more than a screen that is wrong.
    this.forget();
    return text;
  }

  #paint(): string {
    const grid = this.#wanted;
    if (grid === null) return '';
    let out = '';
    for (let row = 0; row < grid.size.rows; row += 1) {
      const [wanted, shown] = [grid.row(row), this.#shown[row] ?? null];
      out += rowChanges(wanted, shown, row);
      this.#shown[row] = [...wanted];
    }
    return out === '' ? '' : `${BEGIN}${out}${END}`;
  }
}

/** What brings a row from what is shown to what is wanted, with every attribute off at its end. */
function rowChanges(wanted: Row, shown: Row | null, row: number): string {
  const differs = (column: number): boolean => shown === null || !isSame(wanted[column], shown[column]);
  const isSure = isRowSure(wanted) && (shown === null || isRowSure(shown));
  const end = blankFrom(wanted);
  let [out, style] = ['', ''];
  let column = 0;
  while (column < wanted.length) {
    if (!differs(column)) {
      column += 1;
      continue;
    }
    // A terminal that counts the columns of a row otherwise than we do gets it whole.
    if (!isSure) return wholeRow(wanted.slice(0, end), row);
    if (column >= end) return `${out}${at(row, column)}${style === '' ? '' : styleChange('')}${ESC}[K`;
    const to = changeEnd(differs, column, end);
    out += at(row, column);
    for (const cell of wanted.slice(column, to)) {
      // Of a style without a ground nothing is seen on a space.
      const isSeen = cell.text !== ' ' || cell.style !== '' || GROUND.test(style);
      if (isSeen && cell.style !== style) {
        out += styleChange(cell.style);
        style = cell.style;
      }
      out += cell.text;
    }
    column = to;
  }
  return style === '' ? out : out + styleChange('');
}

/** A row on an empty line, with a jump behind each character that may take more or fewer columns there: all others stand where they belong. */
function wholeRow(cells: Row, row: number): string {
  let [out, style, isJump] = [`${at(row, 0)}${ESC}[K`, '', false];
  for (const [column, cell] of cells.entries()) {
    if (cell.text === '') continue;
    if (isJump) out += at(row, column);
    if (cell.style !== style) out += styleChange(cell.style);
    style = cell.style;
    out += cell.text;
    isJump = !SURE.test(cell.text);
  }
  return style === '' ? out : out + styleChange('');
}

const at = (row: number, column: number): string =>
  column === 0 ? `${ESC}[${row + 1}H` : `${ESC}[${row + 1};${column + 1}H`;

const isSame = (a: Cell | undefined, b: Cell | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.text === b.text && a.style === b.style);

const isRowSure = (row: Row): boolean => row.every(({ text }) => SURE.test(text));

/** From which column on there is nothing but plain space. */
function blankFrom(row: Row): number {
  let end = row.length;
  while (end > 0 && row[end - 1]?.text === ' ' && row[end - 1]?.style === '') end -= 1;
  return end;
}

/** Where a run of changes ends, small gaps within it included. */
function changeEnd(differs: (column: number) => boolean, from: number, end: number): number {
  let last = from;
  for (let column = from; column < end && column - last <= NEAR; column += 1) {
    if (differs(column)) last = column;
  }
  return last + 1;
}
