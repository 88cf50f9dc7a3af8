import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/client/address.js';
import { connectQueue } from '../../src/client/broker-connection.js';
import { identifyBroker, soleName } from '../../src/client/broker-identity.js';
import { systemClock } from '../../src/client/clock.js';
import { answeringName } from '../../src/client/decide.js';
import { HttpClient } from '../../src/client/http-client.js';
import { knownBrokersPath } from '../../src/client/known-brokers.js';
import type { Locations } from '../../src/client/locations.js';
import { webSocketStream } from '../../src/client/websocket.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { requestViewSchema } from '../../src/protocol/request-view.js';
import { formatKeyHandover } from '../../src/protocol/statements.js';
import { formerKeys } from '../../src/ssh/key-handover.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { TestBroker } from '../broker/test-broker.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { codeOf } from '../ssh/problem.js';
import { makeSoftwareKey, type SoftwareKey, signInSoftware } from '../ssh/software-keys.js';
import { answering, serve } from './small-server.js';

const NOW = Date.parse('2026-01-31T23:00:00Z');
const DAY = 86_400_000;
const [FIRST, SECOND, THIRD, EVIL] = [1, 2, 3, 4].map(() => makeSoftwareKey('ssh-ed25519')) as [
  SoftwareKey,
  SoftwareKey,
  SoftwareKey,
  SoftwareKey,
];
const nameOf = ({ line }: SoftwareKey): Fingerprint => parsePublicKeyLine(line).fingerprint;

/** A handover from one key to the next, by default signed by the old one. */
function handover(
  old: SoftwareKey,
  next: SoftwareKey,
  { until = NOW + DAY, signer = old, namespace = 'broker@countersign' } = {},
): string {
  const statement = formatKeyHandover({
    old: nameOf(old),
    next: next.line,
    issued: NOW,
    oldValidUntil: until,
  });
  return statement + signInSoftware(signer, statement, { namespace });
}

/** A broker that says what the test tells it to, and a place to pin it. */
async function brokerSaying(first: SoftwareKey) {
  const said = { key: first, handovers: [] as string[] };
  const { client, address } = await serve((request, response) =>
    answering({
      name: 'test',
      fingerprint: nameOf(said.key),
      key: said.key.line,
      version: '0.1.0',
      clock: '2026-01-31T23:00:00Z',
      handovers: said.handovers,
    })(request, response),
  );
  const directory = temporaryDirectory();
  const where: Locations = {
    data: join(directory, 'data'),
    config: join(directory, 'config'),
    state: join(directory, 'state'),
  };
  return {
    said,
    where,
    pinned: () => readFileSync(knownBrokersPath(where.config), 'utf8').trimEnd().split('\n'),
    line: (key: SoftwareKey) => `${address} ${nameOf(key)}`,
    look: () => identifyBroker(client, where, () => NOW),
  };
}

describe('a client that pinned a key', () => {
  test('follows to the key that the pinned one handed over to, and pins it beside the old one', async () => {
    const { said, pinned, line, look } = await brokerSaying(FIRST);
    await look();
    Object.assign(said, { key: SECOND, handovers: [handover(FIRST, SECOND)] });
    const names = [nameOf(FIRST), nameOf(SECOND)];
    expect(await look()).toEqual({
      fingerprint: names[1],
      former: [names[0]],
      pins: names,
      news: 'followed',
    });
    expect(pinned()).toEqual([line(FIRST), line(SECOND)]);
    expect((await look()).news).toBeNull();
    // After the overlap.
    Object.assign(said, { handovers: [] });
    expect(await look()).toMatchObject({ fingerprint: names[1], former: [], news: null });
  });

  test.each<[string, SoftwareKey, () => string[]]>([
    ['alone', FIRST, () => []],
    ['with a handover to a key of a thief', EVIL, () => [handover(FIRST, EVIL)]],
    [
      'with the genuine handover, then one of a thief',
      EVIL,
      () => [handover(FIRST, SECOND), handover(FIRST, EVIL)],
    ],
  ])('never goes back to a key that it has followed away from, shown %s (A22)', async (_, key, handovers) => {
    const { said, pinned, line, look } = await brokerSaying(FIRST);
    await look();
    Object.assign(said, { key: SECOND, handovers: [handover(FIRST, SECOND)] });
    await look();
    Object.assign(said, { key, handovers: handovers() });
    await expect(look()).rejects.toMatchObject({ code: 'broker-changed' });
    expect(pinned()).toEqual([line(FIRST), line(SECOND)]);
  });

  test('follows over two rotations at once', async () => {
    const { said, pinned, line, look } = await brokerSaying(FIRST);
    await look();
    Object.assign(said, { key: THIRD, handovers: [handover(FIRST, SECOND), handover(SECOND, THIRD)] });
    expect(await look()).toMatchObject({ fingerprint: nameOf(THIRD), news: 'followed' });
    expect(pinned()).toEqual([line(FIRST), line(SECOND), line(THIRD)]);
  });

  test.each<[string, () => string[]]>([
    ['no handover', () => []],
    ['a handover that the new key signed itself', () => [handover(FIRST, EVIL, { signer: EVIL })]],
    ['a handover of another key', () => [handover(SECOND, EVIL)]],
    ['the genuine handover to another key', () => [handover(FIRST, SECOND)]],
    ['a chain with a hole', () => [handover(FIRST, SECOND), handover(THIRD, EVIL)]],
    [
      'a chain whose last link it signed itself',
      () => [handover(FIRST, SECOND), handover(SECOND, EVIL, { signer: EVIL })],
    ],
    ['a signature for another verb', () => [handover(FIRST, EVIL, { namespace: 'submit@countersign' })]],
    ['a handover that has ended', () => [handover(FIRST, EVIL, { until: NOW })]],
    ['something that is no handover', () => ['countersign-broker-key 1\n']],
  ])('stays with it where another key shows %s (A22, A23)', async (_, handovers) => {
    const { said, pinned, line, look } = await brokerSaying(FIRST);
    await look();
    Object.assign(said, { key: EVIL, handovers: handovers() });
    await expect(look()).rejects.toEqual(
      expect.objectContaining({ code: expect.stringMatching(/^broker-(changed|reply)$/) }),
    );
    expect(pinned()).toEqual([line(FIRST)]);
  });

  test('says which line pins what, and how to look', async () => {
    const { said, where, look } = await brokerSaying(FIRST);
    await look();
    said.key = EVIL;
    await expect(look()).rejects.toMatchObject({
      hint: expect.stringMatching(/^pinned in line 1 of \S+known_brokers\. Compare with .*broker key show/),
    });
    expect(where.config).not.toBe('');
  });

  test('takes the former keys along at first use, and later none from before its own', async () => {
    const { said, pinned, line, look } = await brokerSaying(SECOND);
    said.handovers = [handover(FIRST, SECOND)];
    expect(await look()).toMatchObject({ former: [nameOf(FIRST)], news: 'pinned' });
    expect(pinned()).toEqual([line(FIRST), line(SECOND)]);
    const other = await brokerSaying(SECOND);
    await other.look();
    other.said.handovers = [handover(EVIL, SECOND)];
    expect(await other.look()).toMatchObject({ former: [], pins: [nameOf(SECOND)], news: null });
  });
});

