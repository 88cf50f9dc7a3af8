import * as fc from 'fast-check';
import { Box, renderToString } from 'ink';
import { describe, expect, test, vi } from 'vitest';
import { paintedTerminal } from '../../../components/screen/terminal-painter.js';
import { THEMES, type Tone } from '../../../components/screen/theme.js';
import { SpokenLine } from '../../../components/spoken/spoken-line.js';
import { cutLine, type Line, markedSpans, span } from '../../../components/text/line.js';
import { label, safeText } from '../../../components/text/safe-text.js';
import { THEME_NAMES, type ThemeName } from '../../../src/client/display.js';
import { ENTER, LEAVE, MemoryTerminal } from './memory-terminal.js';

vi.hoisted(() => {
  // They are asked for once, by what is imported.
  delete process.env.NO_COLOR;
  process.env.FORCE_COLOR = '2';
});

const ESC = '\u001b';
const COLUMNS = 24;
const ROWS = 8;
const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
const onePer = (texts: readonly string[]): readonly Line[] => texts.map(exact);

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abc XY12│─●▸✓…'), maxLength: 10 }),
  fc.constantFrom('', '   ', 'é', '漢字', 'e\u0301', '각', 'ａ', '\u001b[8m', '\u202eabc'),
);
const tone = fc.constantFrom(...(Object.keys(THEMES.dark) as Tone[]));
const line = fc
  .array(fc.tuple(tone, text), { maxLength: 4 })
  .map((spans): Line => spans.map(([one, raw]) => span(safeText(raw, { reading: 'exact' }), one)));
const frame = fc.array(line, { minLength: ROWS, maxLength: ROWS });

/** The lines as Ink draws them, all of them anew. */
function asInkDraws(lines: readonly Line[], theme: ThemeName): string {
  const written = renderToString(
    <Box flexDirection="column">
      {lines.map((one, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its place
        <SpokenLine key={at} line={cutLine(one, COLUMNS)} theme={theme} />
      ))}
    </Box>,
    { columns: COLUMNS },
  );
  return `${ESC}[0m${ESC}[2J${ESC}[H${written}`;
}

/** A terminal in the alternate screen, painted so far with these lines. */
function opened(columns: number, rows: number, lines: readonly Line[] = []) {
  const screen = new MemoryTerminal(columns, rows);
  const onPainted = vi.fn();
  const { terminal, paint } = paintedTerminal(screen.stream, onPainted);
  terminal.write(ENTER);
  if (lines.length > 0) paint(lines, 'dark');
  return { screen, terminal, onPainted, paint };
}

