import { describe, expect, test } from 'vitest';
import { outboxLines } from '../../../components/outbox/outbox-lines.js';
import { bannerLines } from '../../../components/screen/banner-lines.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { label } from '../../../components/text/safe-text.js';
import type { DeadLetter, SinkStanding } from '../../../src/protocol/outbox-messages.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleRequest } from '../sample-requests.js';

const letter = (event: number, sink = 'webhook:siem'): DeadLetter => ({
  sink,
  event,
  kind: 'request.approved',
  at: NOW - 7200_000,
  request: null,
  about: null,
  attempts: 12,
  dead: NOW - 3600_000,
  error: 'HTTP 500',
});
const standing = (dead: number, sink = 'webhook:siem'): SinkStanding => ({
  sink,
  configured: true,
  waiting: 0,
  dead,
  failing: null,
});
const three = [letter(1), letter(2), letter(3)];
const asked = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'listLetters');
const changes = ({ effects }: ConsoleDriver) =>
  effects.filter((effect) => effect.type === 'retry' || effect.type === 'drop');
const bannerText = ({ state }: ConsoleDriver): string =>
  bannerLines(state)
    .flatMap((line) => line.map(({ text }) => text))
    .join('');

/** A console that looks at the outbox, in which there is this. */
const reading = (letters = three, next: string | null = null) => {
  const driver = new ConsoleDriver([sampleRequest()], { rows: 24 }).setOutbox([standing(letters.length)]);
  driver.press('6');
  return driver.finish({ type: 'letters', number: 1, reply: { sinks: [], letters: [...letters], next } });
};

describe('the outbox', () => {
  test('is asked for when it is opened, and again when something has changed: never by a clock', () => {
    const driver = new ConsoleDriver([sampleRequest()]).setOutbox([standing(1)]).wait(60_000);
    expect(asked(driver)).toEqual([]);
    driver
      .press('6')
      .wait(60_000)
      .put(sampleRequest({ n: 2 }));
    expect(asked(driver)).toHaveLength(1);
    driver.setOutbox([standing(2)]);
    expect(asked(driver)).toHaveLength(2);
    driver.press('1').setOutbox([standing(3)]);
    expect(asked(driver)).toHaveLength(2);
  });

  test('does not say that a receiver takes everything while a dead letter holds back what follows it', () => {
    const said = (dead: number): string => {
      const { state } = new ConsoleDriver([sampleRequest()]).setOutbox([standing(dead)]).press('6');
      return outboxLines(state, 20)
        .flatMap((line) => line.map(({ text }) => text))
        .join('');
    };
    expect(said(0)).toContain('takes what it is sent');
    expect(said(1)).toContain('a dead letter holds back what follows it');
    expect(said(1)).not.toContain('takes what it is sent');
  });

  test('drops the answer to a former question', () => {
    const driver = reading().setOutbox([standing(1)]);
    driver.finish({ type: 'letters', number: 1, reply: { sinks: [], letters: [letter(9)], next: null } });
    expect(driver.state.outbox).toMatchObject({ letters: three, isWaiting: true });
    driver.finish({ type: 'noLetters', number: 1, message: label`old`, hint: label`old` });
    expect(driver.state.outbox.failure).toBeNull();
  });

  test('sends a letter again with r: the one under the cursor, by sink and event', () => {
    const driver = reading().press('j', 'r');
    expect(changes(driver)).toEqual([{ type: 'retry', letter: { sink: 'webhook:siem', event: 2 } }]);
    driver.finish({ type: 'letterSettled', letter: { sink: 'webhook:siem', event: 2 }, how: 'retried' });
    expect(driver.noticeText).toContain('Event 2 waits to be sent again');
    expect(asked(driver)).toHaveLength(2);
  });

  test('drops a letter with x only after a step that begins at Cancel (A34)', () => {
    expect(changes(reading().press('x', 'enter'))).toEqual([]);
    expect(changes(reading().press('x', 'x', 'escape', 'enter'))).toEqual([]);
    expect(changes(reading().press('x', 'tab', 'left', 'enter'))).toEqual([]);
    const driver = reading().press('j', 'x', 'right', 'right', 'enter');
    expect(changes(driver)).toEqual([{ type: 'drop', letter: { sink: 'webhook:siem', event: 2 } }]);
    expect(driver.state.outbox.dropping).toBeNull();
  });

  test('hears neither r nor x nor Enter before what they act on has stood on the screen for 300 ms (A34)', () => {
    const fresh = reading()
      .type('j')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('r', 'x');
    expect([changes(fresh), fresh.state.outbox.dropping]).toEqual([[], null]);
    const ahead = reading().type('x', 'tab', 'enter', 'r').paint().wait(10).type('enter');
    expect(changes(ahead)).toEqual([]);
  });

  test('keeps the cursor on its letter, and never lets another one slip under a key', () => {
    const driver = reading().press('j');
    const without = (event: number) => three.filter((one) => one.event !== event);
    const changed = (letters: readonly DeadLetter[], dead: number) => {
      driver.setOutbox([standing(dead)]);
      const number = asked(driver).length;
      return driver.finishAtOnce({
        type: 'letters',
        number,
        reply: { sinks: [], letters: [...letters], next: null },
      });
    };
    changed(without(1), 2);
    expect(driver.state.outbox.selected).toMatchObject({ event: 2 });
    driver.press('x');
    changed([letter(3)], 1);
    expect(driver.state.outbox).toMatchObject({ dropping: null, selected: { event: 3 } });
    driver
      .type('enter', 'r')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('r');
    expect(changes(driver)).toEqual([]);
    expect(changes(driver.wait(1).type('r'))).toMatchObject([{ letter: { event: 3 } }]);
  });

  test('says why a letter could not be sent again, and nothing of a signature waits for it', () => {
    const driver = reading().press('r');
    driver.finish({ type: 'failed', of: 'letter', message: label`no such letter`, hint: label`look again` });
    expect(driver.noticeText).toBe('no such letter');
  });

  test('is neither asked for nor changed while the link is not live (A28)', () => {
    const gone = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' } as const;
    const driver = reading().press('x', 'tab').setLink(gone).press('enter');
    expect([changes(driver), driver.noticeText]).toEqual([[], expect.stringContaining('Not connected')]);
    driver.press('escape', 'r', '1', '6');
    expect([changes(driver), asked(driver).length]).toEqual([[], 1]);
    driver.setLink({ state: 'live' });
    expect(asked(driver)).toHaveLength(2);
  });

  test('decides nothing with any key (A4)', () => {
    const driver = reading().press('a', 'd', 'f', 'R', 'enter', 'tab', 'enter', 'x', 'a', 'd', 'escape');
    expect([driver.state.opened, driver.state.confirm, driver.decisions]).toEqual([null, null, []]);
  });

  test('has a banner over the other screens while something was given up, none beside an open request', () => {
    const driver = new ConsoleDriver([sampleRequest()]).setOutbox([standing(0), standing(0, 'command')]);
    expect(bannerText(driver)).toBe('');
    driver.setOutbox([standing(2), standing(1, 'command')]);
    expect(bannerText(driver)).toMatch(/Not delivered: 2 events to webhook:siem, and to 1 more\. Key 6/);
    expect(bannerText(driver.press('2'))).toContain('Not delivered');
    expect(bannerText(driver.press('6'))).toBe('');
    expect(bannerText(driver.press('1', 'enter'))).toBe('');
  });
});
