import { sendDecision } from '../client/broker-connection.js';
import { deniable, isEndedMeanwhile, isLike, MAX_BULK } from '../client/bulk-denial.js';
import { searchHistory } from '../client/history.js';
import type { TimeStyle } from '../client/shown-time.js';
import { exactly } from '../protocol/filter.js';
import { formatFilter } from '../protocol/filter-text.js';
import { isName, parseRequestId } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import { answerTo } from './decision.js';
import { formatList } from './list.js';
import { callAs, type SignedInBroker } from './open-broker.js';
import { print, printJson, tell } from './output.js';
import { fetchRequest } from './show.js';

/** So many pending requests are looked through. */
const MAX_LOOKED_AT = 10_000;

export interface DenyAllFlags {
  readonly allOf: string;
  /** How many there are, as it was given. */
  readonly count: string | undefined;
  readonly comment: string;
  readonly json: boolean;
  readonly style: TimeStyle;
}

/**
 * Denies all pending requests of a requester, from a submitter, or equal to one: each with a signature of its own, one after the
 * other, until one fails.
 *
 * @throws Problem `usage` for a count that is not theirs: then nothing is signed. Any problem of a denial, with how many were signed.
 */
export async function denyAll(
  broker: SignedInBroker,
  { allOf, count, comment, json, style }: DenyAllFlags,
): Promise<0> {
  const { filter, isMeant } = await meaningOf(broker, allOf);
  const { requests: found } = await searchHistory(callAs(broker), { filter, cursor: null }, MAX_LOOKED_AT);
  const requests = deniable(found, broker.approver, isMeant);
  if (requests.length === 0) {
    throw new Problem('not-found', `nothing of ${allOf} is pending that you could deny`, {
      hint: 'see what waits: countersign list --state pending',
    });
  }
  process.stderr.write(`${formatList(requests, style)}\n\n`);
  if (requests.length === MAX_BULK) tell(`these are the oldest ${MAX_BULK}: the same again for more`);
  await confirmCount(requests.length, count);
  const denied = await denyEach(broker, requests, comment);
  if (json) printJson({ denied });
  else print(`denied ${denied.length} of ${requests.length}${endedWords(requests.length - denied.length)}`);
  return 0;
}

const endedWords = (count: number): string => (count === 0 ? '' : `; ${count} had ended before`);

/** What is searched for, and what of that is meant exactly. @throws Problem `usage` */
async function meaningOf(broker: SignedInBroker, allOf: string) {
  const [, whose = '', name = ''] = /^(requester|submitter|equal):(.+)$/s.exec(allOf) ?? [];
  if (whose === 'equal') {
    const like = await fetchRequest(broker, parseRequestId(name));
    return { filter: pending('requester', like.document.requester), isMeant: isLike('equal', like) };
  }
  if ((whose !== 'requester' && whose !== 'submitter') || !isName(name)) {
    throw new Problem('usage', `--all-of ${JSON.stringify(allOf)} names nothing`, {
      hint: 'write requester:NAME, submitter:NAME or equal:ID; nothing was signed',
    });
  }
  const isMeant = ({ document, submitter }: RequestView): boolean =>
    name === (whose === 'requester' ? document.requester : submitter);
  return { filter: pending(whose, name), isMeant };
}

const pending = (whose: 'requester' | 'submitter', name: string): string =>
  formatFilter({ terms: [{ key: 'state', not: false, any: ['pending'] }, exactly(whose, name)] });

/** @throws Problem `usage` unless it is said how many they are, on the terminal or with `--count` */
async function confirmCount(count: number, given: string | undefined): Promise<void> {
  const nothing = { hint: 'nothing was signed' };
  if (given === undefined && !process.stdin.isTTY) {
    throw new Problem('usage', 'there is no terminal to confirm on', {
      hint: `read which they are, then give --count ${count}; nothing was signed`,
    });
  }
  const question = `To deny all of these, type how many they are; anything else stops: `;
  const typed = given ?? (await answerTo(question));
  if (typed.trim() === String(count)) return;
  throw new Problem('usage', `there are ${count}, not ${JSON.stringify(typed.trim())}`, nothing);
}

async function denyEach(
  broker: SignedInBroker,
  requests: readonly RequestView[],
  comment: string,
): Promise<readonly string[]> {
  const denied: string[] = [];
  for (const request of requests) {
    try {
      await sendDecision({ ...broker, broker }, request, { verdict: 'deny', comment, code: null });
      denied.push(request.id);
    } catch (error) {
      if (isEndedMeanwhile(error)) continue;
      tell(`stopped at ${request.id}: ${denied.length} of ${requests.length} are denied`);
      throw error;
    }
  }
  return denied;
}
