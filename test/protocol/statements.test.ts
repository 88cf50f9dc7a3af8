import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest, Fingerprint, Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { commentFits, MAX_COMMENT_BYTES } from '../../src/protocol/statement.js';
import {
  DECISION_LINES,
  type Decision,
  formatDecision,
  formatKeyHandover,
  formatRevocation,
  formatRoster,
  formatSession,
  formatSubmit,
  formatUnlocking,
  parseDecision,
  parseKeyHandover,
  parseRevocation,
  parseRoster,
  parseSession,
  parseSubmit,
  parseUnlocking,
} from '../../src/protocol/statements.js';
import { codeOf } from '../ssh/problem.js';
import { decision, keyHandover, revocation, roster, session, submit, unlocking } from './arbitraries.js';

const kinds = [
  { kind: 'decision', lines: DECISION_LINES, any: decision, format: formatDecision, parse: parseDecision },
  { kind: 'session', lines: 6, any: session, format: formatSession, parse: parseSession },
  { kind: 'submit', lines: 6, any: submit, format: formatSubmit, parse: parseSubmit },
  { kind: 'broker-key', lines: 5, any: keyHandover, format: formatKeyHandover, parse: parseKeyHandover },
  { kind: 'revoke', lines: 7, any: revocation, format: formatRevocation, parse: parseRevocation },
  { kind: 'unlock', lines: 6, any: unlocking, format: formatUnlocking, parse: parseUnlocking },
  { kind: 'roster', lines: 9, any: roster, format: formatRoster, parse: parseRoster },
] as unknown as readonly {
  readonly kind: string;
  readonly lines: number;
  readonly any: fc.Arbitrary<{ comment?: string }>;
  readonly format: (fields: { comment?: string }) => string;
  readonly parse: (text: string) => { comment?: string };
}[];

const fits = ({ comment }: { comment?: string }): boolean => comment === undefined || commentFits(comment);

describe.each(kinds)('a $kind statement', ({ kind, lines, any, format, parse }) => {
  const written = any.filter(fits).map(format);

  test('is read back as it was written', () => {
    fc.assert(
      fc.property(any.filter(fits), (fields) => {
        expect(parse(format(fields))).toEqual(fields);
      }),
    );
  });

  test(`has ${lines} lines of printable ASCII, each ended by LF`, () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(text).toMatch(new RegExp(`^countersign-${kind} 1\\n(?:[a-z-]+: [ -~]+\\n){${lines - 1}}$`));
      }),
    );
  });

  test('is no statement of another kind (A23)', () => {
    fc.assert(
      fc.property(written, (text) => {
        for (const other of kinds)
          expect(codeOf(() => other.parse(text))).toBe(other.kind === kind ? null : 'malformed-statement');
      }),
      { numRuns: 20 },
    );
  });

  test('refuses every line missing, twice, out of order, beside another, or with CR (A59)', () => {
    fc.assert(
      fc.property(written, fc.nat({ max: lines - 1 }), fc.nat({ max: lines - 1 }), (text, one, two) => {
        const all = text.slice(0, -1).split('\n');
        const join = (some: readonly string[]): string => some.map((line) => `${line}\n`).join('');
        const swapped = all.with(one, all[two] ?? '').with(two, all[one] ?? '');
        const broken = [
          join(all.toSpliced(one, 1)),
          join(all.toSpliced(two, 0, all[one] ?? '')),
          join(all.toSpliced(one, 0, 'note: x')),
          join(all.toSpliced(one, 0, '')),
          join([...all, 'note: x']),
          join(all.with(one, `${all[one]}\r`)),
          join(all).replaceAll('\n', '\r\n'),
          join(all).slice(0, -1),
          join(all.with(one, ` ${all[one]}`)),
          join(all.with(one, `${all[one]} `)),
          `${join(all)}\n`,
          `\ufeff${join(all)}`,
          `${join(all)}${join(all)}`,
        ];
        if (one !== two) broken.push(join(swapped));
        for (const other of broken)
          expect([other, codeOf(() => parse(other))]).toEqual([other, 'malformed-statement']);
      }),
    );
  });

  test('with any byte changed is refused, or is exactly how that other meaning is written (A59)', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.oneof(
        fc.constantFrom(...'\n\r\0\t "-:\\0159azAZ+éu'),
        fc.constantFrom('', '\n: ', '\\u0041', '\\/'),
      ),
    );
    let accepted = 0;
    fc.assert(
      fc.property(written, edit, (text, [where, removed, inserted]) => {
        const at = where % text.length;
        const other = text.slice(0, at) + inserted + text.slice(at + removed);
        if (codeOf(() => parse(other)) !== null) return;
        accepted += 1;
        const read = parse(other);
        expect(withoutComment(format(read))).toBe(withoutComment(other));
        expect(parse(format(read))).toEqual(read);
        if (read.comment !== undefined) expect(JSON.parse(commentOf(other))).toBe(read.comment);
      }),
      { numRuns: 2000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});

