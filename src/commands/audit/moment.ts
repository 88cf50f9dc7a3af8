import { parseFilter } from '../../protocol/filter-text.js';
import { Problem } from '../../protocol/problems.js';
import type { EpochMs } from '../../protocol/time.js';

/** Reads a time as a filter does: `7d` ago, a day of UTC, or a second. @throws Problem `usage` */
export function momentOf(key: 'since' | 'until', text: string, now: EpochMs): EpochMs {
  const [term, ...others] = parseFilter(`${key}:${text}`, now).terms;
  if (term?.key === key && others.length === 0) return term.at;
  throw new Problem('usage', `--${key} is not a time like 7d, 2026-11-01 or 2026-11-01T08:30:00Z`);
}
