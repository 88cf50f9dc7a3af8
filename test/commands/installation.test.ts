import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let user: User;
beforeEach(() => {
  user = new User();
});
afterEach(() => user.remove());

describe('the roster', () => {
  test('is kept without a broker, and what it exports is a signers file', async () => {
    const [bob, second, token] = ['bob', 'second', 'token'].map((name) => `${user.makeKey(name)}.pub`);
    await user.must(
      'roster',
      'add',
      'bob',
      '--key',
      bob ?? '',
      '--alias',
      'bob@example.com',
      '--group',
      'oncall',
    );
    await user.must(
      'roster',
      'add-key',
      'bob',
      '--key',
      second ?? '',
      '--valid-before',
      '2027-01-01T00:00:00Z',
    );
    const { people } = JSON.parse(await user.must('roster', 'list', '--json'));
    expect(people).toMatchObject([
      {
        name: 'bob',
        aliases: ['bob@example.com'],
        groups: ['oncall'],
        keys: [{ validBefore: null }, { validBefore: '2027-01-01T00:00:00Z' }],
      },
    ]);
    const [, fingerprint = ''] =
      /replaced (\S+)/.exec(
        await user.must('roster', 'rotate-key', 'bob', await fingerprintOf('bob', 0), '--key', token ?? ''),
      ) ?? [];
    expect(await user.must('roster', 'list')).not.toContain(fingerprint);
    await user.must('roster', 'remove-key', 'bob', await fingerprintOf('bob', 0));
    await user.must('roster', 'set', 'bob', '--group', 'db', '--alias', '-');
    const text = await user.must('roster', 'export', '--for', 'host:web-1');
    expect(text).toMatch(/^# signers of host:web-1\n/);
    expect(parseSignersFile(text)).toMatchObject([{ name: 'bob', aliases: [], groups: ['db'], keys: [{}] }]);
    await user.must('roster', 'remove', 'bob');
    expect(await user.must('roster', 'list')).toBe('nobody is enrolled\n');
  });

  async function fingerprintOf(name: string, index: number): Promise<string> {
    const rows = (await user.must('roster', 'list')).split('\n').filter((row) => row.startsWith(`${name} `));
    return /SHA256:\S+/.exec(rows[index] ?? '')?.[0] ?? '';
  }

  test('takes a key from stdin, or the public half of a private key that was named by mistake', async () => {
    const key = user.makeKey('bob');
    const line = readFileSync(`${key}.pub`, 'utf8');
    expect(await user.start(['roster', 'add', 'bob', '--key', '-'], { input: line }).ended).toMatchObject({
      code: 0,
    });
    const carol = user.makeKey('carol');
    await user.must('roster', 'add', 'carol', '--key', carol);
    rmSync(`${carol}.pub`);
    const { code, stderr } = await user.run('roster', 'add', 'dave', '--key', carol);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('that is a private key') });
  });

  test('of a running broker is changed through its socket, and never behind its back', async () => {
    const up = await user.up();
    await user.must('roster', 'add', 'carol', '--key', `${user.makeKey('carol')}.pub`);
    await up.says(/"event":"roster","change":"add"/);
    renameSync(join(user.data, 'broker.sock'), join(user.data, 'hidden.sock'));
    const { code, stderr } = await user.run('roster', 'remove', 'carol');
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is in use') });
  });

  test.each([
    [['add', 'Bob', '--key', 'x'], 'NAME is not a name'],
    [['add', 'bob'], '--key is missing'],
    [['add', 'bob', '--key', '/no/such/file'], 'ENOENT'],
    [['add', 'bob', '--key', '/dev/null'], 'not one line of TYPE BASE64'],
    [['remove', 'bob'], 'there is no bob in the roster'],
    [['set', 'bob'], 'neither --alias nor --group is given'],
    [['remove-key', 'bob', 'SHA256:x'], 'a fingerprint is SHA256:'],
    [['export'], 'the file names no signer'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await user.run('roster', ...args);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
  });
});

const OIDC = [
  ...['--oidc-issuer', 'https://issuer.example', '--oidc-audience', 'countersign'],
  ...['--oidc-claim', 'repository=acme/shop', '--oidc-claim', 'ref=a=b'],
];

