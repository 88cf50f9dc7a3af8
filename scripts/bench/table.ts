/** One measured figure: the median over the rounds of each side, and of the ratio in each round. */
export interface Figure {
  readonly name: string;
  readonly ours: string;
  readonly bare: string;
  readonly ratio: number;
  /** For example `≤ 1.5`; `-` where the figure is only reported. */
  readonly ceiling: string;
}

export const inMs = (milliseconds: number): string => `${milliseconds.toFixed(2)} ms`;
export const inKiB = (kibibytes: number): string => `${kibibytes.toFixed(1)} KiB`;

/** Prints figures as one table with a line of titles. */
export function printTable(figures: readonly Figure[]): void {
  const rows = [
    ['figure', 'ours', 'bare', 'ratio', 'ceiling'],
    ...figures.map(({ name, ours, bare, ratio, ceiling }) => [name, ours, bare, ratio.toFixed(2), ceiling]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
