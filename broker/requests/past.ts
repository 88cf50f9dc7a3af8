import { BACKGROUND_ASKS, BACKGROUND_DAYS } from '../../src/protocol/background.js';
import { askedAt, type TextTerm } from '../../src/protocol/filter.js';
import { foldCase } from '../../src/protocol/glob.js';
import type { Name } from '../../src/protocol/names.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Store } from '../store/store.js';
import type { Past } from './background.js';
import type { Request } from './request.js';

const DAY = 86_400_000;
/** Steps of the search at most, each of a thousand rows: the rest of the month is not worth more of the broker's time. */
const STEPS = 8;

/**
 * Reads what was asked before a request in the names of its requester, within bounds and in short steps.
 *
 * @param names of the requester: one, or all of a person
 * @param kept from when on everything is kept, by retention; null for ever
 * @param goesOn whether anybody still wants to know
 */
export async function readPast(
  store: Pick<Store, 'list'>,
  { id }: Request,
  names: readonly Name[],
  { kept, goesOn }: { readonly kept: EpochMs | null; readonly goesOn: () => boolean },
): Promise<Past> {
  const wanted = askedAt(id) - BACKGROUND_DAYS * DAY;
  const since = Math.ceil(Math.max(wanted, kept ?? wanted) / 1000) * 1000;
  const requester: TextTerm = { key: 'requester', not: false, any: names.map((name) => [foldCase(name)]) };
  let steps = 1;
  const { requests: asks, next } = await store.list(
    { filter: { terms: [requester, { key: 'since', at: since }] }, before: id, limit: BACKGROUND_ASKS },
    () => {
      steps += 1;
      return steps <= STEPS && goesOn();
    },
  );
  if (next === null) return { asks, since, reach: kept !== null && kept > wanted ? 'kept' : 'days' };
  return { asks, since: askedAt(next), reach: asks.length < BACKGROUND_ASKS ? 'search' : 'asks' };
}
