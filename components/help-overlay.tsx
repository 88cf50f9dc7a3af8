import type { ReactElement } from 'react';
import { KEY_TABLE, type KeyRow } from './key-table.js';
import { BLANK, fitLine, type Line, span } from './line.js';
import { SafeLines } from './safe-line.js';
import { label, type SafeText, spaces } from './safe-text.js';

const SECTION_COLUMNS = 12;
const KEY_COLUMNS = 13;

/** All keys, from the table that also matches them, and where there is room what the words on the screen mean. */
export function HelpOverlay({ height }: { readonly height: number }): ReactElement {
  return <SafeLines lines={helpLines(height)} height={height} />;
}

export function helpLines(height: number): readonly Line[] {
  const keys = keyLines(() => true);
  const whole = [BLANK, ...keys, BLANK, ...NOTES];
  if (whole.length <= height) return whole;
  return keys.length <= height
    ? keys
    : keyLines((row) => row.isToldBefore !== true && isFirstOfItsAction(row));
}

const isFirstOfItsAction = (row: KeyRow): boolean =>
  KEY_TABLE.find(({ action }) => action === row.action) === row;

/** Where not even the keys fit, a second key for the same gives way. */
function keyLines(isShown: (row: KeyRow) => boolean): readonly Line[] {
  return sections().flatMap(([title, rows]) =>
    rows.filter(isShown).map((row, at) => keyLine(at === 0 ? title : label``, row)),
  );
}

function sections(): readonly (readonly [SafeText, readonly KeyRow[]])[] {
  const of = (test: (row: KeyRow) => boolean): readonly KeyRow[] =>
    KEY_TABLE.filter((row) => row.isInBanner !== true && test(row));
  const isReading = ({ contexts }: KeyRow): boolean =>
    (contexts.includes('queue') || contexts.includes('detail')) && !contexts.includes('help');
  const isConfirm = ({ contexts }: KeyRow): boolean =>
    (contexts.includes('confirm') || contexts.includes('cover')) && !contexts.includes('help');
  return [
    [label`Reading`, of(isReading)],
    [label`Confirming`, of((row) => isConfirm(row) && !isReading(row))],
    [label`Anywhere`, of(({ contexts }) => contexts.includes('help'))],
  ];
}

function keyLine(section: SafeText, { shown, explained }: KeyRow): Line {
  return [
    span(spaces(2)),
    ...fitLine([span(section, 'muted')], SECTION_COLUMNS),
    ...fitLine([span(shown, 'strong')], KEY_COLUMNS),
    span(explained),
  ];
}

const note = (words: SafeText, meaning: SafeText): Line => [
  span(spaces(2)),
  ...fitLine([span(words, 'strong')], SECTION_COLUMNS + KEY_COLUMNS),
  span(meaning),
];

const NOTES: readonly Line[] = [
  note(label`✓ opened`, label`the door itself reported it; nothing else is ever green`),
  note(label`○ approved, …`, label`signed, but no door has said that it opened`),
  note(label`nobody waiting`, label`the asker is gone; an equal ask may still claim an approval`),
  note(label`×3`, label`three asks for the same; each is decided by itself`),
  note(label`⟨U+202E⟩ ⟨Cyrillic а⟩`, label`a character that hides or imitates, written out`),
];
