import * as z from 'zod';
import { isName, isRequestId, type Name, type RequestId } from './names.js';
import { time } from './request-view.js';

const name = z.custom<Name>(isName, 'not a name');

/** A request that its requester opened alone (break-glass), and that not enough others have looked at yet. */
export const openReviewSchema = z.object({
  request: z.custom<RequestId>(isRequestId, 'not a request id'),
  requester: name,
  resource: z.string(),
  openedAt: time,
  /** Who has looked at it. */
  signed: z.array(name),
});
export type OpenReview = z.output<typeof openReviewSchema>;
