import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const user = new User();
beforeAll(() => user.up());
afterAll(() => user.remove());

const ask = async (resource: string): Promise<string> =>
  (await user.must('request', 'demo.hello', '--resource', resource)).trim();
const view = async (id: string) => JSON.parse(await user.must('show', id, '--json'));

test('deny --all-of signs a no to each of them, once it is said how many they are', async () => {
  const ids = [await ask('one'), await ask('two'), await ask('three')];
  const { document, submitter } = await view(ids[0] ?? '');
  const all = (what: string, ...args: string[]) => user.run('deny', '--all-of', what, ...args);

  const unsaid = await all(`submitter:${submitter}`);
  expect(unsaid).toMatchObject({ code: 1 });
  expect(unsaid.stderr).toContain('give --count 3; nothing was signed');
  for (const id of ids) expect(unsaid.stderr).toContain(id);
  expect(await all(`requester:${document.requester}`, '--count', '2')).toMatchObject({ code: 1 });
  expect(await all('everybody', '--count', '3')).toMatchObject({ code: 1 });
  for (const id of ids) expect((await view(id)).state).toBe('pending');

  const one = await all(`equal:${ids[1]}`, '--count', '1', '--comment', 'a loop');
  expect(one).toMatchObject({ code: 0, stdout: 'denied 1 of 1\n' });
  const rest = await all(`requester:${document.requester}`, '--count', '2', '--json');
  expect(JSON.parse(rest.stdout)).toEqual({ denied: [ids[0], ids[2]] });
  const ended = await Promise.all(ids.map(view));
  expect(ended.map(({ state }) => state)).toEqual(['denied', 'denied', 'denied']);
  expect(ended.map(({ votes }) => votes[0].comment)).toEqual(['', 'a loop', '']);
  expect(await all(`submitter:${submitter}`, '--count', '3')).toMatchObject({ code: 1 });
});

test('deny without a request says what is missing, and --all-of goes with neither ID nor --fraud', async () => {
  const id = await ask('four');
  for (const args of [
    [],
    [id, '--all-of', 'requester:x'],
    ['--all-of', 'requester:x', '--fraud'],
    [id, '--count', '1'],
  ]) {
    expect(await user.run('deny', ...args, '--yes-i-read-it', 'x')).toMatchObject({ code: 1, stdout: '' });
  }
});
