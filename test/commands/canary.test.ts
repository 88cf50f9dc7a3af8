import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const bob = new User();
const host = new User({ COUNTERSIGN_DIR: bob.data });
let key = '';

beforeAll(async () => {
  await bob.up();
  key = host.makeKey('id_ed25519');
  await bob.must(
    ...['submitter', 'add', 'host-db-1', '--key', `${key}.pub`, '--action', 'ssh.*', '--resource', '*'],
    ...['--door', '*', '--requester', '*', '--canaries'],
  );
});
afterAll(async () => {
  await host.remove();
  await bob.remove();
});

const canary = (resource: string, ...more: string[]) =>
  host.start([
    ...['canary', 'ssh.login', '--resource', resource, '--door', 'host:db-1', '--requester', 'alice'],
    ...['--submitter', 'host-db-1', '--key', key, ...more],
  ]);

async function pending(resource: string) {
  const { requests } = JSON.parse(await bob.must('list', '--json'));
  return requests.find(({ document }: { document: { resource: string } }) => document.resource === resource);
}

test('a canary looks like any other request, and is revealed once it was denied (A33)', async () => {
  const asking = canary('db-1');
  await asking.says(/waiting/);
  const asked = await pending('db-1');
  expect(JSON.stringify(asked)).not.toMatch(/canary":(?!null)/);
  expect(asked).toMatchObject({ submitter: 'host-db-1', canary: null });
  await bob.must('deny', asked.id, '--yes-i-read-it', asked.digest);
  expect(await asking.ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/caught: denied by \S+\n$/),
  });
  expect((await bob.must('show', asked.id)).toLowerCase()).toContain('canary');
  expect(await bob.must('list', '--filter', 'state:canary')).toContain(asked.id);
});

test('one that is approved is taken back at once, and told as missed (A33)', async () => {
  const asking = canary('db-2', '--json');
  await asking.says(/waiting/);
  const { id, digest } = await pending('db-2');
  await host.run('request', 'ssh.login', '--resource', 'db-2', '--door', 'host:db-1');
  await bob.must('approve', id, '--yes-i-read-it', digest);
  const { code, stdout } = await asking.ended;
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({ id, result: 'missed' });
  expect(JSON.parse(await bob.must('show', id, '--json'))).toMatchObject({ state: 'cancelled' });
  expect(await bob.must('statistics')).toMatch(
    new RegExp(`^canaries: you caught 1 of 2 in 90 days\\nyou approved these; .*\\n${id}  `, 'm'),
  );
  const { canaries } = JSON.parse(await bob.must('statistics', '--json'));
  expect(canaries).toMatchObject({ caught: 1, missed: [{ id }], missedCount: 1 });
});

test('what was killed before it could reveal is revealed by the same question, which asks nobody again', async () => {
  const asking = canary('db-3');
  await asking.says(/waiting/);
  const { id } = await pending('db-3');
  asking.child.kill('SIGKILL');
  await asking.ended;
  const again = canary('db-3');
  await again.says(/waiting/);
  again.child.kill('SIGTERM');
  expect((await again.ended).stdout).toContain(`${id} nobody answered`);
});

test('a submitter without a key has nothing to reveal with', async () => {
  const { code, stderr } = await host.run(
    ...['canary', 'demo.x', '--resource', 'x', '--door', 'demo', '--requester', 'demo'],
  );
  expect(code).toBe(1);
  expect(stderr).toContain('a canary is revealed with the key of its submitter');
});

describe('a submitter that is not enrolled for canaries asks none', () => {
  let other = '';
  beforeAll(async () => {
    other = host.makeKey('id_ecdsa');
    await bob.must(
      ...['submitter', 'add', 'host-db-9', '--key', `${other}.pub`, '--action', 'ssh.*', '--resource', '*'],
      ...['--door', '*', '--requester', '*'],
    );
  });
  const refused = {
    code: 1,
    stderr: expect.stringContaining('the submitter host-db-9 is not enrolled to ask canaries'),
  };
  const ask = async (resource: string) => {
    const asking = host.start([
      ...['canary', 'ssh.login', '--resource', resource, '--door', 'host:db-9', '--requester', 'alice'],
      ...['--submitter', 'host-db-9', '--key', other],
    ]);
    await asking.says(/waiting/);
    return { asking, ...(await pending(resource)) };
  };

  test('its request is taken back', async () => {
    const { asking, id } = await ask('db-9');
    asking.child.kill('SIGINT');
    expect(await asking.ended).toMatchObject(refused);
    expect(JSON.parse(await bob.must('show', id, '--json'))).toMatchObject({
      state: 'cancelled',
      canary: null,
    });
  });

  test('an approval of it is used up, and nothing opened with it', async () => {
    const { asking, id, digest } = await ask('db-10');
    await bob.must('approve', id, '--yes-i-read-it', digest);
    expect(await asking.ended).toMatchObject(refused);
    expect(JSON.parse(await bob.must('show', id, '--json'))).toMatchObject({
      state: 'redeemed',
      report: { outcome: 'refused', code: 'canaries-not-allowed' },
    });
  });
});
