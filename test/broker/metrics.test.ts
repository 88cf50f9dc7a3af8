import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { TestBroker } from './test-broker.js';

test('the table of metrics in the README is what the broker exposes', async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker.stop());
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const { text } = await broker.call('GET', '/metrics', { viaSocket: true });
  const documented = [...readme.matchAll(/^\| `(countersign_\w+)` \| (\w+) \|/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const exposed = [...text.matchAll(/^# TYPE (countersign_\w+) (\w+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  expect(documented.length).toBeGreaterThan(0);
  expect(documented.sort()).toEqual(exposed.sort());
});

test('every metric says what it is, and has a value at the start', async () => {
  const broker = await TestBroker.start();
  onTestFinished(() => broker.stop());
  broker.senders = [{ sink: 'webhook:siem', wants: () => true, send: async () => ({ outcome: 'taken' }) }];
  await broker.restart();
  const { text } = await broker.call('GET', '/metrics', { viaSocket: true });
  for (const [, name] of text.matchAll(/^# TYPE (countersign_\w+) gauge$/gm)) {
    expect(text).toMatch(new RegExp(`^# HELP ${name} .+$`, 'm'));
    expect(text).toMatch(new RegExp(`^${name}(\\{sink="webhook:siem"\\})? \\d+$`, 'm'));
  }
});
