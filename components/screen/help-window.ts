import { keyNames } from '../keys/key-names.js';
import type { KeyRow } from '../keys/key-row.js';
import { KEY_SECTIONS } from '../keys/key-table.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, fitLine, type Line, lineWidth, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, spaces } from '../text/safe-text.js';
import { NARROW_COLUMNS } from './panes.js';
import { bodyRows } from './screen-layout.js';

const MARGIN = 2;
const SECTION_COLUMNS = 12;
const KEY_COLUMNS = 13;

/** The part of the help that is on the screen. */
export function helpWindow(state: ConsoleState) {
  const lines = helpLines(state.size.columns);
  const height = bodyRows(state);
  const total = lines.length;
  const top = Math.max(0, Math.min(state.helpTop, total - height));
  return { lines: lines.slice(top, top + height), total, height, top };
}

/** All keys, from the table that also matches them, and what the words on the screen mean. */
export function helpLines(columns: number): readonly Line[] {
  const keys = KEY_SECTIONS.flatMap(({ title, rows }) =>
    rows
      .filter(({ isInBanner }) => isInBanner !== true)
      .flatMap((row, at) => keyLines(at === 0 ? title : label``, row, columns)),
  );
  return [
    ...keys,
    BLANK,
    ...NOTES.flatMap(([words, meaning]) => besideLines([span(words, 'strong')], meaning, columns)),
  ];
}

function keyLines(section: SafeText, { shown, explained }: KeyRow, columns: number): readonly Line[] {
  const key = span(keyNames(shown), 'strong');
  if (columns >= NARROW_COLUMNS) {
    return besideLines([...fitLine([span(section, 'muted')], SECTION_COLUMNS), key], explained, columns);
  }
  const title: readonly Line[] = section === '' ? [] : [[span(label`  ${section}`, 'muted')]];
  return [...title, ...besideLines([key], explained, columns)];
}

/** What is explained, and the words beside it, in as many lines as they need. */
function besideLines(left: Line, explained: SafeText, columns: number): readonly Line[] {
  const indent = columns < NARROW_COLUMNS ? KEY_COLUMNS : SECTION_COLUMNS + KEY_COLUMNS;
  const isBeside = lineWidth(left) < indent;
  const wrapped = wrapLine([span(explained)], columns - MARGIN - indent - 1, 'words');
  const beside = wrapped.map(
    (words, at): Line => [
      span(spaces(MARGIN)),
      ...fitLine(at === 0 && isBeside ? left : BLANK, indent),
      ...words,
    ],
  );
  return isBeside ? beside : [[span(spaces(MARGIN)), ...left], ...beside];
}

const NOTES: readonly (readonly [SafeText, SafeText])[] = [
  [label`✓ opened`, label`the door itself reported it; nothing else is ever green`],
  [label`○ approved, …`, label`signed, but no door has said that it opened`],
  [label`nobody waiting`, label`the asker is gone; an equal ask may still claim an approval`],
  [label`×3`, label`three asks for the same; each is decided by itself`],
  [label`⟨U+202E⟩ ⟨Cyrillic …⟩`, label`a character that hides or imitates, written out`],
];
