import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestDocument } from '../../../components/detail/request-document.js';
import { requestProgress } from '../../../components/detail/request-progress.js';
import type { Line } from '../../../components/text/line.js';
import { lineWidth } from '../../../components/text/line.js';
import { safeText } from '../../../components/text/safe-text.js';
import { parseDocument } from '../../../src/protocol/document.js';
import type { RequestView } from '../../../src/protocol/request-view.js';
import { shellQuote } from '../../../src/protocol/shell-quote.js';
import type { JsonObject, JsonValue } from '../../../src/protocol/strict-json.js';
import { formatVerifiedFacts } from '../../../src/protocol/verified-facts.js';
import { hostileText } from '../hostile-text.js';
import { BROKER, NOW, type Sample, sampleRequest, sampleVote } from '../sample-requests.js';

const textOf = (lines: readonly Line[]): string =>
  lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
const drawn = (request: RequestView, columns = 80): string => {
  const { mustRead } = requestDocument(request, { pins: [BROKER], zone: 'UTC', columns });
  return textOf(mustRead);
};
const text = hostileText.filter((raw) => raw.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(raw));
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.nat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const object = fc.dictionary(text, json, { maxKeys: 4, noNullPrototype: true }) as fc.Arbitrary<JsonObject>;

describe('what the broker verified', () => {
  const facts = (...claims: { name: string; value: string }[]): string =>
    formatVerifiedFacts({ issuer: 'https://issuer.example', claims });

  test('stands under a heading of its own, behind all that the requester wrote', () => {
    const request = sampleRequest({ verified: facts({ name: 'repository', value: 'acme/shop' }) });
    const [written = '', verified = ''] = drawn(request, 120).split('Verified by the broker');
    expect(written).toContain('INC-4312 restart nginx');
    expect(written).not.toContain('acme/shop');
    expect(verified).toMatch(/OIDC token +https:\/\/issuer\.example\n +repository +acme\/shop\n/);
    expect(verified).toContain('by the token above, which the broker verified');
  });

  test('cannot be written by a requester', () => {
    const details = { 'Verified by the broker': 'OIDC token of https://issuer.example' };
    const text = drawn(sampleRequest({ document: { details } }));
    expect(text).not.toMatch(/^ *Verified by the broker {2}signed/m);
    expect(text).toContain('not signed: only the broker says so');
  });

  test('is drawn without anything that acts on a terminal (A1)', () => {
    fc.assert(
      fc.property(text, text, (name, value) => {
        const request = sampleRequest({
          verified: facts({ name: name.slice(0, 128).toWellFormed(), value }),
        });
        expect(drawn(request)).not.toMatch(
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/,
        );
      }),
    );
  });

  test('is said to be unreadable where the broker sends something else', () => {
    for (const verified of ['', '{}', 'null', facts({ name: 'a', value: 'b' }).replace('{', '{ ')]) {
      expect(drawn(sampleRequest({ verified }))).toContain('cannot be read');
    }
  });
});

