import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportSigners } from '../../../src/ssh/roster-export.js';
import { Console } from '../stream/console.js';
import { TestBroker } from '../test-broker.js';

const DOOR = 'host:web-1';
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

/** What the roster exports now, as its owner sees it. */
async function exported(door: string | null): Promise<string> {
  const { json } = await broker.call('GET', '/v1/roster', { viaSocket: true });
  return exportSigners(json.people, door as never);
}

/** Asks as a door that has this signers file. */
const askWith = (signers: string, bound = broker.document()) =>
  broker.call('POST', '/v1/requests', { body: { ...broker.hostSubmit(bound), signers } });

const status = async () =>
  (await broker.call('GET', '/v1/status', { viaSocket: true })).json.doors
    .filter((standing: { outdated: boolean }) => standing.outdated)
    .map(({ door, since }: { door: string; since: string }) => ({ door, since }));
const removeCarol = () => broker.change('roster', { change: 'remove', name: 'carol' });

test('a door with the exported file is up to date, with or without its own first line', async () => {
  expect((await askWith(digestOf(await exported(null)))).status).toBe(201);
  expect(await status()).toEqual([]);
  expect((await askWith(digestOf(await exported(DOOR)))).status).toBe(201);
  expect(await status()).toEqual([]);
});

test('a change of the roster makes its file an old one, until it asks with the new one', async () => {
  const before = digestOf(await exported(DOOR));
  await askWith(before);
  const since = new Date(broker.now).toISOString().replace('.000', '');
  broker.pass(60);
  await removeCarol();
  expect(await status()).toEqual([{ door: DOOR, since }]);
  await askWith(before);
  expect(await status()).toEqual([{ door: DOOR, since }]);
  await askWith(digestOf(await exported(DOOR)));
  expect(await status()).toEqual([]);
});

test('what a door said is known after a restart, also when it only joined a standing request', async () => {
  const bound = broker.document();
  await broker.submit(bound);
  expect((await askWith(digestOf('another file\n'), bound)).status).toBe(200);
  expect(await status()).toMatchObject([{ door: DOOR }]);
  await broker.restart();
  expect(await status()).toMatchObject([{ door: DOOR }]);
});

test('a door that does not say what it has is in no list, and neither is one that nobody may ask for any more', async () => {
  await broker.submit();
  expect(await status()).toEqual([]);
  await askWith(digestOf('another file\n'));
  expect(await status()).toHaveLength(1);
  await broker.change('submitters', { change: 'remove', name: 'host:web-1' });
  expect(await status()).toEqual([]);
});

test('a digest that is none is refused, and a refused ask says nothing about the door', async () => {
  const refused = await askWith('sha256:ABC');
  expect([refused.status, refused.json.code]).toEqual([400, 'malformed-request']);
  const stranger = broker.hostSubmit(broker.document(), { key: broker.keys.stranger });
  await broker.call('POST', '/v1/requests', { body: { ...stranger, signers: digestOf('x') } });
  expect(await status()).toEqual([]);
});

test('consoles are told at the beginning and when it changes, and a metric counts', async () => {
  const console = await Console.open(broker);
  await console.next('snapshot');
  expect(await console.next('doors')).toEqual({ type: 'doors', outdated: [] });
  await askWith(digestOf('another file\n'));
  expect(await console.next('doors')).toMatchObject({ outdated: [{ door: DOOR, since: broker.now }] });
  const { text } = await broker.call('GET', '/metrics', { viaSocket: true });
  expect(text).toContain('\ncountersign_doors_outdated 1\n');
  await askWith(digestOf(await exported(null)));
  expect(await console.next('doors')).toEqual({ type: 'doors', outdated: [] });
});

test('the log keeps with which file a door asked', async () => {
  const signers = digestOf('another file\n');
  await askWith(signers);
  const token = await broker.signIn();
  const { json } = await broker.call('GET', '/v1/events', { token });
  expect(JSON.parse(json.events.at(-1).body)).toMatchObject({ signers });
});
