import { describe, expect, test } from 'vitest';
import { KEY_TABLE } from '../../../components/keys/key-table.js';
import { offeredEntries } from '../../../components/palette/palette-entries.js';
import { paletteLines } from '../../../components/palette/palette-lines.js';
import { contextBehind } from '../../../components/screen/screens.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';

const onHost = (n: number) =>
  sampleRequest({ n, age: 200 - n, document: { resource: `web-${n}.example.com` } });
const three = () => [onHost(1), onHost(2), onHost(3)];
const console = () => new ConsoleDriver(three());
const paletteText = ({ state }: ConsoleDriver): string =>
  paletteLines(state, 20)
    .map((line) => line.map(({ text }) => text).join(''))
    .join('\n');
const namesIn = ({ state }: ConsoleDriver): readonly string[] =>
  offeredEntries(state, contextBehind(state)).map(({ name }) => name);

describe('the palette', () => {
  test('offers what keys do in the place where it was opened, and every screen', () => {
    const screens = KEY_TABLE.filter(({ action }) => /^to[A-Z]/.test(action)).map(({ action }) =>
      action.slice(2).toLowerCase(),
    );
    expect(namesIn(console().press(':'))).toEqual(
      expect.arrayContaining(['open', 'approve', 'deny', 'deny fraud', 'filter', 'help', 'quit', ...screens]),
    );
    const inDetail = namesIn(console().press('enter', ':'));
    expect(inDetail).toEqual(expect.arrayContaining(['approve', 'deny', 'revoke', ...screens]));
    expect(inDetail).not.toContain('open');
    const inHistory = namesIn(console().press('2', ':'));
    expect(inHistory.filter((name) => /approve|deny|revoke/.test(name))).toEqual([]);
    for (const names of [inDetail, inHistory]) expect(new Set(names).size).toBe(names.length);
  });

  test('finds by the beginning, a word, letters in their order, and what it is for', () => {
    const first = (typed: string) => {
      const driver = console().press(':', typed);
      return /▸ (.{18})/.exec(paletteText(driver))?.[1]?.trim();
    };
    expect(['hist', 'fraud', 'dfr', 'outbox', 'APPR'].map(first)).toEqual([
      'history',
      'deny fraud',
      'deny fraud',
      'outbox',
      'approve',
    ]);
    expect(first('without this')).toBe('quit');
  });

  test('goes where it is told to, also from an opened request', () => {
    expect(console().press(':', 'hist', 'enter').state).toMatchObject({ screen: 'history', palette: null });
    const driver = console().press('enter', ':', 'outbox', 'enter');
    expect(driver.state).toMatchObject({ screen: 'outbox', opened: null, palette: null });
    expect(console().press(':', 'quit', 'enter').effects.at(-1)).toEqual({ type: 'quit' });
    expect(console().press(':', 'help', 'enter').state).toMatchObject({ isHelpOpen: true, palette: null });
  });

  test('is left with Esc, and nothing has happened', () => {
    const before = console().press('enter', 'j', 'j');
    const { opened, selected } = before.state;
    expect(before.press(':', 'deny', 'escape').state).toMatchObject({
      palette: null,
      confirm: null,
      selected,
    });
    expect(before.state.opened).toEqual(opened);
  });

  test('names the nearest where nothing fits, and Enter does nothing then', () => {
    const driver = console().press(':', 'hisotry');
    expect(paletteText(driver)).toContain('Did you mean history?');
    expect(driver.press('enter').state).toMatchObject({
      screen: 'queue',
      palette: { line: { text: 'hisotry' } },
    });
    expect(paletteText(driver.press('^u', 'xyzzy'))).toContain('A request id opens that request.');
  });

  test('chooses with the arrows, and from the best again when something is typed', () => {
    const driver = console().press(':', 'den', 'down');
    expect(driver.state.palette?.chosen).toBe('deny fraud');
    expect(driver.press('enter').state.confirm?.verdict).toBe('fraud');
    expect(console().press(':', 'den', 'down', 'y').state.palette?.chosen).toBeNull();
  });
});

