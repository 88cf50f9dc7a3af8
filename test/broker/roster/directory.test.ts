import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { changeRoster, changeSubmitters, EMPTY_DIRECTORY } from '../../../broker/roster/directory.js';
import type { Directory } from '../../../broker/store/store.js';
import { canonicalJson } from '../../../src/protocol/canonical.js';
import { PROBLEMS, type ProblemCode } from '../../../src/protocol/problems.js';
import {
  type Person,
  type PersonKey,
  type RosterChange,
  rosterChangeSchema,
  rosterReply,
  type SubmitterChange,
  type SubmitterCredential,
  submittersReply,
} from '../../../src/protocol/roster-messages.js';
import { parsePublicKeyLine } from '../../../src/ssh/public-key.js';
import { formatSignersFile, parseSignersFile } from '../../../src/ssh/signers-file.js';
import { codeOf } from '../../ssh/problem.js';
import { makeSoftwareKey } from '../../ssh/software-keys.js';
import { fingerprintOf, HOST, keyEntry, keys, NOON, name, PEOPLE } from '../requests/world.js';

const roster = (...changes: RosterChange[]): Directory =>
  changes.reduce<Directory>(
    (directory, change) => changeRoster(directory, change, NOON).directory,
    EMPTY_DIRECTORY,
  );
const add = (person: Person): RosterChange => ({ change: 'add', person });
const withSubmitter = (directory: Directory, submitter = HOST): Directory =>
  changeSubmitters(directory, { change: 'add', submitter }, NOON).directory;
const codeFor = (directory: Directory, change: RosterChange): ProblemCode | null =>
  codeOf(() => changeRoster(directory, change, NOON));
const codeForSubmitter = (directory: Directory, change: SubmitterChange): ProblemCode | null =>
  codeOf(() => changeSubmitters(directory, change, NOON));

const team = withSubmitter(roster(add(PEOPLE.alice), add(PEOPLE.bob)));
const named = (directory: Directory, who: string): Person | undefined =>
  directory.people.find((person) => person.name === who);

describe('people', () => {
  test('are added with their keys, aliases and groups, and removed', () => {
    expect(named(team, 'bob')).toEqual(PEOPLE.bob);
    expect(named(roster(add(PEOPLE.bob), { change: 'remove', name: name('bob') }), 'bob')).toBe(undefined);
  });

  test('are changed one thing at a time, and everything else stays', () => {
    const stranger = keyEntry(keys.stranger);
    const bob = { name: name('bob') };
    const fingerprint = fingerprintOf(keys.bob);
    const step = (change: RosterChange) => named(changeRoster(team, change, NOON).directory, 'bob');
    expect(step({ change: 'add-key', ...bob, key: stranger })).toEqual({
      ...PEOPLE.bob,
      keys: [...PEOPLE.bob.keys, stranger],
    });
    expect(step({ change: 'remove-key', ...bob, fingerprint })).toEqual({
      ...PEOPLE.bob,
      keys: [keyEntry(keys.bobToo)],
    });
    expect(step({ change: 'rotate-key', ...bob, fingerprint, key: stranger })?.keys).toEqual([
      keyEntry(keys.bobToo),
      stranger,
    ]);
    expect(step({ change: 'set', ...bob, groups: [name('oncall')] })).toEqual({
      ...PEOPLE.bob,
      groups: ['oncall'],
    });
    expect(step({ change: 'set', ...bob, aliases: [] })).toEqual({ ...PEOPLE.bob, aliases: [] });
    expect(step({ change: 'set', ...bob })).toEqual(PEOPLE.bob);
  });

  test.each<[string, RosterChange]>([
    ['nobody is removed', { change: 'remove', name: name('mallory') }],
    ['nobody gets a key', { change: 'add-key', name: name('mallory'), key: keyEntry(keys.stranger) }],
    ['an alias is not a NAME', { change: 'remove', name: name('bob-admin') }],
    ['another key', { change: 'remove-key', name: name('bob'), fingerprint: fingerprintOf(keys.stranger) }],
    [
      'the key of somebody else',
      { change: 'remove-key', name: name('bob'), fingerprint: fingerprintOf(keys.alice) },
    ],
    [
      'a key that is not there cannot be replaced',
      {
        change: 'rotate-key',
        name: name('bob'),
        fingerprint: fingerprintOf(keys.carol),
        key: keyEntry(keys.stranger),
      },
    ],
    ['a submitter is no person', { change: 'remove', name: name('host:web-1') }],
  ])('%s: roster-unknown', (_title, change) => {
    expect(codeFor(team, change)).toBe('roster-unknown');
  });

  test('the last key of a person stays; the person may go', () => {
    const last: RosterChange = {
      change: 'remove-key',
      name: name('alice'),
      fingerprint: fingerprintOf(keys.alice),
    };
    expect(codeFor(team, last)).toBe('roster-conflict');
    expect(codeFor(team, { change: 'remove', name: name('alice') })).toBe(null);
    const replace: RosterChange = { ...last, change: 'rotate-key', key: keyEntry(keys.stranger) };
    expect(codeFor(team, replace)).toBe(null);
    expect(codeFor(EMPTY_DIRECTORY, add({ ...PEOPLE.alice, keys: [] }))).toBe('malformed-key');
  });
});

