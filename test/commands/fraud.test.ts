import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLI, User } from './program.js';
import { answerOnTerminal } from './real-terminal.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const bob = new User();
const carol = new User({ COUNTERSIGN_DIR: bob.data });
const alice = new User({ COUNTERSIGN_DIR: bob.data });
const policy = join(bob.home, 'policy.yaml');
const token = join(alice.home, 'token');

beforeAll(async () => {
  writeFileSync(
    policy,
    `version: 1
rules:
  - name: deploys
    when: action == "ci.deploy"
    approvals: { people: 1 }
    work: { longest: 1h }
    grants: yes
`,
    { mode: 0o600 },
  );
  await bob.up('--policy', policy);
  // While there is one approver, the owner enrols alone.
  const ci = ['ci', '--token', '--action', 'ci.*', '--resource', '*', '--door', 'ci', '--requester', '*'];
  writeFileSync(token, await bob.must('submitter', 'add', ...ci), { mode: 0o600 });
  await bob.must('roster', 'add', 'carol', '--key', `${carol.makeKey('id_ed25519')}.pub`);
});
afterAll(async () => {
  await carol.remove();
  await alice.remove();
  await bob.remove();
});

const ask = (resource: string, requester = 'alice', ...args: string[]) =>
  alice.run(
    ...['request', 'ci.deploy', '--resource', resource, '--door', 'ci', '--requester', requester],
    ...['--token-file', token, ...args],
  );
const digestOf = async (id: string): Promise<string> =>
  JSON.parse(await bob.must('show', id, '--json')).digest;
/** Alice is nobody of the roster, so one more has to sign than the rule says. */
async function approve(id: string, ...args: string[]): Promise<void> {
  const read = ['--yes-i-read-it', await digestOf(id)];
  await bob.must('approve', id, ...read, ...args);
  await carol.must('approve', id, ...read, ...args);
}

test('a deny as fraud locks the requester until another approver unlocks, and ends a live grant (A31)', async () => {
  const timed = ['--duration', '10m', '--wait'];
  const granted = (await ask('shop', 'alice', '--duration', '10m')).stdout.trim();
  await approve(granted, '--grant', '--for', '5m');
  expect(await ask('shop', 'alice', ...timed)).toMatchObject({ code: 0 });
  // Under the grant nobody is asked.
  expect(await ask('shop', 'alice', ...timed)).toMatchObject({ code: 0 });

  const bombed = (await ask('vault')).stdout.trim();
  const denied = await bob.must(
    ...['deny', bombed, '--yes-i-read-it', await digestOf(bombed)],
    ...['--fraud', '--comment', 'she is on holiday'],
  );
  expect(denied).toContain('locked alice: asks in this name are refused until: countersign unlock alice');
  for (const refused of [await ask('vault', 'alice', '--wait'), await ask('shop', 'alice', ...timed)]) {
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/called a request of alice a fraud\nhint: .*countersign unlock alice/),
    });
  }
  expect(JSON.parse(await bob.must('show', granted, '--json')).state).toBe('revoked');
  expect((await ask('vault', 'dave')).code).toBe(0);
  expect(JSON.parse(await carol.must('locks', '--json'))).toMatchObject({
    locks: [{ requester: 'alice', request: bombed, comment: 'fraud: she is on holiday' }],
  });

  expect(await carol.run('unlock', 'alice')).toMatchObject({ code: 1, stdout: '' });
  const unlock = `exec '${process.execPath}' '${CLI}' unlock alice`;
  const unlocked = await answerOnTerminal(unlock, 'called her\r', carol.env, 'it is signed and kept: ');
  expect(unlocked).toMatchObject({ code: 0, shown: expect.stringMatching(/unlocked alice\n$/) });
  expect(await bob.must('locks')).toBe('nobody is locked or muted\n');
  const again = (await ask('shop', 'alice', '--duration', '10m')).stdout.trim();
  // The grant does not come back.
  expect(JSON.parse(await bob.must('show', again, '--json')).state).toBe('pending');
  await approve(again);
  expect(await alice.run('wait', again)).toMatchObject({ code: 0 });
});
