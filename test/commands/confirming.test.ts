import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLI, User } from './program.js';
import { answerOnTerminal } from './real-terminal.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** `approve` and `deny` on a real terminal. */
const user = new User();
let serial = 0;

beforeAll(() => user.up());
afterAll(() => user.remove());

async function asked(): Promise<{ id: string; digest: string }> {
  serial += 1;
  const id = (await user.must('request', 'demo.hello', '--resource', `thing-${serial}`)).trim();
  const { digest } = JSON.parse(await user.must('show', id, '--json'));
  return { id, digest };
}

const stateOf = async (id: string): Promise<string> =>
  JSON.parse(await user.must('show', id, '--json')).state;

const onTerminal = (verb: string, id: string, answer: string) =>
  answerOnTerminal(`exec '${process.execPath}' '${CLI}' ${verb} ${id}`, answer, user.env);

test.each(['approve', 'deny'] as const)(
  '%s shows the whole request, then takes the start of its digest',
  async (verb) => {
    const { id, digest } = await asked();
    const { code, shown } = await onTerminal(verb, id, `${digest.slice(7, 13)}\r`);
    expect(code).toBe(0);
    expect(shown).toContain(`thing-${serial}`);
    expect(shown).toContain(`digest     ${digest}`);
    expect(await stateOf(id)).toBe(verb === 'approve' ? 'approved' : 'denied');
  },
);

test.each([
  ['y', 'y\r'],
  ['nothing but Enter (A34)', '\r'],
  ['too little of it', 'DIGEST-5\r'],
  ['end of input', '\u0004'],
  ['Ctrl-C', '\u0003'],
])('%s signs nothing', async (_what, answer) => {
  const { id, digest } = await asked();
  const { code, shown } = await onTerminal('approve', id, answer.replace('DIGEST-5', digest.slice(7, 12)));
  expect(code).toBe(1);
  expect(shown).toContain('nothing was signed');
  expect(await stateOf(id)).toBe('pending');
});
