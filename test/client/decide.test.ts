import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareDecision, prepareRevocation } from '../../src/client/decide.js';
import { verifyShown } from '../../src/client/shown-request.js';
import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import { type BoundDocument, parseDocument, type RequestDocument } from '../../src/protocol/document.js';
import type { MatchedNumber } from '../../src/protocol/matched-number.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { Rule } from '../../src/protocol/rule.js';
import { parseDecision, parseRevocation } from '../../src/protocol/statements.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { BROKER, NOW, RULE, sampleRequest, sampleRule } from '../components/sample-requests.js';
import { digest, name } from '../protocol/arbitraries.js';
import { codeOf } from '../ssh/problem.js';

const bob = 'bob' as Name;
const yes = { verdict: 'approve', comment: '', code: null, approver: bob, broker: BROKER, now: NOW } as const;
const bind = (document: object): BoundDocument => parseDocument(document as JsonObject);
const ruleOf = (text: string): Pick<RequestView, 'rule' | 'policy'> => ({
  rule: text,
  policy: sha256Digest(text),
});

describe('the decision that is signed', () => {
  test('names the document, scope, door, requester and rule that are shown, for one use', () => {
    const view = sampleRequest({ age: 100, document: { duration: 3600 } });
    const text = prepareDecision(view, { ...yes, comment: 'seen the "ticket"' });
    expect(parseDecision(text)).toEqual({
      broker: BROKER,
      door: 'host:web-1.example.com',
      request: view.digest,
      scope: view.scope,
      covers: 'request',
      policy: view.policy,
      verdict: 'approve',
      requester: 'alice',
      approver: 'bob',
      decided: NOW,
      notAfter: NOW + 900_000,
      duration: 3600,
      uses: 1,
      code: null,
      comment: 'seen the "ticket"',
    });
  });

  test('is good for the time to answer plus the time to claim, within what the rule allows', () => {
    const validity = (answer: number, claim: number): number => {
      const rule = ruleOf(RULE.replace('"claimBy":600', `"claimBy":${claim}`));
      const view = sampleRequest({ ...rule, submittedAt: NOW, answerBy: NOW + answer * 1000 });
      const { decided, notAfter } = parseDecision(prepareDecision(view, yes));
      return (notAfter - decided) / 1000;
    };
    expect(validity(60, 120)).toBe(180);
    expect(validity(300, 600)).toBe(900);
    expect(validity(300, 601)).toBe(900);
    expect(validity(3600, 86_400)).toBe(900);
  });

  test('carries whole seconds only', () => {
    const { decided, notAfter } = parseDecision(prepareDecision(sampleRequest(), { ...yes, now: NOW + 999 }));
    expect([decided, notAfter]).toEqual([NOW, NOW + 900_000]);
  });

  test.each([
    '{}',
    '{"claimBy":0}',
    '{"claimBy":"600"}',
    '[600]',
    'null',
    'no JSON',
    '{"claimBy":1,"claimBy":2}',
  ])('is not written under the rule %j, which does not say how long it stands', (text) => {
    expect(codeOf(() => prepareDecision(sampleRequest(ruleOf(text)), yes))).toBe('broker-reply');
  });

  test('has no room for a comment beyond its limit', () => {
    expect(codeOf(() => prepareDecision(sampleRequest(), { ...yes, comment: 'x'.repeat(998) }))).toBeNull();
    expect(codeOf(() => prepareDecision(sampleRequest(), { ...yes, comment: 'x'.repeat(999) }))).toBe(
      'usage',
    );
    expect(codeOf(() => prepareDecision(sampleRequest(), { ...yes, comment: 'é'.repeat(167) }))).toBe(
      'usage',
    );
  });

  describe('under a rule that wants more than a key press of whoever approves', () => {
    const wanting = (confirm: NonNullable<Rule['confirm']>) => sampleRequest(ruleOf(sampleRule({ confirm })));

    test('has the resource typed, exactly', () => {
      const view = wanting({ resource: true, reason: null });
      const codeWith = (resource: string) => codeOf(() => prepareDecision(view, { ...yes, resource }));
      expect(parseDecision(prepareDecision(view, { ...yes, resource: 'web-1.example.com' })).verdict).toBe(
        'approve',
      );
      expect(codeOf(() => prepareDecision(view, yes))).toBe('usage');
      expect(['', 'web-1', 'WEB-1.example.com', 'web-1.example.com '].map(codeWith)).toEqual(
        Array(4).fill('usage'),
      );
    });

    test('says why in as many characters as it wants, and neither for a no', () => {
      const view = wanting({ resource: true, reason: 12 });
      const typed = { ...yes, resource: 'web-1.example.com' };
      expect(codeOf(() => prepareDecision(view, { ...typed, comment: 'ok          ' }))).toBe(
        'reason-needed',
      );
      expect(parseDecision(prepareDecision(view, { ...typed, comment: 'as in INC-43' })).comment).toBe(
        'as in INC-43',
      );
      const no = { ...yes, verdict: 'deny', comment: '' } as const;
      expect(parseDecision(prepareDecision(view, no)).verdict).toBe('deny');
    });
  });

  describe('carries the number', () => {
    const code = '012345' as MatchedNumber;
    const asking = sampleRequest({ document: { context: { number: true } } });

    test('where the door shows its requester one', () => {
      expect(parseDecision(prepareDecision(asking, { ...yes, code })).code).toBe('012345');
      expect(codeOf(() => prepareDecision(asking, yes))).toBe('usage');
    });

    test('where the rule demands one', () => {
      const view = sampleRequest(ruleOf(RULE.replace('"number":false', '"number":true')));
      expect(parseDecision(prepareDecision(view, { ...yes, code })).code).toBe('012345');
      expect(codeOf(() => prepareDecision(view, yes))).toBe('usage');
    });

    test.each([1, 'true', 'yes', null, {}, false])('but not where the context says %j', (number) => {
      const view = sampleRequest({ document: { context: { number } } });
      expect(parseDecision(prepareDecision(view, yes)).code).toBeNull();
      expect(codeOf(() => prepareDecision(view, { ...yes, code }))).toBe('usage');
    });

    test('and not in a no', () => {
      const no = { ...yes, verdict: 'deny' } as const;
      expect(parseDecision(prepareDecision(asking, no)).code).toBeNull();
      expect(codeOf(() => prepareDecision(asking, { ...no, code }))).toBe('usage');
    });
  });

  test('says no in the same form', () => {
    expect(parseDecision(prepareDecision(sampleRequest(), { ...yes, verdict: 'deny' })).verdict).toBe('deny');
  });
});