describe('one owner each (A8, A63)', () => {
  const carol = PEOPLE.carol;
  test.each<[string, RosterChange]>([
    ['a name', add({ ...carol, name: name('bob') })],
    ['a name that is an alias of another', add({ ...carol, name: name('bob-admin') })],
    ['an alias that is a name of another', add({ ...carol, aliases: [name('bob')] })],
    ['an alias of another', add({ ...carol, aliases: [name('bob-admin')] })],
    ['an alias that is the own name', add({ ...carol, aliases: [carol.name] })],
    ['an alias twice', add({ ...carol, aliases: [name('c'), name('c')] })],
    ['a group twice', add({ ...carol, groups: [name('oncall'), name('oncall')] })],
    ['a key of another', add({ ...carol, keys: [keyEntry(keys.bob)] })],
    ['a key twice', add({ ...carol, keys: [keyEntry(keys.carol), keyEntry(keys.carol)] })],
    [
      'a key twice with another comment',
      add({ ...carol, keys: [keyEntry(keys.carol), commented(keys.carol.line)] }),
    ],
    ['a key of a submitter', add({ ...carol, keys: [keyEntry(keys.host)] })],
    ['a second time: a key', { change: 'add-key', name: name('bob'), key: commented(keys.bobToo.line) }],
    [
      'in place of its own: a key of another',
      {
        change: 'rotate-key',
        name: name('bob'),
        fingerprint: fingerprintOf(keys.bob),
        key: keyEntry(keys.alice),
      },
    ],
    [
      'in place of one: another own key',
      {
        change: 'rotate-key',
        name: name('bob'),
        fingerprint: fingerprintOf(keys.bob),
        key: keyEntry(keys.bobToo),
      },
    ],
    [
      'later: an alias of another',
      { change: 'set', name: name('bob'), aliases: [name('alice@example.com')] },
    ],
    ['later: a name of another', { change: 'set', name: name('bob'), aliases: [name('alice')] }],
    ['later: a group twice', { change: 'set', name: name('bob'), groups: [name('g'), name('g')] }],
  ])('nobody gets %s', (_title, change) => {
    expect(codeFor(team, change)).toBe('roster-conflict');
  });

  test.each<[string, SubmitterCredential]>([
    ['a key of a person', { kind: 'key', key: keys.alice.line }],
    ['a key of a person with a comment', { kind: 'key', key: `${keys.alice.line} alice` }],
    ['a key of another submitter', { kind: 'key', key: keys.host.line }],
    ['the token of another submitter', { kind: 'token', hash: 'a'.repeat(64) }],
    ['the socket, which is taken', { kind: 'socket' }],
  ])('no submitter gets %s', (_title, credential) => {
    const taken = [
      { ...HOST, name: name('ci'), credential: { kind: 'token' as const, hash: 'a'.repeat(64) } },
      { ...HOST, name: name('local'), credential: { kind: 'socket' as const } },
      { ...HOST, name: name('other'), credential: { kind: 'token' as const, hash: 'b'.repeat(64) } },
    ].reduce<Directory>(withSubmitter, team);
    const submitter = { ...HOST, name: name('new'), credential };
    expect(codeForSubmitter(taken, { change: 'add', submitter })).toBe('roster-conflict');
    expect(codeForSubmitter(taken, { change: 'rotate', name: name('other'), credential })).toBe(
      'roster-conflict',
    );
  });

  test('whatever is changed in whatever order: names, aliases, keys and tokens have one owner, and the roster can be exported', () => {
    const who = fc.constantFrom('a', 'b', 'c').map(name);
    const words = fc.subarray(['a', 'b', 'x', 'y']).map((list) => list.map(name));
    const pool = [keys.alice, keys.bob, keys.bobToo, keys.carol, keys.host];
    const key = fc.constantFrom(...pool).chain((one) => fc.constantFrom(keyEntry(one), commented(one.line)));
    const fingerprint = fc.constantFrom(...pool).map(fingerprintOf);
    const person = fc.record({
      name: who,
      aliases: words,
      groups: words,
      keys: fc.array(key, { maxLength: 3 }),
    });
    const change: fc.Arbitrary<RosterChange> = fc.oneof(
      fc.record({ change: fc.constant('add' as const), person }),
      fc.record({ change: fc.constant('remove' as const), name: who }),
      fc.record({ change: fc.constant('add-key' as const), name: who, key }),
      fc.record({ change: fc.constant('remove-key' as const), name: who, fingerprint }),
      fc.record({ change: fc.constant('rotate-key' as const), name: who, fingerprint, key }),
      fc.record({ change: fc.constant('set' as const), name: who, aliases: words, groups: words }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        let directory = EMPTY_DIRECTORY;
        for (const next of changes) {
          const before = JSON.stringify(directory);
          let after = directory;
          const code = codeOf(() => {
            after = changeRoster(directory, next, NOON).directory;
          });
          expect([null, 'roster-conflict', 'roster-unknown', 'malformed-key']).toContain(code);
          expect(JSON.stringify(directory)).toBe(before);
          directory = after;
          checkOwners(directory);
        }
      }),
    );
  });
});

