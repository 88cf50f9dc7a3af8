import { FILTER_KEYS } from '../../src/protocol/filter-text.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { writtenLines } from '../text/written-lines.js';
import type { FilterLine } from './filter-line.js';

const LABEL_COLUMNS = 11;
/** Rows of the filter while it is written, those around the caret. */
const WRITTEN_ROWS = 2;
/** A filter that is refused says why in at most so many rows. */
const REFUSAL_ROWS = 4;

/** The filter as it is written or as it stands; `none` says what an empty one shows. */
export function filterLines(filter: FilterLine, columns: number, none: SafeText): readonly Line[] {
  return [...lineLines(filter, columns, none), ...hintLines(filter, columns)];
}

function lineLines({ line, isWriting }: FilterLine, width: number, none: SafeText): readonly Line[] {
  const columns = width - LABEL_COLUMNS - 2;
  const name = fitLine([span(label`   Filter`, 'muted')], LABEL_COLUMNS);
  if (isWriting) {
    const place = { columns, rows: WRITTEN_ROWS, reading: 'exact', hasCaret: true } as const;
    return writtenLines(line, place).map((row, at) => [
      ...(at === 0 ? name : fitLine(BLANK, LABEL_COLUMNS)),
      ...row,
    ]);
  }
  const shown: Line =
    line.text === '' ? [span(none, 'muted')] : markedSpans(safeText(line.text, { reading: 'exact' }));
  return [[...name, ...cutLine(shown, columns)]];
}

/** While the filter is written: why it is refused, what the term at the caret can be, or what terms there are. */
function hintLines({ isWriting, refusal, line }: FilterLine, columns: number): readonly Line[] {
  if (!isWriting) return [];
  const width = columns - LABEL_COLUMNS - 2;
  const indent = fitLine(BLANK, LABEL_COLUMNS);
  const prose = (text: string): SafeText => safeText(text, { reading: 'prose' });
  const rows =
    refusal === null
      ? [cutLine([span(prose(termHint(line.text.slice(0, line.caret))), 'muted')], width)]
      : [
          ...wrapLine([span(label`✗ ${refusal.message}`, 'danger')], width, 'words'),
          ...wrapLine([span(refusal.hint)], width, 'words'),
        ].slice(0, REFUSAL_ROWS);
  return rows.map((row) => [...indent, ...row]);
}

const TERM_AT_END = /(?:^|\s)-?([a-z]+):\S*$/;
const ALL_TERMS = `${Object.keys(FILTER_KEYS)
  .map((key) => `${key}:`)
  .join(' ')} or a word`;

function termHint(before: string): string {
  const key = TERM_AT_END.exec(before)?.[1] ?? '';
  return Object.hasOwn(FILTER_KEYS, key) ? FILTER_KEYS[key as keyof typeof FILTER_KEYS] : ALL_TERMS;
}
