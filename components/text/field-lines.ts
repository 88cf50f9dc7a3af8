import { shellQuote } from '../../src/protocol/shell-quote.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/protocol/strict-json.js';
import { NARROW_COLUMNS } from '../screen/panes.js';
import { BLANK, fittingForm, type Line, lineWidth, markedSpans, span } from './line.js';
import { type Wrapping, wrapLine } from './line-wrapping.js';
import { label, type Reading, repeatText, type SafeText, safeText, sliceText, spaces } from './safe-text.js';
import { textWidth } from './text-width.js';
import { isUnbroken } from './unbroken.js';

/** Columns left of every line of a request. */
export const MARGIN = 2;
const INDENT = 2;
/** Where a value would have less than this beside its label, it stands below it: the longest mark has room. */
const LEAST_VALUE = 12;

/** Columns of labels, of the widest that stand beside their values, before them, and free at the right edge. */
interface Grid {
  readonly label: number;
  readonly widest: number;
  readonly indent: number;
  readonly free: number;
}

const GRID: Grid = { label: 12, widest: 24, indent: INDENT, free: MARGIN };
const NARROW_GRID: Grid = { label: 9, widest: 12, indent: 1, free: 1 };
const gridOf = (columns: number): Grid => (columns < NARROW_COLUMNS ? NARROW_GRID : GRID);

/** A heading, with what it means for the reader beside it: as many clauses of that as there is room for. */
export function headingLines(title: SafeText, meaning: SafeText, columns: number): readonly Line[] {
  return [BLANK, headingLine(title, meaning, columns)];
}

/** The same without a blank line above it. */
export function headingLine(title: SafeText, meaning: SafeText, columns: number): Line {
  // Two words, which no name that others chose has without quotes: none can pass for the heading of a section.
  if (isUnbroken(columns)) return [span(label`Section ${title}: ${meaning}`)];
  const alone: Line = [span(spaces(MARGIN)), span(title, 'strong')];
  const forms = clauses(meaning).map((part): Line => [...alone, span(label`  ${part}`, 'muted')]);
  return fittingForm([...forms, alone], columns - MARGIN);
}

/** A text whole, then ever fewer of its clauses. */
const clauses = (text: SafeText): readonly SafeText[] => [
  text,
  ...Array.from(text.matchAll(/[,;:] /g), ({ index }) => sliceText(text, 0, index)).reverse(),
];

/** A label and its value in full: lines that go on begin with a bar, which no value can draw. */
export function fieldLines(
  name: SafeText,
  value: Line,
  columns: number,
  wrapping: Wrapping = 'columns',
): readonly Line[] {
  const { label: labelColumns, indent } = gridOf(columns);
  return labelled(markedSpans(name, 'muted'), labelColumns, value, columns, { indent, wrapping });
}

/**
 * All of a JSON object, one scalar a line, or one list of texts, as a shell would take its words. Texts stand without quotes unless
 * they could be taken for another value; `reading` says how closely they must be readable.
 */
export function jsonLines(object: JsonObject, columns: number, reading: Reading): readonly Line[] {
  return entryLines(Object.entries(object), columns, reading);
}

/** The same of its members, in the order in which they are given. */
export function entryLines(
  entries: readonly (readonly [string, JsonValue])[],
  columns: number,
  reading: Reading,
): readonly Line[] {
  return valueLines(entries, { columns, reading, indent: gridOf(columns).indent });
}

interface Place {
  readonly columns: number;
  readonly reading: Reading;
  readonly indent: number;
}

