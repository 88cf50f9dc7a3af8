import { expect, test } from 'vitest';
import { decidingEffects } from '../../../components/deciding/deciding-effects.js';
import type { ConsoleEvent } from '../../../components/state/console-events.js';
import { InMemoryQueue } from '../in-memory-queue.js';
import { sampleRequest } from '../sample-requests.js';

const request = sampleRequest();
const decision = { verdict: 'approve', comment: '', code: null } as const;

/** One decision whose signature takes as long as the test says; what the console hears of it. */
function deciding() {
  const connection = new InMemoryQueue([request]);
  let finish = (): void => {};
  connection.answerWith(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  const heard: ConsoleEvent['type'][] = [];
  const leaving = new AbortController();
  const effects = decidingEffects(
    { connection, dispatch: ({ type }) => heard.push(type), leaving: leaving.signal },
    (work) => work(),
  );
  effects.decide({ type: 'decide', request, decision });
  return {
    heard,
    leaving,
    effects,
    /** The signature comes, and all that follows from it. */
    sign: async () => {
      finish();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('a decision says when it is sent, and when it counts', async () => {
  const { heard, sign } = deciding();
  await sign();
  expect(heard).toEqual(['sending', 'decided']);
});

test('a signature that comes after it was cancelled is never sent, nor is anything said of it', async () => {
  const { heard, sign, effects } = deciding();
  effects.cancelSigning({ type: 'cancelSigning' });
  await sign();
  expect(heard).toEqual([]);
});

test('nor is one that comes after the console was left', async () => {
  const { heard, sign, leaving } = deciding();
  leaving.abort();
  await sign();
  expect(heard).toEqual([]);
});
