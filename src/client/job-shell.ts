/** The shell around a console, to which Ctrl-Z leads. */
export interface JobShell {
  /** Whether it is there: without one nobody could bring a stopped console back. */
  readonly isThere: () => boolean;
  /** Whether the terminal is ours now: whoever writes on it from the background is stopped for it (SIGTTOU). */
  readonly isInFront: () => boolean;
  /** What stops together with the console; null where nothing else does. */
  readonly note: string | null;
  /** Called right before the console stops, and once it goes on. */
  readonly stopping: () => void;
  readonly goingOn: () => void;
}

/** A shell that nothing is told to. */
export const PLAIN_SHELL: JobShell = {
  isThere: () => true,
  isInFront: () => true,
  note: null,
  stopping() {},
  goingOn() {},
};
