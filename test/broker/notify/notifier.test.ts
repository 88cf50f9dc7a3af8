import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pauseBefore } from '../../../broker/outbox/backoff.js';
import { Console } from '../stream/console.js';
import { NOON, TestBroker } from '../test-broker.js';

let broker: TestBroker;
beforeEach(async () => {
  broker = await TestBroker.start();
  setStatus(0);
  broker.notifyCommand = join(broker.directory, 'notify');
  writeFileSync(
    broker.notifyCommand,
    `#!/bin/sh
printf '%s %s %s ' "$COUNTERSIGN_ID" "$COUNTERSIGN_ATTEMPT" "$COUNTERSIGN_ANSWER_BY" >> ${broker.directory}/told
cat >> ${broker.directory}/told
exit "$(cat ${broker.directory}/status)"
`,
  );
  chmodSync(broker.notifyCommand, 0o700);
  await broker.restart();
});
afterEach(() => broker.stop());

const setStatus = (status: number): void => writeFileSync(join(broker.directory, 'status'), `${status}`);
const told = (): string[] => {
  const file = join(broker.directory, 'told');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};
async function metric(name: string): Promise<string> {
  const { text } = await broker.call('GET', '/metrics', { viaSocket: true });
  return (
    text
      .split('\n')
      .find((line) => line.startsWith(`countersign_${name} `))
      ?.split(' ')[1] ?? 'none'
  );
}
/** Until so many runs have ended this way since the start of the broker. */
async function ran(outcome: 'sent' | 'failed', times: number): Promise<void> {
  while ((await metric(`notifications_total{outcome="${outcome}"}`)) !== String(times));
}
const waiting = () => metric('notifications_waiting');
const notification = async () =>
  (await broker.call('GET', '/v1/status', { viaSocket: true })).json.notification;

test('a request that nobody looks at is told at once, once, with its whole document', async () => {
  const bound = broker.document();
  const { id, attention } = (await broker.submit(bound)).json;
  expect(attention).toBe('notified');
  await ran('sent', 1);
  expect(told()).toEqual([`${id} 1 2026-01-31T12:05:00Z ${bound.canonical}`]);
  broker.pass(200);
  await broker.submit(bound);
  expect([await waiting(), told().length]).toEqual(['0', 1]);
});

test('one that somebody looks at is told after half a minute without an answer', async () => {
  await Console.open(broker);
  const answered = broker.document();
  const first = (await broker.submit(answered)).json;
  const second = (await broker.submit()).json;
  expect([first.attention, await waiting()]).toEqual(['attended', '2']);
  broker.pass(29);
  await broker.decide(first.id, answered);
  while ((await waiting()) !== '1');
  expect(told()).toEqual([]);
  broker.pass(1);
  await ran('sent', 1);
  expect(told().map((line) => line.split(' ')[0])).toEqual([second.id]);
});

test('what failed is tried again, later each time, and askers and operators are told', async () => {
  setStatus(7);
  const { id } = (await broker.submit()).json;
  await ran('failed', 1);
  expect(await metric('notifications_failing')).toBe('1');
  expect(await notification()).toEqual({ waiting: 1, failing: 'exit status 7' });
  expect((await broker.submit(broker.document({ requester: 'bob' }))).json.attention).toBe('unattended');
  await ran('failed', 2);
  broker.pass(2);
  expect(await metric('notifications_total{outcome="failed"}')).toBe('2');
  setStatus(0);
  broker.pass(4);
  await ran('sent', 2);
  expect(
    told()
      .filter((line) => line.startsWith(id))
      .map((line) => line.split(' ')[1]),
  ).toEqual(['1', '2']);
  expect(await notification()).toEqual({ waiting: 0, failing: null });
});

test('the pauses double to a minute, and spread', () => {
  expect([1, 2, 3, 4, 5, 50].map((attempts) => pauseBefore(attempts, 0, 60_000))).toEqual([
    5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  expect(pauseBefore(1, 0.99, 60_000)).toBeGreaterThanOrEqual(3_750);
});

test('a request that has ended is told to nobody any more', async () => {
  setStatus(1);
  const bound = broker.document();
  const { id } = (await broker.submit(bound)).json;
  await ran('failed', 1);
  await broker.decide(id, bound, { verdict: 'deny' });
  while ((await waiting()) !== '0');
  broker.pass(100);
  expect(told()).toHaveLength(1);
  await broker.restart();
  expect(await waiting()).toBe('0');
});

test('what was not told when the broker stopped is told after its start', async () => {
  setStatus(1);
  const { id } = (await broker.submit()).json;
  await ran('failed', 1);
  setStatus(0);
  await broker.restart();
  expect(await waiting()).toBe('1');
  broker.pass(6);
  await ran('sent', 1);
  expect(told().map((line) => line.slice(0, 28))).toEqual([`${id} 1`, `${id} 2`]);
});

test('a flood of equal asks is told once, and a flood of others a few times a minute, then in one (A31, A32)', async () => {
  for (let more = 0; more < 10; more += 1) await broker.submit();
  await ran('sent', 1);
  broker.pass(5);
  while ((await waiting()) !== '0');
  for (let more = 0; more < 39; more += 1) await broker.submit(broker.document({ resource: `db-${more}` }));
  await ran('sent', 3);
  await broker.submit(broker.document({ requester: 'bob', resource: 'db-1' }));
  await ran('sent', 4);
  while ((await waiting()) !== '37');
  broker.pass(50);
  expect(await waiting()).toBe('37');
  broker.pass(10);
  await ran('sent', 5);
  while ((await waiting()) !== '0');
  expect(told()).toHaveLength(5);
});

test('a command that is no program keeps the broker from starting, and one less is forgotten', async () => {
  setStatus(1);
  await broker.submit();
  await ran('failed', 1);
  const command = broker.notifyCommand;
  broker.notifyCommand = join(broker.directory, 'none');
  await expect(broker.restart()).rejects.toMatchObject({ code: 'usage' });
  broker.notifyCommand = null;
  await broker.restart();
  expect(await notification()).toBeNull();
  broker.notifyCommand = command;
  await broker.restart();
  expect(await waiting()).toBe('0');
  expect(broker.now).toBe(NOON);
});
