import { Problem, type ProblemCode } from '../../src/protocol/problems.js';

/** The code of the Problem that `run` throws; null if it returns. Any other error goes through. */
export function codeOf(run: () => unknown): ProblemCode | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

/** The code of the Problem that a promise rejects with; null if it resolves. Any other error goes through. */
export async function rejectionCode(promise: Promise<unknown>): Promise<ProblemCode | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}
