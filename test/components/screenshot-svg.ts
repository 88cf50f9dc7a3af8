import stringWidth from 'string-width';

/** A piece of one row of a terminal, all drawn alike. */
export interface ScreenRun {
  readonly column: number;
  /** Columns that it takes. */
  readonly width: number;
  readonly text: string;
  /** Numbers of the palette of 256; null for the terminal's own. */
  readonly colour: number | null;
  readonly ground: number | null;
  readonly isBold: boolean;
  readonly isFaint: boolean;
}

const CELL = { width: 8.4, height: 18 } as const;
const MARGIN = 12;
/** The ground of a terminal and what is written on it without a colour. */
export interface Paper {
  readonly ground: string;
  readonly ink: string;
  /** Faint text, as a part of the ink. */
  readonly faint: number;
}
export const DARK_PAPER: Paper = { ground: '#1b1f27', ink: '#d8dee9', faint: 0.6 };
export const LIGHT_PAPER: Paper = { ground: '#fcfcfa', ink: '#22262e', faint: 0.65 };
/** The first sixteen colours, which terminals choose themselves, dull ones first. */
const PALETTE = (
  '#3b4252 #e06c75 #8fbf7f #e5c07b #7aa2e0 #c678dd #56b6c2 #d8dee9 ' +
  '#6b7488 #ef7f88 #a5d491 #f0d08f #93b5f0 #d79bea #74cfda #ffffff'
).split(' ');

/** The colour of that number; all after the first sixteen are the same everywhere (xterm, ctlseqs). */
function colourOf(number: number): string {
  const own = PALETTE[number];
  if (own !== undefined) return own;
  const levels = [0, 95, 135, 175, 215, 255];
  const place = number - 16;
  const channels =
    number >= 232
      ? Array<number>(3).fill((number - 232) * 10 + 8)
      : [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map((level) => levels[level] ?? 0);
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** A picture of a terminal: real text, so that it can be read out, searched and compared line by line. */
export function screenshotSvg(
  rows: readonly (readonly ScreenRun[])[],
  columns: number,
  title: string,
  paper: Paper,
): string {
  const width = Math.ceil(columns * CELL.width) + 2 * MARGIN;
  const height = rows.length * CELL.height + 2 * MARGIN;
  const lines = rows.flatMap((runs, row) => runs.flatMap((run) => runLines(run, row, paper)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${paper.ground}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...lines,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

function runLines(
  { column, width, text, colour, ground, isBold, isFaint }: ScreenRun,
  row: number,
  paper: Paper,
): string[] {
  const x = rounded(MARGIN + column * CELL.width);
  const y = MARGIN + row * CELL.height;
  const length = rounded(width * CELL.width);
  const fill = colour === null ? paper.ink : colourOf(colour);
  const style = `${isBold ? ' font-weight="bold"' : ''}${isFaint ? ` opacity="${paper.faint}"` : ''}`;
  return [
    ...(ground === null
      ? []
      : [`<rect x="${x}" y="${y}" width="${length}" height="${CELL.height}" fill="${colourOf(ground)}"/>`]),
    // Every word group is put where its column is: fonts do not agree on the width of what stands between.
    ...Array.from(text.matchAll(/\S+(?: \S+)*/g), ({ index, 0: part }) => {
      const left = rounded(MARGIN + (column + stringWidth(text.slice(0, index))) * CELL.width);
      const taken = rounded(stringWidth(part) * CELL.width);
      return `<text x="${left}" y="${y + 14}" textLength="${taken}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${style}>${escaped(part)}</text>`;
    }),
  ];
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
