import { describe, expect, test } from 'vitest';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import {
  allLines,
  statisticsLines,
  statisticsStatus,
} from '../../../components/statistics/statistics-lines.js';
import { label } from '../../../components/text/safe-text.js';
import type { Statistics } from '../../../src/protocol/statistics.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleRequest } from '../sample-requests.js';
import { missedSome } from './sample-canaries.js';
import { figures } from './sample-statistics.js';

const gone = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' } as const;
const asked = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'count');
const textOf = ({ state }: ConsoleDriver): string =>
  statisticsLines(state, bodyRows(state))
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const statusOf = ({ state }: ConsoleDriver): string =>
  statisticsStatus(state)
    .map(({ text }) => text)
    .join('');

/** A console that looks at figures. */
const looking = (given: Partial<Statistics> = {}, size = {}) =>
  new ConsoleDriver([sampleRequest()], size)
    .press('7')
    .finish({ type: 'counted', number: 1, statistics: { ...figures, ...given } });

describe('the statistics', () => {
  test('are asked for when one comes, with the zone of the reader, and never by a clock', () => {
    const driver = new ConsoleDriver([sampleRequest()]).wait(60_000);
    expect(asked(driver)).toEqual([]);
    driver
      .press('7')
      .wait(60_000)
      .put(sampleRequest({ n: 2 }));
    expect(asked(driver)).toEqual([{ type: 'count', number: 1, query: { days: 30, zone: 'UTC' } }]);
    expect(textOf(driver)).toContain('The broker counts the last 30 days…');
  });

  test('tell waiting times, load, and what became of asks', () => {
    const text = textOf(looking());
    expect(text).toMatch(/1234 asked.*980 approved, 61 denied, 44 expired, 131 passed/);
    expect(text).toMatch(/half of 1041 +41s +█/);
    expect(text).toMatch(/99 of 100 +4m 51s +█+\n/);
    expect(text).toMatch(/bob +591 +57% +31 +38s/);
    expect(text).toMatch(/logins +801 +681 +80 +40/);
  });

  test('are counted for more days and fewer with the arrows, and for no others at the ends', () => {
    const driver = looking().press('right', 'right', 'right');
    expect(asked(driver).map(({ query }) => query.days)).toEqual([30, 90, 365]);
    expect(driver.state.statistics.told).toBeNull();
    driver.finish({ type: 'counted', number: 1, statistics: figures });
    expect(driver.state.statistics.told).toBeNull();
    driver.press('left', 'left', 'left', 'left', 'left');
    expect(asked(driver).map(({ query }) => query.days)).toEqual([30, 90, 365, 90, 30, 7, 1]);
  });

  test('are counted again with g at the top', () => {
    const driver = looking({}, { rows: 24 }).press('j', 'g');
    expect(asked(driver)).toHaveLength(1);
    expect(asked(driver.press('g'))).toHaveLength(2);
    expect([driver.state.statistics.told, statusOf(driver)]).toEqual([figures, 'the broker counts…']);
  });

  test('are scrolled to their end and no further, and stay within a terminal that grows', () => {
    const driver = looking({}, { columns: 80, rows: 24 }).press('G');
    const { state } = driver;
    expect(state.statistics.top).toBe(allLines(state).length - bodyRows(state));
    expect(textOf(driver)).toContain('deploys');
    expect(driver.resize(120, 60).state.statistics.top).toBe(0);
  });

  test('say from when on it was counted, where that is not all', () => {
    expect(statusOf(looking())).toMatch(/^since 2026-01-01T23:00:00Z; counted/);
    expect(statusOf(looking({ reach: 'search' }))).toContain('and no further back');
    expect(statusOf(looking({ reach: 'kept' }))).toContain('older ones are not kept');
  });

  test('of nothing say so, and of nobody who decided', () => {
    expect(textOf(looking({ asked: 0, waits: null }))).toContain('Nothing was asked in the last 30 days');
    expect(textOf(looking({ waits: null, approvers: [] }))).toContain('nobody has decided anything');
  });

  test('are asked for again once the broker is back, where it could not tell (A28)', () => {
    const driver = new ConsoleDriver([]).setLink(gone).press('7');
    expect([asked(driver), textOf(driver)]).toEqual([[], expect.stringContaining('Not connected')]);
    expect(asked(driver.setLink({ state: 'live' }))).toHaveLength(1);
    driver.finish({ type: 'notCounted', number: 1, message: label`no answer`, hint: label`wait` });
    expect(textOf(driver)).toContain('✗ no answer');
    driver.setLink(gone).setLink({ state: 'live' });
    driver.finish({ type: 'counted', number: 2, statistics: figures });
    expect(asked(driver.setLink(gone).setLink({ state: 'live' }))).toHaveLength(2);
  });

  test('tell the reader how he did on canaries, whatever days are counted (A33)', () => {
    const told = (driver: ConsoleDriver) =>
      allLines(driver.state)
        .map((line) => line.map(({ text }) => text).join(''))
        .join('\n');
    const askedOf = ({ effects }: ConsoleDriver) => effects.filter(({ type }) => type === 'askOfCanaries');
    const driver = looking();
    expect(askedOf(driver)).toEqual([{ type: 'askOfCanaries', number: 1 }]);
    expect(told(driver)).not.toContain('Canaries');
    driver.finish({ type: 'toldOfCanaries', number: 1, canaries: missedSome });
    expect(told(driver)).toMatch(/Canaries.*\n {3}you caught 9 of 12 in 90 days\n/);
    expect(told(driver)).toMatch(/01KG8J0PX0ABCDEF0000000002 {2}2026-01-20T09:30:00Z\n/);
    driver.press('right').finish({ type: 'counted', number: 2, statistics: { ...figures, asked: 0 } });
    expect(askedOf(driver)).toHaveLength(1);
    expect(told(driver)).toMatch(/0 asked[\s\S]*you caught 9 of 12/);
    driver.press('g').finish({ type: 'toldOfCanaries', number: 1, canaries: { ...missedSome, caught: 0 } });
    expect(askedOf(driver)).toHaveLength(2);
    expect(told(driver)).toContain('you caught 9 of 12');
    driver.finish({
      type: 'toldOfCanaries',
      number: 2,
      canaries: { caught: 2, missed: [], missedCount: 0, searchedTo: null },
    });
    expect(told(driver)).toMatch(/you caught all 2 in 90 days$/);
    driver.finish({
      type: 'toldOfCanaries',
      number: 2,
      canaries: { ...missedSome, caught: 0, missedCount: 0 },
    });
    expect(told(driver)).toBe('');
  });

  test('say where the broker did not tell of canaries, and ask again once it is back', () => {
    const driver = looking().finish({
      type: 'notToldOfCanaries',
      number: 1,
      message: label`no answer`,
      hint: label`wait`,
    });
    expect(textOf(driver)).toContain('✗ no answer (g tries again)');
    driver.setLink(gone).setLink({ state: 'live' });
    const numbers = driver.effects.flatMap((effect) =>
      effect.type === 'askOfCanaries' ? [effect.number] : [],
    );
    expect(numbers).toEqual([1, 2]);
  });

  test('decide nothing with any key (A4)', () => {
    const driver = looking().press('a', 'd', 'f', 'R', 'enter', 'tab', 'enter', 'left', 'escape');
    expect([driver.decisions, driver.state.confirm, driver.state.screen]).toEqual([[], null, 'queue']);
  });
});
