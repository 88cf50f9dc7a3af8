import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unreadLines } from '../../../components/deciding/obstacles.js';
import { backgroundLine, backgroundLines } from '../../../components/detail/background-lines.js';
import { detailWindow } from '../../../components/detail/detail-window.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { type Line, lineWidth } from '../../../components/text/line.js';
import { label, safeText } from '../../../components/text/safe-text.js';
import { formatBackground } from '../../../src/commands/background-text.js';
import type { Background } from '../../../src/protocol/background.js';
import { comparedWords } from '../../../src/protocol/background-words.js';
import type { Name } from '../../../src/protocol/names.js';
import { Problem } from '../../../src/protocol/problems.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { ConsoleDriver } from '../console-driver.js';
import { hostileText } from '../hostile-text.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';

const one = sampleRequest({ n: 1 });
const two = sampleRequest({ n: 2, document: { requester: 'erin' } });
const USUAL: Background = {
  isPerson: true,
  since: NOW - 30 * 86_400_000,
  reach: 'days',
  asks: 42,
  approved: 40,
  earlier: [],
  unusual: [],
};
const DENIED: Background = { ...USUAL, unusual: [{ code: 'denied', asks: 2 }] };

const asked = ({ effects }: ConsoleDriver) => effects.filter(({ type }) => type === 'background');
const place = { columns: 80, style: { zone: 'UTC', now: NOW } };
const textOf = (...lines: readonly Line[]): string =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
const head = ({ state }: ConsoleDriver): string => textOf(backgroundLine(state.background, place));
const told = (driver: ConsoleDriver, { id } = one, background: Background = DENIED) =>
  driver.finish({ type: 'background', id, background });
const opened = (...requests: readonly RequestView[]) =>
  new ConsoleDriver(requests, { columns: 80, rows: 24 }).press('enter');

