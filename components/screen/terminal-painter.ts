import type { ThemeName } from '../../src/client/display.js';
import type { Size } from '../state/console-state.js';
import { isSameLine, type Line } from '../text/line.js';
import { blankRow, type Cell, cellsOf, type Row, styleChange } from './cells.js';

const ESC = '\u001b';
const ENTER = `${ESC}[?1049h`;
const LEAVE = `${ESC}[?1049l`;
const HIDE_CURSOR = `${ESC}[?25l`;
/** Synchronised output: what stands between is shown at once, by terminals that know it. */
const [BEGIN, END] = [`${ESC}[?2026h`, `${ESC}[?2026l`];
/** Sequences that move nothing on the screen: private modes, titles and other strings, the bell. They go through as they are. */
const ASIDE =
  /(\u001b\[\?[0-9;]*[hl]|\u001b\[[0-9;]*t|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001bP(?:[^\u001b]|\u001b[^\\])*\u001b\\|\u0007)/;
/** What has fewer characters is shown at once anyhow. */
const SHORT = 512;
/** So many columns that stay the same are written again rather than jumped over: a jump costs as much. */
const NEAR = 6;
/** Characters of which every terminal agrees that they take one column: ASCII, Latin, and the lines, blocks and symbols of ours. */
const SURE = /^[ -~\u00a1-\u024f\u2010-\u2027\u2190-\u21ff\u2500-\u25ff\u2713\u2717\u27e8\u27e9]$/;

/** Styles that are seen on a space: underlined, reversed, or with a background. */
const GROUND = /(?:^|;)(?:[47]|4[0-7]|10[0-7]|48;.*)(?:;|$)/;

/** What a terminal is to a program: somewhere to write, of a size that may change. */
type Terminal = NodeJS.WriteStream;

/** A terminal that Ink opens, leaves and listens to, and whose alternate screen we paint. */
export interface PaintedTerminal {
  /** For Ink: in the alternate screen nothing that it writes reaches the terminal but what moves nothing there. */
  readonly terminal: Terminal;
  /** What is to stand on the alternate screen from now on, from its first row on; at once, or as soon as it is entered. */
  readonly paint: (lines: readonly Line[], theme: ThemeName) => void;
}

/**
 * Paints lines by writing only the cells that have changed. Ink lays out and writes all of a picture anew for one step of the cursor,
 * and a line from its first change to its end: too much for a queue that others change fifty times a second, and for a bad line at night.
 *
 * Outside of the alternate screen everything goes through as it is. `onPainted` is called whenever what is to be there has been written.
 */
export function paintedTerminal(terminal: Terminal, onPainted: () => void): PaintedTerminal {
  const size = (): Size => ({ columns: terminal.columns || 80, rows: terminal.rows || 24 });
  const painter = new TerminalPainter({
    size,
    out: (text, written) => terminal.write(text, written),
    onPainted,
  });
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
  const proxy = new Proxy(terminal, {
    get(target, key) {
      if (key === 'write') return write;
      // A terminal that does not tell its size has one for Ink too, which else opens terminals to look for it.
      if (key === 'columns' || key === 'rows') return size()[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { terminal: proxy, paint: (lines, theme) => painter.paint(lines, theme) };
}

type Written = ((error?: Error | null) => void) | undefined;

interface Surroundings {
  readonly size: () => Size;
  readonly out: (text: string, written: Written) => boolean;
  readonly onPainted: () => void;
}

/** A line with its cells, which are made once as long as it stays the same. */
interface PaintedLine {
  readonly line: Line;
  readonly row: Row;
}

class TerminalPainter {
  readonly #around: Surroundings;
  /** What is to be on the screen; null before anything is. */
  #wanted: {
    readonly lines: readonly PaintedLine[];
    readonly theme: ThemeName;
    readonly columns: number;
  } | null = null;
  /** What is there, row by row; null for a row of which that is not known. */
  #shown: readonly (Row | null)[] = [];
  #isThere = false;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** What is on the screen is not known any more. */
  forget(): void {
    this.#shown = [];
  }

  paint(lines: readonly Line[], theme: ThemeName): void {
    const { columns } = this.#around.size();
    const before =
      this.#wanted?.theme === theme && this.#wanted.columns === columns ? this.#wanted.lines : [];
    const painted = lines.map((line, at): PaintedLine => {
      const old = before[at];
      return old !== undefined && isSameLine(old.line, line)
        ? old
        : { line, row: cellsOf(line, columns, theme) };
    });
    this.#wanted = { lines: painted, theme, columns };
    if (!this.#isThere) return;
    const changes = this.#changes();
    if (changes !== '') this.#around.out(changes, undefined);
    this.#around.onPainted();
  }

  write(text: string, written: Written): boolean {
    let [out, isEntered] = ['', false];
    for (const [index, piece] of text.split(ASIDE).entries()) {
      if (index % 2 === 0) {
        if (!this.#isThere) out += piece;
      } else if (piece === ENTER) {
        out += this.#enter();
        isEntered = this.#wanted !== null;
      } else if (!this.#isThere || (piece !== BEGIN && piece !== END)) {
        out += piece;
        if (piece === LEAVE) this.#isThere = false;
      }
    }
    const isWritten = this.#around.out(out, written);
    if (isEntered && this.#isThere) this.#around.onPainted();
    return isWritten;
  }

  #enter(): string {
    const { rows, columns } = this.#around.size();
    this.#isThere = true;
    this.#shown = Array<Row>(rows).fill(blankRow(columns));
    return `${ENTER}${HIDE_CURSOR}${ESC}[H${ESC}[2J${this.#changes()}`;
  }

  /** What brings the screen to what is wanted. */
  #changes(): string {
    if (this.#wanted === null) return '';
    const { lines, columns } = this.#wanted;
    const blank = blankRow(columns);
    const wanted = Array.from({ length: this.#around.size().rows }, (_, at) => lines[at]?.row ?? blank);
    const pen = new Pen();
    for (const [at, row] of wanted.entries()) writeChanges(pen, row, this.#shown[at] ?? null, at);
    this.#shown = wanted;
    pen.use('');
    return pen.written.length < SHORT ? pen.written : `${BEGIN}${pen.written}${END}`;
  }
}

/** What is written, in the style that it was left in. */
class Pen {
  written = '';
  #style = '';

  write(text: string): void {
    this.written += text;
  }

  use(style: string): void {
    if (style === this.#style) return;
    this.written += styleChange(this.#style, style);
    this.#style = style;
  }

  /** Without a ground nothing of a style is seen on a space. */
  draw({ text, style }: Cell): void {
    if (text !== ' ' || style !== '' || GROUND.test(this.#style)) this.use(style);
    this.written += text;
  }
}

/** Brings a row from what is shown to what is wanted. */
function writeChanges(pen: Pen, wanted: Row, shown: Row | null, row: number): void {
  if (wanted === shown) return;
  const differs = (column: number): boolean => shown === null || !isSame(wanted[column], shown[column]);
  const isSure = isRowSure(wanted) && (shown === null || isRowSure(shown));
  const end = blankFrom(wanted);
  let [column, cursor] = [0, -1];
  while (column < wanted.length) {
    if (!differs(column)) {
      column += 1;
      continue;
    }
    // A terminal that counts the columns of a row otherwise than we do gets it whole.
    if (!isSure) {
      writeRow(pen, wanted.slice(0, end), row);
      return;
    }
    if (cursor < 0) pen.write(at(row, column));
    else if (column > cursor) pen.write(`${ESC}[${column - cursor}C`);
    if (column >= end) {
      pen.use('');
      pen.write(`${ESC}[K`);
      return;
    }
    const to = changeEnd(differs, column, end);
    for (const cell of wanted.slice(column, to)) pen.draw(cell);
    [column, cursor] = [to, to];
  }
}

/** A row on an empty line, with a jump behind each character that may take more or fewer columns there: all others stand where they belong. */
function writeRow(pen: Pen, cells: Row, row: number): void {
  pen.use('');
  pen.write(`${at(row, 0)}${ESC}[K`);
  let isJump = false;
  for (const [column, cell] of cells.entries()) {
    if (cell.text === '') continue;
    if (isJump) pen.write(at(row, column));
    pen.use(cell.style);
    pen.write(cell.text);
    isJump = !SURE.test(cell.text);
  }
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
