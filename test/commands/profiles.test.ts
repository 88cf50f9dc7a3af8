import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { User } from './program.js';

// Each test starts several programs, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const user = new User({ TZ: 'Europe/Berlin' });
const config = join(user.home, 'config', 'countersign');
const file = join(config, 'config.yaml');
const write = (text: string): void => {
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
};
let url = '';

beforeAll(async () => {
  const up = await user.up();
  [, url = ''] = (await up.says(/"address":"([^"]+)"/)) ?? [];
  write(`profile: here
profiles:
  here: { dir: ${user.data}, colour: green }
  production: { url: "${url}", key: "${join(config, 'id_ed25519')}", colour: red, utc: true }
  gone: { url: "http://127.0.0.1:9" }
`);
});
afterAll(() => user.remove());

/** The user without the variables that the profiles stand in for. */
const plain = { COUNTERSIGN_DIR: '' };
const run = (...args: string[]) => user.start(args, { env: plain }).ended;

describe('a profile', () => {
  test('is asked for before or behind the verb, and names itself in the status', async () => {
    for (const args of [
      ['--profile', 'production', 'status'],
      ['status', '--profile=production'],
    ]) {
      const { code, stdout } = await run(...args);
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^profile +production$/m) });
      expect(stdout).toContain(url);
      expect(stdout).toMatch(/^clock +\S+Z$/m);
    }
    const { stdout } = await run('status');
    expect(stdout).toMatch(/^profile +here$/m);
    expect(stdout).toMatch(/^clock +\S+ \S+ CES?T$/m);
    expect((await run('status', '--utc')).stdout).toMatch(/^clock +\S+Z$/m);
  });

  test('does not name another broker, and lends it no key', async () => {
    const { stdout } = await run('--url', url, 'status');
    expect(stdout).not.toMatch(/^profile/m);
    const shown = JSON.parse(
      (await run('config', 'show', '--profile', 'production', '--url', 'http://127.0.0.1:9', '--json'))
        .stdout,
    );
    expect(shown).toMatchObject({ shownAs: null, settings: { url: { source: '--url' } } });
  });

  test('that there is not is refused by every verb, with those that there are', async () => {
    for (const verb of [['list'], ['roster', 'list'], ['config', 'show'], ['serve']]) {
      const { code, stderr } = await run(...verb, '--profile', 'prod');
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining('hint: the profiles are gone, here, production'),
      });
    }
  });

  test('with an address is no data directory to change', async () => {
    const { code, stderr } = await run('roster', 'list', '--profile', 'production');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('works on a data directory'),
    });
  });
});

describe('the short status', () => {
  test('is one line after the name of the broker, and exits with 0 or 1', async () => {
    expect(await run('status', '--short')).toMatchObject({ code: 0, stdout: 'here: nothing pending\n' });
    const gone = await run('status', '--short', '--profile', 'gone');
    expect(gone).toMatchObject({ code: 1, stdout: 'gone: broker unknown\n' });
  });

  test('pins nothing, and says down where nobody answers', async () => {
    rmSync(join(config, 'known_brokers'), { force: true });
    const first = await run('status', '--short', '--profile', 'production');
    expect(first).toMatchObject({ code: 1, stdout: 'production: broker unknown\n' });
    writeFileSync(join(config, 'known_brokers'), `http://127.0.0.1:9 SHA256:${'A'.repeat(43)}\n`, {
      mode: 0o600,
    });
    const down = await run('status', '--short', '--profile', 'gone');
    expect(down).toMatchObject({
      code: 1,
      stdout: 'gone: down\n',
      stderr: expect.stringContaining('nobody listens'),
    });
  });
});

describe('config', () => {
  test('show says where each value comes from', async () => {
    const { stdout } = await user.start(['config', 'show', '--profile', 'production', '--key', '/k'], {
      env: { ...plain, COUNTERSIGN_CA: '/ca.pem', COUNTERSIGN_TOKEN: 'secret' },
    }).ended;
    for (const row of [
      /^profile +production +--profile$/m,
      /^url +http\S+ +config\.yaml line 4$/m,
      /^ca +\/ca\.pem +COUNTERSIGN_CA$/m,
      /^key +\/k +--key$/m,
      /^token +set, not shown +COUNTERSIGN_TOKEN$/m,
      /^utc +true +config\.yaml line 4$/m,
    ]) {
      expect(stdout).toMatch(row);
    }
    expect(stdout).not.toContain('secret');
  });

  test('init leaves a file alone, and path works where the file does not', async () => {
    expect(await run('config', 'init')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is there already'),
    });
    const before = await run('config', 'init', '--print');
    write('nonsense: 1\n');
    expect(await run('config', 'path')).toMatchObject({ code: 0, stdout: `${file}\n` });
    const { code, stderr } = await run('list');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('line 1: unknown key "nonsense"'),
    });
    rmSync(file);
    expect((await run('config', 'init')).code).toBe(0);
    expect(before.stdout).toContain('# profile: production');
  });
});
