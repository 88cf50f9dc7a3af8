import { expect, test } from 'vitest';
import { interruptible } from '../../src/commands/interrupt.js';

test('a signal stops what follows, even where the work is over by then', async () => {
  const waited = await interruptible(async () => {
    process.emit('SIGINT', 'SIGINT');
    return 'approved';
  });
  expect(waited).toEqual({ interrupted: 'SIGINT' });
});

test('a signal aborts the work; without one its result counts, and so does its failure', async () => {
  const aborted = await interruptible(async (signal) => {
    process.emit('SIGTERM', 'SIGTERM');
    signal.throwIfAborted();
  });
  expect(aborted).toEqual({ interrupted: 'SIGTERM' });
  expect(await interruptible(async () => 7)).toEqual({ interrupted: null, result: 7 });
  await expect(interruptible(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
});
