import { changesBetween } from '../../src/client/persistent-map.js';
import { grantOver, isGrant } from '../../src/protocol/grant.js';
import type { GrantsReply } from '../../src/protocol/grant-messages.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Complaint } from '../history/history-state.js';

/** The screen of grants: what the broker told beside the picture of the queue, and where the cursor is. */
export interface GrantsState {
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly isWaiting: boolean;
  readonly failure: Complaint | null;
  /** Null before the first reply. */
  readonly told: ToldOfGrants | null;
  /** The request under the cursor, by its id and never by its place. */
  readonly selected: RequestId | null;
  /** The first item that is on the screen. */
  readonly top: number;
}

/** What the broker told, and when by its clock. */
export interface ToldOfGrants extends GrantsReply {
  readonly at: EpochMs;
}

export const CLOSED_GRANTS: GrantsState = {
  number: 0,
  isWaiting: false,
  failure: null,
  told: null,
  selected: null,
  top: 0,
};

/** What the screen shows, the newest first: the grants in force, then what doors watch beside them. */
export interface StandingApprovals {
  readonly grants: readonly RequestView[];
  readonly watched: readonly RequestView[];
}

type Picture = ReadonlyMap<RequestId, RequestView>;

export function standingApprovals(picture: Picture, told: GrantsReply | null): StandingApprovals {
  const grants = grantsIn(picture).inForce;
  const watched = (told?.watched ?? [])
    .map((request) => picture.get(request.id) ?? request)
    .filter((request) => request.state === 'redeemed');
  return { grants, watched };
}

/** When a grant was last used, by its own ask or by one under it; null where it never was. */
export function lastUse(grant: RequestView, picture: Picture, told: GrantsReply | null): EpochMs | null {
  const uses = [
    grant.redeemedAt,
    grantsIn(picture).lastUses.get(grant.id) ?? null,
    told?.uses.find(({ id }) => id === grant.id)?.at ?? null,
  ].filter((use) => use !== null);
  return uses.length === 0 ? null : Math.max(...uses);
}

/** When a grant ends by itself: before its first use, when that must have come; null where its votes do not say. */
export const endOf = (grant: RequestView): EpochMs | null => grantOver(grant) ?? grant.claimBy;

/** Whether a request is one that a door watches, and its approval stands. */
const standsWatched = ({ state, watchedAt }: RequestView): boolean =>
  watchedAt !== null && (state === 'redeemed' || state === 'active');

/** Whether doors began to watch, or what they watch was taken back: then the broker is to be asked again. */
export function watchesDiffer(before: Picture, picture: Picture): boolean {
  return changesBetween(before, picture).some(
    ({ before: was, after: request }) =>
      request !== undefined && standsWatched(request) !== (was !== undefined && standsWatched(was)),
  );
}

interface GrantsInPicture {
  readonly inForce: readonly RequestView[];
  /** By grant, as far as the requests that passed under it are in the picture. */
  readonly lastUses: ReadonlyMap<RequestId, EpochMs>;
}

const found = new WeakMap<Picture, GrantsInPicture>();

/** Looked for once in each picture. */
function grantsIn(picture: Picture): GrantsInPicture {
  const known = found.get(picture);
  if (known !== undefined) return known;
  const inForce: RequestView[] = [];
  const lastUses = new Map<RequestId, EpochMs>();
  for (const request of picture.values()) {
    const { state, grant, redeemedAt } = request;
    if ((state === 'approved' || state === 'active') && isGrant(request)) inForce.push(request);
    if (grant !== null && redeemedAt !== null && redeemedAt > (lastUses.get(grant) ?? 0)) {
      lastUses.set(grant, redeemedAt);
    }
  }
  inForce.sort((a, b) => (a.id < b.id ? 1 : -1));
  const grants = { inForce, lastUses };
  found.set(picture, grants);
  return grants;
}
