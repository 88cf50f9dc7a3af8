import { describe, expect, test } from 'vitest';
import { checkLimits, verifySubmit } from '../../../broker/access/submitters.js';
import { hashToken, randomToken } from '../../../broker/access/tokens.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Digest, Fingerprint, Nonce } from '../../../src/protocol/names.js';
import type { ProblemCode } from '../../../src/protocol/problems.js';
import { parseSignedText } from '../../../src/protocol/receipt.js';
import type { Submitter, SubmitterLimits } from '../../../src/protocol/roster-messages.js';
import { formatSubmit, type SubmitStatement } from '../../../src/protocol/statements.js';
import { codeOf } from '../../ssh/problem.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { BROKER, bind, DIRECTORY, HOST, keys, NOON, name } from '../requests/world.js';

const bound = bind();
const principals = new Principals(DIRECTORY);

function signed(change: Partial<SubmitStatement> = {}, key = keys.host, namespace = 'submit@countersign') {
  const statement = formatSubmit({
    broker: BROKER,
    submitter: HOST.name,
    request: bound.digest,
    nonce: 'e'.repeat(32) as Nonce,
    issued: NOON,
    ...change,
  });
  return parseSignedText(statement + signInSoftware(key, statement, { namespace }));
}
const verify = (text = signed(), now = NOON, about = bound) =>
  verifySubmit(text, about, { brokers: [BROKER], principals, now });
const codeFor = (text = signed(), now = NOON, about = bound): ProblemCode | null =>
  codeOf(() => verify(text, now, about));

describe('a signed submit', () => {
  test('is of the submitter whose key signed it', () => {
    expect(verify().submitter).toEqual(HOST);
  });

  test.each<[string, ProblemCode, Partial<SubmitStatement>]>([
    [
      'another broker',
      'wrong-broker',
      { broker: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as Fingerprint },
    ],
    ['another document', 'statement-mismatch', { request: `sha256:${'9'.repeat(64)}` as Digest }],
    ['another submitter', 'wrong-principal', { submitter: name('ci') }],
    ['a person', 'wrong-principal', { submitter: name('bob') }],
    ['61 s ago', 'clock-skew', { issued: NOON - 61_000 }],
    ['61 s ahead', 'clock-skew', { issued: NOON + 61_000 }],
  ])('that names %s is refused: %s (A22)', (_title, code, change) => {
    expect(codeFor(signed(change))).toBe(code);
  });

  test('is for one document', () => {
    expect(codeFor(signed(), NOON, bind({ context: {} }))).toBe('statement-mismatch');
  });

  test('by a key of a person, or of nobody, is none', () => {
    expect(codeFor(signed({}, keys.bob))).toBe('unknown-key');
    expect(codeFor(signed({ submitter: name('bob') }, keys.bob))).toBe('unknown-key');
    expect(codeFor(signed({}, keys.stranger))).toBe('unknown-key');
  });

  test.each(['decision@countersign', 'session@countersign', 'revoke@countersign', 'git'])(
    'for the namespace %s is refused (A23)',
    (namespace) => {
      expect(codeFor(signed({}, keys.host, namespace))).toBe('wrong-namespace');
    },
  );

  test('is remembered until after the last moment at which it would be taken', () => {
    for (const issued of [NOON - 60_000, NOON, NOON + 60_000]) {
      const text = signed({ issued });
      const { nonce } = verify(text);
      expect(nonce.nonce).toBe('e'.repeat(32));
      const lastGood = issued + 60_000;
      expect([codeFor(text, lastGood), codeFor(text, lastGood + 1)]).toEqual([null, 'clock-skew']);
      // Its record is written after it was checked, and must be there still.
      expect(nonce.expires).toBeGreaterThan(lastGood + 10_000);
    }
  });
});

describe('what a submitter may ask for', () => {
  const anything: SubmitterLimits = { actions: ['*'], resources: ['*'], doors: ['*'], requesters: ['*'] };
  const code = (limits: Partial<SubmitterLimits>, ask: object = {}, submitter: Submitter = HOST) =>
    codeOf(() => checkLimits({ ...submitter, limits: { ...anything, ...limits } }, bind(ask)));

  test.each<[Partial<SubmitterLimits>, object, boolean]>([
    [{}, {}, true],
    [{ actions: ['ssh.login'] }, {}, true],
    [{ actions: ['ssh.*'] }, {}, true],
    [{ actions: ['ssh.'] }, {}, false],
    [{ actions: ['*.login'] }, {}, false],
    [{ actions: ['s*n'] }, {}, false],
    [{ actions: ['sudo.run', 'ssh.login'] }, {}, true],
    [{ actions: ['ssh.login*'] }, {}, true],
    [{ actions: ['ssh.login.x'] }, {}, false],
    [{ actions: ['SSH.LOGIN'] }, {}, false],
    [{ resources: ['web-*'] }, {}, true],
    [{ resources: ['web-*'] }, { resource: 'xweb-1' }, false],
    [{ resources: ['prod/*'] }, { resource: 'prod' }, false],
    [{ resources: ['prod/*'] }, { resource: 'prod/' }, true],
    [{ resources: ['.*'] }, {}, false],
    [{ resources: ['web-?'] }, {}, false],
    [{ resources: ['*'] }, { resource: '*' }, true],
    [{ resources: ['web-1'] }, { resource: 'web-1 ' }, false],
    [{ resources: ['é*'] }, { resource: 'e\u0301' }, false],
    [{ doors: ['host:web-1'] }, {}, true],
    [{ doors: ['host:web-1'] }, { door: 'host:web-10' }, false],
    [{ doors: ['demo'] }, {}, false],
    [{ requesters: [] }, {}, false],
    [{ requesters: [] }, { requester: 'host:web-1' }, true],
    [{ requesters: ['alice'] }, {}, true],
    [{ requesters: ['a*'] }, { requester: 'bob' }, false],
  ])('%j against %j: %s (A18)', (limits, ask, isAllowed) => {
    expect(code(limits, ask)).toBe(isAllowed ? null : 'submitter-limits');
  });

  test('no field of the reader widens it (A20)', () => {
    expect(code({ doors: ['demo'] }, { context: { door: 'demo' }, details: { door: 'demo' } })).toBe(
      'submitter-limits',
    );
  });

  test('over the local socket it is told that only the demo is for it', () => {
    const local: Submitter = { ...HOST, credential: { kind: 'socket' } };
    expect(code({ actions: ['demo.*'] }, {}, local)).toBe('demo-only');
    expect(code({ actions: ['demo.*'] }, { action: 'demo.hello' }, local)).toBe(null);
  });
});

describe('tokens', () => {
  test('have 256 bits, and are kept as their hash alone', () => {
    const token = randomToken((count) => Buffer.alloc(count, 0xff));
    expect(token).toBe(`${'_'.repeat(42)}8`);
    expect(hashToken(token)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashToken(token)).not.toBe(hashToken(`${'_'.repeat(42)}9` as typeof token));
  });
});
