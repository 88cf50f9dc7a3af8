import { Problem } from '../../src/protocol/problems.js';
import { isLive } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Request } from './request.js';
import { event, type Step } from './step.js';

/**
 * The submitter has revealed that nobody needed this. What still lives of it ends, an approval before anything can be
 * opened with it. Nothing for one that is known as a canary already (null).
 *
 * @throws Problem `not-a-canary` where a door has used it: then it was needed
 */
export function revealed(request: Request, statement: string, now: EpochMs): Step | null {
  if (request.canary !== null) return null;
  if (request.redeemedAt !== null || request.report !== null) {
    throw new Problem('not-a-canary', `${request.document.door} has used this: whoever asked needed it`);
  }
  const known = { ...request, canary: now };
  const events = [event('request.canary', request, now, { statement })];
  if (!isLive(request.state)) return { request: known, events };
  const over = { endedAt: now, endedBy: 'it was a canary', missing: [], idleSince: null };
  return { request: { ...known, ...over, state: 'cancelled' }, events };
}
