import { afterEach, beforeEach, expect, test } from 'vitest';
import { Console } from '../stream/console.js';
import { newClaim, TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
});
afterEach(() => broker.stop());

const TEXT = { accept: 'text/plain' };
const unattended = async (): Promise<string> => {
  const { text } = await broker.call('GET', '/metrics', { viaSocket: true });
  return /^countersign_pending_unattended (\d+)$/m.exec(text)?.[1] ?? 'none';
};

test('an asker is told when nobody has a console open, in JSON and in text', async () => {
  const bound = broker.document();
  const asked = await broker.submit(bound);
  expect(asked.json.attention).toBe('unattended');
  const joined = await broker.call('POST', '/v1/requests', { body: broker.hostSubmit(bound), headers: TEXT });
  expect(joined.text).toContain('\ncode: unattended\n');
  expect(joined.text).toMatch(/\nhint: nobody who could approve has a console open, and nobody is notified/);
  expect(await unattended()).toBe('1');
});

test('an open console of somebody who could sign ends that, and its leaving brings it back', async () => {
  const bound = broker.document();
  const { id, watch } = (await broker.submit(bound)).json;
  const redeem = () =>
    broker.call('POST', `/v1/requests/${id}/redeem`, { token: watch, body: { claim: newClaim() } });
  const console = await Console.open(broker);
  expect((await redeem()).json).toMatchObject({ status: { state: 'pending' }, attention: 'attended' });
  expect(await unattended()).toBe('0');
  console.close();
  while ((await unattended()) !== '1');
  expect((await redeem()).json.attention).toBe('unattended');
});

test('a program that only reads along is nobody who could answer: others are woken', async () => {
  const program = await Console.open(broker, '?presence=0');
  await program.next('snapshot');
  expect((await broker.submit()).json.attention).toBe('unattended');
  expect(await unattended()).toBe('1');
  const console = await Console.open(broker);
  await console.next('snapshot');
  expect(await unattended()).toBe('0');
});

test('the console of the requester, under whatever name, is nobody’s (A8)', async () => {
  await Console.open(broker, '', {}, await broker.signIn(broker.keys.alice, 'alice'));
  expect((await broker.submit()).json.attention).toBe('unattended');
  expect((await broker.submit(broker.document({ requester: 'alice@example.com' }))).json.attention).toBe(
    'unattended',
  );
  expect((await broker.submit(broker.document({ requester: 'bob' }))).json.attention).toBe('attended');
});

test('nothing is said of a request that has ended', async () => {
  const bound = broker.document();
  const { id, watch } = (await broker.submit(bound)).json;
  await broker.decide(id, bound, { verdict: 'deny' });
  const { json } = await broker.call('GET', `/v1/requests/${id}`, { token: watch });
  expect(json).toMatchObject({ status: { state: 'denied' }, attention: null });
  const { text } = await broker.call('GET', `/v1/requests/${id}`, { token: watch, headers: TEXT });
  expect(text).toContain('\ncode: -\n');
  expect(text).toContain('\nhint: denied by bob\n');
});
