/** What the terminal of this process can show: all of Unicode, or ASCII alone. */
export type Repertoire = 'unicode' | 'ascii';

let shown: Repertoire = 'unicode';

/**
 * Says what can be shown, before anything is. A fact of the terminal that a process has, like its locale, and not of what
 * is drawn: texts are measured and broken by it long before they get to the screen.
 */
export function setRepertoire(repertoire: Repertoire): void {
  shown = repertoire;
}

export const isAsciiOnly = (): boolean => shown === 'ascii';
