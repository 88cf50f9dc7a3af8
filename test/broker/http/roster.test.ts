import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { Digest, Name } from '../../../src/protocol/names.js';
import { formatRoster, type RosterStatement } from '../../../src/protocol/statements.js';
import { parseSignersFile } from '../../../src/ssh/signers-file.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import { TestBroker } from '../test-broker.js';

let broker: TestBroker;
let first: Digest;
const dave = makeSoftwareKey('ssh-ed25519');

beforeEach(async () => {
  broker = await TestBroker.start();
  first = (await proposal()).present.digest;
});
afterEach(() => broker.stop());

async function proposal(from?: string) {
  const token = await broker.signIn();
  const query = from === undefined ? '' : `?from=${from}`;
  return (await broker.call('GET', `/v1/roster/proposal${query}`, { token })).json;
}

const change = (body: object) =>
  broker.change('roster', body).then(({ status }) => {
    expect(status).toBe(200);
  });
const addDave = () =>
  change({
    change: 'add',
    person: {
      name: 'dave',
      aliases: [],
      groups: ['oncall'],
      keys: [{ key: dave.line, validAfter: null, validBefore: null }],
    },
  });

interface Forged extends Partial<Omit<RosterStatement, 'approver'>> {
  readonly approver?: string;
  readonly key?: SoftwareKey;
  readonly namespace?: string;
}

/** What somebody, bob unless said otherwise, signs about the present proposal. */
async function signed({ key = broker.keys.bob, namespace, ...fields }: Forged = {}): Promise<string> {
  const { inForce, present, serial } = await proposal(fields.old);
  const statement = formatRoster({
    broker: broker.fingerprint,
    serial: serial ?? 1,
    old: inForce?.digest ?? first,
    next: present.digest,
    validUntil: broker.now + 86_400_000,
    issued: broker.now,
    comment: '',
    ...fields,
    approver: (fields.approver ?? 'bob') as Name,
  });
  return statement + signInSoftware(key, statement, { namespace: namespace ?? 'roster@countersign' });
}

const post = (statement: string) => broker.call('POST', '/v1/roster/statements', { body: { statement } });
const sign = async (fields?: Forged) => post(await signed(fields));
const codeOf = async (fields: Forged): Promise<string> => (await sign(fields)).json.code;
const signAsCarol = (fields: Forged = {}) => sign({ ...fields, approver: 'carol', key: broker.keys.carol });

const chain = async (from: string, after = 0) =>
  (await broker.call('GET', `/v1/roster/signed?from=${from}&after=${after}`)).json;

describe('the proposal', () => {
  test('is nothing while the roster exports what is in force', async () => {
    expect(await proposal()).toMatchObject({ inForce: null, serial: null, signed: [] });
  });

  test('names the file in force, the export, the serial, and who has signed', async () => {
    await addDave();
    const before = await proposal();
    expect(before).toMatchObject({ serial: 1, needed: 2, signed: [] });
    expect(before.inForce.digest).toBe(first);
    for (const { digest, text } of [before.inForce, before.present]) expect(sha256Digest(text)).toBe(digest);
    expect(parseSignersFile(before.present.text).map(({ name }) => name)).toContain('dave');
    expect((await sign()).json).toEqual({ serial: 1, signed: 1, needed: 2, complete: false });
    expect((await proposal()).signed).toMatchObject([{ approver: 'bob' }]);
  });

  test('begins with the file that doors have, where nothing was signed before', async () => {
    await addDave();
    const installed = (await proposal()).present;
    const bound = broker.document();
    const body = {
      ...broker.hostSubmit(bound),
      signers: sha256Digest(`# signers of host:web-1\n${installed.text}`),
    };
    expect((await broker.call('POST', '/v1/requests', { body })).status).toBe(201);
    await change({ change: 'remove', name: 'alice' });
    const { inForce, doors } = await proposal();
    expect(inForce.digest).toBe(installed.digest);
    expect(doors).toMatchObject([
      { door: 'host:web-1', signers: installed.digest, outdated: true, known: true },
    ]);
    expect((await proposal(first)).inForce.digest).toBe(first);
  });
});

