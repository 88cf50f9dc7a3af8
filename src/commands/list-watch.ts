import { forkWords } from '../client/log-standing.js';
import type { Queue, QueueConnection } from '../client/queue.js';
import { changedAt, queueChanges } from '../client/queue-changes.js';
import { readShown } from '../client/shown-request.js';
import { zonedTime } from '../client/shown-time.js';
import { Problem } from '../protocol/problems.js';
import type { RequestView } from '../protocol/request-view.js';
import type { ExitCode } from './exit-code.js';
import { interruptible } from './interrupt.js';
import { stateWord } from './list.js';
import { exact, print, printJsonLine, prose, tell } from './output.js';
import { viewOnWire } from './show.js';

/** What is watched, and how it is printed. */
export interface Watched {
  /** Whether a request is printed when the watch begins; later ones are by `isWanted` alone. */
  readonly isFirst: (request: RequestView) => boolean;
  readonly isWanted: (request: RequestView) => boolean;
  readonly json: boolean;
  readonly zone: string;
}

/**
 * Prints a line for each change of the queue until a signal ends it. The connection comes back by itself; what happened meanwhile is
 * printed then.
 *
 * @throws Problem `forbidden` where the broker will have this approver no more
 */
export async function watchQueue(connection: QueueConnection, watched: Watched): Promise<ExitCode> {
  const { interrupted } = await interruptible((signal) => printChanges(connection, watched, signal));
  // As whoever waits for it expects of a program that only a signal ends.
  if (interrupted !== null) process.kill(process.pid, interrupted);
  return 0;
}

function printChanges(connection: QueueConnection, watched: Watched, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed: Queue['requests'] | null = null;
    let isLost = false;
    let isForkTold = false;
    const printAll = (requests: readonly RequestView[], isPrinted: Watched['isWanted']): void => {
      for (const request of requests)
        if (isPrinted(request)) printChange(request, printed?.get(request.id), watched);
    };
    const onQueue = (): void => {
      const { link, requests, log } = connection.queue();
      if (link.state === 'refused') throw new Problem('forbidden', link.reason, { hint: link.hint });
      if (link.state === 'stale' && !isLost) tell(`not connected: ${prose(link.reason)}; trying again`);
      if (link.state === 'live' && isLost) tell('connected again');
      if (log.fork !== null && !isForkTold)
        tell(`the log of this broker is not the one seen here: ${forkWords(log.fork)}`);
      isForkTold ||= log.fork !== null;
      isLost = link.state === 'stale';
      if (link.state !== 'live') return;
      if (printed === null) printAll(queueChanges(new Map(), requests), watched.isFirst);
      else printAll(queueChanges(printed, requests), watched.isWanted);
      printed = requests;
    };
    const hear = (): void => {
      try {
        onQueue();
      } catch (error) {
        reject(error);
      }
    };
    const unsubscribe = connection.subscribe(hear);
    signal.addEventListener('abort', () => {
      unsubscribe();
      resolve();
    });
    hear();
  });
}

function printChange(request: RequestView, known: RequestView | undefined, { json, zone }: Watched): void {
  const line = changeLine(request, zone, known);
  if (json) printJsonLine(viewOnWire(request));
  else if (known === undefined || line !== changeLine(known, zone)) print(line);
}

/**
 * One line, two spaces between its fields; what others wrote is marked where it could deceive, and never cut. What approvers said or did
 * among themselves since it was `known` stands beside the state, before all that a requester wrote.
 */
export function changeLine(request: RequestView, zone: string, known?: RequestView): string {
  const { action, context, door, requester, resource } = readShown(request).document;
  const votes = request.votes.map(({ approver, verdict }) => `${exact(approver)}:${verdict}`).join(',');
  return [
    zonedTime(changedAt(request), zone),
    [stateWord(request), ...talkWords(request, known)].join(' '),
    request.id,
    exact(requester),
    exact(action),
    exact(resource),
    exact(door),
    votes || '-',
    typeof context.reason === 'string' ? prose(context.reason) : '',
  ]
    .join('  ')
    .trimEnd();
}

function talkWords({ comments, escalated }: RequestView, known: RequestView | undefined): readonly string[] {
  if (known === undefined) return [];
  const said = comments
    .slice(known.comments.length)
    .map(({ by, text }) => `comment by ${exact(by)}: ${prose(text)}`);
  const rung =
    escalated === null || escalated.at === known.escalated?.at ? [] : [`all rung by ${exact(escalated.by)}`];
  const words = [...said, ...rung];
  return words.length === 0 ? [] : [`(${words.join('; ')})`];
}
