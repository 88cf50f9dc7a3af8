import { describe, expect, test } from 'vitest';
import { bulkLines } from '../../../components/bulk-denial/bulk-lines.js';
import { bodyRows } from '../../../components/screen/screen-layout.js';
import { label } from '../../../components/text/safe-text.js';
import type { Name } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const ask = (n: number, document = {}, given = {}) =>
  sampleRequest({ n, age: 280 - n, document: { resource: `web-${n}`, ...document }, ...given });
const flood = (count: number) => Array.from({ length: count }, (_, n) => ask(n + 1));
const listed = ({ state }: ConsoleDriver) => state.bulk?.requests.map(({ id }) => id);
const denials = (driver: ConsoleDriver) => driver.effects.filter(({ type }) => type === 'denyAll');

const shown = ({ state }: ConsoleDriver) =>
  bulkLines(state, bodyRows(state))
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');

/** The step before many denials, with their number typed and the focus on Sign. */
function ready(count: number): ConsoleDriver {
  const driver = new ConsoleDriver(flood(count)).press('D', 'tab', 'tab', ...String(count), 'enter');
  return driver.press('tab');
}

describe('D, over a request that somebody floods with', () => {
  test('lists all that its requester asks and that one may deny, the oldest first, with the focus on Cancel', () => {
    const driver = new ConsoleDriver([
      ask(3),
      ask(1),
      ask(2, { requester: 'mallory' }),
      ask(4, {}, { votes: [sampleVote({ approver: 'bob' as Name })] }),
      ask(5, {}, { scope: sampleRequest().scope }),
      ask(6, {}, { state: 'approved', claimBy: NOW + 60_000 }),
    ]).press('D');
    expect(listed(driver)).toEqual([sampleId(1), sampleId(3)]);
    expect(driver.state.bulk).toMatchObject({ whose: 'requester', focused: 'cancel', count: '' });
    expect(driver.press('enter').state).toMatchObject({ bulk: null, screen: 'queue' });
    expect(driver.noticeText).toBe('Cancelled: nothing was signed.');
  });

  test('begins with the equal asks where there are some, and goes on to requester and submitter', () => {
    const equal = { resource: 'web-1' };
    const driver = new ConsoleDriver([
      ask(1),
      ask(2, equal),
      ask(3),
      ask(4, { requester: 'carol' }, { submitter: 'web-1' as Name }),
      ask(5, { requester: 'carol' }, { submitter: 'other' as Name }),
    ]).press('D');
    expect(listed(driver)).toEqual([1, 2].map(sampleId));
    expect(listed(driver.press('D'))).toEqual([1, 2, 3].map(sampleId));
    expect(listed(driver.press('D'))).toEqual([1, 2, 3, 4].map(sampleId));
    expect(listed(driver.press('D'))).toEqual([1, 2].map(sampleId));
  });

  test('denies those and no others, each as it was when they were listed (A4)', () => {
    const driver = new ConsoleDriver(flood(3)).press('D');
    const frozen = driver.state.bulk?.requests;
    driver.put(ask(9)).change(sampleId(1), { waiting: 0 });
    driver.press('tab', 'tab', '3', 'enter', 'c', 'tab', 'enter');
    expect(denials(driver)).toEqual([{ type: 'denyAll', requests: frozen, comment: '' }]);
  });

  test('opens from a request that is read, too', () => {
    expect(new ConsoleDriver(flood(2)).press('enter', 'D').state).toMatchObject({
      screen: 'bulkDenial',
      opened: null,
    });
  });

  test('does nothing before the row has stood on the screen, and nothing while stale (A4, A28)', () => {
    const driver = new ConsoleDriver(flood(2));
    driver.put(ask(0, {}, { submittedAt: NOW - 290_000 })).type('g', 'D');
    expect(driver.state.bulk).toBeNull();
    driver.paint().wait(1000);
    driver.setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' }).press('D');
    expect(driver.state.bulk).toBeNull();
  });
});