describe('a submitter', () => {
  test.each([
    [
      ['add', 'ci', '--token', '--key', 'x'],
      'give one of --key FILE, --token, --socket and --oidc-issuer URL',
    ],
    [['add', 'ci'], 'give one of --key FILE, --token, --socket and --oidc-issuer URL'],
    [['add', 'ci', '--token', '--oidc-claim', 'a=b'], 'the flags --oidc-… go with --oidc-issuer URL'],
    [['add', 'ci', ...OIDC.slice(0, 2)], '--oidc-audience is missing'],
    [['add', 'ci', ...OIDC.slice(0, 4)], '--oidc-claim is missing'],
    [['add', 'ci', ...OIDC, '--oidc-claim', 'aud=x'], '--oidc-claim is missing or not one that is taken'],
    [['add', 'ci', ...OIDC, '--oidc-algorithm', 'HS256'], '--oidc-algorithm is missing or not one'],
    [['add', 'ci', '--oidc-issuer', 'http://issuer.example'], '--oidc-issuer is no https address'],
    [['add', 'ci', '--token', '--action', 'a'], '--resource is missing'],
    [['rotate', 'ci', '--token'], 'there is no submitter ci'],
  ])('is refused for %j', async (args, message) => {
    const { code, stdout, stderr } = await user.run('submitter', ...args);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  test('is listed with what its OIDC tokens must carry', async () => {
    const limits = ['--action', 'deploy', '--resource', 'shop', '--door', 'job:shop'];
    await user.must('submitter', 'add', 'ci', ...OIDC, ...limits);
    const text = 'https://issuer.example for countersign: repository=acme/shop ref=a=b';
    expect(await user.must('submitter', 'list')).toContain(text);
    await user.must(
      'submitter',
      'rotate',
      'ci',
      ...OIDC.slice(0, 6),
      '--oidc-algorithm',
      'ES256',
      '--oidc-requester',
      'actor',
    );
    expect(JSON.parse(await user.must('submitter', 'list', '--json')).submitters[0].credential).toEqual({
      kind: 'oidc',
      issuer: 'https://issuer.example',
      audience: 'countersign',
      claims: [{ name: 'repository', value: 'acme/shop' }],
      requester: 'actor',
      algorithms: ['ES256'],
      ca: null,
    });
    const again = await user.run('submitter', 'add', 'other', ...OIDC, ...limits);
    expect(again.stderr).toContain('a token could be of ci and of other');
  });

  test('is listed with what it may ask for, and removed', async () => {
    const limits = ['--action', 'ci.*', '--resource', 'prod/*', '--door', 'ci', '--requester', 'alice'];
    const { stdout, stderr } = await user.run('submitter', 'add', 'ci', '--token', ...limits);
    expect(stdout).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).toContain('is shown once');
    expect(await user.must('submitter', 'list')).toMatch(/\nci +token +ci\.\* +prod\/\* +ci +alice +-\n/);
    await user.must('submitter', 'remove', 'ci');
    expect(await user.must('submitter', 'list')).toBe('no submitters are enrolled\n');
  });
});

describe('a broker over a URL', () => {
  test('that has another key than the pinned one is refused by every verb', async () => {
    const up = await user.up();
    const [, url = ''] = await up.says(/"address":"([^"]+)"/);
    await user.must('list', '--url', url);
    const known = join(user.home, 'config', 'countersign', 'known_brokers');
    expect(readFileSync(known, 'utf8')).toMatch(new RegExp(`^${url} SHA256:\\S{43}\n$`));
    writeFileSync(known, `${url} SHA256:${'A'.repeat(43)}\n`);
    for (const verb of [['list'], ['status'], ['request', 'demo.x', '--resource', 'x']]) {
      const { code, stderr } = await user.run(...verb, '--url', url);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(
          /pinned is SHA256:A+, which has not handed over to it\nhint: .*known_brokers/,
        ),
      });
    }
  });

  test('tells its status to approvers only', async () => {
    const up = await user.up();
    const [, url = ''] = await up.says(/"address":"([^"]+)"/);
    expect(JSON.parse(await user.must('status', '--json'))).toMatchObject({ pending: 0, approvers: 1 });
    expect(await user.must('status', '--url', url)).toMatch(/^approvers +1$/m);
    rmSync(join(user.home, 'config', 'countersign', 'id_ed25519'));
    expect(await user.run('status', '--url', url)).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('doctor', () => {
  test('finds nothing wrong after up', async () => {
    await user.up();
    const { code, stdout } = await user.run('doctor');
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.not.stringContaining('WRONG') });
    for (const what of [
      'data directory',
      'answers with the key',
      'clocks agree',
      'is enrolled',
      'test signature',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ok .*${what}`, 'm'));
    }
  });

  test('says what is wrong and how to mend it, and exits with 1', async () => {
    const up = await user.up();
    chmodSync(join(user.data, 'broker.key'), 0o644);
    const open = await user.run('doctor');
    expect(open.code).toBe(1);
    expect(open.stdout).toMatch(/^WRONG .*broker\.key is open to others\n +fix: chmod go= \S+broker\.key$/m);
    up.child.kill('SIGTERM');
    await up.ended;
    const { code, stdout } = await user.run('doctor', '--json', '--url', join(user.data, 'broker.sock'));
    expect(code).toBe(1);
    const { findings } = JSON.parse(stdout);
    expect(findings.filter(({ state }: { state: string }) => state === 'wrong')).toMatchObject([
      { what: expect.stringContaining('broker.key is open') },
      {
        what: expect.stringContaining('nobody listens there'),
        fix: expect.stringContaining('countersign up'),
      },
    ]);
  });

  test('on a machine without anything says what to do first', async () => {
    const { code, stdout } = await user.run('doctor', '--url', 'http://127.0.0.1:9');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^note .*no data directory/m);
    expect(stdout).toMatch(/^WRONG .*there is no key.*\n +fix: .*ssh-keygen/m);
  });
});
