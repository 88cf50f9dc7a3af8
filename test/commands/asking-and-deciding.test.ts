import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseReceipt } from '../../src/protocol/receipt.js';
import { LocalIssuer } from '../broker/oidc/local-issuer.js';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** One broker for all; alice's home is another one than the approver's. */
const bob = new User();
const alice = new User({ COUNTERSIGN_DIR: bob.data });
let url = '';
let serial = 0;

beforeAll(async () => {
  const up = await bob.up();
  url = (await up.says(/"address":"([^"]+)"/))[1] ?? '';
});
afterAll(async () => {
  await alice.remove();
  await bob.remove();
});

/** A resource that no other test asks for. */
let resource = '';
beforeEach(() => {
  serial += 1;
  resource = `thing-${serial}`;
});

const ask = (...args: string[]) => alice.start(['request', 'demo.hello', '--resource', resource, ...args]);

async function pending(): Promise<{ id: string; digest: string }> {
  const { requests } = JSON.parse(await bob.must('list', '--json'));
  return requests.find(({ document }: { document: { resource: string } }) => document.resource === resource);
}

async function decide(verdict: 'approve' | 'deny'): Promise<void> {
  const { id, digest } = await pending();
  await bob.must(verdict, id, '--yes-i-read-it', digest);
}

const fileKey = async (...line: string[]) => {
  const path = join(alice.home, 'token');
  writeFileSync(path, await bob.must(...line), { mode: 0o600 });
  return path;
};

describe('who asks and waits', () => {
  test('exits with 0 once approved', async () => {
    const asking = ask('--wait');
    const [line = ''] = await asking.says(/an approver can sign with: .*/);
    const { id } = await pending();
    expect(line).toContain(`approve ${id} --dir ${bob.data}`);
    await decide('approve');
    expect(await asking.ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(`^approved ${id} by `),
    });
  });

  test('exits with 2 once denied', async () => {
    const asking = ask('--wait');
    await asking.says(/asked/);
    await decide('deny');
    const { code, stdout, stderr } = await asking.ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/countersign: error: denied by \S+\nhint: an approver said no\n$/);
  });

  test('exits with 3 where nobody answered in time, and the request still stands', async () => {
    const { code, stderr } = await ask('--wait=1').ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(/still pending; wait for it with: .* wait \S{26} --dir/);
    expect(await pending()).toBeDefined();
  });

  test('exits with 4 once cancelled', async () => {
    const asking = ask('--wait');
    const [, id = ''] = await asking.says(/asked (\S{26})/);
    expect(await alice.must('cancel', id)).toBe(`cancelled ${id}\n`);
    expect((await asking.ended).code).toBe(4);
  });

  test('and presses Ctrl-C tells the broker that nobody waits, and ends as that signal ends a program', async () => {
    const asking = ask('--wait');
    const [, id = ''] = await asking.says(/asked (\S{26})(?:.|\n)*waiting for the answer/);
    asking.child.kill('SIGINT');
    const { code, signal, stderr } = await asking.ended;
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' });
    expect(stderr).toContain(`nobody waits for ${id} any more`);
    expect(JSON.parse(await bob.must('show', id, '--json'))).toMatchObject({ state: 'pending', waiting: 0 });
    // The same question again joins it.
    expect((await ask().ended).stdout).toBe(`${id}\n`);
  });

  test('gets receipts as JSON that plain ssh-keygen can check, and no secret', async () => {
    const asking = ask('--wait', '--json');
    await asking.says(/asked/);
    await decide('approve');
    const { stdout } = await asking.ended;
    const answer = JSON.parse(stdout);
    expect(answer.status.state).toBe('redeemed');
    expect(answer.document.resource).toBe(resource);
    const [receipt] = answer.receipts.map(parseReceipt);
    expect(receipt.decision).toMatchObject({ verdict: 'approve', request: answer.digest });
    expect(Object.keys(answer)).not.toContain('watch');
  });
});

