import { type LogOwner, logsOf, readKeptLogs, standingFork } from '../../client/kept-heads.js';
import { type Comparison, compareLog, type LogSource } from '../../client/log-comparison.js';
import { forkWords } from '../../client/log-standing.js';
import type { SignedHead } from '../../protocol/audit-head.js';
import { Problem } from '../../protocol/problems.js';
import { verifyAuditHead } from '../../ssh/audit-head.js';
import { type Finding, fromProblem, good, note, warning, wrong } from './finding.js';

/** How the log of a broker stands to the heads that were kept here. */
export type LogFacts =
  | { readonly state: 'none kept' }
  | { readonly state: 'unread'; readonly problem: Problem }
  /** In what it is another one, in words. */
  | { readonly state: 'forked'; readonly words: string; readonly from: number }
  /** Up to this entry; null where it could not be compared now. */
  | { readonly state: 'good'; readonly compared: number | null; readonly linked: boolean };

/**
 * Looks at what was kept, and compares the newest head with it.
 *
 * @param source null where nobody is signed in: entries are read by approvers
 */
export async function logFacts(
  config: string,
  owner: LogOwner,
  head: SignedHead | null,
  source: LogSource | null,
): Promise<LogFacts> {
  try {
    const logs = await readKeptLogs(config);
    const fork = standingFork(logs, owner);
    if (fork !== null) return { state: 'forked', words: forkWords(fork), from: fork.from };
    const { heads } = logsOf(logs, owner);
    const newest = heads.at(-1);
    if (newest === undefined) return { state: 'none kept' };
    if (head === null || source === null) return { state: 'good', compared: null, linked: true };
    const offered = verifyAuditHead(head.text);
    if (!owner.pins.includes(offered.broker))
      throw new Problem('bad-signature', 'the newest head of the log is signed by a key that is not pinned');
    const outcome = await compareLog(heads, offered, source);
    if (outcome.fits) return { state: 'good', compared: offered.seq, linked: outcome.linked };
    return { state: 'forked', words: wordsOf(outcome, newest.text), from: outcome.from };
  } catch (error) {
    if (error instanceof Problem) return { state: 'unread', problem: error };
    throw error;
  }
}

const wordsOf = (outcome: Extract<Comparison, { fits: false }>, kept: string): string =>
  forkWords({ ...outcome, kept });

/** @param isFailing whether the broker says that it cannot sign */
export function examineLog(facts: LogFacts, isFailing: boolean): readonly Finding[] {
  return isFailing ? [...examineKept(facts), CANNOT_SIGN] : examineKept(facts);
}

const CANNOT_SIGN = warning(
  'the broker cannot sign the head of its log',
  'its log says why, and the metric countersign_heads_total: often there is no room on the disk',
);

function examineKept(facts: LogFacts): readonly Finding[] {
  switch (facts.state) {
    case 'none kept':
      return [note('no head of the log is kept here yet', 'a console keeps those that it sees')];
    case 'unread':
      return [fromProblem(facts.problem)];
    case 'forked':
      return [
        wrong(
          `the log of the broker is not the one seen here: ${facts.words}`,
          'report it to whoever else approves; only where it is explained: countersign audit accept',
        ),
      ];
    case 'good': {
      if (facts.compared === null) return [note('the log was not compared with the heads kept here')];
      const what = `the log is the one seen here, up to entry ${facts.compared}`;
      if (facts.linked) return [good(what)];
      return [
        warning(`${what}, but not every entry was looked at`, 'countersign audit verify looks at each'),
      ];
    }
  }
}
