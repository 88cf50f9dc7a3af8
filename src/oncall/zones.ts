import type { EpochMs } from '../protocol/time.js';
import { type WallMs, wallAt } from '../protocol/zoned-time.js';

export const DAY_MS = 86_400_000;
/** More than any clock shows apart from UTC. */
export const FAR = 2 * DAY_MS;

/**
 * The instant at which the clocks of a zone show this. Of two such instants, when clocks are set back, it is the first; a
 * time that they leave out is counted from before they are set forward (RFC 5545, 3.3.5).
 */
export function instantAt(wall: WallMs, zone: string): EpochMs {
  const offset = (instant: EpochMs): number => wallAt(instant, zone) - instant;
  const [before, after] = [offset(wall - DAY_MS), offset(wall + DAY_MS)];
  const isRight = (assumed: number): boolean => offset(wall - assumed) === assumed;
  return wall - (isRight(before) || !isRight(after) ? before : after);
}
