import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLI, start, User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const recorder = new URL('./record-modules.mjs', import.meta.url).pathname;
const user = new User();
const env = { NODE_OPTIONS: `--import=${recorder}` };
let serial = 0;

/** Runs a program and returns the modules that it loaded. */
async function loadedBy(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly modules: string[] }> {
  serial += 1;
  const records = join(user.home, `records-${serial}`);
  mkdirSync(records);
  const { code } = await start(process.execPath, args, { env: { ...user.env, ...env, RECORDS: records } })
    .ended;
  const modules = readdirSync(records).flatMap((name) =>
    readFileSync(join(records, name), 'utf8').split('\n'),
  );
  return { code, modules };
}

const DRAWING = /node_modules\/(?:ink|react|yoga-layout)\/|\/components\/[a-z-]+\.js$/;
/** What turns hostile text into safe text draws nothing. */
const TEXT = /\/components\/(?:safe-text|characters)\.js$/;
const drawing = (modules: readonly string[]) => modules.filter((url) => DRAWING.test(url) && !TEXT.test(url));

beforeAll(() => user.up());
afterAll(() => user.remove());

test.each([
  ['up'],
  ['list'],
  ['status'],
  ['doctor'],
  ['roster', 'list'],
  ['submitter', 'list'],
  ['request', 'demo.hello', '--resource', 'demo'],
  ['console'],
])('%s %s draws nothing here, so it loads nothing to draw with', async (...args) => {
  const { code, modules } = await loadedBy([CLI, ...args.filter((word) => word !== undefined)]);
  expect(code).toBe(args[0] === 'console' ? 1 : 0);
  expect(modules.join()).toContain('/commands/main.js');
  expect(drawing(modules)).toEqual([]);
});

test('no verb loads anything to draw with before it is run', async () => {
  const verbs = new URL('../../dist/src/commands/verbs.js', import.meta.url).href;
  const program = `const { VERBS } = await import('${verbs}'); for (const load of Object.values(VERBS)) await load();`;
  const { code, modules } = await loadedBy(['--input-type=module', '--eval', program]);
  expect(code).toBe(0);
  expect(modules.join()).toContain('/commands/console.js');
  expect(drawing(modules)).toEqual([]);
});

test('what does draw is seen by this test', async () => {
  const screen = new URL('../../dist/components/screen/console-app.js', import.meta.url).href;
  const { code, modules } = await loadedBy(['--input-type=module', '--eval', `await import('${screen}')`]);
  expect(code).toBe(0);
  expect(drawing(modules).length).toBeGreaterThan(2);
});
