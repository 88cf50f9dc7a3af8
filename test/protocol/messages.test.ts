import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  challengeBody,
  decisionBody,
  parseBody,
  parseSubmitBody,
  redeemBody,
  reportBody,
  signedBody,
} from '../../src/protocol/messages.js';
import { Problem } from '../../src/protocol/problems.js';
import { decodeReply, isLive, REQUEST_STATES, time } from '../../src/protocol/request-view.js';
import {
  personSchema,
  rosterChangeSchema,
  submitterChangeSchema,
  submitterSchema,
} from '../../src/protocol/roster-messages.js';
import { decodeStreamMessage } from '../../src/protocol/stream-messages.js';
import { type JsonObject, type JsonValue, parseStrictJson } from '../../src/protocol/strict-json.js';
import { codeOf } from '../ssh/problem.js';

const document: JsonObject = {
  action: 'ssh.login',
  context: {},
  details: {},
  door: 'host:web-1',
  duration: 0,
  nonce: '0'.repeat(32),
  requester: 'alice',
  resource: 'web-1',
  version: 1,
};
const CLAIM = 'c'.repeat(32);
const ARMOR = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n';

/** As it comes over the wire. */
const sent = (value: JsonValue): JsonValue => parseStrictJson(JSON.stringify(value));

describe('a submit', () => {
  test('is a document, with or without statement and claim', () => {
    const bare = parseSubmitBody(sent({ document }));
    expect(bare).toMatchObject({ statement: null, claim: null, signers: null });
    const signers = `sha256:${'0'.repeat(64)}`;
    const whole = parseSubmitBody(sent({ document, statement: `x\n${ARMOR}`, claim: CLAIM, signers }));
    const statement = { statement: 'x\n', armor: ARMOR };
    expect(whole).toEqual({ bound: bare.bound, statement, claim: CLAIM, signers });
  });

  test.each<[JsonValue, string]>([
    [null, 'malformed-request'],
    [{ document, signers: 'sha256:0' }, 'malformed-request'],
    [[], 'malformed-request'],
    ['document', 'malformed-request'],
    [{}, 'malformed-document'],
    [{ document: null }, 'malformed-document'],
    [{ document, extra: 1 }, 'malformed-request'],
    [{ document, Claim: CLAIM }, 'malformed-request'],
    [{ document, '': 1 }, 'malformed-request'],
    [{ document, statement: null }, 'malformed-receipt'],
    [{ document, statement: 7 }, 'malformed-receipt'],
    [{ document, statement: '' }, 'malformed-receipt'],
    [{ document, statement: `x\n${ARMOR}${ARMOR}` }, 'malformed-receipt'],
    [{ document, claim: null }, 'claim-needed'],
    [{ document, claim: CLAIM.toUpperCase() }, 'claim-needed'],
    [{ document, claim: `${CLAIM}0` }, 'claim-needed'],
    [{ document, claim: [CLAIM] }, 'claim-needed'],
  ])('%#: %j is refused: %s', (body, code) => {
    expect(codeOf(() => parseSubmitBody(sent(body)))).toBe(code);
  });

  test('a field named like one of a prototype is unknown', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const text = `{"document":${JSON.stringify(document)},${JSON.stringify(key)}:{}}`;
      expect(codeOf(() => parseSubmitBody(parseStrictJson(text)))).toBe('malformed-request');
    }
  });

  test('the nesting of a document is counted from the body that carries it: 14 levels of details arrive', () => {
    const nested = (levels: number): JsonObject => ({
      ...document,
      details: JSON.parse(`${'{"a":'.repeat(levels)}"x"${'}'.repeat(levels)}`),
    });
    expect(codeOf(() => parseSubmitBody(sent({ document: nested(14) })))).toBe(null);
    expect(codeOf(() => parseSubmitBody(sent({ document: nested(15) })))).toBe('malformed-json');
  });
});

describe('bodies are strict', () => {
  const bodies: readonly [string, z.ZodType, JsonObject][] = [
    ['redeem', redeemBody, { claim: CLAIM }],
    ['report', reportBody, { claim: CLAIM, outcome: 'opened' }],
    ['report with a code', reportBody, { claim: CLAIM, outcome: 'refused', code: 'quorum-2' }],
    ['decision', decisionBody, { receipt: 'x' }],
    ['revocation', signedBody, { statement: 'x' }],
    ['challenge', challengeBody, { key: 'ssh-ed25519 AAAA' }],
  ];

  test.each(bodies)('%s: as it should be', (_title, schema, body) => {
    expect(parseBody(schema, sent(body))).toEqual(body);
  });

  test.each(bodies)('%s: no field more, none missing, none of another type', (_title, schema, body) => {
    const spoiled: JsonValue[] = [null, [], '', 0, {}, [body]];
    for (const extra of ['extra', '__proto__', 'constructor', ''])
      spoiled.push(parseStrictJson(`${JSON.stringify(body).slice(0, -1)},${JSON.stringify(extra)}:1}`));
    for (const key of Object.keys(body))
      for (const value of [null, 1, true, [], {}, [body[key] ?? null]])
        spoiled.push({ ...body, [key]: value });
    for (const value of spoiled)
      expect([value, codeOf(() => parseBody(schema, value))]).toEqual([value, 'malformed-request']);
  });

  test.each([
    ['opened', 'x'.repeat(65)],
    ['opened', ''],
    ['opened', 'Upper'],
    ['opened', 'a b'],
    ['opened', 'x\n'],
    ['open', 'x'],
    ['OPENED', 'x'],
    ['approved', 'x'],
  ])('no report says %s %j', (outcome, code) => {
    expect(codeOf(() => parseBody(reportBody, { claim: CLAIM, outcome, code }))).toBe('malformed-request');
  });

  test('a problem names the field, and has the code of its route', () => {
    expect(() => parseBody(redeemBody, { claim: 'x' }, 'claim-needed')).toThrow(
      new Problem('claim-needed', 'claim: not 32 lower-case hex digits'),
    );
    expect(codeOf(() => parseBody(redeemBody, null, 'claim-needed'))).toBe('claim-needed');
  });
});

