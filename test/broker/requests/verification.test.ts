import { beforeEach, describe, expect, test } from 'vitest';
import type { Request } from '../../../broker/requests/request.js';
import { CLOCK_SKEW, verifyDecision, verifyRevocation } from '../../../broker/requests/verification.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Digest, Fingerprint } from '../../../src/protocol/names.js';
import { Problem, type ProblemCode } from '../../../src/protocol/problems.js';
import { parseRule, type Rule } from '../../../src/protocol/rule.js';
import {
  type Decision,
  formatSession,
  formatSubmit,
  type Revocation,
} from '../../../src/protocol/statements.js';
import { codeOf } from '../../ssh/problem.js';
import { makeSoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, bind, DIRECTORY, keys, NOON, name, PEOPLE, World } from './world.js';

const world = new World();
let request: Request;
let rule: Rule;
beforeEach(async () => {
  world.now = NOON;
  request = (await world.submit(bind({ duration: 600 }))).request;
  rule = parseRule(request.rule);
});

const OTHER_DIGEST = `sha256:${'9'.repeat(64)}` as Digest;
const OTHER_BROKER = 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as Fingerprint;

/** Verifies at another time, against other people, or under another rule. */
interface Setting {
  readonly now?: number;
  readonly principals?: Principals;
  readonly rule?: Partial<Rule>;
}
const context = ({ now = NOON, principals = world.principals }: Setting = {}) => ({
  brokers: [BROKER],
  principals,
  now,
});
const verify = (receipt: string, setting: Setting = {}) =>
  verifyDecision(receipt, request, { ...rule, ...setting.rule }, context(setting));
const codeFor = (change: Partial<Decision>, key = keys.bob, setting: Setting = {}): ProblemCode | null =>
  codeOf(() => verify(world.decision(request, change, key), setting));

