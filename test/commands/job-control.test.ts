import { describe, expect, test } from 'vitest';
import {
  hasJobShell,
  isForeground,
  ownStanding,
  type ProcessStanding,
  parseStanding,
  processStanding,
} from '../../src/commands/job-control.js';

/** Process 100, and those above it: each as parent, group, session. */
const among =
  (table: Readonly<Record<number, readonly [number, number, number]>>) =>
  (pid: number): ProcessStanding | null => {
    const row = table[pid];
    return row === undefined ? null : { parent: row[0], group: row[1], session: row[2] };
  };

describe('a shell that brings a stopped console back', () => {
  test('is the parent in another group of the same session', () => {
    expect(hasJobShell(among({ 100: [50, 100, 50], 50: [40, 50, 50] }), 100)).toBe(true);
  });

  test('is found above npm, which is in the group of the console', () => {
    const table = among({ 100: [99, 98, 50], 99: [98, 98, 50], 98: [50, 98, 50], 50: [40, 50, 50] });
    expect(hasJobShell(table, 100)).toBe(true);
  });

  test('is not the server of tmux or ssh, which has a session of its own', () => {
    expect(hasJobShell(among({ 100: [40, 100, 100], 40: [1, 40, 40] }), 100)).toBe(false);
  });

  test('is not there for whoever was left behind', () => {
    expect(hasJobShell(among({ 100: [1, 100, 50] }), 100)).toBe(false);
    expect(hasJobShell(among({ 100: [99, 99, 50], 99: [1, 99, 50] }), 100)).toBe(false);
  });

  test('is taken for there where nothing can be seen', () => {
    expect(hasJobShell(among({}), 100)).toBe(true);
    expect(hasJobShell(among({ 100: [50, 100, 50] }), 100)).toBe(true);
  });
});

test('a console has the terminal where its process group is the one in front', () => {
  expect(isForeground('100 (node) S 50 100 40 34816 100 4194304 …')).toBe(true);
  expect(isForeground('100 (a) S 1) S 50 100 40 34816 40 4194304 …')).toBe(false);
  expect(isForeground('100 (node) S 50 100 40 0 -1 4194304 …')).toBe(false);
  expect(isForeground('')).toBe(true);
  expect(ownStanding()).toMatch(/^\d+ \(/);
});

test('what Linux says of a process is read behind its name, whatever that is', () => {
  const standing = { parent: 50, group: 100, session: 40 };
  expect(parseStanding('100 (node) S 50 100 40 34816 100 4194304 …')).toEqual(standing);
  expect(parseStanding('100 (a) S 1 1 1 (b) R 50 100 40 0')).toEqual(standing);
  expect(parseStanding('')).toBeNull();
  expect(processStanding(process.pid)?.parent).toBe(process.ppid);
  expect(processStanding(2 ** 30)).toBeNull();
});
