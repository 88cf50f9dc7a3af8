import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askText } from '../../../components/copy/ask-text.js';
import { clipboardBytes } from '../../../components/copy/clipboard-bytes.js';
import { SETTLE_MS } from '../../../components/state/console-state.js';
import { MAX_COPIED } from '../../../src/client/clipboard.js';
import { clipboardOption } from '../../../src/commands/clipboard-option.js';
import { ConsoleDriver } from '../console-driver.js';
import { hostileText } from '../hostile-text.js';
import { pastRequests } from '../past-requests.js';
import { NOW, sampleId, sampleRequest } from '../sample-requests.js';

const copies = ({ effects }: ConsoleDriver) => effects.filter((effect) => effect.type === 'copy');
const three = () =>
  [1, 2, 3].map((n) => sampleRequest({ n, age: 200 - n, document: { resource: `web-${n}.example.com` } }));
const fieldsOf = (text: string): Record<string, unknown> =>
  Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(': ')), JSON.parse(line.slice(line.indexOf(': ') + 2))]),
  );

describe('a whole ask as text', () => {
  test('is one line a field, and the document is read from it as it is', () => {
    const request = sampleRequest({ document: { context: { reason: "it's $(late) — 漢" } } });
    const text = askText(request) ?? expect.fail();
    expect(text).toContain('resource: "web-1.example.com"\n');
    expect(text).toContain('context: {"reason":"it\\u0027s \\u0024\\u0028late\\u0029 \\u2014 \\u6f22"}\n');
    expect(fieldsOf(text)).toMatchObject({
      request: request.id,
      digest: request.digest,
      scope: request.scope,
      rule: request.rule,
      document: request.document,
    });
  });

  test('has nothing in it that a terminal or a shell acts on, whatever others wrote (A1)', () => {
    fc.assert(
      fc.property(hostileText, fc.string({ unit: 'binary' }), (hostile, any) => {
        const context = { reason: hostile.toWellFormed(), [any.toWellFormed()]: any.toWellFormed() };
        const request = sampleRequest({ document: { context } });
        const text = askText(request);
        if (text === null) return;
        for (const line of text.trimEnd().split('\n')) {
          expect(line).toMatch(/^[a-z]+: (?:[\w .,:@+=/"{}[\]-]|\\u[0-9a-f]{4}|\\[bfnrt])+$/);
        }
        expect(fieldsOf(text)).toMatchObject({ document: JSON.parse(JSON.stringify(request.document)) });
      }),
    );
  });

  test('runs nothing in a real shell, line by line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-copy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const traps = [
      '$(touch T)',
      '`touch T`',
      '"; touch T; "',
      "'; touch T; '",
      '\ntouch T\n',
      '> T',
      '\\"; touch T #',
      '!!',
      '~; touch T',
    ];
    const context = Object.fromEntries(traps.map((trap, at) => [`${trap}${at}`, trap]));
    const text = askText(sampleRequest({ document: { context, details: { argv: traps } } })) ?? expect.fail();
    execFileSync('bash', ['-c', 'bash -i 2>/dev/null; true'], {
      input: text,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('copying', () => {
  test('takes the request under the cursor, in front, or of the history, and says so', () => {
    const driver = new ConsoleDriver(three()).press('j', 'y');
    expect(copies(driver)).toEqual([{ type: 'copy', what: 'id', id: sampleId(2), text: sampleId(2) }]);
    driver.finish({ type: 'copied', what: 'id', id: sampleId(2), way: 'tmux' });
    expect(driver.noticeText).toContain(`The id ${sampleId(2)} is in the buffer of tmux`);
    driver.press('enter', 'Y');
    expect(copies(driver).at(-1)).toMatchObject({
      what: 'ask',
      id: sampleId(2),
      text: expect.stringContaining('document: {'),
    });
    const past = pastRequests(3);
    const reading = new ConsoleDriver(three()).press('2');
    reading.finish({ type: 'found', search: 1, page: { requests: past, next: null, searchedTo: NOW } });
    expect(copies(reading.press('j', 'y')).at(-1)).toMatchObject({ id: past[1]?.id });
    expect(reading.decisions).toEqual([]);
  });

  test('takes nothing that has not been on the screen: it is pasted where it decides (A4)', () => {
    const driver = new ConsoleDriver(three())
      .remove(sampleId(1))
      .type('y')
      .paint()
      .wait(SETTLE_MS - 1)
      .type('y');
    expect(copies(driver)).toEqual([]);
    expect(copies(driver.wait(1).type('y'))).toMatchObject([{ id: sampleId(2) }]);
  });

  test('says what it does not do: too long, turned off, failed, and never that a terminal took it (A50)', () => {
    const long = sampleRequest({
      document: { context: { reason: '€'.repeat(5000), more: '€'.repeat(5000) } },
    });
    const driver = new ConsoleDriver([long]).press('Y');
    expect(copies(driver)).toEqual([]);
    expect(driver.noticeText).toContain('countersign show');
    const way = (one: 'osc52' | 'off') =>
      new ConsoleDriver(three()).finish({ type: 'copied', what: 'id', id: sampleId(1), way: one }).noticeText;
    expect([way('osc52'), way('off')]).toEqual([
      expect.stringContaining('not every terminal takes it'),
      expect.stringContaining('Nothing was copied'),
    ]);
  });

  test('is no key in a panel or a field (A34)', () => {
    expect(copies(new ConsoleDriver(three()).press('enter', 'd', 'y', 'c', 'y'))).toEqual([]);
  });
});

test('the terminal is sent base64 alone, and tmux what it hands on', () => {
  expect(clipboardBytes('a\u001b]0;x\u0007', { way: 'osc52', isInTmux: false })).toBe(
    '\u001b]52;c;YRtdMDt4Bw==\u0007',
  );
  expect(clipboardBytes('a', { way: 'osc52', isInTmux: true })).toBe(
    '\u001bPtmux;\u001b\u001b]52;c;YQ==\u0007\u001b\\',
  );
  expect(
    clipboardBytes('x'.repeat(MAX_COPIED), { way: 'osc52', isInTmux: false }).length,
  ).toBeLessThanOrEqual(100_000);
});

test('goes to tmux inside of it, else to the terminal, or where a flag or variable says', () => {
  const way = (flag: string | undefined, env: Record<string, string>) =>
    clipboardOption({ clipboard: flag }, env).way;
  expect([way(undefined, {}), way('auto', { TMUX: 'x' }), way('osc52', { TMUX: 'x' })]).toEqual([
    'osc52',
    'tmux',
    'osc52',
  ]);
  expect(way(undefined, { COUNTERSIGN_CLIPBOARD: 'off' })).toBe('off');
  for (const [flag, env] of [
    ['xclip', {}],
    ['tmux', {}],
  ] as const)
    expect(() => way(flag, env)).toThrow(expect.objectContaining({ code: 'usage' }));
});