describe('keys have one spelling', () => {
  test('TYPE BASE64, however they were given, in the directory and in the log', () => {
    const given: RosterChange[] = [
      add({ ...PEOPLE.carol, keys: [commented(keys.carol.line)] }),
      { change: 'add-key', name: name('carol'), key: commented(keys.dave.line) },
      {
        change: 'rotate-key',
        name: name('carol'),
        fingerprint: fingerprintOf(keys.dave),
        key: commented(keys.stranger.line),
      },
    ];
    let directory = EMPTY_DIRECTORY;
    for (const change of given) {
      const step = changeRoster(directory, change, NOON);
      directory = step.directory;
      expect(canonicalJson(step.events[0]?.body ?? null)).not.toContain('comment');
    }
    expect(named(directory, 'carol')?.keys.map(({ key }) => key)).toEqual([
      keys.carol.line,
      keys.stranger.line,
    ]);
    const submitter = { ...HOST, credential: { kind: 'key' as const, key: `${keys.host.line} a comment\n` } };
    const step = changeSubmitters(EMPTY_DIRECTORY, { change: 'add', submitter }, NOON);
    expect(step.directory.submitters[0]?.credential).toEqual({ kind: 'key', key: keys.host.line });
    expect(canonicalJson(step.events[0]?.body ?? null)).not.toContain('comment');
  });

  test.each<[string, string, ProblemCode]>([
    ['no key at all', 'bob', 'malformed-key'],
    ['two lines', `${keys.carol.line}\n${keys.dave.line}`, 'malformed-key'],
    ['options before the key', `cert-authority ${keys.carol.line}`, 'malformed-key'],
    ['the type of another key', keys.carol.line.replace('ssh-ed25519', 'ssh-rsa'), 'malformed-key'],
    ['a DSA key', 'ssh-dss AAAAB3NzaC1kc3M=', 'unsupported-key'],
    ['a certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA', 'unsupported-key'],
    ['a short RSA key', makeSoftwareKey('ssh-rsa', 1024).line, 'unsupported-key'],
  ])('%s is refused', (_title, key, code) => {
    const entry = { key, validAfter: null, validBefore: null };
    expect(codeFor(team, add({ ...PEOPLE.carol, keys: [entry] }))).toBe(code);
    expect(codeFor(team, { change: 'add-key', name: name('bob'), key: entry })).toBe(code);
    const submitter = { ...HOST, name: name('new'), credential: { kind: 'key' as const, key } };
    expect(codeForSubmitter(team, { change: 'add', submitter })).toBe(code);
  });
});