describe('a statement', () => {
  beforeEach(addDave);

  test('of two people leads doors from the file in force to the export', async () => {
    await sign();
    expect(await chain(first)).toMatchObject({ state: 'waiting', steps: [] });
    expect((await signAsCarol()).json).toMatchObject({ signed: 2, complete: true });
    const { present, steps } = await chain(first);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ serial: 1, old: first, new: present });
    expect(steps[0].statements).toHaveLength(2);
    expect(sha256Digest(steps[0].file)).toBe(present);
    expect(await chain(present)).toMatchObject({ state: 'newest', steps: [] });
    expect(await chain(first, 1)).toMatchObject({ state: 'waiting', steps: [] });
  });

  test('is taken from more people than the broker needs, because a door may ask for more', async () => {
    await sign();
    await signAsCarol();
    expect(await proposal()).toMatchObject({
      serial: 1,
      signed: [{ approver: 'bob' }, { approver: 'carol' }],
    });
    const third = await sign({ approver: 'alice', key: broker.keys.alice });
    expect(third.json).toMatchObject({ serial: 1, signed: 3 });
    expect((await chain(first)).steps[0].statements).toHaveLength(3);
  });

  test('stands in the log, whole, and outlives a restart', async () => {
    const text = await signed();
    await post(text);
    await signAsCarol();
    await broker.restart();
    expect((await chain(first)).steps[0].statements).toHaveLength(2);
    const { events } = (await broker.call('GET', '/v1/events', { token: await broker.signIn() })).json;
    const kinds = events.filter(({ kind }: { kind: string }) => kind === 'roster.signed');
    expect(JSON.parse(kinds[0].body)).toMatchObject({ approver: 'bob', serial: 1, statement: text });
    expect(kinds).toHaveLength(2);
  });

  test('for shells is text: statements, then the file', async () => {
    await sign();
    await signAsCarol();
    const { text } = await broker.call('GET', `/v1/roster/signed?from=${first}`, {
      headers: { accept: 'text/plain' },
    });
    const { present, steps } = await chain(first);
    const [{ statements, file }] = steps;
    const head = `countersign-signers/1 steps\npresent: ${present}\ncode: -\nhint: -\n\n`;
    expect(text).toBe(`${head}${statements.join('')}signers: ${file.split('\n').length - 1}\n${file}`);
  });

  test('from a file that the broker does not know says what to do (A61)', async () => {
    const from = `sha256:${'7'.repeat(64)}`;
    const answer = await broker.call('GET', `/v1/roster/signed?from=${from}`);
    expect([answer.status, answer.json.code]).toEqual([404, 'signers-unknown']);
    const { text } = await broker.call('GET', `/v1/roster/signed?from=${from}`, {
      headers: { accept: 'text/plain' },
    });
    expect(text).toMatch(
      /^countersign-signers\/1 error\npresent: -\ncode: signers-unknown\nhint: [ -~]*by hand[ -~]*\n\n$/,
    );
    expect((await broker.call('GET', '/v1/roster/signed')).json.code).toBe('malformed-request');
    expect((await proposal(from)).code).toBe('signers-unknown');
    const forged = (await signed()).replace(`old: ${first}`, `old: ${from}`);
    expect((await post(forged)).json.code).toBe('bad-signature');
  });

  test('is taken from each person once (A14)', async () => {
    await sign();
    expect(await codeOf({})).toBe('already-voted');
    expect(await codeOf({ key: broker.keys.bobToo })).toBe('already-voted');
    expect((await proposal()).signed).toHaveLength(1);
  });

  test('of somebody whom the file in force does not have counts for nothing (A17)', async () => {
    expect(await codeOf({ approver: 'dave', key: dave })).toBe('not-an-approver');
    const second = makeSoftwareKey('ssh-ed25519');
    await change({
      change: 'add-key',
      name: 'bob',
      key: { key: second.line, validAfter: null, validBefore: null },
    });
    expect(await codeOf({ key: second })).toBe('not-an-approver');
  });

  test('of somebody who is not in the roster any more is refused (A15)', async () => {
    const text = await signed({ approver: 'carol', key: broker.keys.carol });
    await change({ change: 'remove', name: 'carol' });
    expect((await post(text)).json.code).toBe('unknown-key');
  });

  test('is about exactly the open step, by the person of the key, for this broker, now (A22, A23, A61)', async () => {
    const other = `sha256:${'5'.repeat(64)}` as Digest;
    expect(await codeOf({ next: other })).toBe('roster-changed');
    expect(await codeOf({ serial: 2 })).toBe('roster-changed');
    expect(await codeOf({ serial: 0 })).toBe('roster-changed');
    expect(await codeOf({ approver: 'carol' })).toBe('wrong-principal');
    expect(await codeOf({ approver: 'bob-admin' })).toBe('wrong-principal');
    expect(await codeOf({ key: broker.keys.stranger })).toBe('unknown-key');
    expect(await codeOf({ namespace: 'decision@countersign' })).toBe('wrong-namespace');
    expect(await codeOf({ issued: broker.now - 61_000 })).toBe('clock-skew');
    expect(await codeOf({ issued: broker.now + 61_000 })).toBe('clock-skew');
    expect(await codeOf({ validUntil: broker.now })).toBe('not-after-invalid');
    expect(await codeOf({ validUntil: broker.now + 367 * 86_400_000 })).toBe('not-after-invalid');
    expect(await codeOf({ broker: `SHA256:${'B'.repeat(42)}A` as RosterStatement['broker'] })).toBe(
      'wrong-broker',
    );
    expect((await proposal()).signed).toEqual([]);
  });

  test('for an export that is no more leaves its serial behind, so that no two steps have the same (A61)', async () => {
    const stale = await signed();
    await sign();
    await change({ change: 'remove', name: 'alice' });
    expect((await post(stale)).json.code).toBe('roster-changed');
    expect(await proposal()).toMatchObject({ serial: 2, signed: [] });
    await sign();
    await signAsCarol();
    expect((await chain(first)).steps).toMatchObject([{ serial: 2, old: first }]);
    await change({ change: 'set', name: 'bob', groups: ['db'] });
    const { serial, inForce } = await proposal();
    expect([serial, inForce.digest]).toEqual([3, (await chain(first)).steps[0].new]);
    await sign();
    await signAsCarol();
    expect((await chain(first)).steps.map(({ serial }: { serial: number }) => serial)).toEqual([2, 3]);
    expect((await chain(first, 2)).steps).toEqual([]);
  });

  test('that has run out is not handed out, and can be given again', async () => {
    await sign();
    await signAsCarol();
    broker.pass(86_400);
    expect(await chain(first)).toMatchObject({ state: 'waiting', steps: [] });
    const again = { old: first };
    expect((await proposal(first)).serial).toBe(1);
    expect((await sign(again)).json).toMatchObject({ serial: 1, signed: 2 });
    expect((await signAsCarol(again)).json).toMatchObject({ complete: true });
    expect((await chain(first)).steps).toMatchObject([{ serial: 1 }]);
  });
});

test('a step for which one person alone can sign needs that one alone', async () => {
  await change({ change: 'remove', name: 'alice' });
  await change({ change: 'remove', name: 'carol' });
  expect(await proposal()).toMatchObject({ needed: 1 });
  expect((await sign()).json.complete).toBe(true);
});
