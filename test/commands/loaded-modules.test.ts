import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { describeWith } from '../e2e/tools.js';
import { CLI, start, User } from './program.js';
import { answerOnTerminal } from './real-terminal.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const root = fileURLToPath(new URL('../..', import.meta.url));
const chunks = join(dirname(dirname(CLI)), 'chunks');
const recorder = new URL('./record-modules.mjs', import.meta.url).pathname;
const user = new User();
const recording = { NODE_OPTIONS: `--import=${recorder}` };
let serial = 0;

interface Loaded {
  readonly code: number | null;
  /** Absolute paths; nothing of Node itself. */
  readonly files: readonly string[];
  /** What is in them, by its path in this clone. */
  readonly modules: readonly string[];
}

/** Has the program run and returns what it loaded. */
async function loadedBy(
  run: (env: Readonly<Record<string, string>>) => Promise<{ readonly code: number | null }>,
): Promise<Loaded> {
  serial += 1;
  const records = join(user.home, `records-${serial}`);
  mkdirSync(records);
  const { code } = await run({ ...user.env, ...recording, RECORDS: records });
  const urls = readdirSync(records).flatMap((name) => readFileSync(join(records, name), 'utf8').split('\n'));
  const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
  return { code, files, modules: files.flatMap(modulesIn) };
}

/** Opens the console on a terminal of a usual size, and leaves it once its picture is live. */
const visitConsole = (env: Readonly<Record<string, string>>) =>
  answerOnTerminal(
    `stty columns 100 rows 30; exec '${process.execPath}' '${CLI}' console`,
    'q',
    { ...env, LANG: 'C.UTF-8' },
    '● live',
  );

/** Above each module that is put into a file stands which one it is. */
const modulesIn = (file: string): string[] => [
  relative(root, file),
  ...[...readFileSync(file, 'utf8').matchAll(/^\/\/ ((?:build|node_modules)\/.+)$/gm)].map(
    ([, path = '']) => path,
  ),
];

/** A file and all that comes with it: what it imports before it runs. */
function withImports(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export) (?:.*from )?"\.\/(.+)";$/gm,
  ))
    withImports(join(chunks, name), found);
  return found;
}

/** What draws. What turns hostile text into safe text draws nothing. */
const DRAWING = /^node_modules\/(?:ink|react|yoga-layout)\/|^build\/components\/(?!text\/)/;
const drawing = (modules: readonly string[]) => modules.filter((path) => DRAWING.test(path));

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
  const { code, modules } = await loadedBy(
    (env) => start(process.execPath, [CLI, ...args.filter((word) => word !== undefined)], { env }).ended,
  );
  expect(code).toBe(args[0] === 'console' ? 1 : 0);
  expect(modules).toContain('build/src/commands/main.js');
  expect(drawing(modules)).toEqual([]);
});

test('no verb loads anything to draw with before it is run', () => {
  const verbs = readdirSync(chunks)
    .map((name) => join(chunks, name))
    .filter((file) => modulesIn(file).some((path) => path.startsWith('build/src/commands/')));
  const loaded = verbs.flatMap((file) => [...withImports(file)].flatMap(modulesIn));
  expect(loaded).toContain('build/src/commands/console.js');
  expect(loaded).toContain('build/src/client/stream-client.js');
  expect(drawing(loaded)).toEqual([]);
});

describeWith(['script'], 'the console, on a terminal', () => {
  /** What the broker needs, or a verb, or a person who cannot see: none of it before the first picture. */
  const NEEDLESS =
    /^build\/(?:broker|src\/door)\/|^build\/components\/spoken\/spoken-|^node_modules\/(?:fastify|better-sqlite3|@bufbuild\/cel|@peculiar\/x509|reflect-metadata|jose|pino|prom-client|ulid|yaml)\//;
  let loaded: Loaded;
  beforeAll(async () => {
    loaded = await loadedBy(visitConsole);
  });

  test('loads what draws, and shows the queue', () => {
    expect(loaded.code).toBe(0);
    expect(loaded.modules).toContain('build/components/screen/console-app.js');
    expect(drawing(loaded.modules).length).toBeGreaterThan(100);
  });

  test('loads nothing that another program or screen needs', () => {
    expect(loaded.modules.filter((path) => NEEDLESS.test(path))).toEqual([]);
  });

  test('loads few files: each of them delays the first picture', () => {
    expect(loaded.files.length).toBeLessThan(150);
  });
});
