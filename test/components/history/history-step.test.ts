import { describe, expect, test } from 'vitest';
import { obstacleTo } from '../../../components/deciding/obstacles.js';
import { historyLines } from '../../../components/history/history-lines.js';
import { MAX_KEPT } from '../../../components/history/history-state.js';
import { label } from '../../../components/text/safe-text.js';
import type { HistoryPage } from '../../../src/client/history.js';
import { MAX_FILTER_LENGTH } from '../../../src/protocol/filter-text.js';
import { ConsoleDriver } from '../console-driver.js';
import { pastRequests } from '../past-requests.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';

const past = pastRequests(MAX_KEPT + 400);
const problem = { message: label`cannot reach the broker`, hint: label`check the network` };
const searches = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'search');

/** A console that looks at the history, and a broker that answers by pages of so many. */
class Reading {
  readonly driver = new ConsoleDriver([sampleRequest()], { rows: 24 });
  #answered = 0;

  constructor(...keys: readonly string[]) {
    this.driver.press('2', ...keys);
  }

  /** Answers all searches that were asked for and not answered yet. */
  answer(size = 50): this {
    for (let asked = searches(this.driver); this.#answered < asked.length; asked = searches(this.driver)) {
      const { search, query } = asked[this.#answered] ?? expect.fail();
      this.#answered += 1;
      const from = Number(query.cursor ?? 0);
      this.find(search, {
        requests: past.slice(from, from + size),
        next: from + size >= past.length ? null : String(from + size),
        searchedTo: NOW,
      });
    }
    return this;
  }

  find(search: number, page: HistoryPage): this {
    this.driver.finish({ type: 'found', search, page });
    return this;
  }

  get search() {
    return this.driver.state.history.search ?? expect.fail();
  }
}

describe('the history', () => {
  test('is asked for when it is opened and not before, and not again when one comes back', () => {
    expect(searches(new ConsoleDriver([sampleRequest()]).press('j', 'enter', 'escape', '?'))).toEqual([]);
    const reading = new Reading().answer();
    expect(searches(reading.driver)).toMatchObject([{ search: 1, query: { filter: '', cursor: null } }]);
    reading.driver.press('escape', '2');
    expect(searches(reading.driver)).toHaveLength(1);
  });

  test('is asked for again when one comes back after nothing was found: since then some may have come', () => {
    const reading = new Reading().find(1, { requests: [], next: null, searchedTo: null });
    reading.driver.press('escape', '2');
    expect(searches(reading.driver)).toMatchObject([{ search: 1 }, { search: 2, query: { filter: '' } }]);
    expect(
      reading.find(2, { requests: past.slice(0, 3), next: null, searchedTo: null }).search,
    ).toMatchObject({
      requests: past.slice(0, 3),
    });
  });

  test('goes on by itself while one scrolls, and keeps the selected request under the cursor', () => {
    const reading = new Reading().answer();
    expect(reading.search).toMatchObject({ selected: past[0]?.id, requests: past.slice(0, 50) });
    reading.driver.press(...Array<string>(3).fill('pageDown'));
    expect(searches(reading.driver)).toHaveLength(1);
    reading.driver.press('pageDown');
    const selected = reading.search.selected;
    expect(searches(reading.driver)).toHaveLength(2);
    expect(reading.answer().search).toMatchObject({ selected, requests: past.slice(0, 100) });
  });

  test('keeps a window of the results, however many there are, and g finds the newest again', () => {
    const reading = new Reading().answer();
    for (let page = 0; page < 60; page += 1) {
      reading.driver.press('G');
      const { selected } = reading.search;
      expect(reading.answer().search.selected).toBe(selected);
    }
    expect(reading.search.requests.length).toBeLessThanOrEqual(MAX_KEPT + 50);
    expect(reading.search).toMatchObject({ next: null, selected: past.at(-1)?.id });
    expect(reading.search.letGo + reading.search.requests.length).toBe(past.length);
    reading.driver.press('g');
    expect(reading.answer().search).toMatchObject({ selected: past[0]?.id, letGo: 0 });
  });

  test('is looked for again with g at the top, once at a time: more may have come', () => {
    const reading = new Reading().answer();
    reading.driver.press('j', 'g');
    expect(searches(reading.driver)).toHaveLength(1);
    reading.driver.press('g', 'g', 'g');
    expect(searches(reading.driver)).toHaveLength(2);
    expect(reading.answer().search).toMatchObject({ number: 2, selected: past[0]?.id });
  });

  test('goes on through pages in which nothing was found, and says how far back it has looked', () => {
    const reading = new Reading();
    reading.find(1, { requests: [], next: '7', searchedTo: NOW - 1000 });
    expect(searches(reading.driver)).toMatchObject([{}, { search: 1, query: { cursor: '7' } }]);
    expect(reading.search).toMatchObject({ isWaiting: true, searchedTo: NOW - 1000, selected: null });
    reading.find(1, { requests: [], next: null, searchedTo: null });
    expect(searches(reading.driver)).toHaveLength(2);
    expect(reading.search).toMatchObject({ isWaiting: false, next: null });
  });

  test('asks for nothing more while another screen is looked at', () => {
    const reading = new Reading();
    reading.driver.press('1');
    reading.find(1, { requests: [], next: '7', searchedTo: NOW });
    expect(searches(reading.driver)).toHaveLength(1);
    reading.driver.press('2');
    expect(searches(reading.driver)).toHaveLength(2);
  });

  test('lost while it is searched goes on when the broker is back, or with j', () => {
    for (const again of [
      (driver: ConsoleDriver) =>
        driver
          .setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' })
          .setLink({ state: 'live' }),
      (driver: ConsoleDriver) => driver.press('j'),
    ]) {
      const reading = new Reading();
      reading.driver.finish({ type: 'notFound', search: 1, ...problem });
      expect(reading.search).toMatchObject({ isWaiting: false, failure: problem });
      reading.driver.wait(60_000).press('k');
      expect(searches(reading.driver)).toHaveLength(1);
      again(reading.driver);
      expect(searches(reading.driver)).toHaveLength(2);
      expect(reading.search).toMatchObject({ isWaiting: true, failure: null });
    }
  });

  test('lost further down is tried again with j, in whatever row one stands', () => {
    const reading = new Reading().answer();
    reading.driver.press(...Array<string>(4).fill('pageDown'));
    reading.driver.finish({ type: 'notFound', search: 1, ...problem });
    reading.driver.press('k');
    expect(searches(reading.driver)).toHaveLength(2);
    reading.driver.press('j');
    expect(searches(reading.driver)).toHaveLength(3);
    expect(reading.search).toMatchObject({ isWaiting: true, failure: null });
  });
});

test('nothing is asked of whoever answers while the link is not live; it is as soon as it is (A28)', () => {
  const gone = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' } as const;
  const driver = new ConsoleDriver([sampleRequest()], { rows: 24 }).setLink(gone).press('2', 'j', '6', '2');
  driver.press('/', 'bob', 'enter');
  const shown = historyLines(driver.state, 20).flatMap((line) => line.map(({ text }) => text));
  expect(shown.join('')).toContain('Not connected: the search goes on when the broker is back.');
  expect(driver.effects).toEqual([]);
  driver.setLink({ state: 'live' });
  expect(searches(driver)).toMatchObject([{ search: 2, query: { filter: 'bob' } }]);
});

describe('the filter line', () => {
  test('is opened with / and takes every letter as text: nothing is searched before Enter', () => {
    const reading = new Reading('/').answer();
    reading.driver.press('a', 'd', ':', 'q', '1', ' ', '?', 'x\ry', 'left', 'backspace');
    expect(reading.driver.state).toMatchObject({ opened: null, confirm: null, screen: 'history' });
    expect(reading.driver.state.history.line.text).toBe('ad:q1 ?xy');
    expect(searches(reading.driver)).toHaveLength(1);
  });

  test('searches with Enter, times fixed, so that all pages are about the same span', () => {
    const reading = new Reading('/').answer();
    reading.driver.press('state:denied since:1d', 'enter');
    expect(searches(reading.driver).at(-1)).toMatchObject({
      search: 2,
      query: { filter: expect.stringMatching(/^state:denied since:2026-01-30T23:00:\d\dZ$/), cursor: null },
    });
    expect(reading.driver.state.history).toMatchObject({
      isWriting: false,
      line: { text: 'state:denied since:1d' },
    });
  });

  test('drops a page of the former filter that arrives late, and its failure', () => {
    const reading = new Reading('/');
    reading.driver.press('bob', 'enter');
    reading.find(1, { requests: past.slice(0, 5), next: null, searchedTo: null });
    reading.driver.finish({ type: 'notFound', search: 1, ...problem });
    expect(reading.search).toMatchObject({ number: 2, isWaiting: true, requests: [], failure: null });
    reading.find(2, { requests: past.slice(5, 7), next: null, searchedTo: null });
    expect(reading.search.requests).toEqual(past.slice(5, 7));
  });

  test('says why it is refused, keeps what was typed and what was found, and searches nothing', () => {
    const reading = new Reading('/').answer();
    reading.driver.press('persn:bob', 'enter');
    expect(reading.driver.state.history).toMatchObject({
      isWriting: true,
      line: { text: 'persn:bob' },
      refusal: { message: expect.stringContaining('did you mean person') },
    });
    expect(reading.search).toMatchObject({ number: 1, filter: '' });
    expect(reading.driver.press('backspace').state.history.refusal).toBeNull();
  });

  test('left with Esc is the filter of what is shown; Esc again goes back to the queue', () => {
    const { driver } = new Reading('/').answer();
    driver.press('bob', 'enter', '/', 'x', 'escape');
    expect(driver.state).toMatchObject({
      screen: 'history',
      history: { isWriting: false, line: { text: 'bob' } },
    });
    expect(driver.press('escape').state.screen).toBe('queue');
  });

  test('takes pasted text as text, line breaks as spaces, and no more than a filter can be (A35)', () => {
    const { driver } = new Reading('/').answer();
    driver.paste('person:bob\r\nstate:denied\r');
    expect(driver.state.history.line.text).toBe('person:bob state:denied ');
    expect(searches(driver)).toHaveLength(1);
    driver.paste('x'.repeat(MAX_FILTER_LENGTH));
    expect([driver.state.history.line.text, driver.noticeText]).toEqual([
      'person:bob state:denied ',
      expect.stringContaining('full'),
    ]);
    driver.press('escape').paste('person:bob');
    expect(driver.state.history.line.text).toBe('');
    expect(driver.noticeText).toContain('ignored');
  });
});

describe('a request of the past', () => {
  test('is read, and Esc goes back to its row', () => {
    const { driver, search } = new Reading().answer();
    expect(search.selected).toBe(past[0]?.id);
    driver.press('j', 'j', 'enter');
    expect(driver.state.opened).toMatchObject({ isRecord: true, request: { id: past[2]?.id } });
    driver.press('j', 'G', 'escape');
    expect(driver.state).toMatchObject({ opened: null, screen: 'history' });
    expect(driver.state.history.search?.selected).toBe(past[2]?.id);
  });

  test('is decided on by no key, also where it still waits for an answer (A4, A34)', () => {
    const waiting = sampleRequest();
    const keys = ['a', 'd', 'f', 'R', 'enter', 'tab', 'y', 'c', ' ', 'right'];
    for (const first of keys) {
      for (const second of keys) {
        const reading = new Reading();
        reading.find(1, { requests: [waiting], next: null, searchedTo: null });
        reading.driver.press('enter', 'G', 'g', first, second, 'tab', 'enter', 'tab', 'enter');
        expect(reading.driver.state.confirm, `${first} ${second}`).toBeNull();
        expect(reading.driver.decisions).toEqual([]);
        expect(reading.driver.effects.filter(({ type }) => type === 'revoke')).toEqual([]);
      }
    }
  });

  test('that still waits says where it is decided', () => {
    const reading = new Reading();
    reading.find(1, { requests: [sampleRequest()], next: null, searchedTo: null });
    reading.driver.press('enter');
    expect(obstacleTo(reading.driver.state, 'approve')?.words).toContain('in the queue');
    reading.driver.press('escape', '1', 'enter');
    expect(reading.driver.state.opened).toMatchObject({ isRecord: false, request: { id: sampleId(1) } });
    expect(obstacleTo(reading.driver.state, 'deny')).toBeNull();
  });

  test('shows what happened since it was found', () => {
    const reading = new Reading();
    reading.find(1, { requests: [sampleRequest()], next: null, searchedTo: null });
    reading.driver.change(sampleId(1), { state: 'denied', endedAt: NOW, endedBy: 'denied by carol' });
    reading.driver.press('enter');
    expect(obstacleTo(reading.driver.state, 'approve')?.words).toContain('to read only');
  });

  test('leaves the queue as it was: a key there waits for 300 ms again (A34)', () => {
    const { driver } = new Reading().answer();
    driver.type('1').paint().wait(10).type('d');
    expect(driver.state.confirm).toBeNull();
    expect(driver.wait(300).type('d').state.confirm?.verdict).toBe('deny');
  });
});