describe('the painted terminal', () => {
  test('shows every picture as Ink would have drawn it alone, attributes and all', async () => {
    const frames = fc.array(fc.tuple(frame, fc.constantFrom(...THEME_NAMES)), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(frames, async (pictures) => {
        const bare = new MemoryTerminal(COLUMNS, ROWS);
        const { screen, paint } = opened(COLUMNS, ROWS);
        bare.write(ENTER);
        for (const [lines, theme] of pictures) {
          bare.write(asInkDraws(lines, theme));
          paint(lines, theme);
          expect(await screen.picture()).toBe(await bare.picture());
        }
      }),
      { numRuns: 100 },
    );
  });

  test('draws a line as it is, marks included, and no more lines than there is room for', async () => {
    const { screen } = opened(40, 2, onePer(['safe\rEVIL\u001b[8m', 'two\nstill two', 'three']));
    expect(await screen.text()).toBe('safe⟨CR⟩EVIL⟨ESC⟩[8m\ntwo⟨LF⟩still two');
  });

  test('cuts what is longer than the terminal is wide, and says so', async () => {
    const { screen } = opened(6, 2, onePer(['123456', '1234567']));
    expect(await screen.text()).toBe('123456\n12345…');
  });

  test('paints everything again where the terminal has another size', async () => {
    const { screen, paint } = opened(COLUMNS, 8, onePer(['one', 'two', 'three', 'four']));
    screen.resizeTo(30, 6);
    screen.terminal.write(`${ESC}[Hgarbage of the terminal${ESC}[4;4Hmore`);
    paint(onePer(['one', 'TWO', 'three', 'four']), 'dark');
    expect(await screen.text()).toBe('one\nTWO\nthree\nfour');
  });

  test('writes only what has changed, and nothing where nothing has', () => {
    const lines = Array.from({ length: 24 }, (_, at) => `row ${at}  ${'x'.repeat(60)}  end`);
    const { screen, paint, onPainted } = opened(80, 24, onePer(lines));
    screen.written = '';
    paint(onePer(lines), 'dark');
    expect(screen.written).toBe('');
    paint(onePer(lines.with(5, lines[5]?.replace('row', 'ROW') ?? '')), 'dark');
    expect(screen.written).toBe(`${ESC}[6HROW`);
    expect(onPainted).toHaveBeenCalledTimes(3);
  });

  test('paints nothing outside of the alternate screen, and says so; entering it paints what was wanted last', async () => {
    const screen = new MemoryTerminal(20, 2);
    const onPainted = vi.fn();
    const { terminal, paint } = paintedTerminal(screen.stream, onPainted);
    paint(onePer(['early']), 'dark');
    expect([screen.written, onPainted.mock.calls.length]).toEqual(['', 0]);
    terminal.write(ENTER);
    expect([await screen.text(), onPainted.mock.calls.length]).toEqual(['early', 1]);
    terminal.write(LEAVE);
    paint(onePer(['late', 'too']), 'dark');
    expect([await screen.text(), onPainted.mock.calls.length]).toEqual(['', 1]);
    terminal.write(ENTER);
    expect([await screen.text(), onPainted.mock.calls.length]).toEqual(['late\ntoo', 2]);
  });

  test('lets titles, bells and whatever is written outside of the alternate screen through, in their order', () => {
    const { screen, terminal } = opened(80, 24);
    terminal.write(LEAVE);
    screen.written = '';
    terminal.write(`before${ESC}[31mred`);
    terminal.write(`${ENTER}a${ESC}]2;countersign: 3 pending\u0007b\u0007${ESC}[2;1r`);
    terminal.write(`${LEAVE}after`);
    expect(screen.written).toBe(
      `before${ESC}[31mred${ENTER}${ESC}[?25l${ESC}[H${ESC}[2J${ESC}]2;countersign: 3 pending\u0007\u0007${LEAVE}after`,
    );
  });

  test('leaves each column where it belongs, and nothing behind, where a terminal counts a character otherwise', async () => {
    const wider = 0x1fb3;
    const { screen, paint } = opened(COLUMNS, 1);
    screen.terminal.unicode.register({
      version: 'other',
      wcwidth: (code) => (code === wider ? 2 : 1),
      charProperties: (code) => (code === wider ? 2 : 1) << 1,
    });
    screen.terminal.unicode.activeVersion = 'other';
    const texts = [
      label`\u{4dc0}\u{4dc0} a│right`,
      label`\u1fb3\u1fb3\u1fb3xx│longer`,
      label`\u1fb3\u1fb3 b│right`,
    ];
    for (const one of texts) paint([[span(one)]], 'dark');
    await screen.drawn();
    const row = screen.terminal.buffer.active.getLine(0);
    const cells = Array.from({ length: COLUMNS }, (_, at) => row?.getCell(at)?.getChars() || ' ');
    expect(cells.slice(3).join('').trimEnd()).toBe('b│right');
  });

  test('hands on when something is written', async () => {
    const done = Promise.withResolvers<void>();
    opened(COLUMNS, 4).terminal.write('', () => done.resolve());
    await done.promise;
  });

  test('has a size where the terminal tells none', () => {
    const { terminal } = paintedTerminal(new MemoryTerminal(0, 0).stream, () => {});
    expect([terminal.columns, terminal.rows]).toEqual([80, 24]);
  });
});