describe('what the roster takes, doors and clients take too', () => {
  const entry = (validAfter: string | null, validBefore: string | null): PersonKey => ({
    key: keys.carol.line,
    validAfter: validAfter === null ? null : Date.parse(validAfter),
    validBefore: validBefore === null ? null : Date.parse(validBefore),
  });

  test.each<[string, PersonKey]>([
    ['ends before it begins', entry('2027-01-01T00:00:00Z', '2026-01-01T00:00:00Z')],
    ['ends when it begins', entry('2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z')],
    ['begins before the year 2000', entry('1999-12-31T23:59:59Z', null)],
    ['ends before the year 2000', entry(null, '1970-01-01T00:00:00Z')],
    ['ends after the year 2999', entry(null, '3000-01-01T00:00:00Z')],
  ])('no key has a time that %s', (_title, key) => {
    expect(codeFor(team, add({ ...PEOPLE.carol, keys: [key] }))).toBe('malformed-key');
    expect(codeFor(team, { change: 'add-key', name: name('bob'), key })).toBe('malformed-key');
  });

  test.each<[string, PersonKey]>([
    ['no limits', entry(null, null)],
    ['the first second of 2000', entry('2000-01-01T00:00:00Z', null)],
    ['the last second of 2999', entry('2026-01-01T00:00:00Z', '2999-12-31T23:59:59Z')],
  ])('a key has %s', (_title, key) => {
    const directory = roster(add({ ...PEOPLE.carol, keys: [key] }));
    expect(parseSignersFile(exported(directory))).toHaveLength(1);
  });

  test('a group fits into a principal with its prefix', () => {
    const longest = name('g'.repeat(122));
    expect(exported(roster(add({ ...PEOPLE.carol, groups: [longest] })))).toContain(`group:${longest} `);
    expect(codeFor(team, add({ ...PEOPLE.carol, groups: [name('g'.repeat(123))] }))).toBe('roster-conflict');
    expect(codeFor(team, { change: 'set', name: name('bob'), groups: [name('g'.repeat(128))] })).toBe(
      'roster-conflict',
    );
  });

  test('a person has at most 32 keys, however they come', () => {
    let directory = roster(add(PEOPLE.carol));
    for (let count = 1; count < 32; count += 1) {
      const key = keyEntry(makeSoftwareKey('ssh-ed25519'));
      directory = changeRoster(directory, { change: 'add-key', name: name('carol'), key }, NOON).directory;
    }
    const answer = z.encode(rosterReply, { people: [...directory.people] });
    expect(z.decode(rosterReply, answer).people[0]?.keys).toHaveLength(32);
    const more: RosterChange = { change: 'add-key', name: name('carol'), key: keyEntry(keys.stranger) };
    expect(codeFor(directory, more)).toBe('roster-conflict');
  });
});

describe('submitters', () => {
  const ci = { ...HOST, name: name('ci'), credential: { kind: 'token' as const, hash: 'a'.repeat(64) } };

  test('are added, get another credential with the same limits, and are removed', () => {
    const directory = withSubmitter(team, ci);
    const rotated = changeSubmitters(
      directory,
      { change: 'rotate', name: ci.name, credential: { kind: 'key', key: keys.stranger.line } },
      NOON,
    ).directory;
    expect(rotated.submitters[1]).toEqual({ ...ci, credential: { kind: 'key', key: keys.stranger.line } });
    expect(changeSubmitters(rotated, { change: 'remove', name: ci.name }, NOON).directory).toEqual(team);
    expect(
      z.decode(submittersReply, z.encode(submittersReply, { submitters: [...rotated.submitters] })),
    ).toEqual({
      submitters: rotated.submitters,
    });
  });

  test('that are not there are not changed, and none is added twice', () => {
    expect(codeForSubmitter(team, { change: 'remove', name: ci.name })).toBe('roster-unknown');
    expect(codeForSubmitter(team, { change: 'rotate', name: ci.name, credential: ci.credential })).toBe(
      'roster-unknown',
    );
    expect(codeForSubmitter(team, { change: 'remove', name: name('bob') })).toBe('roster-unknown');
    expect(codeForSubmitter(team, { change: 'add', submitter: HOST })).toBe('roster-conflict');
    const other = { ...ci, name: HOST.name };
    expect(codeForSubmitter(team, { change: 'add', submitter: other })).toBe('roster-conflict');
  });

  test('stand in the log with their limits, and without the hash of their token', () => {
    const { events } = changeSubmitters(team, { change: 'add', submitter: ci }, NOON);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      kind: 'submitters.changed',
      at: NOON,
      body: { change: 'add', name: 'ci', credential: { kind: 'token' }, limits: ci.limits },
    });
    expect(JSON.stringify(events)).not.toContain('a'.repeat(64));
    const rotate = changeSubmitters(
      withSubmitter(team, ci),
      { change: 'rotate', name: ci.name, credential: { kind: 'token', hash: 'b'.repeat(64) } },
      NOON,
    );
    expect(rotate.events[0]?.body).toEqual({ change: 'rotate', name: 'ci', credential: { kind: 'token' } });
    expect(JSON.stringify(rotate.events)).not.toContain('b'.repeat(64));
  });

  test('a key that takes the place of another stands in the log', () => {
    const rotate = changeSubmitters(
      team,
      {
        change: 'rotate',
        name: HOST.name,
        credential: { kind: 'key', key: `${keys.stranger.line} comment` },
      },
      NOON,
    );
    expect(rotate.events[0]?.body).toEqual({
      change: 'rotate',
      name: 'host:web-1',
      credential: { kind: 'key', key: keys.stranger.line },
    });
  });
});

