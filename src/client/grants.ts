import { type GrantsReply, grantsReply } from '../protocol/grant-messages.js';
import type { CallAs } from './http-client.js';

/**
 * When grants were last used, and what doors watch just now.
 *
 * @throws any problem of the broker. The reason of `signal` where that was aborted.
 */
export const fetchGrants = (call: CallAs, signal?: AbortSignal): Promise<GrantsReply> =>
  call(grantsReply, { method: 'GET', path: '/v1/grants', signal });
