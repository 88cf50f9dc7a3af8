import { type OutboxReply, outboxChangeReply, outboxReply } from '../protocol/outbox-messages.js';
import type { CallAs } from './http-client.js';

/** Most dead letters that are asked for at once. */
const MOST_LETTERS = 100;

/** Names one dead letter: an event that a receiver has not taken. */
export interface LetterName {
  readonly sink: string;
  readonly event: number;
}

/** What leaves the broker, and what of it was given up. */
export interface Outbox {
  /**
   * The oldest dead letters.
   *
   * @throws any problem of the broker. The reason of `signal` where that was aborted.
   */
  deadLetters(signal: AbortSignal): Promise<OutboxReply>;
  /** Has a dead letter sent again. @throws any problem of the broker */
  retry(letter: LetterName): Promise<void>;
  /** Gives a dead letter up for good, so that what waits behind it goes on. @throws any problem of the broker */
  drop(letter: LetterName): Promise<void>;
}

/** The outbox of a broker, for whom `call` is made. */
export function brokerOutbox(call: CallAs): Outbox {
  const change = async (path: string, { sink, event }: LetterName): Promise<void> => {
    await call(outboxChangeReply, { method: 'POST', path, body: { sink, event } });
  };
  return {
    deadLetters: (signal) =>
      call(outboxReply, { method: 'GET', path: `/v1/outbox?limit=${MOST_LETTERS}`, signal }),
    retry: (letter) => change('/v1/outbox/retries', letter),
    drop: (letter) => change('/v1/outbox/drops', letter),
  };
}