test.each<[RosterChange, string]>([
  [add(PEOPLE.bob), 'bob is in the roster already'],
  [add({ ...PEOPLE.carol, aliases: [name('bob')] }), 'the name bob belongs to bob'],
  [add({ ...PEOPLE.carol, aliases: [name('c'), name('c')] }), 'carol has the name twice'],
  [add({ ...PEOPLE.carol, groups: [name('g'), name('g')] }), 'carol has a group twice'],
  [
    { change: 'remove-key', name: name('alice'), fingerprint: fingerprintOf(keys.alice) },
    'that is the last key of alice: add another one first, or remove the person',
  ],
])('what is refused says who has it already, %#', (change, message) => {
  expect(() => changeRoster(team, change, NOON)).toThrow(
    expect.objectContaining({ message, hint: PROBLEMS['roster-conflict'].hint }),
  );
});

test('what is refused for its size says what to do', () => {
  const change = add({ ...PEOPLE.carol, groups: [name('g'.repeat(123))] });
  expect(() => changeRoster(team, change, NOON)).toThrow(
    expect.objectContaining({ hint: 'use at most 122 characters' }),
  );
});

test('a change of aliases or groups stands in the log with what was given, and nothing else', () => {
  const bob = { change: 'set', name: name('bob') } as const;
  const body = (change: RosterChange) => changeRoster(team, change, NOON).events[0]?.body;
  expect(body({ ...bob, aliases: [name('robert')] })).toEqual({ ...bob, aliases: ['robert'] });
  expect(body({ ...bob, groups: [] })).toEqual({ ...bob, groups: [] });
  expect(body({ ...bob, aliases: undefined } as unknown as RosterChange)).toEqual(bob);
});

test('every change of the roster stands in the log with all that changed, in a canonical form', () => {
  const text = {
    change: 'add',
    person: { ...PEOPLE.carol, keys: [{ ...keyEntry(keys.carol), validBefore: '2027-01-01T00:00:00Z' }] },
  };
  const change = z.decode(rosterChangeSchema, text as never);
  const { events } = changeRoster(team, change, NOON);
  expect(events).toHaveLength(1);
  expect(events[0]).toEqual({
    kind: 'roster.changed',
    at: NOON,
    body: {
      change: 'add',
      person: {
        ...PEOPLE.carol,
        keys: [{ key: keys.carol.line, validAfter: null, validBefore: '2027-01-01T00:00:00Z' }],
      },
    },
  });
  expect(() => canonicalJson(events[0]?.body ?? null)).not.toThrow();
});

function commented(line: string): PersonKey {
  return { key: `${line} a comment`, validAfter: null, validBefore: null };
}

/** As `countersign roster export` writes it. */
function exported(directory: Directory): string {
  const date = (time: number | null): Date | null => (time === null ? null : new Date(time));
  return formatSignersFile(
    directory.people.map((person) => ({
      ...person,
      keys: person.keys.map(({ key, validAfter, validBefore }) => ({
        key: parsePublicKeyLine(key),
        validAfter: date(validAfter),
        validBefore: date(validBefore),
      })),
    })),
  );
}

function checkOwners({ people }: Directory): void {
  const names = people.flatMap((person) => [person.name, ...person.aliases]);
  const all = people.flatMap((person) => person.keys.map(({ key }) => key));
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(all).size).toBe(all.length);
  for (const person of people) expect(person.keys.length).toBeGreaterThan(0);
  if (people.length > 0) expect(exported({ people, submitters: [] })).not.toBe('');
}
