import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listAgentKeys, listKeyFiles, resolveKey } from '../../src/ssh/available-keys.js';
import { parsePublicKeyLine } from '../../src/ssh/public-key.js';
import { generateKey, readPublicLine, startAgent, temporaryDirectory } from './openssh.js';
import { makeSoftwareKey } from './software-keys.js';

const ED25519 = ['-t', 'ed25519'];
const publicKeyOf = (path: string) => parsePublicKeyLine(readPublicLine(path));
const base64Of = (path: string): string => publicKeyOf(path).base64;

/** A home directory with the given keys in `.ssh`, and no agent. */
function homeWith(...names: string[]) {
  const home = temporaryDirectory();
  const directory = join(home, '.ssh');
  mkdirSync(directory);
  for (const name of names) generateKey(directory, name, ...ED25519);
  const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
  return { directory, home, env: { ...env, HOME: home } };
}

describe('the agent', () => {
  test('lists its keys in its order, with others than ours passed over', async () => {
    const directory = temporaryDirectory();
    const ed25519 = generateKey(directory, 'a', ...ED25519);
    const short = generateKey(directory, 'short', '-t', 'rsa', '-b', '1024');
    const ecdsa = generateKey(directory, 'b', '-t', 'ecdsa');
    execFileSync('ssh-keygen', ['-q', '-s', ed25519, '-I', 'id', `${ecdsa}.pub`]);
    const env = startAgent(ed25519, short, ecdsa);
    expect(execFileSync('ssh-add', ['-L'], { env, encoding: 'utf8' }).trim().split('\n')).toHaveLength(4);
    expect((await listAgentKeys(env)).map(({ base64 }) => base64)).toEqual([ed25519, ecdsa].map(base64Of));
  });

  test('is empty, gone or never was: no keys', async () => {
    const { env } = homeWith();
    expect(await listAgentKeys(startAgent())).toEqual([]);
    expect(await listAgentKeys(env)).toEqual([]);
    expect(await listAgentKeys({ ...env, SSH_AUTH_SOCK: '/nonexistent' })).toEqual([]);
  });

  test('cannot be asked without ssh-add, and that is said', async () => {
    await expect(listAgentKeys({ PATH: temporaryDirectory() })).rejects.toMatchObject({ code: 'no-key' });
  });
});

describe('the files of ~/.ssh', () => {
  test('are listed with the default names first, and only where both halves are', async () => {
    const { home, directory } = homeWith('id_work', 'id_ed25519', 'id_alone', 'id_another', 'other');
    rmSync(join(directory, 'id_alone'));
    generateKey(directory, 'id_ecdsa', '-t', 'ecdsa');
    generateKey(directory, 'id_rsa', '-t', 'rsa', '-b', '1024');
    writeFileSync(join(directory, 'id_broken'), '');
    writeFileSync(join(directory, 'id_broken.pub'), 'not a key\n');
    const keys = await listKeyFiles(home);
    const paths = ['id_ed25519', 'id_ecdsa', 'id_another', 'id_work'].map((name) => join(directory, name));
    expect(keys).toEqual(paths.map((path) => ({ path, publicKey: publicKeyOf(path), source: 'file' })));
  });

  test('are none without ~/.ssh', async () => {
    expect(await listKeyFiles(temporaryDirectory())).toEqual([]);
  });
});

describe('the key to sign with', () => {
  test('is the first of the agent, before the files', async () => {
    const { directory, home } = homeWith('id_ed25519');
    const path = generateKey(directory, 'other', ...ED25519);
    const env = { ...startAgent(path), HOME: home };
    expect(await resolveKey(undefined, env)).toEqual({
      path: null,
      publicKey: publicKeyOf(path),
      source: 'agent',
    });
  });

  test('is the first file without an agent', async () => {
    const { directory, env } = homeWith('id_ed25519');
    expect(await resolveKey(undefined, env)).toMatchObject({
      path: join(directory, 'id_ed25519'),
      source: 'file',
    });
  });

  test('is missed where there is none', async () => {
    await expect(resolveKey(undefined, homeWith().env)).rejects.toMatchObject({ code: 'no-key' });
  });

  test('is the given file, before the agent, and the agent holds it if it says so', async () => {
    const { directory, env } = homeWith('id_ed25519');
    const [held, alone] = ['held', 'alone'].map((name) => generateKey(directory, name, ...ED25519)) as [
      string,
      string,
    ];
    const withAgent = { ...startAgent(held), HOME: env.HOME };
    for (const [file, source] of [
      [held, 'agent'],
      [alone, 'file'],
    ] as const) {
      for (const path of [file, `${file}.pub`]) {
        const key = await resolveKey(path, withAgent);
        expect(key).toMatchObject({ path, source, publicKey: { base64: base64Of(file) } });
      }
    }
  });

  test.each([
    ['ed25519', ED25519],
    ['ecdsa', ['-t', 'ecdsa', '-b', '521']],
    ['rsa', ['-t', 'rsa', '-b', '2048']],
  ])('is read from a locked %s key file without its .pub', async (_, args) => {
    const { directory, env } = homeWith();
    const path = generateKey(directory, 'locked', ...args, '-N', 'correct horse');
    const base64 = base64Of(path);
    rmSync(`${path}.pub`);
    expect((await resolveKey(path, env)).publicKey.base64).toBe(base64);
  });

  test('is read from the .pub beside a PEM file', async () => {
    const { directory, env } = homeWith();
    const path = generateKey(directory, 'pem', '-t', 'rsa', '-b', '2048', '-m', 'PEM');
    expect((await resolveKey(path, env)).publicKey.base64).toBe(base64Of(path));
    rmSync(`${path}.pub`);
    await expect(resolveKey(path, env)).rejects.toMatchObject({ code: 'no-key' });
  });

  test('is told by the private file, not by a .pub of another key beside it', async () => {
    const { directory, env } = homeWith('id_ed25519', 'other');
    const [path, other] = [join(directory, 'id_ed25519'), join(directory, 'other')];
    const base64 = base64Of(path);
    copyFileSync(`${other}.pub`, `${path}.pub`);
    expect((await resolveKey(path, env)).publicKey.base64).toBe(base64);
  });

  test.each([
    ['no-key', 'missing', null],
    ['no-key', 'public.pub', `${makeSoftwareKey('ssh-ed25519').line}\n`],
    ['unsupported-key', 'dsa.pub', 'ssh-dss AAAAB3NzaC1kc3M=\n'],
    ['malformed-key', 'text', 'hello\n'],
    [
      'malformed-key',
      'private',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    ],
    ['no-key', 'large', 'x'.repeat(100_000)],
  ])('is refused as %s: %s', async (code, name, content) => {
    const { directory, env } = homeWith();
    const path = join(directory, name);
    if (content !== null) writeFileSync(path, content);
    await expect(resolveKey(path, env)).rejects.toMatchObject({ code });
  });
});
