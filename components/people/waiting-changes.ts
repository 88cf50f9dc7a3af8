import { BROKER_SUBMITTER, ROSTER_CHANGE } from '../../src/protocol/change-messages.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EntryName } from './people-state.js';

/** What a request for a change of this entry names as its resource. */
const resourceOf = ({ of, name }: EntryName): string => `${of === 'people' ? 'person' : 'submitter'} ${name}`;

/** A change of people or submitters that the broker asks its approvers for. */
export const isDirectoryChange = ({ submitter, document }: RequestView): boolean =>
  submitter === BROKER_SUBMITTER && document.action === ROSTER_CHANGE;

/** The requests to change this entry that others have not answered yet, the oldest first. */
export function waitingChanges(
  requests: ReadonlyMap<RequestId, RequestView>,
  entry: EntryName,
): readonly RequestView[] {
  const resource = resourceOf(entry);
  return allWaiting(requests).filter(({ document }) => document.resource === resource);
}

/** How many requests to change a person, or a submitter, wait; those for new ones among them. */
export function countWaiting(requests: ReadonlyMap<RequestId, RequestView>, of: EntryName['of']): number {
  const kind = of === 'people' ? 'person ' : 'submitter ';
  return allWaiting(requests).filter(({ document }) => document.resource.startsWith(kind)).length;
}

const allWaiting = (requests: ReadonlyMap<RequestId, RequestView>): readonly RequestView[] =>
  [...requests.values()]
    .filter((request) => request.state === 'pending' && isDirectoryChange(request))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
