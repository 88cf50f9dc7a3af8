import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { User } from '../program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const bob = new User();
const file = join(bob.home, 'audit.jsonl');

beforeAll(async () => {
  await bob.up();
  await bob.must('request', 'demo.deploy', '--resource', 'shop');
});
afterAll(() => bob.remove());

test('a real log is exported, verified as a file and in place, and gone on with (A49)', async () => {
  await bob.must('audit', 'export', file);
  const first = JSON.parse(await bob.must('audit', 'verify', file, '--json'));
  expect(first).toMatchObject({ good: true, bad: null, after: 0, unchecked: [] });
  const live = JSON.parse(await bob.must('audit', 'verify', bob.data, '--json'));
  expect(live).toMatchObject({ good: true, kind: 'database' });
  expect(live.entries).toBeGreaterThanOrEqual(first.entries);
  await bob.must('request', 'demo.deploy', '--resource', 'stock');
  const { stderr } = await bob.run('audit', 'export', file);
  expect(stderr).toMatch(/wrote [1-9]\d* entr(y|ies) to /);
  const next = await bob.must('audit', 'verify', file);
  expect(next).toMatch(/result +good/);
});

test('an edited file is bad at that entry, with exit code 1, also beside the other one (A49)', async () => {
  const other = join(bob.home, 'edited.jsonl');
  writeFileSync(other, readFileSync(file, 'utf8').replace('"kind":"broker.key"', '"kind":"broker.kex"'));
  const bad = await bob.run('audit', 'verify', other, '--against', file);
  expect(bad).toMatchObject({ code: 1 });
  const [, seq] = /"seq":(\d+),"at":\d+,"kind":"broker.key"/.exec(readFileSync(file, 'utf8')) ?? [];
  expect(bad.stdout).toMatch(new RegExp(`result +BAD at entry ${seq}: `));
  copyFileSync(file, other);
  appendFileSync(other, '{"seq":');
  expect((await bob.run('audit', 'verify', other)).stdout).toMatch(/BAD at entry \d+: its line was cut off/);
  expect(await bob.run('audit', 'verify', join(bob.home, 'nothing'))).toMatchObject({ code: 1 });
});

test('a selection has what fits, and says that it is one', async () => {
  const part = join(bob.home, 'part.jsonl');
  await bob.must('audit', 'export', part, '--filter', 'resource:stock');
  const text = readFileSync(part, 'utf8');
  expect(text).toContain('stock');
  expect(text).not.toContain('shop');
  expect(JSON.parse(await bob.must('audit', 'verify', part, '--json'))).toMatchObject({
    good: true,
    filter: 'resource:stock',
  });
});
