import { Problem } from '../../protocol/problems.js';

/** One thing that was looked at. A note is neither good nor bad; a warning is not broken yet. */
export interface Finding {
  readonly state: 'good' | 'note' | 'warning' | 'wrong';
  readonly what: string;
  /** What to do about it; null where nothing is to be done. */
  readonly fix: string | null;
}

export const good = (what: string): Finding => ({ state: 'good', what, fix: null });
export const note = (what: string, fix: string | null = null): Finding => ({ state: 'note', what, fix });
export const warning = (what: string, fix: string): Finding => ({ state: 'warning', what, fix });
export const wrong = (what: string, fix: string): Finding => ({ state: 'wrong', what, fix });

/** A problem says what to do by itself. Anything else is a fault of ours and goes on. */
export function fromProblem(error: unknown): Finding {
  if (error instanceof Problem) return wrong(error.message, error.hint);
  throw error;
}
