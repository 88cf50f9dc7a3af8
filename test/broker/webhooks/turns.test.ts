import { expect, test } from 'vitest';
import { Turns } from '../../../broker/webhooks/turns.js';

const NEVER = new AbortController().signal;

/** Work that ends when the test says so. */
function works(turns: Turns) {
  const running: { readonly holder: string; readonly end: () => void }[] = [];
  const begin = (holder: string, late = NEVER): Promise<string> =>
    turns.take(
      holder,
      late,
      () => new Promise((resolve) => running.push({ holder, end: () => resolve(`of ${holder}`) })),
    );
  return { running, begin, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

test('A32: one holder runs four at once, others beside him, and the rest in their order', async () => {
  const { running, begin, settle } = works(new Turns());
  const flood = Array.from({ length: 6 }, () => begin('flood'));
  const other = begin('other');
  await settle();
  expect(running.map(({ holder }) => holder)).toEqual(['flood', 'flood', 'flood', 'flood', 'other']);
  for (const { end } of running) end();
  await settle();
  expect(running).toHaveLength(7);
  for (const { end } of running) end();
  expect(await Promise.all([...flood, other])).toEqual([...Array(6).fill('of flood'), 'of other']);
});

test('no more than 64 run in all', async () => {
  const { running, begin, settle } = works(new Turns());
  const all = Array.from({ length: 70 }, (_, index) => begin(`holder ${index}`));
  await settle();
  expect(running).toHaveLength(64);
  running[0]?.end();
  await settle();
  expect(running).toHaveLength(65);
  while (running.some(Boolean)) {
    for (const { end } of running.splice(0)) end();
    await settle();
  }
  expect(await Promise.all(all)).toHaveLength(70);
});

test('what waits too long gives up, and its place goes to the next', async () => {
  const { running, begin, settle } = works(new Turns());
  const late = new AbortController();
  const flood = Array.from({ length: 4 }, () => begin('flood'));
  const waiting = begin('flood', late.signal);
  const last = begin('flood');
  late.abort(new Error('late'));
  await expect(waiting).rejects.toThrow('late');
  await expect(begin('flood', late.signal)).rejects.toThrow('late');
  for (const { end } of running) end();
  await Promise.all(flood);
  await settle();
  running.at(-1)?.end();
  expect(await last).toBe('of flood');
});

test('work that fails gives its place back', async () => {
  const turns = new Turns();
  for (let count = 0; count < 10; count += 1) {
    await expect(turns.take('one', NEVER, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  }
});
