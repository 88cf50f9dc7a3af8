import type { Filter } from '../../src/protocol/filter.js';
import { MAX_FILTER_LENGTH, parseFilter } from '../../src/protocol/filter-text.js';
import { Problem } from '../../src/protocol/problems.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type Line, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { EMPTY_LINE, insertText, type TextLine } from '../text/text-line.js';

/** The line of a screen in which a filter is written. */
export interface FilterLine {
  readonly line: TextLine;
  /** Whether keys go into the line. */
  readonly isWriting: boolean;
  /** Why the line as it is written is no filter. */
  readonly refusal: { readonly message: SafeText; readonly hint: SafeText } | null;
}

/** Nothing is written, and no key goes there. */
export const LEFT_LINE: FilterLine = { line: EMPTY_LINE, isWriting: false, refusal: null };

/** A line that is left, with a text that stands in it. */
export const leftWith = (text: string): FilterLine => ({
  line: { text, caret: text.length },
  isWriting: false,
  refusal: null,
});

/**
 * Text that is typed or pasted into the line; null where it would not fit. A line break is a space there: only the key alone
 * ends it (A35).
 */
export function insertIntoFilter(line: TextLine, text: string): TextLine | null {
  const inserted = insertText(line, text.replaceAll(/[\r\n]+/g, ' '));
  return inserted.text.length <= MAX_FILTER_LENGTH ? inserted : null;
}

/** Said where {@link insertIntoFilter} takes no more. */
export const FULL_LINE: Line = [span(label`The filter is full: ${MAX_FILTER_LENGTH} characters.`, 'warning')];

/** Reads what is written, or says why it is no filter. */
export function readFilter(
  { text }: TextLine,
  now: EpochMs,
): { readonly filter: Filter } | { readonly refusal: NonNullable<FilterLine['refusal']> } {
  try {
    return { filter: parseFilter(text, now) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const prose = (words: string): SafeText => safeText(words, { reading: 'prose' });
    return { refusal: { message: prose(error.message), hint: prose(error.hint) } };
  }
}
