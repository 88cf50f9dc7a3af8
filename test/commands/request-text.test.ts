import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatList } from '../../src/commands/list.js';
import { formatRequest } from '../../src/commands/request-text.js';
import { canonicalJson } from '../../src/protocol/canonical.js';
import type { Name } from '../../src/protocol/names.js';
import type { JsonValue } from '../../src/protocol/strict-json.js';
import { formatVerifiedFacts } from '../../src/protocol/verified-facts.js';
import { NOW, sampleRequest, sampleVote } from '../components/sample-requests.js';
import { codeOf } from '../ssh/problem.js';

const STYLE = { zone: 'UTC', now: NOW };

const HOSTILE = [
  '\u001b[2J\u001b]0;pwned\u0007',
  'safe\rEVIL',
  '\u0008\u0008',
  '\u202egnp.exe',
  'a\u200bb',
  '\u{e0041}\u{e0042}',
  'line\u2028break\nnew',
  '\u009b31m',
];
/** What a terminal could act on, beyond line feeds of our own. */
const ACTIVE =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/u;

/** Whatever I-JSON can carry. */
const hostileText = fc
  .string({ unit: fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary' })) })
  .map((text) => text.replaceAll(/\p{Noncharacter_Code_Point}/gu, ''));

describe('a request in a terminal', () => {
  test('shows every field of the document, digest, scope and rule digest', () => {
    const view = sampleRequest({ document: { duration: 90 } });
    const text = formatRequest(view, STYLE);
    const { action, resource, door, requester, nonce } = view.document;
    for (const part of [
      action,
      resource,
      door,
      requester,
      nonce,
      view.digest,
      view.scope,
      view.policy,
      '90 s',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('"source": "203.0.113.9"');
    expect(text).toContain('"reason": "INC-4312 restart nginx"');
    expect(text).toContain(view.rule);
  });

  test('says in plain words what a yes lets happen, as the console does, above all that it speaks of', () => {
    const effect = (state: 'pending' | 'denied') =>
      formatRequest(
        sampleRequest({ state, document: { action: 'sudo.run' as Name, details: { user: 'root' } } }),
        STYLE,
      ).split('\n')[2];
    expect(effect('pending')).toBe(
      'effect     If approved, alice may run the command below through sudo, once.',
    );
    expect(effect('denied')).toBe('effect     Asked: alice may run the command below through sudo, once.');
  });

  test('cannot act on the terminal, whatever the requester, approvers and broker wrote', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (one, two) => {
        const view = sampleRequest({
          document: {
            details: { [one.toWellFormed()]: two.toWellFormed() },
            context: { reason: one.toWellFormed() },
          },
          rule: one,
          missing: [two],
          endedBy: one,
          vouched: two,
          verified: one,
          votes: [sampleVote({ comment: one, receipt: two })],
          comments: [{ by: 'bob' as Name, at: NOW, text: two }],
        });
        expect(formatRequest(view, STYLE)).not.toMatch(ACTIVE);
      }),
    );
  });

  test('looks different for different documents (A1)', () => {
    const value = fc.oneof(hostileText, fc.nat(), fc.boolean(), fc.constant(null), fc.array(fc.nat()));
    const details = fc
      .dictionary(fc.string({ maxLength: 6 }), value, { maxKeys: 3 })
      .map((object) => JSON.parse(JSON.stringify(object).replaceAll(/\\ud[89a-f]../gi, '')) as JsonValue);
    fc.assert(
      fc.property(details, details, (one, two) => {
        const [a, b] = [one, two].map((each) => {
          const view = sampleRequest({ document: { details: each } });
          // The digests would tell them apart; the rest must do so as well.
          return formatRequest(view, STYLE).split('\n').slice(0, -3).join('\n');
        });
        expect(a === b).toBe(canonicalJson(one) === canonicalJson(two));
      }),
    );
  });

  test('shows what the broker verified as its word, one claim a line', () => {
    const claims = [
      { name: 'repository', value: 'acme/shop' },
      { name: 'actor', value: 'alice\nverified   by bob' },
    ];
    const verified = formatVerifiedFacts({ issuer: 'https://issuer.example', claims });
    const text = formatRequest(sampleRequest({ verified }), STYLE);
    expect(text).toContain('who showed a token and did not sign it');
    expect(text).toContain(
      [
        '\nverified   by the broker: OIDC token of https://issuer.example',
        '           repository acme/shop',
        '           actor alice⟨LF⟩verified⟨SP×3⟩by bob\n',
      ].join('\n'),
    );
    expect(formatRequest(sampleRequest({ verified: '{}' }), STYLE)).toContain('verified   UNREADABLE');
  });

  test('says where a signature does not hold', () => {
    const view = sampleRequest({ vouched: 'nonsense', votes: [sampleVote({ receipt: 'nonsense' })] });
    expect(formatRequest(view, STYLE).match(/SIGNATURE THAT DOES NOT HOLD/g)).toHaveLength(2);
    expect(formatRequest(sampleRequest(), STYLE)).toContain('who did not sign it');
  });

  test('that is no document is refused', () => {
    const view = sampleRequest();
    expect(
      codeOf(() => formatRequest({ ...view, document: { ...view.document, resource: '' } }, STYLE)),
    ).toBe('shown-differs');
  });
});

describe('a list', () => {
  test('has one line a request, whatever was written', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const requests = [
          sampleRequest({ n: 1, document: { context: { reason: text.toWellFormed() } } }),
          sampleRequest({ n: 2 }),
        ];
        const list = formatList(requests, STYLE);
        expect(list.split('\n')).toHaveLength(3);
        expect(list).not.toMatch(ACTIVE);
      }),
    );
  });

  test('says opened only where the door reported it (A50)', () => {
    const redeemed = sampleRequest({ state: 'redeemed' });
    const report = (outcome: 'opened' | 'observed') => ({
      ...redeemed,
      report: { outcome, code: null, at: NOW },
    });
    expect(formatList([redeemed], STYLE)).toContain('redeemed');
    expect(formatList([report('opened')], STYLE)).toContain('opened');
    expect(formatList([report('observed')], STYLE)).toMatch(/observed/);
    expect(formatList([], STYLE)).toBe('no requests');
  });

  test('of a broker that shows no document is refused', () => {
    const view = sampleRequest();
    expect(codeOf(() => formatList([{ ...view, document: {} as never }], STYLE))).toBe('shown-differs');
  });
});