describe('a decision', () => {
  const plain: Decision = {
    broker: 'SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo' as Fingerprint,
    door: 'host:web-1' as Name,
    request: `sha256:${'1'.repeat(64)}` as Digest,
    scope: `sha256:${'2'.repeat(64)}` as Digest,
    covers: 'request',
    policy: null,
    verdict: 'approve',
    requester: 'alice' as Name,
    approver: 'bob' as Name,
    decided: Date.parse('2026-01-31T23:00:00Z'),
    notAfter: Date.parse('2026-01-31T23:10:00Z'),
    duration: 0,
    uses: 1,
    code: null,
    comment: '',
  };

  test('stands as the design writes it', () => {
    expect(formatDecision({ ...plain, comment: 'looks right' })).toBe(`countersign-decision 1
broker: SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo
door: host:web-1
request: sha256:${'1'.repeat(64)}
scope: sha256:${'2'.repeat(64)}
covers: request
policy: -
verdict: approve
requester: alice
approver: bob
decided: 2026-01-31T23:00:00Z
not-after: 2026-01-31T23:10:00Z
duration: 0
uses: 1
code: -
comment: "looks right"
`);
  });

  test.each<[Partial<Decision>, boolean]>([
    [{ covers: 'request', uses: 1 }, true],
    [{ covers: 'request', uses: 0, duration: 60 }, false],
    [{ covers: 'request', uses: 2 }, false],
    [{ covers: 'scope', uses: 0, duration: 60 }, true],
    [{ covers: 'scope', uses: 0, duration: 0 }, false],
    [{ covers: 'scope', uses: 1, duration: 0 }, true],
    [{ covers: 'scope', uses: 7, duration: 60 }, true],
  ])('uses agree with covers and duration: %j %s', (change, isGood) => {
    const text = formatDecision({ ...plain, ...change });
    expect(codeOf(() => parseDecision(text))).toBe(isGood ? null : 'malformed-statement');
  });

  test('a problem names the line, or how many there are', () => {
    expect(() => parseDecision(formatDecision(plain).replace('code: -\n', ''))).toThrow(
      new Problem('malformed-statement', 'not a statement: it has 15 lines, not 16'),
    );
    const text = formatDecision(plain).replace('verdict: approve', 'verdict: maybe');
    expect(() => parseDecision(text)).toThrow(
      new Problem('malformed-statement', 'not a statement: line 8 is not a valid "verdict" line'),
    );
  });
});

describe('a comment', () => {
  const quoted = (comment: string): string => commentOf(formatRevocation({ ...base, comment }));
  const base = {
    broker: 'SHA256:jD8kIYzFGbVYWV8u2Cg1+9zdA2Xk0FVB0ov2AAm4xRo' as Fingerprint,
    request: `sha256:${'1'.repeat(64)}` as Digest,
    scope: `sha256:${'2'.repeat(64)}` as Digest,
    approver: 'bob' as Name,
    issued: 0,
  };

  test.each([
    ['é', '"\\u00e9"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['a\nb', '"a\\nb"'],
    ['\u007f\u0080', '"\\u007f\\u0080"'],
    ['\u2028', '"\\u2028"'],
    ['"\\', '"\\"\\\\"'],
    ['\u0000', '"\\u0000"'],
  ])('%j is written %s', (comment, text) => {
    expect(quoted(comment)).toBe(text);
  });

  test(`has at most ${MAX_COMMENT_BYTES} bytes as it is written, quotes included`, () => {
    expect(MAX_COMMENT_BYTES).toBe(1000);
    for (const [comment, isGood] of [
      ['x'.repeat(998), true],
      ['x'.repeat(999), false],
      ['"'.repeat(499), true],
      ['"'.repeat(500), false],
      [`${'é'.repeat(166)}xx`, true],
      [`${'é'.repeat(166)}xxx`, false],
    ] as const) {
      expect(commentFits(comment)).toBe(isGood);
      const text = formatRevocation({ ...base, comment });
      expect(codeOf(() => parseRevocation(text))).toBe(isGood ? null : 'malformed-statement');
    }
  });
});

const COMMENT_LINE = /^comment: (.*)\n/m;
const commentOf = (text: string): string => COMMENT_LINE.exec(text)?.[1] ?? '';
const withoutComment = (text: string): string => text.replace(COMMENT_LINE, '');
