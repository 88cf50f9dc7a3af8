import { describe, expect, test } from 'vitest';
import { headerLines } from '../../../components/screen/header.js';
import { SCREENS } from '../../../components/screen/screens.js';
import type { Name } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';

const ask = (n: number, requester: string, resource = `web-${n}.example.com`) =>
  sampleRequest({ n, age: 200 - n, document: { requester: requester as Name, resource } });
const asks = () => [ask(1, 'alice'), ask(2, 'mallory'), ask(3, 'alice'), ask(4, 'carol')];
const filtering = (filter: string, requests = asks()) =>
  new ConsoleDriver(requests).press('/', filter, 'enter');
const shown = ({ state }: ConsoleDriver) => state.rows.rows.map(({ request }) => request.id);
const headerText = ({ state }: ConsoleDriver): string =>
  headerLines(state)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const bodyText = ({ state }: ConsoleDriver): string =>
  SCREENS.queue
    .lines(state, 30)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');

describe('the filter of the queue', () => {
  test('shows what fits, in the syntax of list --filter, and Esc shows all again', () => {
    const driver = filtering('requester:alice');
    expect(shown(driver)).toEqual([sampleId(1), sampleId(3)]);
    expect(shown(driver.press('/', '^u', '-requester:alice web-*', 'enter'))).toEqual([
      sampleId(2),
      sampleId(4),
    ]);
    expect(shown(driver.press('escape'))).toHaveLength(4);
    expect(driver.press('escape').state).toMatchObject({ screen: 'queue', queueFilter: { inForce: null } });
  });

  test('keeps the cursor on its request where that is shown, also when all is shown again (A4)', () => {
    const driver = new ConsoleDriver(asks()).press('j', 'j', '/', 'requester:alice', 'enter');
    expect(driver.state.selected).toBe(sampleId(3));
    expect(driver.press('escape').state.selected).toBe(sampleId(3));
    expect(driver.press('k', '/', 'requester:alice', 'enter').state.selected).toBe(sampleId(1));
  });

  test('hides nothing from the count, the title or the bell', () => {
    const driver = filtering('requester:alice');
    expect(headerText(driver)).toContain('● live   4 pending');
    expect(headerText(driver)).toContain('2 of 4 pending hidden');
    expect(driver.wait(10_000).put(ask(5, 'carol')).effects.at(-1)).toEqual({ type: 'ring' });
    expect(headerText(driver)).toContain('3 of 5 pending hidden');
    expect(headerText(driver)).toContain('Filter  requester:alice');
  });

  test('that fits nobody who waits says how many are hidden, and never that nobody waits', () => {
    const driver = filtering('requester:dave');
    expect(driver.state.selected).toBeNull();
    expect(bodyText(driver)).toContain('Nobody who fits is waiting; 4 hidden.');
    expect(bodyText(driver)).not.toContain('Nobody is waiting');
    for (const key of ['enter', 'a', 'd', 'f']) expect(driver.press(key).state.opened, key).toBeNull();
    driver.put(ask(6, 'dave'));
    expect(driver.state.selected).toBe(sampleId(6));
  });

  test('counts equal asks as without it', () => {
    const equal = [1, 2, 3].map((n) => sampleRequest({ n, age: 200 - n }));
    const driver = filtering(`id:${sampleId(2)}`, [...equal, ask(9, 'mallory')]);
    expect(driver.state.rows.rows.map(({ members }) => members.length)).toEqual([3]);
  });

  test('leaves the row under the cursor where somebody else decides, and lets it go with the cursor (A4)', () => {
    const driver = filtering('state:pending').press('j');
    expect(driver.state.selected).toBe(sampleId(2));
    driver.change(sampleId(2), { state: 'denied', endedAt: NOW });
    expect(driver.state.selected).toBe(sampleId(2));
    expect(shown(driver)).toEqual([sampleId(1), sampleId(3), sampleId(4), sampleId(2)]);
    driver.paint().wait(1000).press('k');
    expect(driver.state.selected).toBe(sampleId(4));
    expect(shown(driver)).toEqual([sampleId(1), sampleId(3), sampleId(4)]);
  });

  test('moves no other request under a key: what comes under the cursor waits for 300 ms (A4, A34)', () => {
    const driver = filtering('requester:alice').remove(sampleId(1)).paint().wait(299).type('d');
    expect(driver.state.confirm).toBeNull();
    expect(driver.wait(1).type('d').state.opened?.request.id).toBe(sampleId(3));
    const entered = new ConsoleDriver(asks()).press('/', 'requester:carol').type('enter', 'd');
    expect(entered.state.confirm).toBeNull();
    expect(entered.paint().wait(299).type('d').state.confirm).toBeNull();
    expect(entered.wait(1).type('d').state.opened?.request.id).toBe(sampleId(4));
  });

  test('goes on to the next that fits after a decision', () => {
    const driver = filtering('requester:alice').press('d', 'tab', 'enter').finish({ type: 'decided' });
    expect(driver.state).toMatchObject({ opened: null, selected: sampleId(3) });
  });
});

describe('its line', () => {
  test('takes every letter as text, and a paste without deciding or filtering by itself (A34, A35)', () => {
    const driver = new ConsoleDriver(asks()).press('/', 'a', 'd', 'q', '?', '1');
    expect(driver.state).toMatchObject({
      opened: null,
      confirm: null,
      queueFilter: { line: { text: 'adq?1' } },
    });
    driver.paste('\r\nx\r');
    expect(driver.state.queueFilter).toMatchObject({
      isWriting: true,
      line: { text: 'adq?1 x ' },
      inForce: null,
    });
  });

  test('says why it is refused and keeps what is in force; Esc leaves it as it was', () => {
    const driver = filtering('requester:alice').press('/', '^u', 'requestor:alice', 'enter');
    expect(driver.state.queueFilter).toMatchObject({
      isWriting: true,
      refusal: { message: expect.stringContaining('did you mean requester') },
      inForce: { text: 'requester:alice' },
    });
    expect(shown(driver)).toHaveLength(2);
    driver.press('escape');
    expect(driver.state.queueFilter).toMatchObject({ isWriting: false, line: { text: 'requester:alice' } });
    expect(shown(driver)).toHaveLength(2);
  });

  test('that is emptied shows all', () => {
    expect(shown(filtering('requester:alice').press('/', '^u', 'enter'))).toHaveLength(4);
  });

  test('does not stand above an opened request or the help, and is there again behind them', () => {
    const driver = new ConsoleDriver(asks(), { columns: 80, rows: 24 }).press(
      '/',
      'requester:alice',
      'enter',
    );
    expect(headerText(driver)).toContain('Filter');
    expect(headerText(driver.press('enter'))).not.toContain('Filter');
    expect(headerText(driver.press('escape'))).toContain('Filter');
    expect(headerText(driver.press('?'))).not.toContain('Filter');
  });
});