describe('a broker that shows one request and stores another (A62)', () => {
  const refused = (view: RequestView) => {
    expect(codeOf(() => prepareDecision(view, yes))).toBe('shown-differs');
    expect(codeOf(() => prepareDecision(view, { ...yes, verdict: 'deny' }))).toBe('shown-differs');
    expect(codeOf(() => prepareRevocation(view, yes))).toBe('shown-differs');
  };

  test.each<[string, Record<string, unknown>]>([
    ['action', { action: 'ssh.logout' }],
    ['context', { context: { reason: 'INC-4312 restart apache' } }],
    ['a detail', { details: { service: 'sshd', source: '203.0.113.9', user: 'root' } }],
    ['one more detail', { details: { service: 'sshd', source: '203.0.113.9', user: 'alice', tty: '' } }],
    ['one detail fewer', { details: { service: 'sshd', user: 'alice' } }],
    ['door', { door: 'host:web-2.example.com' }],
    ['duration', { duration: 1 }],
    ['nonce', { nonce: 'f'.repeat(32) }],
    ['requester', { requester: 'mallory' }],
    ['resource', { resource: 'web-2.example.com' }],
  ])('is not signed for where %s was changed', (_what, change) => {
    const view = sampleRequest();
    refused({ ...view, document: { ...view.document, ...change } as RequestDocument });
  });

  test('is not signed for where any character anywhere in the document was changed', () => {
    const view = sampleRequest();
    const { canonical } = bind(view.document);
    fc.assert(
      fc.property(
        fc.nat({ max: canonical.length - 1 }),
        fc.string({ unit: 'binary', maxLength: 2 }),
        (at, text) => {
          const changed = canonical.slice(0, at) + text + canonical.slice(at + 1);
          let document: RequestDocument;
          try {
            document = JSON.parse(changed);
          } catch {
            return;
          }
          if (document !== null && canonicalJson(document as unknown as JsonObject) === canonical) return;
          expect(codeOf(() => verifyShown({ ...view, document }))).toBe('shown-differs');
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('is not signed for under another digest, scope or rule digest', () => {
    fc.assert(
      fc.property(digest, (other: Digest) => {
        const view = sampleRequest();
        refused({ ...view, digest: other });
        refused({ ...view, scope: other });
        refused({ ...view, policy: other });
      }),
      { numRuns: 20 },
    );
  });

  test('is not signed for where the rule was changed, or belongs to another digest', () => {
    const view = sampleRequest();
    refused({ ...view, rule: `${view.rule} ` });
    refused({ ...view, rule: view.rule.replace('1', '0') });
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a list', []],
    ['a lone surrogate', { ...sampleRequest().document, resource: 'web-\ud800' }],
    ['a fraction', { ...sampleRequest().document, duration: 0.5 }],
    ['an endless number', { ...sampleRequest().document, details: { n: Number.POSITIVE_INFINITY } }],
    ['one field too many', { ...sampleRequest().document, approved: true }],
    [
      'nesting without end',
      { ...sampleRequest().document, details: JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`) },
    ],
  ])('is not signed for where the document is %s', (_what, document) => {
    refused({ ...sampleRequest(), document: document as RequestDocument });
  });

  test('cannot smuggle a prototype into what is shown', () => {
    const document = JSON.parse(bind(sampleRequest().document).canonical.replace('"user"', '"__proto__"'));
    const bound = bind(document);
    const view = { ...sampleRequest({ digest: bound.digest, scope: bound.scope }), document };
    expect(Object.keys(verifyShown(view).document.details)).toContain('__proto__');
  });
});

test('a revocation names the document and the scope that are shown', () => {
  fc.assert(
    fc.property(name, (approver) => {
      const view = sampleRequest();
      const text = prepareRevocation(view, { ...yes, approver, comment: 'wrong host' });
      expect(parseRevocation(text)).toEqual({
        broker: BROKER,
        request: view.digest,
        scope: view.scope,
        approver,
        issued: NOW,
        comment: 'wrong host',
      });
    }),
  );
});
