import { beforeEach, expect, test } from 'vitest';
import type { CommandCall, Sent } from '../../../broker/notify/command.js';
import { CommandGroups } from '../../../broker/policy-file/command-groups.js';
import { NOON } from '../requests/world.js';

const GOOD: Sent = { ok: true, how: 'exit status 0', output: '' };

let now: number;
let groups: CommandGroups;
let told: string[];
/** What the commands print, by path; a function is called at each run. */
let printed: Record<string, string | (() => Promise<string>)>;
let runs: { program: string; args: readonly string[]; group: string | undefined }[];

async function run(program: string, { args = [], variables, onPrinted }: CommandCall): Promise<Sent> {
  runs.push({ program, args, group: variables.COUNTERSIGN_GROUP });
  const text = printed[program];
  if (text === undefined) return { ok: false, how: 'exit status 1', output: 'no schedule\nsecond line' };
  for (const byte of Buffer.from(typeof text === 'string' ? text : await text()))
    onPrinted?.(Buffer.of(byte));
  return GOOD;
}
const members = (group: string): readonly string[] | null => {
  const found = groups.members(group);
  return found === null ? null : [...found];
};
const pass = async (seconds: number): Promise<void> => {
  now += seconds * 1000;
  await groups.tick(now);
};

beforeEach(() => {
  now = NOON;
  told = [];
  runs = [];
  printed = { '/oncall': 'alice\nbob\n' };
  groups = new CommandGroups({
    clock: () => now,
    onChanged: (group, names) => told.push(`${group}: ${names.join(' ')}`),
    onFailed: (group, why) => told.push(`${group} fails: ${why}`),
    run,
  });
  groups.declare([{ name: 'oncall', command: ['/oncall', 'primary'], every: 60 }]);
});

test('has nobody before the first answer, then who was named, and knows no other groups (A12)', async () => {
  expect(members('oncall')).toEqual([]);
  await groups.tick(now);
  expect(members('oncall')).toEqual(['alice', 'bob']);
  expect(members('db')).toBe(null);
  expect(groups.source('oncall')).toBe('/oncall');
  expect(groups.source('db')).toBe(null);
  expect(runs).toEqual([{ program: '/oncall', args: ['primary'], group: 'oncall' }]);
  expect(told).toEqual(['oncall: alice bob']);
});

test('is asked again after its interval, and by nobody who wants to know a member', async () => {
  await groups.tick(now);
  for (let call = 0; call < 10; call += 1) groups.members('oncall');
  await pass(59);
  expect(runs).toHaveLength(1);
  printed['/oncall'] = '# since noon\n\n  carol  \n';
  await pass(1);
  expect(runs).toHaveLength(2);
  expect(members('oncall')).toEqual(['carol']);
  expect(told.at(-1)).toBe('oncall: carol');
  await pass(60);
  expect(told).toHaveLength(2);
});

test('keeps its last good answer for twice its interval while the command fails, then has nobody', async () => {
  await groups.tick(now);
  delete printed['/oncall'];
  await pass(60);
  expect(members('oncall')).toEqual(['alice', 'bob']);
  expect(groups.states()[0]).toMatchObject({ failing: 'exit status 1: no schedule' });
  await pass(59);
  expect(members('oncall')).toEqual(['alice', 'bob']);
  now += 1000;
  expect(members('oncall')).toEqual([]);
  await groups.tick(now);
  expect(told.at(-1)).toBe('oncall: ');
  printed['/oncall'] = 'bob';
  await pass(30);
  expect(members('oncall')).toEqual(['bob']);
  expect(groups.states()[0]).toMatchObject({ failing: null, members: ['bob'], answeredAt: now });
});

test.each([
  ['a name that is none', 'alice\nBob Smith\n', 'line 2 of what it prints is no name'],
  ['a group', 'group:leads\n', 'line 1 of what it prints is no name'],
  ['bytes that are no letters', 'alice\nb\u00f6b\n', 'line 2 of what it prints is no name'],
  ['a NUL', 'ali\0ce\n', 'line 1 of what it prints is no name'],
  ['more than 64 KiB', 'alice\n'.repeat(11_000), 'it prints more than 65536 bytes'],
  [
    'too many names',
    Array.from({ length: 1001 }, (_, index) => `p${index}`).join('\n'),
    'it prints more than 1000 names',
  ],
])('takes nothing of an answer with %s (A12)', async (_, text, why) => {
  printed['/oncall'] = text;
  await groups.tick(now);
  expect(members('oncall')).toEqual([]);
  expect(told).toEqual([`oncall fails: ${why}`]);
});

test('an answer of nobody is an answer', async () => {
  printed['/oncall'] = '\n';
  await groups.tick(now);
  expect(groups.states()[0]).toMatchObject({ failing: null, answeredAt: now, members: [] });
});

test('is asked once at a time, however long it takes', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  printed['/oncall'] = () => promise;
  const first = groups.tick(now);
  void groups.tick(now + 120_000);
  expect(runs).toHaveLength(1);
  resolve('alice');
  await first;
  expect(members('oncall')).toEqual(['alice']);
});

test('a new policy keeps what the same command said, and takes no answer for a command that it replaced', async () => {
  await groups.tick(now);
  const { promise, resolve } = Promise.withResolvers<string>();
  printed['/slow'] = () => promise;
  groups.declare([
    { name: 'oncall', command: ['/oncall', 'primary'], every: 30 },
    { name: 'db', command: ['/slow'], every: 30 },
  ]);
  expect(members('oncall')).toEqual(['alice', 'bob']);
  const slow = groups.tick(now);
  groups.declare([{ name: 'db', command: ['/oncall'], every: 30 }]);
  expect(members('oncall')).toBe(null);
  resolve('mallory');
  await slow;
  expect(members('db')).toEqual([]);
  await groups.tick(now);
  expect(members('db')).toEqual(['alice', 'bob']);
});