describe('the request in full', () => {
  test('is drawn differently for different documents (A1)', () => {
    fc.assert(
      fc.property(object, object, (a, b) => {
        const [one, two] = [a, b].map((details) => sampleRequest({ document: { details } }));
        fc.pre(one!.digest !== two!.digest);
        expect(drawn(one!)).not.toBe(drawn(two!));
      }),
    );
  });

  test('has every field and every value of the document in what must be read, whatever it is called (A1)', () => {
    const exact = (text: string): string => safeText(text, { reading: 'exact' });
    const leaves = (value: JsonValue, reading: 'exact' | 'prose'): readonly string[] => {
      if (typeof value === 'string') return [safeText(value, { reading })];
      if (value === null || typeof value !== 'object') return [JSON.stringify(value)];
      if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
        return [safeText(value.map(shellQuote).join(' '), { reading })];
      return Object.entries(value).flatMap(([name, inner]) => [
        ...(Array.isArray(value) ? [] : [exact(name)]),
        ...leaves(inner, reading),
      ]);
    };
    fc.assert(
      fc.property(object, object, fc.constantFrom(40, 60, 74, 80), (details, context, columns) => {
        const document = { details, context, duration: 4321, resource: 'the only db', requester: 'erin' };
        const request = sampleRequest({ document });
        const plain = (shown: string): string => shown.replaceAll(/[\s│]/g, '');
        const read = plain(drawn(request, columns));
        const { action, door, requester, resource, nonce, duration } = request.document;
        const fields = [action, door, requester, resource, nonce, duration].map((field) =>
          exact(String(field)),
        );
        for (const leaf of [...fields, ...leaves(details, 'exact'), ...leaves(context, 'prose')]) {
          expect(read).toContain(plain(leaf));
        }
      }),
    );
  });

  test('a rule that this version cannot read must be read as it is', () => {
    const rule = '{"approvals":0,"strange":"yes"}';
    expect(drawn(sampleRequest({ rule }), 120).replaceAll(/\s+│? */g, '')).toContain(rule);
  });

  test('counts the characters that could deceive (A1)', () => {
    const marked = (document: NonNullable<Sample['document']>): string =>
      /marked +(\d+)/.exec(drawn(sampleRequest({ document })))?.[1] ?? 'none';
    expect(marked({})).toBe('none');
    expect(marked({ details: { argv: ['a', 'b  c', 'x\u202ey'] } })).toBe('3');
    expect(marked({ details: { 'us\u200ber': { x: ['\b\b'] } }, context: { a: 'p\u0430\u0435y' } })).toBe(
      '5',
    );
  });

  test('counts those of a token too: its issuer signs names that others chose (A1)', () => {
    const claims = [{ name: 'ref', value: 'refs/heads/m\u0430in\u202e' }];
    const verified = formatVerifiedFacts({ issuer: 'https://issuer.example', claims });
    expect(drawn(sampleRequest({ verified }))).toMatch(/marked +2 characters that could deceive/);
  });

  test('says in plain words what is let happen, with no word of others but names (A1)', () => {
    const first = (document: NonNullable<Sample['document']>): string =>
      drawn(sampleRequest({ document }), 120).split('\n')[0]!.trim();
    expect(first({})).toBe('If approved, alice may log in over ssh, once.');
    expect(first({ action: 'command.run', details: { user: 'root' } })).toBe(
      'If approved, alice may run the command below as root, once.',
    );
    expect(first({ action: 'sudo.run', requester: 'uid:1001', details: { user: 'Alice' } })).toBe(
      'If approved, uid:1001 may run the command below through sudo, once.',
    );
    expect(first({ action: 'ssh.shell', details: { user: 'root. Or not' } })).toBe(
      'If approved, alice may have a shell as the user below, once.',
    );
    expect(first({ action: 'ci.deploy', resource: 'x, and all is well' })).toBe(
      'If approved, alice may take the action ci.deploy, once.',
    );
    expect(first({ action: 'nothing' })).toBe('If approved, alice may take the action nothing, once.');
  });

  test('has what runs before all that it runs with, whatever that is called (A1)', () => {
    const details = { 0: 'list of 1: ls', argv: ['rm', '-rf', '/'], '-': 'x', cwd: '/' };
    const shown = drawn(sampleRequest({ document: { details } }));
    expect(shown).toMatch(/Details[^\n]*\n +argv +list of 3: rm -rf \/\n/);
  });

  test('tells values apart already where they are listed, whatever a text imitates (A1)', () => {
    const listed = (value: JsonValue): string =>
      drawn(sampleRequest({ document: { details: { value } } }))
        .split('Details')[1]!
        .split('Proof')[0]!;
    const values = [
      '5',
      5,
      'true',
      true,
      'null',
      null,
      '',
      '""',
      '[]',
      [],
      '{}',
      {},
      ['a', 'b'],
      'list of 2',
      ['a, b'],
      '"5"',
      'a\nb',
      'a⟨LF⟩b',
      'a b',
      'a  b',
      'a b ',
    ];
    expect(new Set(values.map(listed)).size).toBe(values.length);
  });

  test('never cuts, and is never wider than the screen (A1)', () => {
    fc.assert(
      fc.property(object, fc.integer({ min: 60, max: 130 }), (details, columns) => {
        const request = sampleRequest({ document: { details } });
        const { mustRead, evidence } = requestDocument(request, { pins: [BROKER], zone: 'UTC', columns });
        for (const line of [...mustRead, ...evidence]) expect(lineWidth(line)).toBeLessThanOrEqual(columns);
        const joined = textOf(evidence)
          .split('\n')
          .map((line) => line.slice(4))
          .join('');
        const { canonical } = parseDocument(request.document as unknown as JsonValue);
        expect(joined).toContain(safeText(canonical, { reading: 'exact' }));
      }),
      { numRuns: 50 },
    );
  });

  test('shows the largest document to its last byte', () => {
    const details = { script: Array.from({ length: 3 }, (_, n) => `${n}${'x'.repeat(16_000)}end-${n}`) };
    const whole = drawn(sampleRequest({ document: { details } }));
    for (const end of ['end-0', 'end-1', 'end-2'])
      expect(whole.replaceAll(/\s|│/g, '').split(end)).toHaveLength(2);
  });

  test('says who vouches, by which rule, and what is missing', () => {
    const whole = drawn(sampleRequest());
    expect(whole).toContain('not signed: only the broker says so');
    expect(whole.replaceAll(/\s+│? */g, ' ')).toContain(
      'answered within 5m, used within 10m of the approval',
    );
    const progress = textOf(
      requestProgress(sampleRequest({ votes: [sampleVote({ comment: 'a\u202eb' })] }), [], {
        columns: 80,
        style: { zone: 'UTC', now: NOW },
        isRecord: false,
      }),
    );
    expect(progress).toMatch(/carol +approve at 2026-01-31T22:59:40Z \(20s ago\) +a⟨U\+202E⟩b/);
    expect(progress).toContain('1 more person: bob, carol or dave');
  });

  test('shows what came when it is no document', () => {
    const request = { ...sampleRequest(), document: { surprise: '\u001b[2J' } } as unknown as RequestView;
    expect(drawn(request)).toContain('{"surprise":"\\u001b[2J"}');
  });
});
