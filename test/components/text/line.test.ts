import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BLANK,
  cutLine,
  fitLine,
  fittingForm,
  joinSpans,
  type Line,
  lineWidth,
  markedSpans,
  piecesLine,
  span,
  spreadLine,
} from '../../../components/text/line.js';
import { placardLines, type Wrapping, wrapLine } from '../../../components/text/line-wrapping.js';
import { label, safeText } from '../../../components/text/safe-text.js';
import { hostileText } from '../hostile-text.js';

const textOf = (line: Line): string => line.map(({ text }) => text).join('');
const exact = (raw: string): Line => markedSpans(safeText(raw, { reading: 'exact' }));
const manyTexts = fc.array(hostileText, { maxLength: 8 }).map((texts) => texts.join('and so on '));

describe('a line', () => {
  test('is cut only where it is too wide, never inside a mark, and says so', () => {
    expect(textOf(cutLine(exact('web-1.example.com'), 17))).toBe('web-1.example.com');
    expect(textOf(cutLine(exact('web-1.example.com'), 10))).toBe('web-1.exa…');
    expect(textOf(cutLine(exact('ab\u202ecd'), 8))).toBe('ab…');
    expect(textOf(cutLine(exact('漢字漢字'), 6))).toMatch(/…$/);
  });

  test('of pieces holds as many as fit whole, cuts only long ones, and shows nothing behind what is left out', () => {
    const pieces = [exact('alice'), BLANK, exact('ssh.login'), exact('web-1.example.com'), exact('x')];
    const at = (width: number): string => textOf(piecesLine(pieces, width));
    expect(at(40)).toBe('alice  ssh.login  web-1.example.com  x');
    expect(at(37)).toBe('alice  ssh.login  web-1.example.com');
    expect(at(30)).toBe('alice  ssh.login  web-1.examp…');
    expect(at(29)).toBe('alice  ssh.login');
    expect(at(15)).toBe('alice');
    expect(at(4)).toBe('ali…');
    expect(piecesLine([], 10)).toEqual([]);
  });

  test('of pieces is never wider than its place', () => {
    fc.assert(
      fc.property(fc.array(manyTexts, { maxLength: 5 }), fc.integer({ min: 1, max: 80 }), (raw, width) => {
        expect(lineWidth(piecesLine(raw.map(exact), width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('in several forms is the longest one that fits, or the shortest one cut', () => {
    const forms = [exact('counted 3s ago, g counts again'), exact('counted 3s ago')];
    expect(textOf(fittingForm(forms, 30))).toBe('counted 3s ago, g counts again');
    expect(textOf(fittingForm(forms, 29))).toBe('counted 3s ago');
    expect(textOf(fittingForm(forms, 9))).toBe('counted …');
  });

  test('fits exactly into the columns that it is given', () => {
    fc.assert(
      fc.property(manyTexts, fc.integer({ min: 1, max: 40 }), (raw, width) => {
        expect(lineWidth(fitLine(exact(raw), width))).toBe(width);
        expect(lineWidth(spreadLine(exact(raw), exact('right'), width))).toBe(width);
      }),
    );
  });

  test('gives way on the left when both sides do not fit, two columns apart', () => {
    expect(textOf(spreadLine(exact('a long left side'), exact('right'), 14))).toBe('a long…  right');
  });

  test('is drawn in fewer pieces without changing a character', () => {
    const line = [
      span(label`a`, 'muted'),
      span(label`  `),
      span(label`b`, 'muted'),
      span(label`c`, 'strong'),
    ];
    expect(joinSpans(line)).toEqual([span(label`a  b`, 'muted'), span(label`c`, 'strong')]);
    const alarm = [span(label`stop`, 'alarm'), span(label` `)];
    expect(joinSpans(alarm)).toEqual(alarm);
  });
});

describe('words for an empty place', () => {
  const words = [exact('Nobody waits.'), BLANK, exact('ask: countersign request')];

  test('stand in the middle, with their gaps', () => {
    expect(placardLines(words, 40, 9).map((line) => textOf(line).trimEnd())).toEqual([
      '',
      '',
      '             Nobody waits.',
      '',
      '        ask: countersign request',
    ]);
  });

  test('lose their gaps rather than a line where rows are few', () => {
    expect(placardLines(words, 40, 2).map((line) => textOf(line).trim())).toEqual([
      'Nobody waits.',
      'ask: countersign request',
    ]);
  });
});

describe('wrapping', () => {
  test.each<Wrapping>(['columns', 'words'])(
    'by %s drops nothing and is never wider than the screen',
    (wrapping) => {
      fc.assert(
        fc.property(manyTexts, fc.integer({ min: 20, max: 60 }), (raw, width) => {
          const line = exact(raw);
          const wrapped = wrapLine(line, width, wrapping);
          expect(wrapped.map(textOf).join('')).toBe(textOf(line));
          for (const part of wrapped) expect(lineWidth(part)).toBeLessThanOrEqual(width);
        }),
      );
    },
  );

  test('by columns leaves no space at an edge, where nobody would see it (A1)', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', ' '), minLength: 60, maxLength: 200 }),
        (raw) => {
          const wrapped = wrapLine(exact(raw), 20, 'columns').map(textOf);
          for (const part of wrapped) expect(part).toBe(part.trim());
        },
      ),
    );
  });

  test('by words breaks behind a space where there is one', () => {
    expect(wrapLine(exact('restart nginx on web'), 10, 'words').map(textOf)).toEqual([
      'restart ',
      'nginx on ',
      'web',
    ]);
  });

  test('begins a new line behind the mark of a newline', () => {
    expect(wrapLine(exact('one\ntwo'), 40, 'columns').map(textOf)).toEqual(['one⟨LF⟩', 'two']);
  });
});
