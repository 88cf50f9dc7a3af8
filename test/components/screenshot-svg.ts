/** A piece of one row of a terminal, all drawn alike. */
export interface ScreenRun {
  readonly column: number;
  /** Columns that it takes. */
  readonly width: number;
  readonly text: string;
  /** Numbers of the sixteen colours; null for the terminal's own. */
  readonly colour: number | null;
  readonly ground: number | null;
  readonly isBold: boolean;
  readonly isFaint: boolean;
}

const CELL = { width: 8.4, height: 18 } as const;
const MARGIN = 12;
const INK = '#d8dee9';
const PAPER = '#1b1f27';
/** The colours of a dark terminal, dull ones first. */
const PALETTE = (
  '#3b4252 #e06c75 #8fbf7f #e5c07b #7aa2e0 #c678dd #56b6c2 #d8dee9 ' +
  '#6b7488 #ef7f88 #a5d491 #f0d08f #93b5f0 #d79bea #74cfda #ffffff'
).split(' ');

/** A picture of a terminal: real text, so that it can be read out, searched and compared line by line. */
export function screenshotSvg(
  rows: readonly (readonly ScreenRun[])[],
  columns: number,
  title: string,
): string {
  const width = Math.ceil(columns * CELL.width) + 2 * MARGIN;
  const height = rows.length * CELL.height + 2 * MARGIN;
  const lines = rows.flatMap((runs, row) => runs.flatMap((run) => runLines(run, row)));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${PAPER}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...lines,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

function runLines(
  { column, width, text, colour, ground, isBold, isFaint }: ScreenRun,
  row: number,
): string[] {
  const x = rounded(MARGIN + column * CELL.width);
  const y = MARGIN + row * CELL.height;
  const length = rounded(width * CELL.width);
  const fill = colour === null ? INK : (PALETTE[colour] ?? INK);
  const style = `${isBold ? ' font-weight="bold"' : ''}${isFaint ? ' opacity="0.6"' : ''}`;
  return [
    ...(ground === null
      ? []
      : [
          `<rect x="${x}" y="${y}" width="${length}" height="${CELL.height}" fill="${PALETTE[ground] ?? PAPER}"/>`,
        ]),
    ...(text.trim() === ''
      ? []
      : [
          `<text x="${x}" y="${y + 14}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${fill}"${style}>${escaped(text)}</text>`,
        ]),
  ];
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
