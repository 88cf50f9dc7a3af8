import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const bob = new User();
const carol = new User({ COUNTERSIGN_DIR: bob.data });

beforeAll(async () => {
  await bob.up();
  await bob.must('roster', 'add', 'carol', '--key', `${carol.makeKey('id_ed25519')}.pub`);
});
afterAll(async () => {
  await carol.remove();
  await bob.remove();
});

const ask = async (): Promise<string> =>
  (await bob.must('request', 'demo.hello', '--resource', 'demo')).trim();

test('what one approver says of a request the other one reads, with tricks made visible and the word that nobody signed', async () => {
  const id = await ask();
  expect(await carol.must('comment', id, 'wait, I am calling \u202eher\nname-of-nobody')).toBe(
    `commented on ${id}, for the other approvers; not signed\n`,
  );
  const shown = await bob.must('show', id);
  expect(shown).toMatch(
    /^comment {4}by carol \S+ .*, not signed: "wait, I am calling ⟨U\+202E⟩her⟨LF⟩name-of-nobody"$/m,
  );
  const { comments } = JSON.parse(await bob.must('comment', id, 'fine', '--json'));
  expect(comments).toMatchObject([{ by: 'carol' }, { text: 'fine' }]);
  expect(await bob.must('audit', 'show', id)).toContain('carol says to the other approvers: wait');
});

test('everybody is rung once a minute, and who is too early is told what to do', async () => {
  const id = await ask();
  expect(await carol.must('escalate', id)).toBe(`everybody who could sign ${id} is being rung\n`);
  expect(await carol.run('escalate', id)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^countersign: error: carol has had everybody rung just now\nhint: .*wait a minute/,
    ),
  });
  expect(await bob.must('show', id)).toMatch(/^escalated {2}by carol \S+ .*: everybody was rung$/m);
});

test.each([
  ['comment', 'not-an-id', 'x'],
  ['comment', '01KG8J0PX0ABCDEF0000000001', ' '],
  ['comment', '01KG8J0PX0ABCDEF0000000001', 'x'.repeat(1025)],
  ['escalate', 'not-an-id'],
])('%s %s is refused before anybody is asked', async (...args) => {
  expect(await carol.run(...args)).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^countersign: error: /),
  });
});

test('what is said of a request that nobody knows is an error', async () => {
  const refused = await carol.run('comment', '01KG8J0PX0ABCDEF0000000001', 'x');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no such request') });
});
