import type { Alerts } from '../../src/client/alerts.js';
import type { SafeText } from '../text/safe-text.js';

const ESC = '\u001b';
const BEL = '\u0007';

/**
 * What the terminal is sent to call a person. The bell comes with every notification: a terminal that does not know the sequence
 * ignores it, and tmux drops it unless `allow-passthrough` is on.
 *
 * @param words what a notification says: nothing that others wrote
 */
export function alertBytes(words: SafeText, { notify, isInTmux }: Alerts): string {
  const passed = isInTmux ? throughTmux : (sequence: string) => sequence;
  switch (notify) {
    case 'off':
      return '';
    case 'bell':
      return BEL;
    case 'osc9':
      return BEL + passed(`${ESC}]9;${words}${BEL}`);
    case 'osc777':
      return BEL + passed(`${ESC}]777;notify;countersign;${words}${BEL}`);
  }
}

/** tmux hands on to its terminal what stands in a DCS of its own, with each ESC doubled (tmux(1), `allow-passthrough`). */
export const throughTmux = (sequence: string): string =>
  `${ESC}Ptmux;${sequence.replaceAll(ESC, ESC + ESC)}${ESC}\\`;
