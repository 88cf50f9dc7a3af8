import { describe, expect, test } from 'vitest';
import { Principals } from '../../../broker/roster/principals.js';
import type { Submitter } from '../../../src/protocol/roster-messages.js';
import { codeOf } from '../../ssh/problem.js';
import { DIRECTORY, fingerprintOf, HOST, keys, NOON, name, PEOPLE } from '../requests/world.js';

const principals = new Principals(DIRECTORY);
const ci: Submitter = { ...HOST, name: name('ci'), credential: { kind: 'token', hash: 'a'.repeat(64) } };
const local: Submitter = { ...HOST, name: name('local'), credential: { kind: 'socket' } };

describe('who is who', () => {
  test('an approver is found by NAME, never by alias', () => {
    expect(principals.approver(name('bob'))?.name).toBe('bob');
    for (const other of [
      'bob-admin',
      'alice@example.com',
      'host:web-1',
      'mallory',
      '__proto__',
      'constructor',
    ])
      expect(principals.approver(name(other))).toBe(null);
    expect(principals.approvers).toBe(4);
  });

  test('a requester is found by NAME and by alias; an account of nobody is nobody', () => {
    expect(principals.personBehind(name('bob'))?.name).toBe('bob');
    expect(principals.personBehind(name('bob-admin'))?.name).toBe('bob');
    expect(principals.personBehind(name('alice@example.com'))?.name).toBe('alice');
    for (const other of ['deploy', 'root', 'host:web-1', 'uid:1000', '__proto__'])
      expect(principals.personBehind(name(other))).toBe(null);
  });

  test('every key of a person is that person, and no other key is anybody (A63)', () => {
    for (const key of [keys.bob, keys.bobToo]) {
      expect(principals.signer(fingerprintOf(key), NOON).name).toBe('bob');
      expect(principals.ownerOf(fingerprintOf(key))?.name).toBe('bob');
    }
    for (const key of [keys.stranger, keys.host]) {
      expect(codeOf(() => principals.signer(fingerprintOf(key), NOON))).toBe('unknown-key');
      expect(principals.ownerOf(fingerprintOf(key))).toBe(null);
    }
  });

  test('a key signs from the first to before the last moment of its time', () => {
    const entry = { key: keys.bob.line, validAfter: NOON, validBefore: NOON + 1000 };
    const timed = new Principals({ ...DIRECTORY, people: [{ ...PEOPLE.bob, keys: [entry] }] });
    const signs = (now: number) => codeOf(() => timed.signer(fingerprintOf(keys.bob), now));
    expect([-1, 0, 999, 1000].map((offset) => signs(NOON + offset))).toEqual([
      'key-not-yet-valid',
      null,
      null,
      'key-expired',
    ]);
    expect(timed.ownerOf(fingerprintOf(keys.bob))?.name).toBe('bob');
  });
});

describe('submitters', () => {
  const all = new Principals({ ...DIRECTORY, submitters: [HOST, ci, local] });

  test('are found by the one credential that they have', () => {
    expect(all.submitter(name('ci'))).toEqual(ci);
    expect(all.submitterByKey(fingerprintOf(keys.host))).toEqual(HOST);
    expect(all.submitterByToken('a'.repeat(64))).toEqual(ci);
    expect(all.socketSubmitter).toEqual(local);
  });

  test('and by nothing else', () => {
    expect(all.submitter(name('bob'))).toBe(null);
    expect(all.submitterByKey(fingerprintOf(keys.bob))).toBe(null);
    for (const hash of ['', 'socket', 'b'.repeat(64), '__proto__'])
      expect(all.submitterByToken(hash)).toBe(null);
    expect(principals.socketSubmitter).toBe(null);
  });
});