function valueLines(entries: readonly (readonly [string, JsonValue])[], place: Place): readonly Line[] {
  const { columns, reading, indent } = place;
  const names = entries.map(([name]) => (isUnbroken(columns) ? spokenName(name) : nameText(name)));
  const grid = gridOf(columns);
  const labelColumns = Math.min(grid.widest, Math.max(grid.label, ...names.map(textWidth)));
  const wrapping = reading === 'exact' ? 'columns' : 'words';
  return entries.flatMap(([, value], at) => {
    const name = markedSpans(names[at] ?? label``, 'muted');
    if (isTexts(value)) {
      const texts = markedSpans(safeText(value.map(shellQuote).join(' '), { reading }));
      const line = [span(label`${listText(value.length)}: `, 'muted'), ...texts];
      return labelled(name, labelColumns, line, columns, { indent, wrapping });
    }
    const inner = innerEntries(value);
    if (inner === null) {
      const text = markedSpans(scalarText(value, reading));
      return labelled(name, labelColumns, text, columns, { indent, wrapping });
    }
    const kind = [span(Array.isArray(value) ? listText(inner.length) : groupText(inner.length), 'muted')];
    return [
      ...labelled(name, labelColumns, kind, columns, { indent, wrapping }),
      ...valueLines(inner, { columns, reading, indent: indent + INDENT }),
    ];
  });
}

const nameText = (name: string): SafeText => (name === '' ? label`""` : safeText(name, { reading: 'exact' }));
/** Where a colon alone parts it from its value, a name that could hold one stands in quotes. */
const spokenName = (name: string): SafeText =>
  safeText(/^[\w.-]+$/.test(name) ? name : JSON.stringify(name), { reading: 'exact' });
const listText = (count: number): SafeText => (count === 0 ? label`[] empty list` : label`list of ${count}`);
const groupText = (count: number): SafeText => (count === 0 ? label`{} nothing` : label`group of ${count}`);

const isTexts = (value: JsonValue): value is readonly string[] & JsonValue =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');

function innerEntries(value: JsonValue): readonly (readonly [string, JsonValue])[] | null {
  if (Array.isArray(value)) return value.map((item: JsonValue, index) => [String(index), item] as const);
  return isJsonObject(value) ? Object.entries(value) : null;
}

const LOOKS_LIKE_ANOTHER_VALUE = /^(?:true|false|null|\d+|\[.*|\{.*|".*|list of .*|group of .*)?$/s;

function scalarText(value: JsonValue, reading: Reading): SafeText {
  if (typeof value !== 'string') return safeText(JSON.stringify(value), { reading: 'exact' });
  const text = safeText(value, { reading });
  return LOOKS_LIKE_ANOTHER_VALUE.test(value) ? label`"${text}"` : text;
}

function labelled(
  name: Line,
  labelColumns: number,
  value: Line,
  columns: number,
  { indent, wrapping }: { readonly indent: number; readonly wrapping: Wrapping },
): readonly Line[] {
  if (isUnbroken(columns))
    return [[...(name.length === 0 ? [span(label`and`)] : name), span(label`: `), ...value]];
  const { free } = gridOf(columns);
  const nameWidth = lineWidth(name);
  const besideAt = MARGIN + indent + labelColumns + 2;
  const isBeside = nameWidth <= labelColumns && columns - besideAt - free >= LEAST_VALUE;
  const left = isBeside ? MARGIN + indent : Math.min(MARGIN + indent, columns - LEAST_VALUE - 2 * MARGIN);
  const valueAt = isBeside || columns - besideAt - free >= LEAST_VALUE ? besideAt : left + 2;
  const lines = wrapLine(value, columns - valueAt - free, wrapping);
  const bar: Line = [span(spaces(valueAt - 2)), span(label`│ `, 'muted')];
  if (!isBeside) {
    const ownLines = wrapLine(name, columns - left - free, 'columns');
    return [
      ...ownLines.map((line): Line => [span(spaces(left)), ...line]),
      ...lines.map((line): Line => [...bar, ...line]),
    ];
  }
  const gap = span(repeatText(label` `, labelColumns - nameWidth + 2));
  return lines.map(
    (line, at): Line => (at === 0 ? [span(spaces(left)), ...name, gap, ...line] : [...bar, ...line]),
  );
}
