import type { LetterName } from '../../src/client/outbox.js';
import type { DeadLetter, OutboxReply } from '../../src/protocol/outbox-messages.js';
import type { Complaint } from '../history/history-state.js';

/** The outbox as it is looked at: its dead letters. How each receiver fares is part of the queue's picture. */
export interface OutboxState {
  /** Replies to questions with other numbers are nobody's; 0 before the first. */
  readonly number: number;
  readonly isWaiting: boolean;
  readonly failure: Complaint | null;
  /** The oldest event first; null before the first reply. */
  readonly letters: readonly DeadLetter[] | null;
  /** Whether there are more than these. */
  readonly hasMore: boolean;
  readonly selected: LetterName | null;
  /** The first letter that is on the screen. */
  readonly top: number;
  /** The step before a letter is dropped. */
  readonly dropping: { readonly letter: DeadLetter; readonly focused: 'cancel' | 'drop' } | null;
}

export const CLOSED_OUTBOX: OutboxState = {
  number: 0,
  isWaiting: false,
  failure: null,
  letters: null,
  hasMore: false,
  selected: null,
  top: 0,
  dropping: null,
};

export const isSameLetter = (a: LetterName | null, b: LetterName | null): boolean =>
  a !== null && b !== null && a.sink === b.sink && a.event === b.event;

/** Where the selected letter stands; 0 where none is selected. */
export function letterIndex({ letters, selected }: OutboxState): number {
  return Math.max(0, letters?.findIndex((letter) => isSameLetter(letter, selected)) ?? 0);
}

export const selectedLetter = (outbox: OutboxState): DeadLetter | null =>
  outbox.letters?.[letterIndex(outbox)] ?? null;

/** Takes the letters over. The selection stays with its letter; where that is gone it falls to what stands in its place. */
export function takeLetters(outbox: OutboxState, { letters, next }: OutboxReply): OutboxState {
  const isThere = letters.some((letter) => isSameLetter(letter, outbox.selected));
  const inItsPlace = letters[Math.min(letterIndex(outbox), letters.length - 1)] ?? null;
  const { dropping } = outbox;
  return {
    ...outbox,
    isWaiting: false,
    failure: null,
    letters,
    hasMore: next !== null,
    selected: isThere ? outbox.selected : inItsPlace,
    dropping: letters.some((letter) => isSameLetter(letter, dropping?.letter ?? null)) ? dropping : null,
  };
}

export function moveLetter(outbox: OutboxState, count: number): OutboxState {
  const letters = outbox.letters ?? [];
  const index = Math.max(0, Math.min(letters.length - 1, letterIndex(outbox) + count));
  return { ...outbox, selected: letters[index] ?? null };
}

/** The smallest move of the window that brings the selected letter onto the screen. */
export function followLetter(outbox: OutboxState, capacity: number): OutboxState {
  const index = letterIndex(outbox);
  const last = Math.max(0, (outbox.letters?.length ?? 0) - capacity);
  const top = Math.min(last, index < outbox.top ? index : Math.max(outbox.top, index - capacity + 1));
  return top === outbox.top ? outbox : { ...outbox, top };
}
