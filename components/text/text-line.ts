import type { NamedKey, Press } from '../keys/press.js';

/** A text while it is written. */
export interface TextLine {
  readonly text: string;
  /** Offset of the caret in `text`, never inside a surrogate pair. */
  readonly caret: number;
}

export const EMPTY_LINE: TextLine = { text: '', caret: 0 };

/** Puts text in at the caret; line breaks of any kind become LF. */
export function insertText({ text, caret }: TextLine, inserted: string): TextLine {
  const added = inserted.replaceAll(/\r\n?/g, '\n').toWellFormed();
  return { text: text.slice(0, caret) + added + text.slice(caret), caret: caret + added.length };
}

/** What a key that is no text does to a line: null where it does nothing. */
export function editLine(line: TextLine, press: Press): TextLine | null {
  if ('text' in press) return null;
  if ('control' in press) return press.control === 'u' ? EMPTY_LINE : null;
  return EDITS[press.named]?.(line) ?? null;
}

const EDITS: Partial<Record<NamedKey, (line: TextLine) => TextLine>> = {
  backspace({ text, caret }) {
    const from = stepLeft(text, caret);
    return { text: text.slice(0, from) + text.slice(caret), caret: from };
  },
  delete: ({ text, caret }) => ({ text: text.slice(0, caret) + text.slice(stepRight(text, caret)), caret }),
  left: ({ text, caret }) => ({ text, caret: stepLeft(text, caret) }),
  right: ({ text, caret }) => ({ text, caret: stepRight(text, caret) }),
  home: ({ text }) => ({ text, caret: 0 }),
  end: ({ text }) => ({ text, caret: text.length }),
};

function stepLeft(text: string, caret: number): number {
  const before = [...text.slice(0, caret)].at(-1) ?? '';
  return caret - before.length;
}

function stepRight(text: string, caret: number): number {
  const [after = ''] = text.slice(caret);
  return caret + after.length;
}
