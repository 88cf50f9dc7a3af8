import type { Key } from 'ink';
import { describe, expect, test } from 'vitest';
import { toPress } from '../../../components/hooks/use-keyboard.js';

const NO_KEY: Key = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
};
const press = (input: string, key: Partial<Key> = {}) => toPress(input, { ...NO_KEY, ...key });

describe('a press', () => {
  test('is its text, its name or its control letter', () => {
    expect(press('a')).toEqual({ text: 'a' });
    expect(press('a\t\r')).toEqual({ text: 'a\t\r' });
    expect(press('\r', { return: true })).toEqual({ named: 'enter' });
    expect(press('', { tab: true, shift: true })).toEqual({ named: 'shiftTab' });
    expect(press('z', { ctrl: true })).toEqual({ control: 'z' });
    expect(press('')).toBeNull();
  });

  test('with Alt is nobody’s, but a quick Esc before leaving leaves', () => {
    expect(press('a', { meta: true })).toBeNull();
    expect(press('\r', { meta: true, return: true })).toBeNull();
    expect(press('c', { meta: true, ctrl: true })).toEqual({ control: 'c' });
    expect(press('', { meta: true, escape: true })).toEqual({ named: 'escape' });
  });
});
