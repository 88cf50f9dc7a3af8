import { Problem } from '../../src/protocol/problems.js';

/** One thing that is wrong with a policy file. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** What is wrong and how to put it right, in one line of lower case without a full stop. */
  readonly message: string;
}

/** More are only counted. */
const MAX_LISTED = 50;

/** A policy file that is not loaded: Problem `bad-policy` with everything that is wrong with it, in the order of lines. */
export class BadPolicy extends Problem {
  readonly file: string;
  readonly mistakes: readonly Mistake[];

  constructor(file: string, found: readonly Mistake[]) {
    const mistakes = [...found].sort((a, b) => a.line - b.line || a.column - b.column);
    const lines = mistakes.slice(0, MAX_LISTED).map((mistake) => formatMistake(file, mistake));
    const more = mistakes.length - lines.length;
    super('bad-policy', [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
    this.file = file;
    this.mistakes = mistakes;
  }
}

/** `FILE:LINE:COLUMN: MESSAGE`, as compilers write it and editors read it. */
export const formatMistake = (file: string, { line, column, message }: Mistake): string =>
  `${file}:${line}:${column}: ${message}`;
