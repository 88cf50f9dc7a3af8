import fc from 'fast-check';
import { decodeTime, ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import {
  askedAt,
  EVERYTHING,
  type Filter,
  type FilterSubject,
  leastIdAt,
  matchesFilter,
  seenReason,
  subjectOf,
  type Term,
  timeSpan,
  type VerdictTerm,
} from '../../src/protocol/filter.js';
import { FILTER_KEYS, formatFilter, MAX_FILTER_LENGTH, parseFilter } from '../../src/protocol/filter-text.js';
import type { Glob } from '../../src/protocol/glob.js';
import type { RequestId } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { text as anyText } from './arbitraries.js';
import { filter, requestId, subject } from './filter-arbitraries.js';

const NOW = Date.parse('2026-11-22T12:00:00.250Z');
const parse = (text: string): Filter => parseFilter(text, NOW);

const BASE: FilterSubject = {
  id: ulid(Date.parse('2026-11-20T09:30:00Z')) as RequestId,
  state: 'redeemed',
  outcome: 'opened',
  requester: 'alice',
  submitter: 'host-web-1',
  action: 'ssh.login',
  resource: 'Web-1.example.com',
  door: 'host:web-1',
  reason: 'INC-4312 restart nginx',
  votes: [
    { approver: 'bob', verdict: 'approve' },
    { approver: 'carol', verdict: 'deny' },
  ],
};
const fits = (text: string, over: Partial<FilterSubject> = {}): boolean =>
  matchesFilter(parse(text), { ...BASE, ...over });

/** The same rules by the plainest means: one regular expression a value, and every vote looked at. */
function naive({ terms }: Filter, one: FilterSubject): boolean {
  const fold = (value: string): string => value.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const body = (glob: Glob): string =>
    glob.map((literal) => literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('[^]*');
  const whole = (value: string, globs: readonly Glob[]): boolean =>
    globs.some((glob) => new RegExp(`^(?:${body(glob)})$`, 'u').test(fold(value)));
  const within = (value: string, globs: readonly Glob[]): boolean =>
    globs.some((glob) => new RegExp(body(glob), 'u').test(fold(value)));
  const asked = decodeTime(one.id);
  const counted = terms.find((term) => term.key === 'verdict' && !term.not) as VerdictTerm | undefined;
  const judge = (term: Exclude<Term, { at: number }>): boolean => {
    const votes = one.votes.filter(
      ({ verdict }) => term.not || counted === undefined || counted.any.includes(verdict),
    );
    const voted = (globs: readonly Glob[]): boolean => votes.some(({ approver }) => whole(approver, globs));
    if (term.key === 'verdict') return votes.some(({ verdict }) => term.any.includes(verdict));
    if (term.key === 'state') {
      const live = ['pending', 'approved', 'active'].includes(one.state);
      const words: string[] = [one.state, one.outcome ?? 'none', live ? 'live' : 'ended'];
      return term.any.some((word) => words.includes(word));
    }
    if (term.key === 'word') {
      const { action, resource, requester, id, reason } = one;
      return [action, resource, requester, id, reason ?? ''].some((value) => within(value, term.any));
    }
    if (term.key === 'approver') return voted(term.any);
    if (term.key === 'person') return voted(term.any) || whole(one.requester, term.any);
    return whole(one[term.key], term.any);
  };
  return terms.every((term) => {
    if ('at' in term) return term.key === 'since' ? asked >= term.at : asked < term.at;
    return judge(term) !== term.not;
  });
}

describe('a filter', () => {
  test('is read as it was written, at any later time too', () => {
    fc.assert(
      fc.property(filter, fc.nat(), (one, later) => {
        const text = formatFilter(one);
        fc.pre(text.length <= MAX_FILTER_LENGTH);
        expect(parseFilter(text, later)).toEqual(one);
      }),
      { numRuns: 2000 },
    );
  });

  test('fits what a plain reading of its rules fits', () => {
    let fitting = 0;
    fc.assert(
      fc.property(filter, subject, (one, request) => {
        const expected = naive(one, request);
        if (expected) fitting += 1;
        expect(matchesFilter(one, request)).toBe(expected);
      }),
      { numRuns: 5000 },
    );
    expect(fitting).toBeGreaterThan(500);
  });

  test('is the same filter however its spaces, quotes and capitals are written', () => {
    const one = parse('requester:alice resource:web-* -state:denied,expired "two words"');
    for (const text of [
      ' requester:ALICE\t resource:"Web-"*\n-state:Denied,expired two" "words ',
      'requester:al"ic"e resource:web-** -state:"denied",expired "two words"',
    ]) {
      expect(parse(text)).toEqual(one);
    }
    expect(formatFilter(one)).toBe('requester:alice resource:web-* -state:denied,expired "two words"');
    expect(parse('')).toEqual(EVERYTHING);
    expect(formatFilter(EVERYTHING)).toBe('');
  });

  test.each([
    ['', true],
    ['requester:alice', true],
    ['requester:al', false],
    ['requester:al*', true],
    ['requester:bob,alice', true],
    ['person:bob', true],
    ['person:carol person:alice', true],
    ['person:dave', false],
    ['approver:alice', false],
    ['approver:bob approver:carol', true],
    ['-approver:bob', false],
    ['approver:*', true],
    ['submitter:host-* door:host:web-1 action:ssh.*', true],
    ['resource:web-1.example.com', true],
    ['resource:*.EXAMPLE.com', true],
    ['resource:"web-*"', false],
    ['state:redeemed', true],
    ['state:opened', true],
    ['state:ended', true],
    ['state:live', false],
    ['-state:denied', true],
    ['inc-4312', true],
    ['"restart nginx"', true],
    ['inc*nginx', true],
    ['nginx,apache', true],
    ['-nginx', false],
    ['sh.log', true],
    ['lic web-1', true],
    ['host:web'.replace(':', '":"'), false],
    ['since:7d', true],
    ['since:2d', false],
    ['until:2d', true],
    ['since:2026-11-20 until:2026-11-20', true],
    ['since:2026-11-20T09:30:00Z', true],
    ['until:2026-11-20T09:30:00Z', false],
    ['-since:2026-11-20', false],
  ])('%j fits a login of alice: %s', (text, expected) => {
    expect(fits(text)).toBe(expected);
  });

  test('that names a verdict speaks of the votes of that kind alone', () => {
    expect(fits('approver:bob verdict:approve')).toBe(true);
    expect(fits('approver:bob verdict:deny')).toBe(false);
    expect(fits('person:bob verdict:deny')).toBe(false);
    expect(fits('approver:bob verdict:approve,deny')).toBe(true);
    expect(fits('-verdict:deny')).toBe(false);
    expect(fits('verdict:approve -approver:carol')).toBe(false);
    expect(fits('verdict:approve', { votes: [] })).toBe(false);
  });

  test('finds a request by its id in any case, and by a part of it', () => {
    expect(fits(`id:${BASE.id.toLowerCase()}`)).toBe(true);
    expect(fits(`id:${BASE.id.slice(0, 8)}*`)).toBe(true);
    expect(fits(`id:${BASE.id.slice(0, 8)}`)).toBe(false);
    expect(fits(BASE.id.slice(-6))).toBe(true);
  });

  test('sees of a request what the broker keeps and shows, and the beginning of a reason', () => {
    const { id, state, requester, submitter, action, resource, door, votes } = BASE;
    const reason = `${'x'.repeat(255)}😀end`;
    const document = { requester, action, resource, door, context: { reason } } as never;
    const asked = { id, state, submitter, votes, document };
    const seen = subjectOf({ ...asked, report: { outcome: 'opened' }, canary: null });
    expect(seen).toEqual({ ...BASE, reason: `${'x'.repeat(255)}😀` });
    expect(matchesFilter(parse('end'), seen)).toBe(false);
    expect(subjectOf({ ...asked, report: null, canary: 5 }).outcome).toBe('canary');
    expect(seenReason('before\0after')).toBe('before');
  });

  test('is held against a long hostile text in time that grows with the text alone', () => {
    const globs = parse(`resource:${'a*'.repeat(400)}b`);
    const resource = 'a'.repeat(200_000);
    expect(matchesFilter(globs, { ...BASE, resource })).toBe(false);
  });
});

describe('the text of a filter', () => {
  const problem = (text: string): Problem => {
    try {
      parse(text);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error(`${text} was taken`);
  };

  test.each([
    ['stat:denied', '"stat:denied": there is no key stat; did you mean state?', 'requester:'],
    ['host:web-1', '"host:web-1": there is no key host', 'quote it to look for the text: "host:…"'],
    ['word:x', '"word:x": there is no key word', 'person:'],
    ['state:denid', '"state:denid": there is no state "denid"; did you mean denied?', 'live ended'],
    ['state:', '"state:" has no value', 'pending'],
    ['state:denied,', '"state:denied," has no value', 'pending'],
    ['state:*', '"state:*": there is no state "*"', 'pending'],
    ['verdict:yes', '"verdict:yes": there is no verdict "yes"', 'approve or deny'],
    ['verdict:approve verdict:deny', 'verdict: stands twice', 'countersign list --help'],
    ['requester:', '"requester:" has no value', 'requester:alice'],
    ['requester:""', '"requester:" has no value', 'requester:alice'],
    ['requester:a,,b', '"requester:a,,b" has no value', 'requester:alice'],
    ['requester:"bob b"', '"requester:bob b" can fit nothing: names are made of', 'requester:alice'],
    ['id:01_', '"id:01_" can fit nothing: ids are made of', 'beginning'],
    ['since:tomorrow', '"since:tomorrow" is not a time', 'since:7d'],
    ['since:2026-02-30', '"since:2026-02-30" is not a time', 'days of UTC'],
    ['until:9999-12-31', '"until:9999-12-31" is not a time', 'until:1d'],
    ['since:1d,2d', '"since:1d,2d" is not a time', 'since:7d'],
    ['since:99999999d', '"since:99999999d" is not a time', 'since:7d'],
    ['-', 'a - stands alone', 'countersign list --help'],
    ['""', '"" looks for nothing', 'KEY:VALUE'],
    ['a ,', '"," looks for nothing', 'KEY:VALUE'],
    ['"open', 'a quote is not closed in "\\"open"', 'countersign list --help'],
    ['"a\\n"', 'stands before " or \\ only', 'countersign list --help'],
    ['a\u001b[31m', 'a control character in "a\\u001b[31m"', 'countersign list --help'],
    ['\ud800', 'not well-formed', 'countersign list --help'],
  ])('%j is refused by name', (text, message, hint) => {
    const { code, message: told, hint: advice } = problem(text);
    expect(code).toBe('usage');
    expect(told).toContain(message);
    expect(advice).toContain(hint);
  });

  test('is refused where it has too many terms, values or characters', () => {
    expect(problem(`requester:${'a,'.repeat(40)}a`).message).toContain('has more than 32 values');
    expect(problem(`state:${'live,'.repeat(40)}live`).message).toContain('has more than 32 values');
    expect(problem('a '.repeat(33)).message).toContain('more than 32 terms');
    expect(problem('a'.repeat(1025)).message).toContain('longer than 1024');
    expect(parse('a '.repeat(32)).terms).toHaveLength(32);
  });

  test('however hostile, is read or refused in one plain line', () => {
    const pieces = fc.constantFrom(
      ...Object.keys(FILTER_KEYS).map((key) => `${key}:`),
      ...'"\\*,-: \t\0é',
      '7d',
    );
    const hostile = fc.array(fc.oneof(pieces, anyText, fc.string({ unit: 'binary' })), { maxLength: 12 });
    fc.assert(
      fc.property(hostile, (parts) => {
        const text = parts.join('');
        try {
          const read = parse(text);
          const again = formatFilter(read);
          if (again.length <= MAX_FILTER_LENGTH) expect(parse(again)).toEqual(read);
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          expect(error.code).toBe('usage');
          expect(error.message + error.hint).toMatch(/^[\x20-\x7e…]*$/);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('the time in an id', () => {
  test('is the one that a ULID holds, and bounds the ids of its span', () => {
    fc.assert(
      fc.property(requestId, (id) => {
        const at = decodeTime(id);
        expect(askedAt(id)).toBe(at);
        expect(leastIdAt(at) <= id && id < leastIdAt(at + 1)).toBe(true);
      }),
    );
    expect(leastIdAt(-1)).toBe('0'.repeat(26));
    expect(leastIdAt(1e18) > leastIdAt(NOW)).toBe(true);
  });

  test('is bounded by what the terms of a filter leave open together', () => {
    const at = (text: string): number => Date.parse(text);
    expect(timeSpan(parse('since:2026-11-01 since:2026-11-03 until:2026-11-20 until:2026-11-10'))).toEqual({
      since: at('2026-11-03T00:00:00Z'),
      until: at('2026-11-11T00:00:00Z'),
    });
    expect(timeSpan(parse('alice'))).toEqual({ since: null, until: null });
  });
});