describe('a decision', () => {
  test('that speaks of this request and is signed by the person whom it names is a vote', () => {
    const receipt = world.decision(request, { comment: 'looks right\n"' });
    expect(verify(receipt)).toEqual({
      approver: 'bob',
      verdict: 'approve',
      decided: NOON,
      notAfter: NOON + 900_000,
      covers: 'request',
      duration: 0,
      uses: 1,
      comment: 'looks right\n"',
      receipt,
    });
    expect(verify(world.decision(request, { verdict: 'deny' }, keys.bobToo)).verdict).toBe('deny');
  });

  test.each<[string, ProblemCode, Partial<Decision>]>([
    ['another broker', 'wrong-broker', { broker: OTHER_BROKER }],
    ['another document', 'statement-mismatch', { request: OTHER_DIGEST }],
    ['another scope', 'statement-mismatch', { scope: OTHER_DIGEST }],
    ['another door', 'statement-mismatch', { door: name('host:web-2') }],
    ['another requester', 'statement-mismatch', { requester: name('mallory') }],
    ['an alias of the requester', 'statement-mismatch', { requester: name('alice-admin') }],
    ['another rule', 'policy-changed', { policy: OTHER_DIGEST }],
    ['no rule', 'policy-changed', { policy: null }],
    ['every equal ask', 'grant-not-allowed', { covers: 'scope' }],
    [
      'every equal ask, any number of times',
      'grant-not-allowed',
      { covers: 'scope', uses: 0, duration: 600 },
    ],
    ['more time than was asked for', 'statement-mismatch', { duration: 601 }],
    ['the signer as another person', 'wrong-principal', { approver: name('carol') }],
    ['the signer by an alias', 'wrong-principal', { approver: name('bob-admin') }],
    ['the signer as nobody', 'wrong-principal', { approver: name('root') }],
    ['the signer as the submitter', 'wrong-principal', { approver: name('host:web-1') }],
  ])('that names %s is refused: %s (A22)', (_title, code, change) => {
    expect(codeFor(change)).toBe(code);
    expect(codeFor({ ...change, verdict: 'deny' })).toBe(code);
  });

  test('may allow less time than was asked for', () => {
    for (const duration of [0, 1, 600]) expect(codeFor({ duration })).toBe(null);
  });

  test('may carry a number: only the door can compare it', () => {
    expect(codeFor({ code: '012345' })).toBe(null);
  });

  test('carries a number, and is for one ask alone, where the door shows one, whatever the rule says (A19)', () => {
    const { document } = bind({ duration: 600, context: { number: true } });
    const numbered = { ...request, document };
    const codeOfYes = (change: Partial<Decision>) =>
      codeOf(() =>
        verifyDecision(
          world.decision(numbered, change),
          numbered,
          { ...rule, grants: { uses: 0 } },
          context(),
        ),
      );
    expect(codeOfYes({})).toBe('number-needed');
    expect(codeOfYes({ code: '012345' })).toBe(null);
    expect(codeOfYes({ code: '012345', covers: 'scope', uses: 3 })).toBe('grant-not-allowed');
    expect(codeOfYes({ verdict: 'deny' })).toBe(null);
  });

  test('says why, where the rule wants that of a yes, and needs no reason to be a no (A19)', () => {
    const wanting = { rule: { confirm: { resource: true, reason: 10 } } };
    const codeOfComment = (comment: string, change: Partial<Decision> = {}) =>
      codeFor({ comment, ...change }, keys.bob, wanting);
    expect(codeOfComment('   looks ok   ')).toBe('reason-needed');
    expect(codeOfComment('')).toBe('reason-needed');
    expect(codeOfComment('looks good')).toBe(null);
    expect(codeOfComment('', { verdict: 'deny' })).toBe(null);
  });

  test('of every equal ask is a vote where the rule allows it', () => {
    expect(
      codeFor({ covers: 'scope', uses: 0, duration: 60 }, keys.bob, { rule: { grants: { uses: 0 } } }),
    ).toBe(null);
  });

  test.each<[string, ProblemCode | null, number]>([
    ['a minute ago', null, -CLOCK_SKEW],
    ['a minute ahead', null, CLOCK_SKEW],
    ['61 s ago', 'clock-skew', -CLOCK_SKEW - 1000],
    ['61 s ahead', 'clock-skew', CLOCK_SKEW + 1000],
    ['5 min ago', 'clock-skew', -300_000],
    ['5 min ahead', 'clock-skew', 300_000],
  ])('decided %s: %s (A26)', (_title, code, offset) => {
    const decided = NOON + offset;
    expect(codeFor({ decided, notAfter: decided + 900_000 })).toBe(code);
  });

  test('a clock that is wrong is named with what it says', () => {
    const receipt = world.decision(request, { decided: NOON - 300_000 });
    expect(() => verify(receipt)).toThrow(
      new Problem(
        'clock-skew',
        "decided is 2026-01-31T11:55:00Z by the signer's clock, but the broker's clock says 2026-01-31T12:00:00Z",
      ),
    );
  });

  test.each<[string, ProblemCode | null, number]>([
    ['in a second', null, 1000],
    ['in 15 min', null, 900_000],
    ['in 15 min and a second', 'not-after-invalid', 901_000],
    ['now', 'not-after-invalid', 0],
    ['a second ago', 'not-after-invalid', -1000],
    ['in the year 2099', 'not-after-invalid', Date.parse('2099-01-01T00:00:00Z') - NOON],
    ['in the last second of all', 'not-after-invalid', Date.parse('9999-12-31T23:59:59Z') - NOON],
  ])('with a not-after %s: %s (A22, A61)', (_title, code, offset) => {
    expect(codeFor({ notAfter: NOON + offset })).toBe(code);
  });

  test('may be good for as long as the rule says and no longer', () => {
    const setting = { rule: { longestValidity: 60 } };
    expect(codeFor({ notAfter: NOON + 60_000 }, keys.bob, setting)).toBe(null);
    expect(codeFor({ notAfter: NOON + 61_000 }, keys.bob, setting)).toBe('not-after-invalid');
    expect(codeFor({ decided: NOON - 30_000, notAfter: NOON + 60_000 }, keys.bob, setting)).toBe(
      'not-after-invalid',
    );
  });

  test('is not a vote for any other request, door, submitter or time (A22)', async () => {
    const receipt = world.decision(request);
    for (const change of [
      { nonce: '1'.repeat(32) },
      { context: { reason: 'another' } },
      { door: 'host:web-2' },
      { requester: 'mallory' },
      { resource: 'web-2' },
      { action: 'sudo.run' },
      { details: {} },
      { duration: 601 },
    ]) {
      const other = (await world.submit(bind({ duration: 600, ...change }))).request;
      expect(codeOf(() => verifyDecision(receipt, other, rule, context()))).toBe('statement-mismatch');
    }
    expect(codeOf(() => verify(receipt, { now: NOON + 61_000 }))).toBe('clock-skew');
  });
});