describe('who asks and comes back', () => {
  test('gets the id at once, finds the request again, and waits for it by its id', async () => {
    const { stdout } = await ask().ended;
    const again = await ask().ended;
    expect(again).toMatchObject({ code: 0, stdout, stderr: expect.stringContaining('joined') });
    const waiting = alice.start(['wait', stdout.trim()]);
    await decide('approve');
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('approved') });
    // What was used is asked anew.
    expect((await ask().ended).stdout).not.toBe(stdout);
  });

  test('does not find what another user asked', async () => {
    const { stdout } = await ask().ended;
    const { code, stderr } = await bob.run('wait', stdout.trim());
    expect(code).toBe(1);
    expect(stderr).toContain('was made from here');
  });
});

describe('who may ask', () => {
  test('over the socket is limited to demonstrations', async () => {
    const { code, stderr } = await alice.run('request', 'ssh.login', '--resource', resource);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: local may not ask for action "ssh\.login"\nhint: .*submitter add/);
  });

  test('by token is who was given one, over the network too', async () => {
    const path = await fileKey(
      'submitter',
      'add',
      'ci',
      '--token',
      '--action',
      'ci.*',
      '--resource',
      '*',
      '--door',
      'ci',
    );
    const args = [
      'request',
      'ci.deploy',
      '--url',
      url,
      '--resource',
      resource,
      '--door',
      'ci',
      '--requester',
      'ci',
    ];
    expect(await alice.run(...args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /pinned the broker at http:(?:.|\n)*there is no submitter, no token and no socket/,
      ),
    });
    expect(await alice.run(...args, '--token-file', path)).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('pinned'),
    });
    const token = readFileSync(path, 'utf8').trim();
    const again = await alice.start(args, { env: { COUNTERSIGN_TOKEN: token } }).ended;
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('joined') });
    expect(await bob.must('submitter', 'list', '--json')).not.toContain(token);
    // Rotated, the old one ends.
    await bob.must('submitter', 'rotate', 'ci', '--token');
    expect(await alice.run(...args, '--reason', 'later', '--token-file', path)).toMatchObject({ code: 1 });
  });

  test('by the token of its CI system asks under the claims that its issuer signed', async () => {
    const issuer = await LocalIssuer.start();
    await bob.must(
      ...['submitter', 'add', 'ci:shop', '--oidc-issuer', issuer.issuer, '--oidc-audience', 'countersign'],
      ...['--oidc-claim', 'repository=acme/shop', '--oidc-requester', 'actor', '--action', 'deploy'],
      ...['--resource', '*', '--door', 'job:shop', '--requester', '*'],
    );
    const args = ['request', 'deploy', '--url', url, '--resource', resource, '--door', 'job:shop'];
    const token = await issuer.token(Date.now());
    const asked = await alice.start([...args, '--requester', 'alice'], {
      env: { COUNTERSIGN_OIDC_TOKEN: token },
    }).ended;
    expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining('asked') });
    expect(await bob.must('show', (await pending()).id)).toContain('acme/shop');
    const path = join(alice.home, 'id-token');
    writeFileSync(path, token);
    const joined = await alice.run(...args, '--requester', 'alice', '--token-file', path);
    expect(joined).toMatchObject({ code: 0, stderr: expect.stringContaining('joined') });
    const two = { COUNTERSIGN_TOKEN: 'A'.repeat(43), COUNTERSIGN_OIDC_TOKEN: token };
    const refused = await alice.start([...args, '--requester', 'alice'], { env: two }).ended;
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('both COUNTERSIGN_TOKEN and') });
  });

  test('by key signs what it asks, and approvers see that', async () => {
    const key = alice.makeKey('host');
    await bob.must(
      ...['submitter', 'add', 'host:web-1', '--key', `${key}.pub`, '--action', 'ssh.*', '--resource', '*'],
      ...['--door', 'host:web-1', '--requester', '*'],
    );
    const { code, stdout } = await alice.run(
      ...['request', 'ssh.login', '--resource', resource, '--door', 'host:web-1', '--requester', 'alice'],
      ...['--submitter', 'host:web-1', '--key', key, '--detail', 'user=root', '--detail', 'tty='],
    );
    expect(code).toBe(0);
    const shown = await bob.must('show', stdout.trim());
    expect(shown).toMatch(/through host:web-1, signed with SHA256:/);
    expect(shown).toContain('"tty": "",\n             "user": "root"');
  });

  test.each([
    [['--detail', 'x'], '--detail "x" is not KEY=VALUE'],
    [['--detail', 'a=1', '--detail', 'a=2'], '--detail "a" is given twice'],
    [['--wait=soon'], '--wait is not a time like 90, 90s, 15m, 2h or 1d'],
    [['--door', 'a b'], '--door is not a name'],
    [['--submitter', 'ci'], 'a submitter signs its requests: --key FILE is missing'],
  ])('with %j is told what is wrong', async (args, message) => {
    const { code, stderr } = await ask(...args).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`error: ${message}`) });
  });
});

