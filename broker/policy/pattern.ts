import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';

const MATCHES = plan(celEnv(), parse('text.matches(pattern)'));

/** Why a pattern is none (RE2); null for a good one. */
export function patternMistake(pattern: string): string | null {
  const result: unknown = MATCHES({ text: '', pattern });
  return isCelError(result) ? result.message : null;
}

/** Whether the whole of a text matches a good pattern, in time that grows with the text alone. */
export const matchesWhole = (pattern: string, text: string): boolean =>
  MATCHES({ text, pattern: `\\A(?:${pattern})\\z` }) === true;
