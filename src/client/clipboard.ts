import { spawn } from 'node:child_process';
import { Problem } from '../protocol/problems.js';

/** How copied text leaves the console: into a buffer of tmux, by a sequence of the terminal (OSC 52), or not at all. */
export const CLIPBOARDS = ['tmux', 'osc52', 'off'] as const;
export type ClipboardWay = (typeof CLIPBOARDS)[number];

/** What the reader's own configuration says about copying. */
export interface Clipboard {
  readonly way: ClipboardWay;
  /** Whether tmux stands between the console and the terminal. */
  readonly isInTmux: boolean;
}

/** Longest text that is copied, in bytes: with the frame of OSC 52 and in base64 it is 100,000, beyond which terminals drop it. */
export const MAX_COPIED = 74_994;

/** How long tmux may take, in ms. */
const PATIENCE = 5000;

/**
 * Loads text into a new buffer of the tmux around this process and has tmux hand it on to the clipboard of its terminal
 * (tmux(1), `load-buffer -w`, since 3.2); an older one keeps the buffer alone.
 *
 * @throws Problem `usage` where tmux takes neither
 */
export async function loadTmuxBuffer(text: string): Promise<void> {
  try {
    await loadBuffer(text, ['-w']).catch(() => loadBuffer(text, []));
  } catch (cause) {
    throw new Problem(
      'usage',
      'tmux takes no copied text; the console can do without it: --clipboard osc52',
      {
        hint: 'try it yourself: echo test | tmux load-buffer -',
        cause,
      },
    );
  }
}

function loadBuffer(text: string, flags: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const tmux = spawn('tmux', ['load-buffer', ...flags, '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: PATIENCE,
    });
    tmux.once('error', reject);
    // One that is gone already says so by its exit.
    tmux.stdin.once('error', () => {});
    tmux.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`tmux load-buffer ended with ${code}`));
    });
    tmux.stdin.end(text);
  });
}
