import type { Clipboard } from '../../src/client/clipboard.js';
import { throughTmux } from '../attention/alert-bytes.js';

const ESC = '\u001b';
const BEL = '\u0007';

/**
 * What sets the clipboard of the terminal (xterm's control sequences, OSC 52). tmux drops it unless `allow-passthrough` is on.
 *
 * @param text in base64 it is nothing that a terminal would act on
 */
export function clipboardBytes(text: string, { isInTmux }: Clipboard): string {
  const sequence = `${ESC}]52;c;${Buffer.from(text).toString('base64')}${BEL}`;
  return isInTmux ? throughTmux(sequence) : sequence;
}