describe('people and submitters', () => {
  const person = {
    name: 'bob',
    aliases: ['bob@example.com'],
    groups: ['oncall'],
    keys: [{ key: 'ssh-ed25519 AAAA', validAfter: null, validBefore: '2027-01-01T00:00:00Z' }],
  };
  const submitter = {
    name: 'ci',
    credential: { kind: 'token', hash: 'a'.repeat(64) },
    limits: { actions: ['ci.*'], resources: ['*'], doors: ['ci'], requesters: [] },
  };

  test('a person and a submitter are read', () => {
    expect(z.decode(personSchema, person as never).keys[0]?.validBefore).toBe(Date.parse('2027-01-01'));
    expect(submitterSchema.safeParse(submitter).success).toBe(true);
  });

  test.each<[string, object]>([
    ['an alias of a group', { ...person, aliases: ['group:db'] }],
    ['an alias in upper case', { ...person, aliases: ['Bob'] }],
    ['33 aliases', { ...person, aliases: Array.from({ length: 33 }, (_, index) => `a${index}`) }],
    ['33 keys', { ...person, keys: Array.from({ length: 33 }, () => person.keys[0]) }],
    ['a group with its prefix', { ...person, groups: ['group:oncall'] }],
    [
      'a time that no calendar has',
      { ...person, keys: [{ ...person.keys[0], validBefore: '2027-02-29T00:00:00Z' }] },
    ],
    ['a time as a number', { ...person, keys: [{ ...person.keys[0], validBefore: 1 }] }],
    ['an unknown field', { ...person, admin: true }],
    ['a key without its times', { ...person, keys: [{ key: 'ssh-ed25519 AAAA' }] }],
  ])('no person has %s', (_title, value) => {
    const change = { change: 'add', person: value };
    expect(rosterChangeSchema.safeParse({ change: 'add', person }).success).toBe(true);
    expect(rosterChangeSchema.safeParse(change).success).toBe(false);
  });

  test('the right to ask canaries stands in the limits of a submitter, or nothing does (A33)', () => {
    expect(submitterSchema.parse(submitter)).toEqual(submitter);
    const allowed = { ...submitter, limits: { ...submitter.limits, canaries: true } };
    expect(submitterSchema.parse(allowed)).toEqual(allowed);
  });

  test.each<[string, object]>([
    [
      'a right that is said not to be one',
      { ...submitter, limits: { ...submitter.limits, canaries: false } },
    ],
    ['no action at all', { ...submitter, limits: { ...submitter.limits, actions: [] } }],
    ['an empty pattern', { ...submitter, limits: { ...submitter.limits, doors: [''] } }],
    ['no limits', { name: 'ci', credential: submitter.credential }],
    ['a token in clear', { ...submitter, credential: { kind: 'token', token: 'secret' } }],
    ['a hash in upper case', { ...submitter, credential: { kind: 'token', hash: 'A'.repeat(64) } }],
    ['a credential of another kind', { ...submitter, credential: { kind: 'none' } }],
    ['two credentials', { ...submitter, credential: { ...submitter.credential, key: 'ssh-ed25519 AAAA' } }],
  ])('no submitter has %s (A18)', (_title, value) => {
    expect(submitterChangeSchema.safeParse({ change: 'add', submitter }).success).toBe(true);
    expect(submitterChangeSchema.safeParse({ change: 'add', submitter: value }).success).toBe(false);
  });

  test.each(['ADD', 'promote', '', null, undefined])('there is no change %j', (change) => {
    expect(rosterChangeSchema.safeParse({ change, name: 'bob' }).success).toBe(false);
    expect(submitterChangeSchema.safeParse({ change, name: 'bob' }).success).toBe(false);
  });
});

describe('replies of the broker', () => {
  test('times are text outside and milliseconds inside', () => {
    expect(decodeReply(time, '2026-01-31T23:00:00Z')).toBe(Date.parse('2026-01-31T23:00:00Z'));
    expect(z.encode(time, Date.parse('2026-01-31T23:00:00.999Z'))).toBe('2026-01-31T23:00:00Z');
    for (const wrong of ['2026-02-30T00:00:00Z', 'tomorrow', 7, null])
      expect(codeOf(() => decodeReply(time, wrong))).toBe('broker-reply');
  });

  test('a stream message of an unknown type or a wrong field is refused', () => {
    expect(decodeStreamMessage({ type: 'other', seq: 7 })).toEqual({ type: 'other', seq: 7 });
    for (const wrong of [
      null,
      {},
      { type: 'opened', seq: 7 },
      { type: 'other' },
      { type: 'other', seq: -1 },
      { type: 'other', seq: 1.5 },
      { type: 'waiting', id: 'x', waiting: 1 },
      { type: 'heartbeat', seq: 1, clock: '2026-01-31T23:00:00Z' },
    ])
      expect(codeOf(() => decodeStreamMessage(wrong))).toBe('broker-reply');
  });

  test('only pending and approved requests are live, and grants in use', () => {
    expect(REQUEST_STATES.filter(isLive)).toEqual(['pending', 'approved', 'active']);
  });
});
