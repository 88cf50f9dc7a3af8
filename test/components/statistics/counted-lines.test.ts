import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countedLines } from '../../../components/statistics/counted-lines.js';
import { lineWidth, markedSpans } from '../../../components/text/line.js';
import { label, safeText } from '../../../components/text/safe-text.js';
import { hostileText } from '../hostile-text.js';
import { lineText } from '../screen/whole-screen.js';

const row = (name: string, value: number) => ({
  name: markedSpans(safeText(name, { reading: 'exact' })),
  value,
  cells: [{ number: label`${value}%`, words: label`${value}% of all` }],
});
const HEADINGS = [label`decided`, label`share`];
const linesAt = (columns: number, ...rows: readonly ReturnType<typeof row>[]): readonly string[] =>
  countedLines(rows, HEADINGS, columns).map(lineText);

describe('numbers of several approvers or rules', () => {
  test('stand under their headings with a bar, and names have the room that they need', () => {
    expect(linesAt(72, row('alexandra.konstantinopoulou', 60), row('bob', 30))).toEqual([
      '                                decided  share',
      '   alexandra.konstantinopoulou  60       60%      ███████████████████',
      '   bob                          30       30%      ██████████',
    ]);
  });

  test('stand in two lines on a narrower terminal, in three where the name is too long for that', () => {
    expect(linesAt(40, row('bob', 30), row('alexandra.konstantinopoulou', 60))).toEqual([
      '   bob                       30 decided',
      '   30% of all',
      '   alexandra.konstantinopoulou',
      '   60 decided  60% of all',
    ]);
  });

  test('are never wider than the terminal, whatever the names are (A37)', () => {
    fc.assert(
      fc.property(hostileText, fc.nat(1e9), fc.integer({ min: 40, max: 200 }), (name, value, columns) => {
        const lines = countedLines([row(name, value), row('bob', 1)], HEADINGS, columns);
        for (const line of lines) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });
});
