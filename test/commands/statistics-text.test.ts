import { describe, expect, test } from 'vitest';
import { formatStatistics } from '../../src/commands/statistics.js';
import type { CanariesReply } from '../../src/protocol/canary.js';
import { missedSome } from '../components/statistics/sample-canaries.js';
import { figures } from '../components/statistics/sample-statistics.js';

const NONE: CanariesReply = { caught: 0, missed: [], missedCount: 0, searchedTo: null };

describe('countersign statistics on canaries (A33)', () => {
  test('tells how many one caught, and which were missed, after who decides how much', () => {
    const sections = formatStatistics(figures, missedSome).split('\n\n');
    expect(sections[2]).toBe(
      [
        'canaries: you caught 9 of 12 in 90 days',
        'you approved these; nobody needed them, and nothing was opened:',
        '01KG8J0PX0ABCDEF0000000002  2026-01-20T09:30:00Z',
        '01KG8J0PX0ABCDEF0000000001  2026-01-02T22:05:00Z',
        'and 1 older',
      ].join('\n'),
    );
  });

  test('says nothing of them where there were none', () => {
    expect(formatStatistics(figures, NONE)).not.toMatch(/canar/i);
    expect(formatStatistics({ ...figures, asked: 0 }, NONE)).toMatch(/: 0$/);
  });

  test('tells of them where nothing else was asked', () => {
    expect(formatStatistics({ ...figures, asked: 0 }, { ...NONE, caught: 1 })).toMatch(
      /: 0\n\ncanaries: you caught the one in 90 days$/,
    );
  });

  test('says how far back it was looked', () => {
    const searchedTo = figures.since;
    expect(formatStatistics(figures, { ...NONE, caught: 3, searchedTo })).toContain(
      'canaries: you caught all 3 since 2026-01-01T23:00:00Z',
    );
  });
});
