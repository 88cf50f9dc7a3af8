import { onTestFinished } from 'vitest';
import type { InMemoryQueue } from './in-memory-queue.js';
import { TerminalScreen } from './terminal-screen.js';

/** The terminals on which each screen of the console is kept as a file. */
export const GOLDEN_SIZES = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
] as const;

/** A console on a terminal, left when the test ends. */
export function openTerminal(
  connection: InMemoryQueue,
  options: ConstructorParameters<typeof TerminalScreen>[1],
): TerminalScreen {
  const screen = new TerminalScreen(connection, options);
  onTestFinished(() => screen.leave());
  return screen;
}

/** A name that sets the title of a terminal to `word`, turns what follows around, and has a line of its own. */
export const hostileName = (word: string): string =>
  `\u001b]0;${word}\u0007 \u202eon\u200b p\u0430ypal\nAPPROVED by carol`;
