import type { RequestId } from '../protocol/names.js';
import { type RequestStatus, type RequestTalk, talkedStatusSchema } from '../protocol/request-view.js';
import type { CallAs } from './http-client.js';

/** Where a request stands, with what approvers said about it. */
export type TalkedStatus = RequestStatus & RequestTalk;

/** What approvers say to each other about a request, and that all of them are rung. Nothing of it is signed. */
export interface Talk {
  /** @throws Problem `too-many-comments`, `request-ended`, any problem of the broker */
  comment(id: RequestId, text: string): Promise<TalkedStatus>;
  /** Has everybody rung who could sign. @throws Problem `escalated-lately`, `request-ended`, any problem of the broker */
  escalate(id: RequestId): Promise<TalkedStatus>;
}

/** Talk at a broker, for whom `call` is made. */
export function brokerTalk(call: CallAs): Talk {
  const post = (id: RequestId, what: string, body: object): Promise<TalkedStatus> =>
    call(talkedStatusSchema, { method: 'POST', path: `/v1/requests/${id}/${what}`, body });
  return {
    comment: (id, text) => post(id, 'comments', { text }),
    escalate: (id) => post(id, 'escalations', {}),
  };
}