describe('what came before an opened request', () => {
  test('must have stood there for a while before anything is signed, where it came late (A4, A37)', () => {
    const late = (background: Background) =>
      opened(one)
        .press(' ', ' ', ' ', 'a', 'right')
        .finishAtOnce({ type: 'background', id: one.id, background })
        .paint();
    expect(late(USUAL).type('enter').decisions).toHaveLength(1);
    expect(
      late(DENIED)
        .wait(SETTLE_MS - 1)
        .type('enter').decisions,
    ).toEqual([]);
    expect(late(DENIED).wait(SETTLE_MS).type('enter').decisions).toHaveLength(1);
  });

  test('is asked once for each that is opened, in the zone of the reader, and never by a clock', () => {
    const driver = opened(one).wait(60_000).put(two).change(one.id, { waiting: 2 });
    expect(asked(driver)).toEqual([{ type: 'background', id: one.id, zone: 'UTC' }]);
    told(driver).press('escape', 'enter');
    expect(asked(driver)).toHaveLength(2);
  });

  test('is not asked in the queue, and only once there is a broker to ask (A28)', () => {
    const driver = new ConsoleDriver([one]).wait(60_000);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' }).press('enter').wait(60_000);
    expect(asked(driver)).toEqual([]);
    driver.setLink({ state: 'live' }).wait(60_000);
    expect(asked(driver)).toHaveLength(1);
  });

  test('is nothing while it is not known, and says so when it cannot be', () => {
    const driver = opened(one);
    expect(head(driver)).toBe('');
    expect(backgroundLines(driver.state.background, place)).toEqual([]);
    const why = label`the broker cannot be reached`;
    driver.finish({ type: 'noBackground', id: one.id, message: why, hint: label`` });
    expect(head(driver)).toContain('What came before is not known: the broker did not answer');
    expect(textOf(...backgroundLines(driver.state.background, place))).toContain(why);
  });

  test('is asked again once a broker is back that did not tell, and not while it is there', () => {
    const driver = opened(one);
    const fail = () =>
      driver.finish({ type: 'noBackground', id: one.id, message: label`no`, hint: label`` }).put(two);
    fail();
    expect(asked(driver)).toHaveLength(1);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' });
    expect(head(driver)).toContain('not known');
    driver.setLink({ state: 'live' });
    expect(asked(driver)).toHaveLength(2);
    fail().setLink({ state: 'live' });
    expect(asked(driver)).toHaveLength(2);
  });

  test('never stands beside another request, however late it comes', () => {
    const driver = opened(one, two).press('escape', 'j', 'enter');
    expect(driver.state.opened?.request.id).toBe(two.id);
    told(driver);
    expect(head(driver)).toBe('');
    told(driver, two, USUAL);
    expect(head(driver)).toContain('compared with 42 asks');
    told(driver.press('escape'), two);
    expect(driver.state.background).toBeNull();
  });

  test('moves nothing above the evidence and counts for nothing that must be read, wherever the reader is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('j', ' ', 'G', 'k', 'a'), { maxLength: 8 }),
        fc.boolean(),
        (keys, isKnown) => {
          const before = opened(
            sampleRequest({ document: { details: { numbers: Array.from({ length: 30 }, (_, n) => n) } } }),
          ).press(...keys);
          const height = 15;
          const [window, unread] = [detailWindow(before.state, height), unreadLines(before.state)];
          const whole = detailWindow(before.state, 1000)?.lines ?? [];
          const evidence = whole.findIndex((line) => textOf(line).startsWith('  Evidence'));
          const above = window?.lines.slice(0, Math.max(0, evidence - 1 - window.top)) ?? [];
          if (isKnown) told(before);
          else before.finish({ type: 'noBackground', id: one.id, message: label`no`, hint: label`` });
          const after = detailWindow(before.state, height);
          expect(after?.top).toBe(window?.top);
          expect(textOf(...(after?.lines ?? [])).startsWith(textOf(...above))).toBe(true);
          expect(unreadLines(before.state)).toBe(unread);
          expect(after?.mustRead).toEqual(window?.mustRead);
          expect(before.press('G').press('G').state.opened?.read).toBeLessThanOrEqual(
            (before.state.opened?.read ?? 0) + unread,
          );
          expect(unreadLines(before.state)).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('lets nobody sign sooner or later than without it', () => {
    const reading = () => opened(one).press(' ', ' ', ' ', ' ');
    const [without, with_] = [reading(), told(reading())];
    for (const driver of [without, with_]) driver.press('a', 'tab', 'enter');
    expect(with_.decisions).toEqual(without.decisions);
    expect(with_.decisions).toHaveLength(1);
  });
});

const raw = fc
  .array(hostileText, { minLength: 1, maxLength: 8 })
  .map((texts) => texts.join('').slice(0, 256));
/** Acts on a terminal, or is not seen on it. */
const ACTS = /[\p{C}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Variation_Selector}\p{Zl}\p{Zp}]/u;
const hostile = (address: string, zone: string): Background => ({
  ...USUAL,
  isPerson: false,
  reach: 'asks',
  earlier: [
    {
      request: sampleId(3),
      approver: address as Name,
      verdict: 'approve',
      decided: NOW,
      report: { outcome: 'refused', code: zone, at: NOW },
    },
  ],
  unusual: [
    { code: 'look-alike', requester: address as Name, name: zone as Name, by: 'one-away' },
    { code: 'new-address', address, submitter: zone as Name, signed: false },
    { code: 'new-hour', at: '03:12', zone },
    { code: 'new-submitter', submitter: address as Name },
  ],
});

test('hostile words of a broker and of a requester are drawn as what they are, in the screen (A1, A37)', () => {
  fc.assert(
    fc.property(raw, raw, fc.constantFrom(60, 80, 120), (address, zone, columns) => {
      const style = { ...place.style };
      for (const known of [
        { id: one.id, state: 'known' as const, background: hostile(address, zone) },
        { id: one.id, state: 'unknown' as const, why: safeText(address, { reading: 'prose' }) },
      ]) {
        const lines = [
          backgroundLine(known, { columns, style }),
          ...backgroundLines(known, { columns, style }),
        ];
        for (const line of lines) {
          expect(textOf(line)).not.toMatch(ACTS);
          expect(lineWidth(line)).toBeLessThanOrEqual(columns);
        }
      }
      for (const answer of [hostile(address, zone), new Problem('broker-reply', address)]) {
        expect(formatBackground(answer, style).replaceAll('\n', '')).not.toMatch(ACTS);
      }
    }),
  );
});

test.each([
  [0, 'days', true, 'no ask of this requester in 30 days'],
  [1, 'days', true, '1 ask of this requester in 30 days; 40 of them approved by others'],
  [
    9,
    'search',
    true,
    '9 asks of this requester back to T; older ones were not looked at; 40 of them approved by others',
  ],
  [
    9,
    'kept',
    true,
    '9 asks of this requester back to T; older ones are not kept; 40 of them approved by others',
  ],
  [
    0,
    'days',
    false,
    'no ask of this requester in 30 days; nobody of the roster has that name, so several people may ask by it',
  ],
] as const)('with %i asks (%s) it says how far back was looked', (asks, reach, isPerson, words) => {
  expect(comparedWords({ ...USUAL, asks, reach, isPerson }, 'T')).toBe(words);
});

test('show says the same as the console, a line each', () => {
  const address = '1.2.3.4 (says host:web-1, and signs), all is well';
  expect(formatBackground(hostile(address, 'UTC'), place.style).split('\n')).toEqual([
    `unusual    ${address} is one character away from UTC of the roster, and is not`,
    `unusual    first time from "${address}" (says UTC, without a signature)`,
    'unusual    never within an hour of 03:12 (UTC)',
    `unusual    first time through ${address}`,
    'compared   with the last 42 asks of this requester, back to 2026-01-01T23:00:00Z; 40 of them approved by others; nobody of the roster has that name, so several people may ask by it',
    `earlier    ${address} approve 2026-01-31T23:00:00Z (now); the door refused (UTC)`,
  ]);
});
