import { setTimeout as pause } from 'node:timers/promises';
import { type HttpConnection, type Reply, succeeded } from './http-connection.ts';

export interface Load {
  /** Calls answered a second. */
  readonly perSecond: number;
  /** How long each call took, in ms. */
  readonly latencies: readonly number[];
  /** In the order of the calls; all of them successes. */
  readonly replies: readonly Reply[];
}

/**
 * Keeps every connection busy until all calls are answered.
 *
 * @throws Error if a reply is not a success
 */
export async function saturate(
  connections: readonly HttpConnection[],
  calls: readonly Buffer[],
): Promise<Load> {
  const latencies: number[] = [];
  const replies: Reply[] = [];
  const queue = calls.entries();
  const from = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      for (const [index, call] of queue) {
        const sent = performance.now();
        replies[index] = succeeded(await connection.call(call));
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { perSecond: (calls.length * 1000) / (performance.now() - from), latencies, replies };
}

/**
 * Sends calls at a given rate, whether or not the earlier ones are answered. A call that finds every connection busy
 * waits for one, and its wait counts.
 *
 * @throws Error if a reply is not a success
 */
export async function steady(
  connections: readonly HttpConnection[],
  calls: readonly Buffer[],
  perSecond: number,
): Promise<Load> {
  const latencies: number[] = [];
  const replies: Reply[] = [];
  const idle = [...connections];
  const due: { readonly index: number; readonly at: number }[] = [];
  const send = async (connection: HttpConnection): Promise<void> => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      replies[next.index] = succeeded(await connection.call(calls[next.index] ?? Buffer.alloc(0)));
      latencies.push(performance.now() - next.at);
    }
    idle.push(connection);
  };
  const sending: Promise<void>[] = [];
  const from = performance.now();
  for (const index of calls.keys()) {
    await until(from + (index * 1000) / perSecond);
    due.push({ index, at: performance.now() });
    const connection = idle.pop();
    if (connection !== undefined) sending.push(send(connection));
  }
  await Promise.all(sending);
  return { perSecond: (calls.length * 1000) / (performance.now() - from), latencies, replies };
}

/** Waits for a time of `performance.now()`. */
export async function until(time: number): Promise<void> {
  while (performance.now() < time) await pause(1);
}
