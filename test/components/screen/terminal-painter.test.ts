import { EventEmitter } from 'node:events';
import xterm from '@xterm/headless';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { paintedTerminal } from '../../../components/screen/terminal-painter.js';

const ESC = '\u001b';
const ENTER = `${ESC}[?1049h`;

/** A terminal in memory, and what was written to it. */
class Screen extends EventEmitter {
  readonly isTTY = true;
  readonly terminal: xterm.Terminal;
  written = '';
  columns: number;
  rows: number;

  constructor(columns: number, rows: number) {
    super();
    [this.columns, this.rows] = [columns, rows];
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  }

  write(text: string, done?: () => void): boolean {
    this.written += text;
    this.terminal.write(text, done);
    return true;
  }

  resizeTo(columns: number, rows: number): void {
    [this.columns, this.rows] = [columns, rows];
    this.terminal.resize(columns, rows);
    this.emit('resize');
  }

  /** Every cell with how it is drawn. */
  async picture(): Promise<string> {
    await new Promise<void>((resolve) => this.terminal.write('', resolve));
    const { buffer, rows, cols } = this.terminal;
    return Array.from({ length: rows }, (_, row) =>
      Array.from({ length: cols }, (_, column) => {
        const cell = buffer.active.getLine(row)?.getCell(column);
        if (cell === undefined) return '?';
        // The colour of a letter is not seen on a space.
        if ((cell.getChars() || ' ') === ' ') return ` ${[cell.getBgColor(), cell.isInverse()].join()}`;
        const style = [
          cell.getFgColor(),
          cell.getBgColor(),
          cell.isBold(),
          cell.isDim(),
          cell.isInverse(),
        ].join();
        return `${cell.getChars() || ' '}${style}`;
      }).join('|'),
    ).join('\n');
  }
}

const painted = (screen: Screen) => paintedTerminal(screen as unknown as NodeJS.WriteStream);

const COLUMNS = 24;
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abc XY12│─●▸✓…⟨⟩'), maxLength: 10 }),
  fc.constantFrom('', '   ', 'é', '漢字', 'e\u0301', '각', 'ａ'),
);
const style = fc.constantFrom('', '1', '2', '36', '1;36', '41;37', '7', '38;5;208', '48;2;1;2;3');
const line = fc.array(fc.tuple(style, text), { maxLength: 4 }).map((spans) => {
  let room = COLUMNS;
  return spans
    .flatMap(([sgr, one]) => {
      room -= stringWidth(one);
      if (room < 0) return [];
      return [sgr === '' ? one : `${ESC}[${sgr}m${one}${ESC}[0m`];
    })
    .join('');
});
const frame = fc.array(line, { minLength: 8, maxLength: 8 });

/** A frame as Ink writes it over the one before: lines that are the same are passed over. */
function inkWrites(before: readonly string[] | null, next: readonly string[]): string {
  if (before === null) return next.join('\n');
  const lines = next.map((one, at) => {
    const isLast = at === next.length - 1;
    if (one === before[at]) return isLast ? '' : `${ESC}[E`;
    return `${ESC}[G${ESC}[K${one}${isLast ? '' : '\n'}`;
  });
  return `${ESC}[?2026h${ESC}[${before.length - 1}A${lines.join('')}${ESC}[?2026l`;
}