describe('deciding through the palette', () => {
  test('opens the confirm panel as the key does, with the focus on Cancel, and signs nothing (A34)', () => {
    for (const [name, verdict] of [
      ['deny', 'deny'],
      ['deny fraud', 'fraud'],
    ] as const) {
      const driver = console().press('j', ':', name, 'enter');
      expect(driver.state).toMatchObject({
        palette: null,
        opened: { request: { id: sampleId(2) } },
        confirm: { verdict, focused: 'cancel' },
      });
      expect(driver.press('enter').decisions).toEqual([]);
    }
    const approving = console().press('j', ':', 'approve', 'enter');
    expect(approving.state).toMatchObject({ confirm: null, opened: { request: { id: sampleId(2) } } });
  });

  test('names what it acts on, and acts on nothing that has not stood there for 300 ms (A4, A34)', () => {
    const driver = console().press('j', ':', 'deny');
    expect(paletteText(driver)).toContain('for ssh.login on web-2.example.com, asked by alice');
    driver.remove(sampleId(2)).type('enter');
    expect(driver.state).toMatchObject({ opened: null, confirm: null, palette: { line: { text: 'deny' } } });
    driver.paint();
    expect(paletteText(driver)).toContain('web-3.example.com');
    expect(driver.wait(SETTLE_MS - 1).type('enter').state).toMatchObject({ confirm: null, palette: {} });
    expect(driver.wait(1).type('enter').state).toMatchObject({
      confirm: { verdict: 'deny' },
      opened: { request: { id: sampleId(3) } },
    });
  });

  test('takes no entry that was not seen: typed ahead, pasted or sent at once it runs nothing (A34, A35)', () => {
    for (const keys of [[':', 'deny', 'enter'], [':deny\r'], [':', 'deny\r'], [':', 'quit', 'enter']]) {
      const driver = console().type(...keys);
      expect(driver.state, `${keys}`).toMatchObject({ opened: null, confirm: null });
      expect(driver.effects, `${keys}`).toEqual([]);
    }
    const pasted = console().press(':').paste('deny\r\n');
    expect(pasted.state).toMatchObject({ confirm: null, palette: { line: { text: 'deny ' } } });
    expect(pasted.decisions).toEqual([]);
    const soon = console()
      .press(':')
      .type('deny')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('enter');
    expect(soon.state).toMatchObject({ confirm: null, palette: {} });
  });

  test('does not count as reading what it stands in front of (A1)', () => {
    const driver = new ConsoleDriver(three(), { rows: 24 }).type('enter', ':').paint().wait(1000);
    expect(driver.state.opened?.read).toBe(0);
    driver.press('approve', 'enter');
    expect(driver.state.confirm?.verdict ?? null).toBeNull();
    expect(driver.press('escape').state.opened).toBeNull();
  });

  test('is the same in an opened request: what is altered or stale is not signed (A28, A62)', () => {
    const stale = { state: 'stale', since: NOW, retryAt: null, reason: 'gone' } as const;
    const driver = console().press('enter', ':', 'deny').setLink(stale).paint().wait(1000).press('enter');
    expect(driver.state).toMatchObject({ palette: null, confirm: null });
    expect(driver.noticeText).toContain('not connected');
  });

  test('is not there in a confirm panel, in a field, or over the help', () => {
    for (const keys of [['enter', 'd'], ['enter', 'd', 'c'], ['/'], ['?']]) {
      expect(console().press(...keys, ':').state.palette, `${keys}`).toBeNull();
    }
  });
});

describe('a request id in the palette', () => {
  test('opens the request of the queue, unread, with the cursor on it', () => {
    const driver = console()
      .press(':')
      .paste(`${sampleId(3).toLowerCase()}\n`);
    expect(paletteText(driver)).toContain('ssh.login on web-3.example.com, asked by alice');
    driver.press('enter');
    expect(driver.state).toMatchObject({
      screen: 'queue',
      selected: sampleId(3),
      palette: null,
      opened: { isRecord: false, top: 0, request: { id: sampleId(3) } },
    });
  });

  test('opens it also where a filter hides it', () => {
    const driver = console().press('/', 'web-1*', 'enter', ':').paste(sampleId(3)).press('enter');
    expect(driver.state).toMatchObject({ selected: sampleId(3), opened: { request: { id: sampleId(3) } } });
    expect(driver.press('escape').state.rows.indexOf.has(sampleId(3))).toBe(true);
  });

  test('is looked for in the history where the queue has it not', () => {
    const driver = console().press(':').paste(sampleId(77)).press('enter');
    expect(driver.state).toMatchObject({ screen: 'history', opened: null });
    expect(driver.effects.at(-1)).toMatchObject({
      type: 'search',
      query: { filter: `id:${sampleId(77).toLowerCase()}` },
    });
  });
});
