import { expect, test } from 'vitest';
import { bulkEffects } from '../../../components/bulk-denial/bulk-effects.js';
import type { ConsoleEvent } from '../../../components/state/console-events.js';
import { Problem } from '../../../src/protocol/problems.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleId, sampleRequest } from '../sample-requests.js';

const requests = [1, 2, 3].map((n) => sampleRequest({ n }));

/** Denies three requests with these answers, and says what the console hears of it. */
async function denying(
  answer: (n: number, stop: () => void) => void,
  connection = new InMemoryQueue(requests),
  onSending: (n: number, stop: () => void) => void = () => {},
): Promise<{ heard: readonly ConsoleEvent[]; connection: InMemoryQueue }> {
  const heard: ConsoleEvent[] = [];
  await new Promise<void>((resolve) => {
    const dispatch = (event: ConsoleEvent): void => {
      heard.push(event);
      if (event.type === 'sendingDenial') onSending(connection.decisions.length, stop);
      if (event.type === 'denyingOver') resolve();
    };
    const leaving = new AbortController().signal;
    const { denyAll, stopDenying } = bulkEffects({ connection, dispatch, leaving }, (work) => work());
    const stop = () => stopDenying({ type: 'stopDenying' });
    connection.answerWith(async () => answer(connection.decisions.length, stop));
    denyAll({ type: 'denyAll', requests, comment: 'a loop' });
  });
  return { heard, connection };
}
const denied = (n: number, isEnded = false) => ({ type: 'denied', id: sampleId(n), isEnded });
const sending = { type: 'sendingDenial' };
const over = { type: 'denyingOver', failure: null };

test('many denials are signed one after the other, with the same comment', async () => {
  const { heard, connection } = await denying(() => {});
  expect(heard).toEqual([sending, denied(1), sending, denied(2), sending, denied(3), over]);
  expect(connection.decisions).toEqual(
    requests.map((request) => ({ request, verdict: 'deny', comment: 'a loop', code: null })),
  );
});

test('the first that fails ends it, and the others are not signed', async () => {
  const { heard, connection } = await denying((n) => {
    if (n === 2) throw new Problem('signing-failed', 'the agent refused');
  });
  expect(heard.slice(0, 2)).toEqual([sending, denied(1)]);
  expect(heard.at(-1)).toMatchObject({ type: 'denyingOver', failure: { message: 'the agent refused' } });
  expect(connection.decisions).toHaveLength(2);
});

test('what has ended by then is passed over, whether it is known here or the broker says it', async () => {
  const connection = new InMemoryQueue(requests);
  connection.change(sampleId(1), { state: 'expired' });
  const { heard } = await denying((n) => {
    if (n === 1) throw new Problem('request-ended', 'the request is denied already');
  }, connection);
  expect(heard).toEqual([denied(1, true), denied(2, true), sending, denied(3), over]);
});

test('told to stop, it cancels the one that is being signed, which is no failure', async () => {
  const { heard, connection } = await denying((n, stop) => {
    if (n === 2) stop();
  });
  expect(heard).toEqual([sending, denied(1), over]);
  expect(connection.decisions).toHaveLength(2);
});

test('told to stop while one is on its way, it hears what becomes of that one, and ends', async () => {
  const connection = new InMemoryQueue(requests);
  const stopping = await denying(
    () => {},
    connection,
    (n, stop) => {
      if (n === 2) stop();
    },
  );
  expect(stopping.heard).toEqual([sending, denied(1), sending, denied(2), over]);
});
