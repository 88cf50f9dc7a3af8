import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { formatAddress } from '../../src/client/address.js';
import { locate, locateBroker, socketPath } from '../../src/client/locations.js';
import { temporaryDirectory } from '../ssh/openssh.js';
import { codeOf } from '../ssh/problem.js';

const address = (options: { url?: string; dir?: string }, env: Record<string, string> = {}): string =>
  formatAddress(locateBroker(options, env, locate(options, env)));

test('the data directory comes from the flag, then COUNTERSIGN_DIR, then XDG; empty is absent', () => {
  const { data } = locate({}, {});
  expect(data).toMatch(/\/countersign$/);
  expect(locate({}, { COUNTERSIGN_DIR: '/b' }).data).toBe('/b');
  expect(locate({ dir: '/a' }, { COUNTERSIGN_DIR: '/b' }).data).toBe('/a');
  expect(locate({ dir: '' }, { COUNTERSIGN_DIR: '' }).data).toBe(data);
});

test('a relative data directory is taken from where the command runs', () => {
  expect(locate({ dir: 'here' }, {}).data).toBe(join(process.cwd(), 'here'));
});

test.each(['XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'])(
  'nothing is kept wherever the command runs because %s is relative',
  (variable) => {
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    vi.stubEnv(variable, 'here');
    expect(codeOf(() => locate({}, {}))).toBe('usage');
  },
);

test('the broker is that of the flag, then COUNTERSIGN_URL, then the socket, then the default port', () => {
  const dir = temporaryDirectory();
  const env = { COUNTERSIGN_DIR: dir };
  expect(address({}, { XDG_DATA_HOME: dir, HOME: dir })).toBe('http://127.0.0.1:7433');
  mkdirSync(dir, { recursive: true });
  writeFileSync(socketPath(dir), '');
  expect(address({}, env)).toBe(`unix:${socketPath(dir)}`);
  expect(address({}, { ...env, COUNTERSIGN_URL: 'https://b' })).toBe('https://b');
  expect(address({ url: 'https://a' }, { ...env, COUNTERSIGN_URL: 'https://b' })).toBe('https://a');
});

test('a data directory that was named and has no broker is never swapped for the default port', () => {
  const dir = temporaryDirectory();
  expect(codeOf(() => address({ dir }, {}))).toBe('broker-unreachable');
  expect(codeOf(() => address({}, { COUNTERSIGN_DIR: dir }))).toBe('broker-unreachable');
});

test('a data directory given as a flag comes before a URL of the environment', () => {
  const dir = temporaryDirectory();
  writeFileSync(socketPath(dir), '');
  expect(address({ dir }, { COUNTERSIGN_URL: 'https://b' })).toBe(`unix:${socketPath(dir)}`);
});
