import { describe, expect, test, vi } from 'vitest';
import { safeText } from '../../components/text/safe-text.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { HOSTILE_CORPUS } from './hostile-corpus.js';
import { InMemoryQueue } from './in-memory-queue.js';
import { sampleRequest, sampleVote } from './sample-requests.js';
import { TerminalScreen } from './terminal-screen.js';

vi.setConfig({ testTimeout: 120_000 });
// Before Ink is imported, which asks only once.
vi.hoisted(() => {
  process.env.FORCE_COLOR = '1';
  delete process.env.NO_COLOR;
});

/** All that the console itself may say to a terminal: where to write, in which of the theme's colours, its modes and its title. */
const OWN =
  /\u001b\[(?:\d{0,3}[ABCDEGHJK]|\d{1,3};\d{1,3}H|2J|3J|\?(?:25|1049|2004|2026)[hl]|2[23];2t|(?:(?:0;)?(?:[1247]|3[0-7]|4[0-7]|9[0-7]|10[0-7])(?:;(?:[1247]|3[0-7]|4[0-7]|9[0-7]|10[0-7]))*)?m)|\u001b\]2;[^\u0007\u001b]*\u0007/gu;
/** Acts on a terminal, or is not seen on it; line ends are Ink's. */
const ACTS =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Variation_Selector}\p{Zl}\p{Zp}]/u;

const texts = HOSTILE_CORPUS.map(({ text }) => text);
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** Requests with the whole corpus in every place that others can write to. */
function* requestsWith(all: readonly string[], each: number): Generator<RequestView> {
  for (let at = 0; at < all.length; at += each) {
    // A document is strict JSON, in which there is nothing but well-formed text.
    const some = all.slice(at, at + each).map((text) => text.toWellFormed());
    const [first = '', second = '', third = ''] = some;
    yield sampleRequest({
      n: at,
      document: {
        context: { reason: first, [second]: third },
        details: Object.fromEntries(
          some.map((text, n) => [n % 2 === 0 ? `d${n}` : [...text].slice(0, 60).join(''), text]),
        ),
        resource: CONTROL.test(second) ? 'web-1' : second,
      },
      missing: [second],
      votes: [sampleVote({ comment: third })],
      endedBy: first,
      comments: [{ by: 'carol' as Name, at: 0, text: some.at(-1) ?? '' }],
    });
  }
}

async function pageToTheEnd(screen: TerminalScreen): Promise<void> {
  for (;;) {
    const text = await screen.waitForContent(/lines \d+–/);
    const [, last, all] = /lines \d+–(\d+) of (\d+)/.exec(text) ?? [];
    if (last === all) return;
    await screen.pressAndWaitForChange('PageDown');
  }
}

describe('the hostile corpus (A1, A37, A50)', () => {
  test('has at least 300 texts, each of them once', () => {
    expect(texts.length).toBeGreaterThanOrEqual(300);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test.each(['exact', 'prose'] as const)(
    'is shown in full and harmless where the reading is %s',
    (reading) => {
      const shown = texts.map((text) => safeText(text, { reading }));
      for (const text of shown) expect(text).not.toMatch(ACTS);
      // Nothing is lost: no two of them look alike.
      expect(new Set(shown).size).toBe(texts.length);
    },
  );

  test('puts not one byte of its own on the terminal, in rows, in requests and in what people say of them', async () => {
    const requests = [...requestsWith(texts, 12)];
    const connection = new InMemoryQueue(requests);
    const screen = new TerminalScreen(connection, { columns: 118, rows: 50 });
    for (const [index, request] of requests.entries()) {
      await screen.waitForContent(`${requests.length - index} pending`);
      screen.letItSettle();
      await screen.openFirstRow();
      await pageToTheEnd(screen);
      screen.press('Escape');
      await screen.waitForContent('Time left');
      connection.remove(request.id);
    }
    await screen.leave();
    const { written } = screen;
    const rest = written.replace(OWN, '').replace(/[\r\n]/g, '');
    const leak = ACTS.exec(rest);
    expect(leak && JSON.stringify(rest.slice(leak.index - 40, leak.index + 40))).toBe(null);
    for (const text of texts.filter((text) => ACTS.test(text))) expect(written.includes(text)).toBe(false);
    // And it was there: every request was read to its end.
    expect(written.match(/⟨ESC⟩/gu)?.length).toBeGreaterThan(200);
  });
});