describe('the signature of a decision', () => {
  test.each([
    ['nobody', keys.stranger],
    ['a submitter', keys.host],
  ])('by a key of %s is refused (A22)', (_title, key) => {
    expect(codeFor({}, key)).toBe('unknown-key');
    expect(codeFor({ approver: name('host:web-1') }, key)).toBe('unknown-key');
  });

  test('by a key of somebody else is not the signature of the person who is named', () => {
    expect(codeFor({}, keys.carol)).toBe('wrong-principal');
    expect(codeFor({ approver: name('carol') }, keys.carol)).toBe(null);
  });

  test.each([
    'revoke@countersign',
    'session@countersign',
    'submit@countersign',
    'git',
    'file',
    'Decision@countersign',
  ])('for the namespace %s is refused (A23)', (namespace) => {
    const receipt = world.decision(request, {}, keys.bob, namespace);
    expect(codeOf(() => verify(receipt))).toBe('wrong-namespace');
  });

  test('of another text is refused', () => {
    const receipt = world.decision(request);
    const deny = world.decision(request, { verdict: 'deny' });
    const armorOf = (text: string): string => text.slice(text.indexOf('-----BEGIN'));
    const statementOf = (text: string): string => text.slice(0, text.indexOf('-----BEGIN'));
    expect(codeOf(() => verify(statementOf(receipt) + armorOf(deny)))).toBe('bad-signature');
    expect(codeOf(() => verify(receipt.replace('comment: ""', 'comment: "x"')))).toBe('bad-signature');
  });

  test('of a statement of another kind is refused, even for this namespace (A23)', () => {
    const issued = NOON;
    const others = [
      formatSubmit({
        broker: BROKER,
        submitter: name('bob'),
        request: request.digest,
        nonce: '0'.repeat(32) as never,
        issued,
      }),
      formatSession({
        broker: BROKER,
        approver: name('bob'),
        challenge: '0'.repeat(64),
        issued,
        expires: NOON + 1000,
      }),
      world.revocation(request).split('-----BEGIN')[0] ?? '',
    ];
    for (const statement of others)
      expect(codeOf(() => verify(statement + signInSoftware(keys.bob, statement)))).toBe(
        'malformed-statement',
      );
  });

  test.each([
    ['key-not-yet-valid', { validAfter: NOON + 1, validBefore: null }],
    ['key-expired', { validAfter: null, validBefore: NOON }],
    [null, { validAfter: NOON, validBefore: NOON + 1 }],
  ])('by a key at the edge of its time: %s', (code, validity) => {
    const bob = { ...PEOPLE.bob, keys: [{ key: keys.bob.line, ...validity }] };
    const principals = new Principals({ ...DIRECTORY, people: [bob] });
    expect(codeFor({}, keys.bob, { principals })).toBe(code);
  });

  test.each(['ecdsa-sha2-nistp256', 'ssh-rsa', 'sk-ssh-ed25519@openssh.com'] as const)(
    'by a key of type %s counts',
    (type) => {
      const key = makeSoftwareKey(type);
      const bob = { ...PEOPLE.bob, keys: [{ key: key.line, validAfter: null, validBefore: null }] };
      const principals = new Principals({ ...DIRECTORY, people: [bob] });
      expect(codeFor({}, key, { principals })).toBe(null);
    },
  );
});

describe('a revocation', () => {
  const revoke = (change: Partial<Revocation> = {}, key = keys.bob, namespace?: string, now = NOON) =>
    codeOf(() =>
      verifyRevocation(world.revocation(request, change, key, namespace), request, rule, context({ now })),
    );

  test('by anybody of the roster speaks of one request', () => {
    expect(revoke()).toBe(null);
    expect(revoke({ approver: name('carol') }, keys.carol)).toBe(null);
  });

  test.each<[string, ProblemCode, Partial<Revocation>]>([
    ['another broker', 'wrong-broker', { broker: OTHER_BROKER }],
    ['another document', 'statement-mismatch', { request: OTHER_DIGEST }],
    ['another scope', 'statement-mismatch', { scope: OTHER_DIGEST }],
    ['another person', 'wrong-principal', { approver: name('carol') }],
    ['an alias', 'wrong-principal', { approver: name('bob-admin') }],
    ['a minute and a second ago', 'clock-skew', { issued: NOON - 61_000 }],
    ['a minute and a second ahead', 'clock-skew', { issued: NOON + 61_000 }],
  ])('that names %s is refused: %s (A22)', (_title, code, change) => {
    expect(revoke(change)).toBe(code);
  });

  test('is signed for its own namespace by an enrolled key (A23)', () => {
    expect(revoke({}, keys.bob, 'decision@countersign')).toBe('wrong-namespace');
    expect(revoke({}, keys.stranger)).toBe('unknown-key');
    expect(revoke({}, keys.host)).toBe('unknown-key');
  });

  test('is no decision, and a decision is no revocation', () => {
    expect(codeOf(() => verify(world.revocation(request)))).toBe('malformed-statement');
    expect(codeOf(() => verifyRevocation(world.decision(request), request, rule, context()))).toBe(
      'malformed-statement',
    );
  });

  test('of what is not an unused approval changes nothing', async () => {
    const { id } = request;
    await expect(world.requests.revoke(id, world.revocation(request))).rejects.toThrow(
      'the request is pending: there is no approval to take back',
    );
    expect((await world.read(id)).state).toBe('pending');
  });
});
