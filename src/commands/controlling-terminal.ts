import { closeSync, openSync } from 'node:fs';

/** Whether a terminal controls this process; one that has gone away cannot be opened any more (tty(4)). */
export function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}
