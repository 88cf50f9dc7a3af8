import { commentFits } from '../src/protocol/statement.js';

/** The text that is signed with a decision, while it is written. */
export interface CommentLine {
  readonly text: string;
  /** Offset of the caret in `text`, never inside a surrogate pair. */
  readonly caret: number;
}

export const EMPTY_COMMENT: CommentLine = { text: '', caret: 0 };

/** Puts text in at the caret; line breaks of any kind become LF. Null where the comment would no longer fit. */
export function insertText({ text, caret }: CommentLine, inserted: string): CommentLine | null {
  const added = inserted.replaceAll(/\r\n?/g, '\n').toWellFormed();
  const next = text.slice(0, caret) + added + text.slice(caret);
  return commentFits(next) ? { text: next, caret: caret + added.length } : null;
}

export function deleteBefore({ text, caret }: CommentLine): CommentLine {
  const from = stepLeft(text, caret);
  return { text: text.slice(0, from) + text.slice(caret), caret: from };
}

export function deleteAfter({ text, caret }: CommentLine): CommentLine {
  return { text: text.slice(0, caret) + text.slice(stepRight(text, caret)), caret };
}

export const moveLeft = ({ text, caret }: CommentLine): CommentLine => ({
  text,
  caret: stepLeft(text, caret),
});
export const moveRight = ({ text, caret }: CommentLine): CommentLine => ({
  text,
  caret: stepRight(text, caret),
});
export const moveToStart = ({ text }: CommentLine): CommentLine => ({ text, caret: 0 });
export const moveToEnd = ({ text }: CommentLine): CommentLine => ({ text, caret: text.length });

function stepLeft(text: string, caret: number): number {
  const before = [...text.slice(0, caret)].at(-1) ?? '';
  return caret - before.length;
}

function stepRight(text: string, caret: number): number {
  const [after = ''] = text.slice(caret);
  return caret + after.length;
}
