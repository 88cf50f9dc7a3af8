/** One thing that is wrong with a file. */
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

/** In the order of lines. */
export const inOrder = (mistakes: readonly Mistake[]): readonly Mistake[] =>
  mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);

/** Everything that is wrong, one a line. */
export function listMistakes(file: string, mistakes: readonly Mistake[]): string {
  const lines = mistakes.slice(0, MAX_LISTED).map((mistake) => formatMistake(file, mistake));
  const more = mistakes.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** `FILE:LINE:COLUMN: MESSAGE`, as compilers write it and editors read it. */
export const formatMistake = (file: string, { line, column, message }: Mistake): string =>
  `${file}:${line}:${column}: ${message}`;
