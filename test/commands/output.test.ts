import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSpan } from '../../src/client/shown-time.js';
import { parseSeconds } from '../../src/commands/duration.js';
import { exitCodeOf } from '../../src/commands/exit-code.js';
import { approverName } from '../../src/commands/first-run.js';
import { foldedLine, whereFlags } from '../../src/commands/invocation.js';
import { asciiJson } from '../../src/commands/output.js';
import { parseListen } from '../../src/commands/start-broker.js';
import { formatTable } from '../../src/commands/text-table.js';
import { PROBLEMS, Problem, type ProblemCode } from '../../src/protocol/problems.js';
import { shellQuote } from '../../src/protocol/shell-quote.js';
import { codeOf } from '../ssh/problem.js';

test('a line to paste means to a shell what it says, whatever stands in it', () => {
  const word = fc.string({ unit: fc.constantFrom(...`abc /'"\\$\`*?;&|<>()!~#\n\t=é😀`), minLength: 1 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), (words) => {
      const line = `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
      const read = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0').slice(0, -1);
      expect(read).toEqual(words);
    }),
    { numRuns: 50 },
  );
  expect(shellQuote('')).toBe("''");
});

test('a folded line means to a shell what the whole one says, and stays narrow', () => {
  const word = fc.string({ unit: fc.constantFrom(...`abc /'$`), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
      const folded = foldedLine(`printf '%s\\0' ${words.map(shellQuote).join(' ')}`, 40);
      const read = execFileSync('sh', ['-c', folded.join('\n')], { encoding: 'utf8' })
        .split('\0')
        .slice(0, -1);
      expect(read).toEqual(words);
      for (const line of folded) expect(line.length <= 40 || !line.slice(0, -2).includes(' ')).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('JSON is plain ASCII and means the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const text = asciiJson(value);
      expect(text).toMatch(/^[\n\x20-\x7e]*$/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(asciiJson('\u001b]0;x\u0007 \u009b \u202e é')).toBe('"\\u001b]0;x\\u0007 \\u009b \\u202e \\u00e9"');
});

describe('the exit code', () => {
  const expected: Partial<Record<ProblemCode, number>> = {
    denied: 2,
    expired: 3,
    lapsed: 3,
    cancelled: 4,
    revoked: 4,
    'alone-too-early': 3,
  };
  test.each(Object.keys(PROBLEMS) as ProblemCode[])(
    'of %s is never 0, and 1 unless it is a known end',
    (code) => {
      expect(exitCodeOf(new Problem(code, 'x'))).toBe(expected[code] ?? 1);
    },
  );

  test('of anything else is 1', () => {
    expect([new Error('x'), null, undefined, { code: 'denied' }].map(exitCodeOf)).toEqual([1, 1, 1, 1]);
  });
});

test('columns are as wide as their widest cell', () => {
  expect(
    formatTable([
      ['A', 'LONG'],
      ['wider', 'x'],
    ]),
  ).toBe('A      LONG\nwider  x');
});

test.each([
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['2h', 7200],
  ['1d', 86_400],
  ['0', 0],
])('the time %s is %d s', (text, seconds) => {
  expect(parseSeconds(text, '--wait')).toBe(seconds);
});

test.each(['', 'x', '-1', '1.5', '1w', '1 m', '99999999999', '1e3', '٣'])(
  'the time %j is refused',
  (text) => {
    expect(codeOf(() => parseSeconds(text, '--wait'))).toBe('usage');
  },
);

test('a span is written coarsely', () => {
  const spans = [-5, 999, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000 * 3];
  expect(spans.map(formatSpan)).toEqual(['0s', '0s', '59s', '1m', '59m', '1h', '3d']);
});

test.each([
  ['127.0.0.1:0', '127.0.0.1', 0],
  ['[::1]:7433', '::1', 7433],
  ['broker.example.com:65535', 'broker.example.com', 65_535],
  ['broker.example.com', 'broker.example.com', 7433],
  ['[::1]', '::1', 7433],
])('--listen %s is understood', (text, host, port) => {
  expect(parseListen(text)).toEqual({ host, port });
});

test.each(['', '7433', ':7433', 'host:', 'host:x', 'host:65536', '::1:7433', 'a b:1'])(
  '--listen %j is refused',
  (text) => {
    expect(codeOf(() => parseListen(text))).toBe('usage');
  },
);

test('the first approver has the login name, if that is a name and not the one of the demonstration', () => {
  expect(['alice', 'Alice', 'demo', 'group:x', 'a b', ''].map(approverName)).toEqual([
    'alice',
    'alice',
    'owner',
    'owner',
    'owner',
    'owner',
  ]);
});

test('another command finds the same broker by flags that are given or come from the environment', () => {
  const env = { COUNTERSIGN_URL: 'https://b', COUNTERSIGN_DIR: '/b' };
  expect(whereFlags({}, {})).toEqual([]);
  expect(whereFlags({}, env)).toEqual(['--url', 'https://b', '--dir', '/b']);
  expect(whereFlags({ dir: '/a' }, env)).toEqual(['--dir', '/a']);
  expect(whereFlags({ url: 'https://a' }, env)).toEqual(['--url', 'https://a', '--dir', '/b']);
});
