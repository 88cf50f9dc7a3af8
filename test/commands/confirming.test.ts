import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLI, User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** `approve` and `deny` on a real terminal, which script(1) makes. */
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

/** Runs a verb on a terminal and types `answer` once it asks. */
function onTerminal(
  verb: string,
  id: string,
  answer: string,
): Promise<{ code: number | null; shown: string }> {
  const line = `exec '${process.execPath}' '${CLI}' ${verb} ${id}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm', ...user.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let isAnswered = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    if (isAnswered || !shown.includes('anything else stops: ')) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, shown: shown.replaceAll('\r\n', '\n') }));
  });
}

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
