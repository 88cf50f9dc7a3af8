import { type Key, useInput, usePaste } from 'ink';
import type { NamedKey, Press } from '../key-table.js';

/**
 * The one place where keys and pasted text come in. Pasted text arrives here whole, between its brackets, and is
 * never mistaken for keys (A35).
 */
export function useKeyboard(onPress: (press: Press) => void, onPaste: (text: string) => void): void {
  useInput((input, key) => {
    const press = toPress(input, key);
    if (press !== null) onPress(press);
  });
  usePaste(onPaste);
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
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

/** Keys with Alt are nobody's: Alt-a is not `a`. */
export function toPress(input: string, key: Key): Press | null {
  if (key.meta || key.super || key.hyper) return null;
  for (const [flag, named] of NAMED) {
    if (key[flag] === true) return { named: named === 'tab' && key.shift ? 'shiftTab' : named };
  }
  if (key.ctrl) return input === '' ? null : { control: input };
  return input === '' ? null : { text: input };
}
