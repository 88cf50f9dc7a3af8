import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { SESSION_LIFE, Sessions } from '../../../broker/access/sessions.js';
import { hashToken } from '../../../broker/access/tokens.js';
import { Principals } from '../../../broker/roster/principals.js';
import type { Fingerprint } from '../../../src/protocol/names.js';
import { Problem, type ProblemCode } from '../../../src/protocol/problems.js';
import { formatSession, type SessionStatement } from '../../../src/protocol/statements.js';
import { codeOf } from '../../ssh/problem.js';
import { signInSoftware } from '../../ssh/software-keys.js';
import { MemoryStore } from '../requests/memory-store.js';
import { BROKER, DIRECTORY, fingerprintOf, keys, NOON, name, PEOPLE } from '../requests/world.js';

const principals = new Principals(DIRECTORY);
let store: MemoryStore;
let sessions: Sessions;
beforeEach(() => {
  store = new MemoryStore(DIRECTORY);
  sessions = new Sessions(store, () => [BROKER], randomBytes);
});

const challengeOf = (key = keys.bob, now = NOON): string =>
  sessions.challenge(key.line, principals, now).challenge;

function signed(
  change: Partial<SessionStatement> = {},
  key = keys.bob,
  namespace = 'session@countersign',
): string {
  const statement = formatSession({
    broker: BROKER,
    approver: name('bob'),
    challenge: change.challenge ?? challengeOf(),
    issued: NOON,
    expires: NOON + 3_600_000,
    ...change,
  });
  return statement + signInSoftware(key, statement, { namespace });
}

const open = (text: string, now = NOON) => sessions.open(text, principals, now);
const codeFor = (text: string, now = NOON): Promise<ProblemCode | null> =>
  open(text, now).then(
    () => null,
    (error: unknown) => {
      if (error instanceof Problem) return error.code;
      throw error;
    },
  );

describe('signing in', () => {
  test('a statement over a challenge opens a session of that person and that key', async () => {
    const session = await open(signed());
    expect(session).toMatchObject({ approver: 'bob', expires: NOON + 3_600_000 });
    expect(session.token).toMatch(/^[\w-]{43}$/);
    expect([...store.sessions.values()]).toEqual([
      {
        hash: hashToken(session.token),
        approver: 'bob',
        key: fingerprintOf(keys.bob),
        expires: session.expires,
      },
    ]);
    expect(JSON.stringify([...store.sessions.values()])).not.toContain(session.token);
  });

  test('any key of the person may sign, whichever asked for the challenge', async () => {
    expect(await codeFor(signed({ challenge: challengeOf(keys.bobToo) }))).toBe(null);
  });

  test('a session lasts 12 hours at most', async () => {
    expect((await open(signed({ expires: NOON + SESSION_LIFE }))).expires).toBe(NOON + 12 * 3_600_000);
    expect((await open(signed({ expires: Date.parse('9999-12-31T23:59:59Z') }))).expires).toBe(
      NOON + SESSION_LIFE,
    );
  });

  test.each<[string, ProblemCode, Partial<SessionStatement>]>([
    [
      'another broker (A22)',
      'wrong-broker',
      { broker: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' as Fingerprint },
    ],
    ['another person', 'wrong-principal', { approver: name('carol') }],
    ['an alias', 'wrong-principal', { approver: name('bob-admin') }],
    ['a challenge that nobody made', 'challenge-unknown', { challenge: '0'.repeat(64) }],
    ['61 s ago', 'clock-skew', { issued: NOON - 61_000 }],
    ['61 s ahead', 'clock-skew', { issued: NOON + 61_000 }],
  ])('a statement that names %s is refused: %s', async (_title, code, change) => {
    expect(await codeFor(signed(change))).toBe(code);
    expect(store.sessions.size).toBe(0);
  });

  test('a signature for another verb or by another key is refused (A23)', async () => {
    expect(await codeFor(signed({}, keys.bob, 'decision@countersign'))).toBe('wrong-namespace');
    expect(await codeFor(signed({}, keys.stranger))).toBe('unknown-key');
    expect(await codeFor(signed({}, keys.host))).toBe('unknown-key');
    expect(await codeFor(signed({}, keys.carol))).toBe('wrong-principal');
    expect(await codeFor(signed().replace('approver: bob', 'approver: rob'))).toBe('bad-signature');
  });
});

describe('a challenge', () => {
  test('has 256 bits, is another each time, and names whom it is for and until when', () => {
    const made = Array.from({ length: 1000 }, () => sessions.challenge(keys.bob.line, principals, NOON));
    expect(new Set(made.map(({ challenge }) => challenge)).size).toBe(1000);
    expect(made[0]).toMatchObject({ approver: 'bob', expires: NOON + 60_000 });
    expect(made[0]?.challenge).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is for keys of the roster, while they are valid', () => {
    const code = (line: string, people = principals) => codeOf(() => sessions.challenge(line, people, NOON));
    expect(code(keys.stranger.line)).toBe('unknown-key');
    expect(code(keys.host.line)).toBe('unknown-key');
    expect(code('bob')).toBe('malformed-key');
    const ended = { ...PEOPLE.bob, keys: [{ key: keys.bob.line, validAfter: null, validBefore: NOON }] };
    expect(code(keys.bob.line, new Principals({ ...DIRECTORY, people: [ended] }))).toBe('key-expired');
  });

  test('is good once, also when it is used twice at once (A40)', async () => {
    const text = signed();
    expect((await Promise.all([codeFor(text), codeFor(text), codeFor(text)])).sort()).toEqual([
      'challenge-unknown',
      'challenge-unknown',
      null,
    ]);
    expect(await codeFor(text)).toBe('challenge-unknown');
    expect(store.sessions.size).toBe(1);
  });

  test('is not spent by somebody who cannot sign', async () => {
    const challenge = challengeOf();
    expect(await codeFor(signed({ challenge }, keys.stranger))).toBe('unknown-key');
    expect(await codeFor(signed({ challenge, approver: name('carol') }, keys.carol))).toBe(
      'challenge-unknown',
    );
    expect(await codeFor(signed({ challenge }))).toBe(null);
  });

  test('is good for a minute', async () => {
    const challenge = challengeOf();
    expect(await codeFor(signed({ challenge, issued: NOON + 60_000 }), NOON + 60_000)).toBe(
      'challenge-unknown',
    );
    expect(await codeFor(signed({ challenge, issued: NOON + 59_000 }), NOON + 59_999)).toBe(null);
  });

  test('with any digit changed is none', async () => {
    const challenge = challengeOf();
    for (let at = 0; at < challenge.length; at += 1) {
      const digit = challenge[at] === '0' ? '1' : '0';
      const other = challenge.slice(0, at) + digit + challenge.slice(at + 1);
      expect(await codeFor(signed({ challenge: other }))).toBe('challenge-unknown');
    }
  });

  test('of another broker process is none', async () => {
    const challenge = challengeOf();
    sessions = new Sessions(store, () => [BROKER], randomBytes);
    expect(await codeFor(signed({ challenge }))).toBe('challenge-unknown');
  });

  test('is not pushed out by anybody who asks for many (A32)', async () => {
    const challenge = challengeOf();
    for (let count = 0; count < 1100; count += 1) challengeOf();
    expect(await codeFor(signed({ challenge }))).toBe(null);
  });
});

test('a full disk opens no session (A41)', async () => {
  store.isFull = true;
  expect(await codeFor(signed())).toBe('storage-failed');
  expect(store.sessions.size).toBe(0);
});
