import { type Key, useInput, usePaste } from 'ink';
import { useEffect, useMemo } from 'react';
import type { NamedKey, Press } from '../keys/press.js';
import { createPressReader } from '../keys/press-reader.js';

/** Ink has waited 20 ms by then: together about what editors wait for the rest of a key. */
const REST_MS = 30;

/**
 * The one place where keys and pasted text come in. Pasted text arrives here whole, between its brackets, and is
 * never mistaken for keys (A35). All are heard after the signals that came with them, which libuv tells of last: what was typed while
 * this process was stopped must find that it goes on (A34).
 */
export function useKeyboard(onPress: (press: Press) => void, onPaste: (text: string) => void): void {
  const reader = useMemo(() => createPressReader(onPress, afterNextRead), [onPress]);
  useEffect(() => reader.stop, [reader]);
  useInput((input, key) => {
    const press = toPress(input, key);
    if (press !== null) setImmediate(() => reader.read(press));
  });
  usePaste((text) => {
    setImmediate(() => {
      reader.flush();
      onPaste(text);
    });
  });
}

/** Waits, then for one look at the terminal: on a busy machine the time may be over while bytes lie there unread. */
function afterNextRead(then: () => void): () => void {
  let immediate: NodeJS.Immediate | null = null;
  const timer = setTimeout(() => {
    immediate = setImmediate(then);
  }, REST_MS);
  return () => {
    clearTimeout(timer);
    if (immediate !== null) clearImmediate(immediate);
  };
}

const NAMED: readonly (readonly [keyof Key, NamedKey])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

/**
 * Keys with Alt are nobody's: Alt-a is not `a`. But a terminal writes Alt as Esc, so a quick Esc before one of the keys
 * that only lead away looks the same, and those are heard.
 */
export function toPress(input: string, key: Key): Press | null {
  if (key.escape) return { named: 'escape' };
  if (key.super || key.hyper || (key.meta && !key.ctrl)) return null;
  for (const [flag, named] of NAMED) {
    if (key[flag] === true) return { named: named === 'tab' && key.shift ? 'shiftTab' : named };
  }
  if (key.ctrl) return input === '' ? null : { control: input };
  return input === '' ? null : { text: input };
}
