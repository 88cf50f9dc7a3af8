import { describe, expect, test } from 'vitest';
import { ATTACKS, NOT_YET, reportAttacks } from '../../scripts/attack-report.js';

const every = Array.from({ length: ATTACKS }, (_, index) => `A${index + 1}`);
/** One passed test for each attack but these. */
const allBut = (...missing: string[]) =>
  every
    .filter((attack) => !missing.includes(attack))
    .map((attack) => ({ fullName: `withstands it (${attack})`, status: 'passed' }));

describe('the report of the attacks', () => {
  test('has a line a number, with how many tests play it and how they ended', () => {
    const { lines, problems } = reportAttacks(
      [
        ...allBut('A27', 'A31', 'A5'),
        { fullName: 'a grant (A27) ends', status: 'passed' },
        { fullName: 'a grant (A27) ends (A27, A31)', status: 'passed' },
        { fullName: 'A27 A31 a flood', status: 'failed' },
        { fullName: 'a door (skipped: no sshd) is shut (A5)', status: 'skipped' },
        { fullName: 'no attack: A, A100, SHA1, BA7', status: 'failed' },
      ],
      {},
    );
    expect(lines).toHaveLength(ATTACKS);
    expect(lines[0]).toBe('A1    1 test passed');
    expect(lines[4]).toBe('A5    1 test skipped');
    expect(lines[26]).toBe('A27   2 tests passed, 1 test FAILED');
    expect(lines[30]).toBe('A31   1 test passed, 1 test FAILED');
    expect(problems).toEqual([]);
  });

  test('misses a number that no test plays, unless what it is aimed at does not exist', () => {
    const { lines, problems } = reportAttacks(allBut('A16', 'A29'), { A29: 'there are no webhooks' });
    expect(problems).toEqual(['A16 has no test']);
    expect([lines[15], lines[28]]).toEqual(['A16   NO TEST', 'A29   n/a yet: there are no webhooks']);
  });

  test('finds reasons that are no longer true, and numbers that are none', () => {
    const stray = { fullName: 'something else (A66)', status: 'passed' };
    expect(reportAttacks([...allBut(), stray], { A29: 'there are no webhooks' }).problems).toEqual([
      'A66 stands in a title and is no attack',
      'A29 has tests: it is no longer "n/a yet"',
    ]);
  });

  test('excuses nothing that policy, grants, doors and the log are there to withstand', () => {
    const built = [...every.slice(0, 27), 'A31', 'A32', 'A49', ...every.slice(50)];
    expect(built.filter((attack) => attack in NOT_YET)).toEqual([]);
    expect(Object.keys(NOT_YET).filter((attack) => !every.includes(attack))).toEqual([]);
  });
});
