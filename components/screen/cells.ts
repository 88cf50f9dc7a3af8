import chalk, { type BackgroundColorName, type ChalkInstance, type ForegroundColorName } from 'chalk';
import stringWidth from 'string-width';
import type { ThemeName } from '../../src/client/display.js';
import { cutLine, type Line } from '../text/line.js';
import { isAsciiOnly } from '../text/repertoire.js';
import { inAscii } from '../text/safe-text.js';
import { hasGround, type Style, THEMES } from './theme.js';

/** One column of the screen: what stands there, and the parameters of the SGR that it is drawn with (ECMA-48). */
export interface Cell {
  /** Empty for the second column of a wide character. */
  readonly text: string;
  readonly style: string;
}

export type Row = readonly Cell[];

const BLANK: Cell = { text: ' ', style: '' };
const ASCII = /^[ -~]*$/;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export const blankRow = (columns: number): Row => Array<Cell>(columns).fill(BLANK);

/** A line as it stands in a row of the screen: cut where it is longer, and filled up to the last column. */
export function cellsOf(line: Line, columns: number, theme: ThemeName): Row {
  const whole = cellsFor(line, theme);
  const cells = whole.length > columns ? cellsFor(cutLine(line, columns), theme).slice(0, columns) : whole;
  return [...cells, ...blankRow(columns - cells.length)];
}

function cellsFor(line: Line, theme: ThemeName): Cell[] {
  const cells: Cell[] = [];
  for (const { text, tone } of line) {
    const letter = sgrOf(THEMES[theme][tone]);
    // Without a ground nothing of a style is seen on a space.
    const space = hasGround(tone) ? letter : '';
    const written = isAsciiOnly() ? inAscii(text) : text;
    if (ASCII.test(written)) {
      for (const one of written) cells.push({ text: one, style: one === ' ' ? space : letter });
      continue;
    }
    for (const { segment } of segmenter.segment(written)) {
      const width = stringWidth(segment);
      const last = cells.at(-1);
      // An accent whose letter ended the piece before goes onto that letter, as it does on a terminal.
      if (width === 0 && last !== undefined) cells[cells.length - 1] = { ...last, text: last.text + segment };
      if (width > 0) cells.push({ text: segment, style: segment === ' ' ? space : letter });
      for (let more = 1; more < width; more += 1) cells.push({ text: '', style: letter });
    }
  }
  return cells;
}

const drawn = new Map<Style, string>();

/** SGR parameters of a style, which are made once. */
function sgrOf(style: Style): string {
  const sgr = drawn.get(style) ?? parameters(style);
  drawn.set(style, sgr);
  return sgr;
}

/** As many colours as the terminal has, or none where the reader wants none: Chalk knows. */
function parameters({ color, backgroundColor, bold, dimColor, inverse }: Style): string {
  let style: ChalkInstance = chalk;
  if (bold === true) style = style.bold;
  if (dimColor === true) style = style.dim;
  if (inverse === true) style = style.inverse;
  if (color !== undefined) {
    const number = paletteNumber(color);
    style = number === null ? style[color as ForegroundColorName] : style.ansi256(number);
  }
  if (backgroundColor !== undefined) {
    const number = paletteNumber(backgroundColor);
    style =
      number === null
        ? style[`bg${backgroundColor[0]?.toUpperCase()}${backgroundColor.slice(1)}` as BackgroundColorName]
        : style.bgAnsi256(number);
  }
  const [before = ''] = style(' ').split(' ');
  return Array.from(before.matchAll(/\[([\d;]+)m/g), ([, code]) => code).join(';');
}

/** `ansi256(240)` names a colour by its number; all others have names. */
function paletteNumber(colour: string): number | null {
  const [, number] = /^ansi256\((\d+)\)$/.exec(colour) ?? [];
  return number === undefined ? null : Number(number);
}

/** What goes from one style to another. */
export const styleChange = (from: string, to: string): string =>
  to === '' ? '\u001b[m' : `\u001b[${from === '' ? '' : '0;'}${to}m`;
