import { TABLE_COLUMNS } from '../screen/panes.js';
import { cutLine, fitLine, type Line, lineWidth, span, spreadLine } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, spaces } from '../text/safe-text.js';
import { bar } from './chart.js';
import { MARGIN } from './section.js';

const NUMBER = 9;
/** A bar is of use from so many columns on; longer names are cut rather than that it goes. */
const LEAST_BAR = 12;

/** One row of a table of numbers: an approver, a rule. */
export interface Counted {
  readonly name: Line;
  /** The number that the bar is drawn for; it stands first. */
  readonly value: number;
  /** The other numbers, in the order of their headings, and how each is said without one. */
  readonly cells: readonly { readonly number: SafeText; readonly words: SafeText }[];
}

/** Who or what, and numbers of it under their headings, with a bar; on a narrow terminal each in two lines, in which nothing is cut. */
export function countedLines(
  rows: readonly Counted[],
  headings: readonly SafeText[],
  columns: number,
): readonly Line[] {
  return columns < TABLE_COLUMNS
    ? rows.flatMap((row) => stackedLines(row, headings[0] ?? label``, columns))
    : tableLines(rows, headings, columns);
}

function tableLines(
  rows: readonly Counted[],
  headings: readonly SafeText[],
  columns: number,
): readonly Line[] {
  const room = columns - 2 * MARGIN - headings.length * NUMBER;
  const names = Math.min(Math.max(...rows.map(({ name }) => lineWidth(name))) + 2, room - LEAST_BAR);
  const most = Math.max(...rows.map(({ value }) => value));
  const number = (text: SafeText, tone: 'text' | 'muted' = 'text'): Line =>
    fitLine([span(text, tone)], NUMBER);
  return [
    [span(spaces(MARGIN + names)), ...headings.flatMap((heading) => number(heading, 'muted'))],
    ...rows.map(
      ({ name, value, cells }): Line => [
        span(spaces(MARGIN)),
        ...fitLine(cutLine(name, names - 2), names),
        ...number(label`${value}`),
        ...cells.flatMap((cell) => number(cell.number)),
        span(bar(value, most, room - names), 'muted'),
      ],
    ),
  ];
}

/** The name with what counts at the end of its line, below a name that is too long for that; then the rest in words. */
function stackedLines({ name, value, cells }: Counted, heading: SafeText, columns: number): readonly Line[] {
  const width = columns - MARGIN - 1;
  const total: Line = [span(label`${value}`, 'strong'), span(label` ${heading}`, 'muted')];
  const rest = cells.map(({ words }, at) => span(at === 0 ? words : label`  ${words}`, 'muted'));
  const isBeside = lineWidth(name) + 2 + lineWidth(total) <= width;
  const below: Line = isBeside ? rest : [...total, span(label`  `), ...rest];
  return [
    isBeside ? spreadLine(name, total, width) : cutLine(name, width),
    ...wrapLine(below, width, 'words'),
  ].map((line): Line => [span(spaces(MARGIN)), ...line]);
}
