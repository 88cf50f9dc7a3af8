import type { RequestId } from '../protocol/names.js';
import type { RequestView } from '../protocol/request-view.js';
import type { EpochMs } from '../protocol/time.js';
import { changesBetween } from './persistent-map.js';

type Requests = ReadonlyMap<RequestId, RequestView>;

/**
 * The requests that came or that something happened to between two pictures, in the order in which it did: another state, a signature, a
 * report, a comment, that it was a canary. Who waits and who is rung is no change. What happened to one of them in between is one change.
 */
export function queueChanges(before: Requests, after: Requests): readonly RequestView[] {
  const changed = changesBetween(before, after).flatMap(({ before: known, after: request }) =>
    request === undefined || (known !== undefined && lifeOf(known) === lifeOf(request)) ? [] : [request],
  );
  return changed.sort((a, b) => changedAt(a) - changedAt(b) || (a.id < b.id ? -1 : 1));
}

const lifeOf = ({ state, report, votes, comments, escalated, canary }: RequestView): string =>
  [state, report?.outcome ?? '-', votes.length, comments.length, escalated?.at ?? '-', canary ?? '-'].join(
    ' ',
  );

/** When something last happened to a request, by the broker's clock. */
export function changedAt(request: RequestView): EpochMs {
  const { submittedAt, votes, redeemedAt, report, canary, endedAt, comments, escalated } = request;
  return Math.max(
    submittedAt,
    votes.at(-1)?.decided ?? 0,
    redeemedAt ?? 0,
    report?.at ?? 0,
    comments.at(-1)?.at ?? 0,
    escalated?.at ?? 0,
    canary ?? 0,
    endedAt ?? 0,
  );
}