describe('the painted terminal', () => {
  test('shows what the terminal would have shown without it, attributes and all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 6 }), async (frames) => {
        const [bare, ours] = [new Screen(COLUMNS, 8), new Screen(COLUMNS, 8)];
        const terminal = painted(ours);
        bare.write(`${ENTER}${ESC}[H`);
        terminal.write(ENTER);
        let before: readonly string[] | null = null;
        for (const next of frames) {
          const written = inkWrites(before, next);
          bare.write(written);
          terminal.write(written);
          expect(await ours.picture()).toBe(await bare.picture());
          before = next;
        }
      }),
      { numRuns: 150 },
    );
  });

  test('paints everything again where the terminal has another size', async () => {
    const ours = new Screen(COLUMNS, 8);
    const terminal = painted(ours);
    terminal.write(ENTER);
    const first = ['one', 'two', 'three', 'four'];
    terminal.write(inkWrites(null, first));
    ours.resizeTo(30, 6);
    ours.terminal.write(`${ESC}[Hgarbage of the terminal${ESC}[4;4Hmore`);
    terminal.write(inkWrites(first, ['one', 'TWO', 'three', 'four']));
    expect(
      (await ours.picture())
        .replace(/[-\d,]+(\||$)/gm, '')
        .replace(/ +$/gm, '')
        .trimEnd(),
    ).toBe('one\nTWO\nthree\nfour');
  });

  test('writes only what has changed, and nothing where nothing has', () => {
    const ours = new Screen(80, 24);
    const terminal = painted(ours);
    terminal.write(ENTER);
    const lines = Array.from({ length: 24 }, (_, at) => `row ${at}  ${'x'.repeat(60)}  end`);
    terminal.write(inkWrites(null, lines));
    ours.written = '';
    terminal.write(inkWrites(lines, lines));
    expect(ours.written).toBe('');
    const moved = lines.with(5, lines[5]?.replace('row', 'ROW') ?? '');
    terminal.write(inkWrites(lines, moved));
    expect(ours.written).toBe(`${ESC}[?2026h${ESC}[6HROW${ESC}[?2026l`);
  });

  test('lets titles, bells and whatever is written outside of the alternate screen through, in their order', () => {
    const ours = new Screen(80, 24);
    const terminal = painted(ours);
    terminal.write(`before${ESC}[31mred`);
    terminal.write(`${ENTER}a${ESC}]2;countersign: 3 pending\u0007b\u0007`);
    terminal.write(`${ESC}[?1049lafter`);
    expect(ours.written.replaceAll(/\u001b\[\?2026[hl]/g, '')).toBe(
      `before${ESC}[31mred${ENTER}${ESC}[H${ESC}[2J${ESC}[1Ha${ESC}]2;countersign: 3 pending\u0007${ESC}[1;2Hb\u0007${ESC}[?1049lafter`,
    );
  });

  test('gives what it does not know to the terminal, and paints everything again after it', async () => {
    const ours = new Screen(COLUMNS, 4);
    const terminal = painted(ours);
    terminal.write(ENTER);
    terminal.write(inkWrites(null, ['one', 'two']));
    terminal.write(`${ESC}[2;1r`);
    terminal.write(inkWrites(['one', 'two'], ['one', 'TWO']));
    expect(await ours.picture()).toMatch(/^o.*\|n.*\|e.*\n.*T.*\|W.*\|O/);
  });

  test('leaves each column where it belongs, and nothing behind, where a terminal counts a character otherwise', async () => {
    const [narrower, wider] = ['\u{4dc0}', '\u1fb3'];
    const ours = new Screen(COLUMNS, 1);
    ours.terminal.unicode.register({
      version: 'other',
      wcwidth: (code) => (code === wider.codePointAt(0) ? 2 : 1),
      charProperties: (code) => (code === wider.codePointAt(0) ? 2 : 1) << 1,
    });
    ours.terminal.unicode.activeVersion = 'other';
    const terminal = painted(ours);
    terminal.write(ENTER);
    const frames = [
      `${narrower}${narrower} a│right`,
      `${wider}${wider}${wider}xx│longer`,
      `${wider}${wider} b│right`,
    ];
    let before: readonly string[] | null = null;
    for (const frame of frames) {
      terminal.write(inkWrites(before, [frame]));
      before = [frame];
    }
    await ours.picture();
    const line = ours.terminal.buffer.active.getLine(0);
    const cells = Array.from({ length: COLUMNS }, (_, at) => line?.getCell(at)?.getChars() || ' ');
    expect(cells.slice(3).join('').trimEnd()).toBe('b│right');
  });

  test('hands on when something is written', async () => {
    const ours = new Screen(COLUMNS, 4);
    const done = Promise.withResolvers<void>();
    painted(ours).write('', () => done.resolve());
    await done.promise;
  });
});
