import { Problem, type ProblemCode } from '../protocol/problems.js';
import type { RequestState } from '../protocol/request-view.js';

/** 0 done or approved, 1 error (stay shut), 2 denied, 3 expired or lapsed, 4 cancelled or revoked. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

const ENDS: Partial<Record<ProblemCode | RequestState, ExitCode>> = {
  denied: 2,
  expired: 3,
  lapsed: 3,
  'alone-too-early': 3,
  cancelled: 4,
  revoked: 4,
};

/** Whatever is not a known end is an error. */
export function exitCodeOf(error: unknown): ExitCode {
  return (error instanceof Problem ? ENDS[error.code] : undefined) ?? 1;
}