test('a handover with any byte changed does not verify', () => {
  const text = handover(FIRST, SECOND);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      fc.pre(changed !== text);
      expect(codeOf(() => formerKeys([changed], nameOf(SECOND), NOW))).not.toBeNull();
    }),
  );
});

describe('while the overlap lasts', () => {
  const view = (vouched: string | null) => ({ vouched }) as Parameters<typeof answeringName>[0];
  const broker = {
    fingerprint: nameOf(SECOND),
    former: [nameOf(FIRST)],
    pins: [nameOf(FIRST), nameOf(SECOND)],
  };

  test('what nobody signed is answered under the oldest key in force, which every door pins', () => {
    expect(answeringName(view(null), broker)).toBe(nameOf(FIRST));
    expect(answeringName(view('nonsense'), broker)).toBe(nameOf(FIRST));
    expect(answeringName(view(null), soleName(nameOf(SECOND)))).toBe(nameOf(SECOND));
  });

  test('a signed ask is answered under the key that it names', async () => {
    const real = await TestBroker.start();
    onTestFinished(() => real.stop());
    const old = real.fingerprint;
    await real.call('POST', '/v1/broker/key', { body: { overlap: 600 }, viaSocket: true });
    const names = { fingerprint: real.fingerprint, former: [old], pins: [old, real.fingerprint] };
    for (const name of names.pins) {
      const body = real.hostSubmit(real.document(), { broker: name });
      const { json } = await real.call('POST', '/v1/requests', { body });
      const shown = await real.call('GET', `/v1/requests/${json.id}`, { token: await real.signIn() });
      expect(answeringName(requestViewSchema.parse(shown.json), names)).toBe(name);
    }
  });
});

test('a console lives through a rotation: it looks again, follows, and decides what either key asks', async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker.stop());
  const config = temporaryDirectory();
  const client = new HttpClient(parseAddress(broker.address));
  const where = { data: join(config, 'data'), config, state: config };
  const identify = async () => ({ client, ...(await identifyBroker(client, where, () => broker.now)) });
  const { bob } = broker.keys;
  const connection = await connectQueue({
    broker: await identify(),
    identify,
    lookForKey: async () => {},
    signerWith: () => ({
      publicKey: parsePublicKeyLine(bob.line),
      sign: async (namespace, text) => signInSoftware(bob, text, { namespace }),
    }),
    terminal: undefined,
    open: webSocketStream(client),
    clock: { ...systemClock, now: () => broker.now },
    random: () => 0,
    config,
    invitation: [],
  });
  onTestFinished(() => {
    connection.close();
    client.close();
  });
  const shows = (is: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!is()) return;
        stop();
        resolve();
      };
      const stop = connection.subscribe(look);
      look();
    });
  const isLive = (): boolean => connection.queue().link.state === 'live';
  await shows(isLive);
  const old = broker.fingerprint;
  const asked = await broker.submit();
  await broker.call('POST', '/v1/broker/key', { body: { overlap: 600 }, viaSocket: true });
  await shows(() => isLive() && connection.fingerprint === broker.fingerprint);
  expect(connection.pins).toEqual([old, broker.fingerprint]);
  const later = await broker.submit();
  for (const { json } of [asked, later]) {
    await shows(() => connection.queue().requests.has(json.id));
    const request = connection.queue().requests.get(json.id);
    if (request === undefined) throw new Error('the request is not shown');
    await connection.decide(request, { verdict: 'approve', comment: '', code: null }, (work) => work());
    await shows(() => connection.queue().requests.get(json.id)?.state === 'approved');
  }
});
