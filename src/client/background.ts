import { type Background, backgroundSchema } from '../protocol/background.js';
import type { RequestId } from '../protocol/names.js';
import type { CallAs } from './http-client.js';

/**
 * What came before a request, as the broker tells it.
 *
 * @param zone of the reader, an IANA name: by it goes what hour of the day it is
 * @throws any problem of the broker. The reason of `signal` where that was aborted.
 */
export const fetchBackground = (
  call: CallAs,
  id: RequestId,
  zone: string,
  signal?: AbortSignal,
): Promise<Background> =>
  call(backgroundSchema, {
    method: 'GET',
    path: `/v1/requests/${id}/background?${new URLSearchParams({ zone })}`,
    signal,
  });
