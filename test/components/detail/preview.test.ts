import { describe, expect, test } from 'vitest';
import { detailWindow } from '../../../components/detail/detail-window.js';
import { previewOf } from '../../../components/detail/preview.js';
import { previewLines } from '../../../components/detail/preview-lines.js';
import { detailLayout } from '../../../components/screen/screen-layout.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import type { Line } from '../../../components/text/line.js';
import type { Digest } from '../../../src/protocol/names.js';
import { ConsoleDriver } from '../console-driver.js';
import { NOW, sampleId, sampleRequest, sampleVote } from '../sample-requests.js';

const textOf = (lines: readonly Line[]): string =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
const onHost = (n: number, given = {}) =>
  sampleRequest({ n, age: 200 - n, document: { resource: `web-${n}.example.com` }, ...given });
const long = () =>
  onHost(1, {
    document: { details: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`option-${n}`, n])) },
  });
const wide = (...requests: readonly ReturnType<typeof sampleRequest>[]) =>
  new ConsoleDriver(requests.length === 0 ? [onHost(1), onHost(2), onHost(3)] : requests, {
    columns: 120,
    rows: 40,
  });

describe('a request that was read beside the queue (A1, A4, A34)', () => {
  test('is signed with three keys: a, the arrow to Sign, Enter', () => {
    const driver = wide().press('a');
    expect(driver.state).toMatchObject({
      opened: { request: { id: sampleId(1) } },
      confirm: { verdict: 'approve', focused: 'cancel' },
    });
    driver.press('right', 'enter');
    expect(driver.decisions).toMatchObject([
      { request: { id: sampleId(1) }, decision: { verdict: 'approve' } },
    ]);
  });

  test('has the lines there that it has once it is opened, at the same places', () => {
    const driver = wide();
    const shown = textOf(previewOf(driver.state)?.lines ?? []);
    const { state } = driver.press('enter');
    expect(textOf(detailWindow(state, detailLayout(state).request)?.lines ?? []).startsWith(shown)).toBe(
      true,
    );
    expect(shown).toContain('If approved, alice may log in over ssh, once.');
  });

  test('says what a does, and only once it does it', () => {
    const driver = wide().type('j').paint();
    expect(textOf(previewLines(driver.state))).not.toContain('a approves');
    driver.wait(SETTLE_MS - 1);
    expect(textOf(previewLines(driver.state))).not.toContain('a approves');
    driver.wait(1);
    expect(textOf(previewLines(driver.state))).toContain('Preview: all read: a approves, d denies');
  });

  test('must have stood there for 300 ms, painted, before a is heard', () => {
    const driver = wide().type('j', 'a');
    expect(driver.state.opened).toBeNull();
    driver
      .paint()
      .wait(SETTLE_MS - 1)
      .type('a');
    expect(driver.state.opened).toBeNull();
    driver.wait(1).type('a');
    expect(driver.state).toMatchObject({
      opened: { request: { id: sampleId(2) } },
      confirm: { focused: 'cancel' },
    });
  });

  test('is not the one that took its place under the cursor (A4)', () => {
    const driver = wide().remove(sampleId(1)).type('a');
    expect(driver.state.opened).toBeNull();
    driver
      .paint()
      .wait(SETTLE_MS - 1)
      .type('a');
    expect(driver.state.opened).toBeNull();
  });

  test('is not another document that the broker gives under the same id (A4, A62)', () => {
    const other = { ...onHost(1, { document: { resource: 'vault.example.com' } }), id: sampleId(1) };
    const unpainted = wide().put(other).type('a');
    expect(unpainted.state).toMatchObject({ confirm: null, opened: { read: 0 } });
    const fresh = wide()
      .put(other)
      .paint()
      .wait(SETTLE_MS - 1)
      .type('a');
    expect(fresh.state).toMatchObject({ confirm: null, opened: { read: 0 } });
    const read = wide().put(other).paint().wait(SETTLE_MS).type('a');
    expect(read.state).toMatchObject({
      opened: { request: { digest: other.digest } },
      confirm: { verdict: 'approve' },
    });
  });

  test('stays read while others sign, and what was painted is what is signed', () => {
    const driver = wide()
      .change(sampleId(1), { votes: [sampleVote()] })
      .paint()
      .type('a');
    expect(driver.state.confirm?.verdict).toBe('approve');
    driver.paint().wait(1000).press('right', 'enter');
    expect(driver.decisions).toMatchObject([{ request: { digest: onHost(1).digest } }]);
  });

  test('is not one of which a line did not fit: a opens that to be read', () => {
    const driver = wide(long());
    expect(textOf(previewLines(driver.state))).toMatch(
      /Preview: \d+ more lines to read, Enter opens it here/,
    );
    driver.press('a');
    expect(driver.state).toMatchObject({ confirm: null, opened: { request: { id: sampleId(1) } } });
    expect(driver.noticeText).toContain('Read it first');
  });

  test('is not one that is short of a single row', () => {
    const rows = Array.from({ length: 30 }, (_, at) => at + 12);
    const driver = wide(onHost(1));
    for (const height of rows) {
      driver.press('escape', 'escape').resize(120, height).paint().wait(1000);
      const unread = previewOf(driver.state)?.unread ?? 0;
      driver.press('a');
      expect(driver.state.confirm === null, `${height} rows`).toBe(unread > 0);
    }
  });

  test('is read again at another width, on a narrow terminal by opening it', () => {
    const driver = wide().resize(140, 40).type('a');
    expect(driver.state).toMatchObject({ confirm: null, opened: { read: 0 } });
    expect(wide().resize(100, 40).type('a').state.confirm).toBeNull();
  });

  test('is not there behind help or palette, and begins anew after them and after a shell', () => {
    const driver = wide().press('?');
    expect(driver.state.previewed).toBeNull();
    driver
      .type('escape')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('a');
    expect(driver.state.opened).toBeNull();
    const back = wide()
      .resume()
      .wait(SETTLE_MS - 1)
      .type('a');
    expect(back.state.opened).toBeNull();
  });

  test('decides nothing by a paste, by several keys at once, or by the keys of one stroke (A34, A35)', () => {
    for (const keys of [['a\t\r'], ['aa'], ['a', 'a', 'a'], ['a', 'enter'], ['enter', 'enter']]) {
      expect(wide().press(...keys).decisions, String(keys)).toEqual([]);
    }
    expect(wide().type('a', 'right', 'enter').paint().type('enter').decisions).toEqual([]);
    expect(wide().paste('a\t\r').state.opened).toBeNull();
  });

  test('is not approved while the picture is old, where its digests differ, or for oneself (A8, A28, A62)', () => {
    const stale = wide()
      .setLink({ state: 'stale', since: NOW, retryAt: null, reason: 'gone' })
      .paint()
      .wait(1000);
    expect(stale.press('a', 'right', 'enter').decisions).toEqual([]);
    const lie = onHost(1, { digest: `sha256:${'ab'.repeat(32)}` as Digest });
    const own = onHost(1, { document: { requester: 'bob' } });
    for (const request of [lie, own]) {
      const driver = wide(request);
      expect(textOf(previewLines(driver.state))).toContain('Preview: Enter opens it here');
      expect(driver.press('a').state.confirm).toBeNull();
    }
  });
});
