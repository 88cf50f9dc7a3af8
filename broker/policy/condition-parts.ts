import { ConditionFailure, compileCondition, type Facts, type VariableName } from './condition.js';

/** A part of a condition that can be judged alone. */
export interface ConditionPart {
  readonly text: string;
  /** Null where it comes to no answer. */
  readonly holds: boolean | null;
  /** Why it comes to none. */
  readonly failure: string | null;
  readonly reads: ReadonlySet<VariableName>;
}

/** Judges each part of a good condition for itself: what is joined by `&&`, else the whole. */
export function judgeParts(text: string, facts: Facts): readonly ConditionPart[] {
  return conjunctTexts(text).map((part) => {
    const { holds, reads } = compileCondition(part);
    try {
      return { text: part, holds: holds(facts), failure: null, reads };
    } catch (cause) {
      if (!(cause instanceof ConditionFailure)) throw cause;
      return { text: part, holds: null, failure: cause.message, reads };
    }
  });
}

const OPENING = '([{';
const CLOSING = ')]}';

/**
 * Parts the text of a good condition where `&&` joins it on the outside. Whatever binds weaker there (`||`, `?:`), a comment
 * or a text in triple quotes leaves it whole.
 */
export function conjunctTexts(text: string): readonly string[] {
  const parts: string[] = [];
  let [start, depth] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (letter === '"' || letter === "'") {
      if (text.startsWith(letter.repeat(3), at)) return [text.trim()];
      at = endOfText(text, at, /[rR]$/.test(text.slice(0, at)));
    } else if (OPENING.includes(letter)) depth += 1;
    else if (CLOSING.includes(letter)) depth -= 1;
    else if (text.startsWith('//', at)) return [text.trim()];
    else if (depth > 0) continue;
    else if (letter === '?' || text.startsWith('||', at)) return [text.trim()];
    else if (text.startsWith('&&', at)) {
      parts.push(text.slice(start, at).trim());
      start = at + 2;
      at += 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

/** Where a text ends that begins with this quote; in a raw one a backslash is a letter. */
function endOfText(text: string, begin: number, isRaw: boolean): number {
  const quote = text[begin];
  for (let at = begin + 1; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (text[at] === '\\' && !isRaw) at += 1;
  }
  return text.length;
}
