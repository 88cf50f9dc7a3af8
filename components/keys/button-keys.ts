import type { Press } from './press.js';

/**
 * The button on the side of an arrow, Cancel on the left: pressed twice, by a hand that saw no answer to the first, an arrow must
 * not lead back. Null for every other key.
 */
export function buttonBeside<Right extends string>(press: Press, right: Right): 'cancel' | Right | null {
  if (!('named' in press)) return null;
  if (press.named === 'right') return right;
  return press.named === 'left' ? 'cancel' : null;
}
