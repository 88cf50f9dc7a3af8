import type { Name } from '../../src/protocol/names.js';
import { REQUEST_EVENTS, type RequestEventKind } from '../../src/protocol/stream-messages.js';
import type { Request } from '../requests/request.js';
import { talkedOnWire, viewOnWire } from '../requests/view.js';
import type { Committed } from '../store/store.js';

/** Who is rung for a request; null for everybody who could sign. */
export type RingOf = (request: Request) => readonly Name[] | null;

/** The bytes of a message of the stream. */
export const encode = (message: object): Buffer => Buffer.from(JSON.stringify(message));

/** What consoles are told of an entry of the log. */
export function eventMessage({ seq, kind, request }: Committed, ringOf: RingOf): object {
  if (kind === 'restore.acknowledged') return { type: 'other', seq, restoration: null };
  if (request === null || !isRequestEvent(kind)) return { type: 'other', seq };
  if (kind === 'request.submitted')
    return { type: 'submitted', seq, request: viewOnWire(request, ringOf(request)) };
  return {
    type: 'changed',
    seq,
    kind,
    id: request.id,
    status: talkedOnWire(request),
  };
}

const isRequestEvent = (kind: Committed['kind']): kind is RequestEventKind =>
  (REQUEST_EVENTS as readonly string[]).includes(kind);
