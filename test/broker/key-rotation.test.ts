import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BrokerKeys } from '../../broker/broker-keys.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { formerKeys } from '../../src/ssh/key-handover.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { NOON, TestBroker } from './test-broker.js';

const DAY = 86_400;

describe('a broker whose key is rotated', () => {
  let broker: TestBroker;
  beforeEach(async () => {
    broker = await TestBroker.start();
  });
  afterEach(() => broker.stop());

  const rotate = (overlap: number) =>
    broker.call('POST', '/v1/broker/key', { body: { overlap }, viaSocket: true });

  test('goes by the new key at once, and shows the handover that the old one signed', async () => {
    const old = broker.fingerprint;
    const { status, json } = await rotate(DAY);
    expect([status, json.fingerprint]).toEqual([200, broker.fingerprint]);
    expect(broker.fingerprint).not.toBe(old);
    const { json: shown } = await broker.call('GET', '/v1/broker');
    expect(shown).toEqual(json);
    expect(formerKeys(shown.handovers, broker.fingerprint, broker.now)).toMatchObject([
      { fingerprint: old, validUntil: NOON + DAY * 1000 },
    ]);
  });

  test('takes decisions, submits, sessions and revocations under either key until the overlap ends', async () => {
    const old = broker.fingerprint;
    await rotate(600);
    for (const name of [old, broker.fingerprint]) {
      expect((await broker.signIn(broker.keys.bob, 'bob', name)).length).toBe(43);
      const bound = broker.document();
      const { status, json } = await broker.call('POST', '/v1/requests', {
        body: broker.hostSubmit(bound, { broker: name }),
      });
      expect(status).toBe(201);
      expect((await broker.decide(json.id, bound, { broker: name })).status).toBe(200);
      const statement = broker.revocation(bound, broker.keys.bob, 'bob', name);
      const revoked = await broker.call('POST', `/v1/requests/${json.id}/revocations`, {
        body: { statement },
      });
      expect(revoked.status).toBe(200);
    }
  });

  test('refuses the old key from the second in which the overlap ends (A22)', async () => {
    const old = broker.fingerprint;
    await rotate(100);
    broker.pass(99);
    const submitted = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(broker.document(), { broker: old }),
    });
    expect(submitted.status).toBe(201);
    broker.pass(1);
    const bound = broker.document();
    const late = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(bound, { broker: old }),
    });
    expect([late.status, late.json.code]).toEqual([409, 'wrong-broker']);
    expect((await broker.submit(bound)).status).toBe(201);
    const decided = await broker.decide(submitted.json.id, broker.document(), { broker: old });
    expect(decided.json.code).toBe('wrong-broker');
    expect((await broker.call('GET', '/v1/broker')).json.handovers).toEqual([]);
  });

  test('with no overlap goes by the new key alone', async () => {
    const old = broker.fingerprint;
    expect((await rotate(0)).json.handovers).toEqual([]);
    const { json } = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(broker.document(), { broker: old }),
    });
    expect(json.code).toBe('wrong-broker');
  });

  test('keeps its sessions, and knows both keys after a restart', async () => {
    const token = await broker.signIn();
    const old = broker.fingerprint;
    await rotate(DAY);
    const now = broker.fingerprint;
    await broker.restart();
    expect(broker.fingerprint).toBe(now);
    expect((await broker.call('GET', '/v1/requests', { token })).status).toBe(200);
    const { status } = await broker.call('POST', '/v1/requests', {
      body: broker.hostSubmit(broker.document(), { broker: old }),
    });
    expect(status).toBe(201);
  });

  test('shows the whole chain after two rotations, and no key from before one that has ended', async () => {
    const first = broker.fingerprint;
    await rotate(2 * DAY);
    const second = broker.fingerprint;
    await rotate(DAY);
    const names = async (): Promise<Fingerprint[]> => {
      const { json } = await broker.call('GET', '/v1/broker');
      return formerKeys(json.handovers, json.fingerprint, broker.now).map(({ fingerprint }) => fingerprint);
    };
    expect(await names()).toEqual([first, second]);
    broker.pass(DAY);
    expect(await names()).toEqual([]);
  });

  test('is rotated over its own socket alone, and for a year at most (A18)', async () => {
    const token = await broker.signIn();
    for (const call of [{}, { token }, { token: broker.ciToken }]) {
      const { status } = await broker.call('POST', '/v1/broker/key', { ...call, body: { overlap: 1 } });
      expect([401, 403]).toContain(status);
    }
    for (const overlap of [-1, 1.5, 367 * DAY, '1']) {
      const { status } = await broker.call('POST', '/v1/broker/key', { body: { overlap }, viaSocket: true });
      expect(status).toBe(400);
    }
  });
});

describe('a rotation that was killed', () => {
  async function rotated() {
    const directory = temporaryDirectory();
    const keys = await BrokerKeys.open(directory, NOON);
    const old = keys.current.fingerprint;
    const path = (name: string): string => join(directory, name);
    const before = ['broker.key', 'broker.key.pub'].map((name) => [name, readFileSync(path(name), 'utf8')]);
    await keys.rotate(DAY * 1000, NOON);
    return { directory, old, next: keys.current.fingerprint, path, before };
  }

  test('before its handover was on the disk leaves the old key', async () => {
    const { directory, old, path, before } = await rotated();
    renameSync(path('broker.key'), path('broker.key.next'));
    renameSync(path('broker.key.pub'), path('broker.key.next.pub'));
    for (const [name = '', text = ''] of before) writeFileSync(path(name), text, { mode: 0o600 });
    writeFileSync(path('broker.handovers'), '');
    const keys = await BrokerKeys.open(directory, NOON);
    expect(keys.namesAt(NOON)).toEqual([old]);
    await keys.rotate(DAY * 1000, NOON);
    expect(keys.namesAt(NOON)).toHaveLength(2);
  });

  test.each([
    ['before either half of the new key was in place', ['broker.key', 'broker.key.pub']],
    ['between the two halves', ['broker.key.pub']],
  ])('%s is finished at the next start', async (_, missing) => {
    const { directory, old, next, path, before } = await rotated();
    for (const name of missing) {
      renameSync(path(name), path(name.replace('broker.key', 'broker.key.next')));
      writeFileSync(path(name), Object.fromEntries(before)[name] ?? '', { mode: 0o600 });
    }
    const keys = await BrokerKeys.open(directory, NOON);
    expect(keys.namesAt(NOON)).toEqual([next, old]);
    expect(existsSync(path('broker.key.next'))).toBe(false);
    // The private half in place is the one of the public half.
    await keys.rotate(DAY * 1000, NOON);
    expect(keys.namesAt(NOON)).toHaveLength(3);
  });

  test('and a handover that was changed by hand stops the broker', async () => {
    const { directory, path } = await rotated();
    const text = readFileSync(path('broker.handovers'), 'utf8');
    writeFileSync(
      path('broker.handovers'),
      text.replace('old-valid-until: 2026-02', 'old-valid-until: 2036-02'),
    );
    await expect(BrokerKeys.open(directory, NOON)).rejects.toEqual(
      expect.objectContaining({ code: 'bad-signature' }),
    );
  });
});
