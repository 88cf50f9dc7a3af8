import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SpentState } from '../../src/door/spent-state.js';
import type { Approval } from '../../src/door/verification.js';
import type { Digest, Name } from '../../src/protocol/names.js';
import { temporaryDirectory } from '../ssh/openssh.js';

const START = Date.parse('2026-03-01T12:00:00Z');
const digest = (digit: string): Digest => `sha256:${digit.repeat(64)}` as Digest;

const APPROVAL: Approval = {
  request: digest('1'),
  covers: 'request',
  alone: false,
  approvers: ['bob' as Name],
  decided: START,
  notAfter: START + 600_000,
  duration: 0,
  uses: 1,
};
const GRANT: Approval = { ...APPROVAL, covers: 'scope', duration: 3600, uses: 3 };

function setUp() {
  const directory = temporaryDirectory();
  let now = START;
  return {
    directory,
    state: () => new SpentState(directory, () => now),
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
    uses: () => readdirSync(join(directory, 'uses')).sort(),
  };
}

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('the spent state', () => {
  test('lets an approval be used once, in this process and any other (A22, A55)', async () => {
    const { state, pass, directory, uses } = setUp();
    expect(await state().spend(APPROVAL)).toBe(true);
    expect(readFileSync(join(directory, 'uses', uses()[0] ?? ''), 'utf8')).toBe(
      `${String(START / 1000).padStart(12, '0')}\n`,
    );
    pass(1);
    expect(await state().spend(APPROVAL)).toBe(false);
    // Whatever else was signed for that digest.
    expect(await state().spend({ ...GRANT, uses: 1 })).toBe(false);
    expect(await state().spend({ ...APPROVAL, request: digest('2') })).toBe(true);
  });

  test('lets one of many at once through (A55)', async () => {
    const { state } = setUp();
    const all = await Promise.all(Array.from({ length: 50 }, () => state().spend(APPROVAL)));
    expect(all.filter(Boolean)).toHaveLength(1);
  });

  test('counts the uses of a grant, also at once (A53)', async () => {
    const { state } = setUp();
    const all = await Promise.all(Array.from({ length: 20 }, () => state().spend(GRANT)));
    expect(all.filter(Boolean)).toHaveLength(3);
  });

  test('ends a grant with its duration from the first use (A53)', async () => {
    const { state, pass } = setUp();
    expect(await state().spend(GRANT)).toBe(true);
    pass(3599);
    expect(await state().spend(GRANT)).toBe(true);
    pass(1);
    await expect(state().spend(GRANT)).rejects.toEqual(code('grant-ended'));
  });

  test('counts what a crash has left half written as used up', async () => {
    const { directory, state } = setUp();
    mkdirSync(join(directory, 'uses'), { recursive: true });
    writeFileSync(join(directory, 'uses', `${'1'.repeat(64)}-1`), '');
    expect(await state().spend(APPROVAL)).toBe(false);
    expect(await state().spend(GRANT)).toBe(false);
  });

  test('opens for nothing that was denied or revoked once, whatever was signed for it (A27, A61)', async () => {
    const { state, pass, directory } = setUp();
    await state().refuse(digest('1'), 'denied');
    expect(await state().spend(APPROVAL)).toBe(false);
    expect(await state().spend({ ...GRANT, uses: 0 })).toBe(false);
    expect(readFileSync(join(directory, 'uses', `${'1'.repeat(64)}-no`), 'utf8')).toBe('denied\n');
    // Between two uses of a grant, and said twice.
    const grant = { ...GRANT, request: digest('2') };
    expect(await state().spend(grant)).toBe(true);
    await state().refuse(digest('2'), 'revoked');
    await state().refuse(digest('2'), 'revoked');
    pass(1);
    expect(await state().spend(grant)).toBe(false);
    expect(await state().spend({ ...APPROVAL, request: digest('3') })).toBe(true);
  });

  test('stays shut while the clock is before its latest use (A41)', async () => {
    const { state, pass } = setUp();
    pass(10);
    await state().spend(APPROVAL);
    pass(-1);
    await expect(state().spend({ ...APPROVAL, request: digest('2') })).rejects.toEqual(code('clock-back'));
    pass(1);
    expect(await state().spend({ ...APPROVAL, request: digest('2') })).toBe(true);
  });

  test('keeps the latest time alone, and forgets uses that can no longer matter', async () => {
    const { directory, state, pass, uses } = setUp();
    await state().spend(APPROVAL);
    for (const name of uses()) utimesSync(join(directory, 'uses', name), START / 1000, START / 1000);
    pass(63 * 86_400);
    const later = { ...APPROVAL, request: digest('2'), notAfter: START + 64 * 86_400_000 };
    await state().spend(later);
    // A clock that runs ahead forgets nothing: the latest use before this one counts.
    expect(uses()).toHaveLength(2);
    await state().spend({ ...later, request: digest('3') });
    expect(uses()).toEqual([`${'2'.repeat(64)}-1`, `${'3'.repeat(64)}-1`]);
    expect(readdirSync(join(directory, 'clock'))).toHaveLength(1);
  });

  test('that cannot be written keeps the door shut (A41)', async () => {
    const { directory } = setUp();
    writeFileSync(join(directory, 'file'), '');
    const state = new SpentState(join(directory, 'file/below'), () => START);
    await expect(state.spend(APPROVAL)).rejects.toEqual(code('state-failed'));
  });

  test('is for its owner alone', async () => {
    const { directory, state } = setUp();
    await state().spend(APPROVAL);
    const modes = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => {
      const found = statSync(join(directory, path));
      return [found.isDirectory(), found.mode & 0o777];
    });
    expect(modes).toHaveLength(4);
    for (const [isDirectory, mode] of modes) expect(mode).toBe(isDirectory ? 0o700 : 0o600);
  });
});
