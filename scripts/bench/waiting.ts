import { setTimeout as pause } from 'node:timers/promises';
import { type HttpConnection, jsonOf, type Reply, succeeded, withConnections } from './http-connection.ts';
import { until } from './load.ts';
import type { MeasuredProcess } from './measured-process.ts';
import { attachConsoles } from './programs.ts';

export const CONSOLES = 200;
/** Decisions a second, evenly. */
const PACE = 20;
/** Enough that each is answered long before its next turn. */
const DECIDERS = 64;
/** They wait before memory is measured first, so that the code of the server counts for no waiter. */
const EARLY = 500;

/** What a server holds while it is measured, and how it is asked. */
export interface Waiting {
  readonly program: MeasuredProcess<{ readonly address: string }>;
  /** The call of each waiter, which is answered after its decision. */
  readonly redeems: readonly Buffer[];
  /** The decisions that the first waiters wait for; made when they are needed. */
  readonly decisions: () => readonly Buffer[];
  /** Asks how many wait, and how many consoles are there. */
  readonly status: Buffer;
  /** Lets a console in. */
  readonly token: string;
}

export interface WaitingFigures {
  /** From each decision to its waiter's reply, in ms. */
  readonly latencies: readonly number[];
  /** Resident memory of one waiter, its connection included, in KiB. */
  readonly memory: number;
}

/** Lets everybody wait, attaches the consoles, then decides for the first of those who wait. */
export async function measureWaiting(waiting: Waiting): Promise<WaitingFigures> {
  const { program, redeems, decisions, token } = waiting;
  const { address } = program.facts;
  return withConnections(address, DECIDERS, (deciders) =>
    withWaiters(waiting, redeems.slice(0, EARLY), at(deciders, 0), async (early) => {
      const before = await program.residentMemory();
      return withWaiters(waiting, redeems.slice(EARLY), at(deciders, 0), async (late) => {
        const memory = ((await program.residentMemory()) - before) / late.length / 1024;
        const consoles = await attachConsoles(address, CONSOLES, token);
        const latencies = await decide(deciders, decisions(), [...early, ...late]);
        const left = jsonOf(await at(deciders, 0).call(waiting.status)).consoles;
        if (left !== CONSOLES) throw new Error(`only ${left} of ${CONSOLES} consoles stayed`);
        await consoles.stop();
        return { latencies, memory };
      });
    }),
  );
}

/** Connects, and goes on once all of them wait. */
function withWaiters<Result>(
  { program, status }: Waiting,
  redeems: readonly Buffer[],
  watcher: HttpConnection,
  use: (replies: readonly Promise<Reply>[]) => Promise<Result>,
): Promise<Result> {
  const waiters = async (): Promise<number> => jsonOf(await watcher.call(status)).waiters;
  return withConnections(program.facts.address, redeems.length, async (connections) => {
    const all = (await waiters()) + redeems.length;
    const replies = connections.map((connection, index) => connection.call(at(redeems, index)));
    while ((await waiters()) < all) await pause(50);
    return use(replies);
  });
}

/** @returns the time from each decision to the reply that it sets free, in ms */
async function decide(
  deciders: readonly HttpConnection[],
  decisions: readonly Buffer[],
  replies: readonly Promise<Reply>[],
): Promise<number[]> {
  const latencies: Promise<number>[] = [];
  const from = performance.now();
  for (const [index, decision] of decisions.entries()) {
    await until(from + (index * 1000) / PACE);
    const sent = performance.now();
    const answered = at(deciders, index % deciders.length)
      .call(decision)
      .then(succeeded);
    const freed = at(replies, index).then((reply) => {
      succeeded(reply);
      return performance.now() - sent;
    });
    latencies.push(Promise.all([freed, answered]).then(([latency]) => latency));
  }
  return Promise.all(latencies);
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no item ${index}`);
  return item;
}
