import { expect, test, vi } from 'vitest';
import { InMemoryQueue } from './in-memory-queue.js';
import { sampleRequest } from './sample-requests.js';
import { TerminalScreen } from './terminal-screen.js';

vi.hoisted(() => {
  process.env.NO_COLOR = '1';
  process.env.FORCE_COLOR = '3';
});

test('NO_COLOR leaves every word and symbol, and no colour', async () => {
  const screen = new TerminalScreen(new InMemoryQueue([sampleRequest()]), {
    display: { zone: 'UTC', profile: { name: 'production', colour: 'red' } },
  });
  const shown = await screen.waitForContent('● waiting');
  expect(shown).toContain(' ▸ 3m 00s');
  expect(shown).toContain('countersign [production]  bob at');
  await screen.leave();
  expect(screen.written).not.toMatch(/\u001b\[[\d;]*m/);
});
