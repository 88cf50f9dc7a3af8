import { isChangeAction, POLICY_CHANGE } from '../../src/protocol/change-messages.js';
import type { RequestDocument } from '../../src/protocol/document.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/protocol/strict-json.js';
import type { Tone } from '../screen/theme.js';
import { entryLines, fieldLines, headingLine, jsonLines, MARGIN } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import {
  joinText,
  label,
  markedCharacters,
  type Reading,
  type SafeText,
  safeText,
  spaces,
} from '../text/safe-text.js';
import { isUnbroken } from '../text/unbroken.js';

/** What runs stands before all that it runs with. */
const FIRST = ['argv', 'command'];

type Details = Pick<RequestDocument, 'action' | 'details'>;

/**
 * All that is bound, what runs first. The lines of another policy stand one below the other, as people know them from diff; the rest
 * is as in any request. What stands above in words already is left out.
 */
export function detailsLines(document: Details, columns: number): readonly Line[] {
  const details = besideSummary(document);
  const lines = policyDiff(document);
  if (lines === null) return entryLines(runFirst(details), columns, 'exact');
  const { diff: _lines, ...others } = details;
  return [
    ...jsonLines(others, columns, 'exact'),
    headingLine(label`diff`, label`- goes, + comes; the rest stays`, columns),
    ...lines.flatMap((line) => differenceLines(line, columns)),
  ];
}

/** What the broker says in words of a change that it asks for itself; the other details are what is applied. Null in other asks. */
export function changeSummary({ action, details: { summary } }: Details): string | null {
  return isChangeAction(action) && typeof summary === 'string' ? summary : null;
}

/** How many characters of the details are marked. */
export function markedDetails(document: Details): number {
  const { diff: _lines, ...others } = document.details;
  const lines = policyDiff(document);
  if (lines === null) return markedIn(document.details, 'exact');
  const drawn = lines.map((line) => joinText(differenceLine(line).map(({ text }) => text)));
  return markedIn(others, 'exact') + drawn.reduce((sum, text) => sum + markedCharacters(text), 0);
}

/** How many characters of all texts of a value are marked, names of members included. */
export function markedIn(value: JsonValue, reading: Reading): number {
  if (typeof value === 'string') return markedCharacters(safeText(value, { reading }));
  if (Array.isArray(value)) return value.reduce((sum, inner) => sum + markedIn(inner, reading), 0);
  if (!isJsonObject(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [name, inner]) => sum + markedIn(name, 'exact') + markedIn(inner, reading),
    0,
  );
}

function besideSummary(document: Details): JsonObject {
  if (changeSummary(document) === null) return document.details;
  const { summary: _told, ...others } = document.details;
  return others;
}

function policyDiff({ action, details: { diff } }: Details): readonly string[] | null {
  const isLines = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((line) => typeof line === 'string');
  return action === POLICY_CHANGE && isLines(diff) ? diff : null;
}

/** As entries: an object would put names that are numbers before all others. */
function runFirst(details: JsonObject): readonly (readonly [string, JsonValue])[] {
  const isFirst = ([name]: readonly [string, unknown]): boolean => FIRST.includes(name);
  const entries = Object.entries(details);
  return [...entries.filter(isFirst), ...entries.filter((entry) => !isFirst(entry))];
}

/** A line that goes on begins with a bar, so that it cannot pass for the next one. */
function differenceLines(line: string, columns: number): readonly Line[] {
  if (isUnbroken(columns)) {
    const mark = DIFF_MARKS[line.slice(0, 1)];
    const text = safeText(mark === undefined ? line : line.slice(1), { reading: 'exact' });
    return fieldLines(mark ?? label`no line of diff`, markedSpans(text), columns);
  }
  const indent = span(spaces(MARGIN + 2));
  const lines = wrapLine(differenceLine(line), columns - 2 * MARGIN - 4, 'columns');
  return lines.map((part, at) =>
    at === 0 ? [indent, ...part] : [indent, span(label`│ `, 'muted'), ...part],
  );
}

/**
 * The first character is the mark of diff, so that nothing is told by colour alone. An indent is shown as what it is. What is no line of
 * diff says so: it could begin with what goes before the lines that go on.
 */
function differenceLine(line: string): Line {
  if (!/^[-+@ ]/.test(line)) {
    return [span(label`▲ `, 'alarm'), ...markedSpans(safeText(line, { reading: 'exact' }))];
  }
  const tone = TONES[line.slice(0, 1)] ?? 'text';
  const [, indent = '', rest = ''] = /^(.(?: *(?=[^ ]))?)(.*)$/s.exec(line) ?? [];
  const mark = safeText(indent.slice(0, 1).trim(), { reading: 'exact' });
  const text = markedSpans(safeText(rest, { reading: 'exact' }), tone);
  return [span(mark, tone), span(spaces(indent.length - mark.length)), ...text];
}

/** The marks of diff in a word, where they are read out. */
const DIFF_MARKS: Readonly<Record<string, SafeText>> = {
  '+': label`comes`,
  '-': label`goes`,
  '@': label`place`,
  ' ': label`stays`,
};

const TONES: Readonly<Record<string, Tone>> = { '+': 'accent', '-': 'danger', '@': 'muted' };
