import { type Statistics, statisticsReply } from '../protocol/statistics.js';
import type { CallAs } from './http-client.js';

/** Which figures are asked for. */
export interface StatisticsQuery {
  readonly days: number;
  /** Of the reader, an IANA name: by it go days and hours. */
  readonly zone: string;
}

/**
 * What the broker counts of the last days.
 *
 * @throws any problem of the broker. The reason of `signal` where that was aborted.
 */
export const fetchStatistics = (
  call: CallAs,
  { days, zone }: StatisticsQuery,
  signal?: AbortSignal,
): Promise<Statistics> =>
  call(statisticsReply, {
    method: 'GET',
    path: `/v1/statistics?${new URLSearchParams({ days: String(days), zone })}`,
    signal,
  });