describe('before many denials are signed', () => {
  test.each([
    ['no number', []],
    ['a smaller number', ['2']],
    ['a number with zeros', ['0', '0', '3']],
    ['letters', ['a', 'l', 'l']],
    ['several keys at once that are no number', ['3\r']],
  ])('%s signs nothing (A34, A35)', (_what, keys) => {
    const driver = new ConsoleDriver(flood(3)).press('D', 'tab', 'tab', ...keys, 'enter', 'tab', 'enter');
    expect(denials(driver)).toEqual([]);
    expect(driver.state.bulk?.signing).toBeNull();
  });

  test('their number is typed: pasted text is not taken (A35)', () => {
    const driver = new ConsoleDriver(flood(3)).press('D', 'tab', 'tab').paste('3');
    expect(driver.state.bulk?.count).toBe('');
    driver.press('tab').paste('a loop in the pipeline');
    expect(driver.state.bulk?.comment.text).toBe('a loop in the pipeline');
  });

  test('a digit goes into the number from a button too, where Enter then denies nothing', () => {
    const driver = new ConsoleDriver(flood(12)).press('D', '1', '2');
    expect(driver.state.bulk).toMatchObject({ focused: 'count', count: '12' });
    expect(denials(driver.press('enter', 'enter'))).toEqual([]);
    const onSign = new ConsoleDriver(flood(3)).press('D', 'tab', '3');
    expect(onSign.state.bulk).toMatchObject({ focused: 'count', count: '3' });
    expect(denials(onSign.press('enter', 'tab', 'enter'))).toHaveLength(1);
  });

  test('from a button, pasted digits and several keys at once are no number (A35)', () => {
    const driver = new ConsoleDriver(flood(12)).press('D').paste('12').press('12', 'x');
    expect(driver.state.bulk).toMatchObject({ focused: 'cancel', count: '' });
  });

  test('all of them have been on the screen, without a gap', () => {
    const requests = flood(60);
    const driver = new ConsoleDriver(requests, { columns: 80, rows: 24 }).press('D');
    driver.press('tab', 'tab', '6', '0', 'enter', 'G');
    driver.press('tab', 'enter');
    expect(denials(driver)).toEqual([]);
    driver.press('g');
    while ((driver.state.bulk?.seen ?? 60) < 60) driver.press(' ');
    driver.press('enter');
    expect(denials(driver)).toHaveLength(1);
  });

  test('what was scrolled past unseen does not count as seen', () => {
    const driver = new ConsoleDriver(flood(60), { columns: 80, rows: 24 }).press('D');
    const seen = driver.state.bulk?.seen ?? 0;
    driver.type(' ', ' ', ' ').paint();
    expect(driver.state.bulk?.seen).toBe(seen);
  });

  test('the list and the buttons are on the screen, whatever banners leave of it', () => {
    const lock = { requester: 'eve', since: NOW, by: 'bob', request: sampleId(9), comment: 'fraud:' };
    const driver = ready(1);
    driver.resize(40, 10).setRestraints({ locks: [lock] as never, mutes: [] });
    driver.setRestoration({ backupAt: NOW, restoredAt: NOW, ended: 12 }).paint().wait(1000).press('enter');
    expect(denials(driver)).toEqual([]);
    expect(
      bulkLines(driver.state, 3)
        .flat()
        .map(({ text }) => text)
        .join(''),
    ).toContain('Too little room');
    driver.resize(80, 24).paint().wait(1000).press('enter');
    expect(denials(driver)).toHaveLength(1);
  });

  test('a hundred are the most', () => {
    expect(listed(new ConsoleDriver(flood(130)).press('D'))).toHaveLength(100);
  });

  test('the connection is live (A28)', () => {
    const driver = ready(2).setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' });
    expect(denials(driver.paint().wait(1000).press('enter'))).toEqual([]);
  });
});

test('on 40 columns and 10 rows there is a request at a time, the number and the buttons', () => {
  const { state } = new ConsoleDriver(flood(3)).press('D').resize(40, 10);
  const lines = bulkLines(state, bodyRows(state)).map((line) => line.map(({ text }) => text).join(''));
  expect(lines.length).toBeLessThanOrEqual(bodyRows(state));
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
  expect(lines.join('\n')).toMatch(
    /web-1 .*\n.*how many .*\n.*comment .*\n.*Not yet: .*\n.*Cancel.*Sign 3 denials/,
  );
});

describe('while many denials are signed', () => {
  const signing = () => ready(3).press('enter');

  test('each is counted, and the end says how many there were', () => {
    const driver = signing();
    driver.finish({ type: 'denied', id: sampleId(1), isEnded: false });
    driver.finish({ type: 'denied', id: sampleId(2), isEnded: true });
    expect(driver.state.bulk).toMatchObject({ signed: 1, ended: 1 });
    driver.finish({ type: 'denied', id: sampleId(3), isEnded: false });
    driver.finish({ type: 'denyingOver', failure: null });
    expect(driver.state).toMatchObject({ bulk: null, screen: 'queue' });
    expect(driver.noticeText).toBe('2 denials are signed and recorded; 1 had ended before.');
  });

  test('a failure stops it, says how many are signed, and the number is typed anew for the rest', () => {
    const driver = signing().finish({ type: 'denied', id: sampleId(1), isEnded: false });
    const failure = { message: label`no agent`, hint: label`start one` };
    driver.finish({ type: 'denyingOver', failure });
    expect(driver.state.bulk).toMatchObject({
      signed: 1,
      count: '',
      focused: 'cancel',
      failure,
      signing: null,
    });
    expect(listed(driver)).toEqual([2, 3].map(sampleId));
    expect(denials(driver.press('tab', 'enter'))).toHaveLength(1);
    driver.press('tab', '2', 'enter', 'tab', 'enter');
    expect(denials(driver)).toHaveLength(2);
  });

  test('only Esc is heard: it cancels the one that is being signed, and says how many are', () => {
    const driver = signing().press('enter', 'tab', 'D', 'j');
    expect(denials(driver)).toHaveLength(1);
    driver.finish({ type: 'denied', id: sampleId(1), isEnded: false });
    expect(shown(driver)).toContain('Signing 2 of 3: your agent may ask. Esc cancels.');
    driver.press('escape');
    expect(driver.effects.at(-1)).toEqual({ type: 'stopDenying' });
    driver.finish({ type: 'denyingOver', failure: null });
    expect(driver.noticeText).toBe('Cancelled: 1 denial is signed and recorded; 2 not denied.');
  });

  test('cancelled before the first was sent, it says that nothing was', () => {
    const driver = signing().press('escape').finish({ type: 'denyingOver', failure: null });
    expect(driver.noticeText).toBe('Cancelled: nothing was sent; 3 not denied.');
  });

  test('what was sent cannot be cancelled, and is said not to be; no other follows', () => {
    const driver = signing().finish({ type: 'sendingDenial' });
    expect(shown(driver)).toContain('1 of 3 is sent and cannot be cancelled. Esc stops after it.');
    driver.press('escape');
    expect(driver.effects.at(-1)).toEqual({ type: 'stopDenying' });
    expect(shown(driver)).toContain('1 of 3 is sent and cannot be cancelled. No other follows.');
  });
});