describe('who decides', () => {
  test('without a terminal must give the digest, and it must be the right one', async () => {
    await ask().ended;
    const { id, digest } = await pending();
    for (const args of [[], ['--yes-i-read-it', 'yes'], ['--yes-i-read-it', digest.slice(0, -1)]]) {
      expect(await bob.run('approve', id, ...args)).toMatchObject({ code: 1, stdout: '' });
    }
    expect(JSON.parse(await bob.must('show', id, '--json')).state).toBe('pending');
    await bob.must('approve', id, '--yes-i-read-it', digest, '--comment', 'seen');
    expect(await bob.must('show', id)).toMatch(/approve {4}by \S+ .*, "seen", signed with SHA256:/);
  });

  test('is told as JSON where the request stands, and what to do where it is too late', async () => {
    const { stdout } = await ask().ended;
    const id = stdout.trim();
    const { digest } = await pending();
    const decided = await bob.must('approve', id, '--yes-i-read-it', digest, '--json');
    expect(JSON.parse(decided)).toMatchObject({ id, state: 'approved', votes: [{ verdict: 'approve' }] });
    const late = await bob.run('deny', id, '--yes-i-read-it', digest);
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining(`countersign revoke ${id}`) });
    expect(JSON.parse(await bob.must('revoke', id, '--json'))).toMatchObject({ id, state: 'revoked' });
    const other = (await ask('--detail', 'other=1').ended).stdout.trim();
    expect(JSON.parse(await alice.must('cancel', other, '--json'))).toMatchObject({
      id: other,
      state: 'cancelled',
    });
  });

  test('takes an unused approval back', async () => {
    const { stdout } = await ask().ended;
    await decide('approve');
    const id = stdout.trim();
    expect(await bob.must('revoke', id, '--comment', 'wrong host')).toBe(
      `revoked ${id}: nothing was opened yet; a door that has the receipts may open until they run out\n`,
    );
    expect((await alice.run('wait', id)).code).toBe(4);
    expect(await bob.run('revoke', id)).toMatchObject({ code: 1 });
  });

  test('needs an enrolled key', async () => {
    await ask().ended;
    const { id, digest } = await pending();
    expect(await alice.run('approve', id, '--yes-i-read-it', digest)).toMatchObject({ code: 1 });
    alice.makeKey('id_ed25519');
    const { code, stderr } = await alice.run('approve', id, '--yes-i-read-it', digest);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('none of your keys is enrolled'),
    });
  });

  test('reads what others wrote without harm', async () => {
    await ask('--reason', '\u001b[2J\u202eevil', '--detail', 'a=x\ny').ended;
    const { id } = await pending();
    for (const text of [await bob.must('list'), await bob.must('show', id)]) {
      expect(text).toContain('⟨ESC⟩[2J⟨U+202E⟩evil'.slice(text.startsWith('request') ? 5 : 0));
      expect(text).not.toMatch(/[\u001b\u202e]/u);
    }
    expect(await bob.must('list', '--json')).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
