import { type Filter, matchesFilter, subjectOf } from '../../src/protocol/filter.js';
import { formatFilter, parseFilter } from '../../src/protocol/filter-text.js';
import type { PlaceHoldBody } from '../../src/protocol/hold-messages.js';
import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import type { NewEvent, Request } from '../requests/request.js';
import type { Hold, Holds } from './erasure.js';

/** What becomes of the holds, and what the log says of it. */
export interface HoldChange {
  readonly holds: Holds;
  readonly event: NewEvent;
}

/** @throws Problem `hold-exists`; `usage` that names what is wrong with the filter */
export function placed(holds: Holds, { name, filter, reason }: PlaceHoldBody, now: EpochMs): HoldChange {
  if (holds.has(name)) throw new Problem('hold-exists', `there is a hold ${name} already`);
  // With times that stay: `since:7d` would let go of one day each day.
  const lasting = formatFilter(parseFilter(filter, now));
  parseFilter(lasting, now);
  const hold: Hold = { name, filter: lasting, reason, since: now };
  return {
    holds: new Map([...holds, [name, hold]]),
    event: { kind: 'hold.placed', at: now, body: { name, filter: lasting, reason } },
  };
}

/** @throws Problem `hold-unknown` */
export function lifted(holds: Holds, name: Name, now: EpochMs): HoldChange {
  const hold = holds.get(name);
  if (hold === undefined) throw new Problem('hold-unknown', `there is no hold ${name}`);
  const { filter, since } = hold;
  return {
    holds: new Map([...holds].filter(([other]) => other !== name)),
    event: { kind: 'hold.lifted', at: now, body: { name, filter, since: formatTime(since) } },
  };
}

/** Whether some hold is about a request. */
export function heldBy(holds: Holds): (request: Request) => boolean {
  const filters: readonly Filter[] = [...holds.values()].map(({ filter, since }) =>
    parseFilter(filter, since),
  );
  return (request) => {
    const subject = subjectOf(request);
    return filters.some((filter) => matchesFilter(filter, subject));
  };
}
