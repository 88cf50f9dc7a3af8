import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { bundleCi } from '../../scripts/bundle.mjs';
import { SCRIPTS } from './door-shell.js';

let clone: string;
let bundle: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'countersign-bundle-'));
  onTestFinished(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(SCRIPTS, join(clone, 'scripts'), { recursive: true });
  bundleCi(clone);
  bundle = join(clone, 'dist/countersign-ci');
});

test('one file holds all of countersign-ci and needs no other, whoever calls it', () => {
  rmSync(join(clone, 'scripts'), { recursive: true });
  const run = (command: string, args: readonly string[], input = '') =>
    spawnSync(command, args, {
      cwd: join(clone, 'dist'),
      env: { PATH: process.env.PATH },
      input,
      encoding: 'utf8',
    });
  const usage = run(bundle, ['--help']).stdout;
  expect(usage).toMatch(/^countersign-ci: holds a CI job/);
  expect(run('bash', ['countersign-ci', '--help']).stdout).toBe(usage);
  expect(run('bash', ['-s', '--', '--help'], readFileSync(bundle, 'utf8')).stdout).toBe(usage);
  expect(statSync(bundle).mode & 0o777).toBe(0o755);
});

test('the same sources give the same bytes, so that a pipeline can pin them', () => {
  const first = readFileSync(bundle);
  bundleCi(clone);
  expect(readFileSync(bundle).equals(first)).toBe(true);
});

test('half of a file does nothing', () => {
  const whole = readFileSync(bundle, 'utf8');
  const lines = whole.split('\n');
  for (let part = 1; part < 20; part += 1) {
    writeFileSync(bundle, lines.slice(0, Math.floor((lines.length * part) / 20)).join('\n'));
    const { stdout, status } = spawnSync('bash', [bundle, '--help'], { encoding: 'utf8' });
    expect([stdout, status]).toEqual(['', 1]);
  }
});
