import type { Press } from './press.js';

/** Puts presses together that a terminal sent in two pieces. */
export interface PressReader {
  readonly read: (press: Press) => void;
  /** Hands an Esc on that is still held back: whatever comes now does not belong to it. */
  readonly flush: () => void;
  readonly stop: () => void;
}

/** What follows the ESC of a key or of a terminal's report: CSI and SS3 (ECMA-48, xterm). */
const REST_OF_SEQUENCE = /^(?:\[[0-?]*[ -/]*[@-~]|O[0-9;]*[@-~])/;

/**
 * A key such as an arrow is ESC and then some letters. Where a slow line or a busy machine brings the two apart, it looks like Esc,
 * which would close what stands open, and text, which would be written into a field. So Esc is held back for a moment: with such a
 * rest behind it both are dropped, and the key can be pressed again.
 *
 * @param later calls back once a rest would have come; returns the way to call it off
 */
export function createPressReader(
  onPress: (press: Press) => void,
  later: (then: () => void) => () => void,
): PressReader {
  let callOff: (() => void) | null = null;
  const letGo = (): boolean => {
    const isHeld = callOff !== null;
    callOff?.();
    callOff = null;
    return isHeld;
  };
  const flush = (): void => {
    if (letGo()) onPress({ named: 'escape' });
  };
  return {
    read(press) {
      if ('text' in press && callOff !== null && REST_OF_SEQUENCE.test(press.text)) {
        letGo();
        return;
      }
      flush();
      if ('named' in press && press.named === 'escape') callOff = later(flush);
      else onPress(press);
    },
    flush,
    stop: () => {
      letGo();
    },
  };
}
