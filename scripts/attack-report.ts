/** What a run of vitest says about one test, in the form of its JSON reporter. */
export interface TestResult {
  /** Its own title behind those of the suites around it. */
  readonly fullName: string;
  readonly status: string;
}

/** How many tests play one attack, and how they ended. */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

export interface AttackReport {
  /** One line a number. */
  readonly lines: readonly string[];
  /** What keeps the run from passing. */
  readonly problems: readonly string[];
}

/** The attacks to withstand are A1 to A65. */
export const ATTACKS = 65;

/** Those whose target is not built yet. Once a test plays one, it must leave this table. */
export const NOT_YET: Readonly<Record<string, string>> = {
  A39: 'nothing is decided in chats',
  A42: 'there is no Kubernetes admission',
  A44: 'no rule asks an approver to stay present',
  A45: 'there is no GitHub deployment protection',
};

/** Counts tests by the numbers in their titles; a number without a test is a problem unless it is of what is not built yet. */
export function reportAttacks(
  results: readonly TestResult[],
  notYet: Readonly<Record<string, string>> = NOT_YET,
): AttackReport {
  const counts = new Map<string, Count>();
  for (let number = 1; number <= ATTACKS; number += 1) {
    counts.set(`A${number}`, { passed: 0, failed: 0, skipped: 0 });
  }
  const unknown = new Set<string>();
  for (const { fullName, status } of results) {
    for (const attack of new Set(fullName.match(/\bA\d{1,2}\b/g))) {
      const count = counts.get(attack);
      if (count === undefined) unknown.add(attack);
      else if (status === 'passed' || status === 'failed') count[status] += 1;
      else count.skipped += 1;
    }
  }
  const problems = [...unknown].map((attack) => `${attack} stands in a title and is no attack`);
  const lines = [...counts].map(([attack, count]) => {
    const isPlayed = count.passed + count.failed + count.skipped > 0;
    const reason = notYet[attack];
    if (isPlayed && reason !== undefined) problems.push(`${attack} has tests: it is no longer "n/a yet"`);
    if (!isPlayed && reason === undefined) problems.push(`${attack} has no test`);
    return attack.padEnd(6) + (isPlayed ? inWords(count) : reason ? `n/a yet: ${reason}` : 'NO TEST');
  });
  return { lines, problems };
}

function inWords({ passed, failed, skipped }: Count): string {
  return [
    ...(passed > 0 ? [`${tests(passed)} passed`] : []),
    ...(failed > 0 ? [`${tests(failed)} FAILED`] : []),
    ...(skipped > 0 ? [`${tests(skipped)} skipped`] : []),
  ].join(', ');
}

const tests = (count: number): string => (count === 1 ? '1 test' : `${count} tests`);
