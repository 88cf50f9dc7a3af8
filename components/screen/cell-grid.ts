import stringWidth from 'string-width';
import type { Size } from '../state/console-state.js';

/** One column of the screen: what stands there, and the parameters of the SGR that it is drawn with. */
export interface Cell {
  /** Empty for the second column of a wide character. */
  readonly text: string;
  readonly style: string;
}

export type Row = readonly Cell[];

const BLANK: Cell = { text: ' ', style: '' };
const ESC = '\u001b';
/** What Ink writes: controls, a CSI sequence, or text up to the next one of them. */
const PIECE = /\u001b\[([0-9;?]*)([A-Za-z])|[\r\n]|[^\u001b\r\n]+/y;
const ASCII = /^[ -~]*$/;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Groups of SGR parameters of which the later one takes the place of the earlier one, by what they set. */
const ATTRIBUTES: readonly (readonly [group: string, codes: RegExp, off: string])[] = [
  ['bold', /^1$/, '22'],
  ['faint', /^2$/, '22'],
  ['underlined', /^4$/, '24'],
  ['reversed', /^7$/, '27'],
  ['foreground', /^(?:3[0-7]|9[0-7]|38;.*)$/, '39'],
  ['background', /^(?:4[0-7]|10[0-7]|48;.*)$/, '49'],
];

const GROUND = ATTRIBUTES.filter(([group]) => ['underlined', 'reversed', 'background'].includes(group));

/**
 * The screen as a terminal would have it after what Ink has written: the part of ECMA-48 that Ink uses, in which a line feed goes
 * to the beginning of the next line, as it does on a terminal of Unix.
 */
export class CellGrid {
  readonly size: Size;
  readonly #rows: Cell[][];
  #row = 0;
  #column = 0;
  readonly #attributes = new Map<string, string>();
  #style = '';
  /** What of the style is seen on a space. */
  #ground = '';

  constructor(size: Size) {
    this.size = size;
    this.#rows = Array.from({ length: size.rows }, () => this.#blank());
  }

  /** The same on a terminal of another size, from the first row and column on: Ink writes again only what is another line there. */
  resized(size: Size): CellGrid {
    const grid = new CellGrid(size);
    grid.#rows.forEach((row, at) => {
      const cells = this.row(at).slice(0, size.columns);
      row.splice(0, cells.length, ...cells);
    });
    grid.#row = Math.min(this.#row, size.rows - 1);
    grid.#column = Math.min(this.#column, size.columns - 1);
    for (const [group, code] of this.#attributes) grid.#attributes.set(group, code);
    grid.#style = this.#style;
    grid.#ground = this.#ground;
    return grid;
  }

  row(at: number): Row {
    return this.#rows[at] ?? [];
  }

  /** Takes what was written; false, with nothing more taken, where it is something that this grid does not know. */
  write(written: string): boolean {
    PIECE.lastIndex = 0;
    while (PIECE.lastIndex < written.length) {
      const match = PIECE.exec(written);
      if (match === null) return false;
      const [piece, parameters, final] = match;
      if (final !== undefined) {
        if (!this.#control(final, parameters ?? '')) return false;
      } else if (piece === '\r') this.#column = 0;
      else if (piece === '\n') this.#feed();
      else this.#print(piece);
    }
    return true;
  }

  #control(final: string, parameters: string): boolean {
    const [first = '', second = ''] = parameters.split(';');
    const count = Math.max(1, Number(first));
    switch (final) {
      case 'm':
        this.#setStyle(parameters);
        return true;
      case 'A':
        this.#row = Math.max(0, this.#row - count);
        return true;
      case 'B':
      case 'E':
        this.#row = Math.min(this.size.rows - 1, this.#row + count);
        if (final === 'E') this.#column = 0;
        return true;
      case 'G':
        this.#column = Math.min(this.size.columns, count) - 1;
        return true;
      case 'H':
        this.#row = Math.min(this.size.rows, count) - 1;
        this.#column = Math.min(this.size.columns, Math.max(1, Number(second))) - 1;
        return true;
      case 'K':
        this.#rows[this.#row]?.fill(BLANK, first === '2' ? 0 : this.#column);
        return first === '' || first === '0' || first === '2';
      case 'J':
        this.#rows[this.#row]?.fill(BLANK, this.#column);
        for (const row of this.#rows.slice(this.#row + 1)) row.fill(BLANK);
        return first === '' || first === '0';
      default:
        return false;
    }
  }

  #feed(): void {
    this.#column = 0;
    if (this.#row < this.size.rows - 1) {
      this.#row += 1;
      return;
    }
    this.#rows.shift();
    this.#rows.push(this.#blank());
  }

  /** What would go beyond the last column is not drawn: Ink writes no line that is longer. */
  #print(text: string): void {
    const row = this.#rows[this.#row] ?? [];
    const isPlain = ASCII.test(text);
    const graphemes = isPlain ? text : Array.from(segmenter.segment(text), ({ segment }) => segment);
    for (const grapheme of graphemes) {
      const width = isPlain ? 1 : stringWidth(grapheme);
      if (this.#column + width > this.size.columns) return;
      row[this.#column] = { text: grapheme, style: grapheme === ' ' ? this.#ground : this.#style };
      for (let more = 1; more < width; more += 1) {
        row[this.#column + more] = { text: '', style: this.#style };
      }
      this.#column += width;
    }
  }

  #setStyle(parameters: string): void {
    for (const parameter of parameters.match(/[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+/g) ?? ['0']) {
      if (parameter === '0') this.#attributes.clear();
      for (const [group, codes, off] of ATTRIBUTES) {
        if (parameter === off) this.#attributes.delete(group);
        else if (codes.test(parameter)) this.#attributes.set(group, parameter);
      }
    }
    const codes = (groups: typeof ATTRIBUTES): string =>
      groups.flatMap(([group]) => this.#attributes.get(group) ?? []).join(';');
    this.#style = codes(ATTRIBUTES);
    this.#ground = codes(GROUND);
  }

  #blank(): Cell[] {
    return Array<Cell>(this.size.columns).fill(BLANK);
  }
}

/** What goes from one style to another. */
export const styleChange = (style: string): string => (style === '' ? `${ESC}[m` : `${ESC}[0;${style}m`);
