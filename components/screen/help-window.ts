import { keyNames } from '../keys/key-names.js';
import { KEY_SECTIONS, type KeyRow } from '../keys/key-table.js';
import type { ConsoleState } from '../state/console-state.js';
import { BLANK, fitLine, type Line, span } from '../text/line.js';
import { label, type SafeText, spaces } from '../text/safe-text.js';
import { bodyRows } from './screen-layout.js';

const SECTION_COLUMNS = 12;
const KEY_COLUMNS = 13;

/** The part of the help that is on the screen. */
export function helpWindow(state: ConsoleState) {
  const lines = helpLines();
  const height = bodyRows(state);
  const total = lines.length;
  const top = Math.max(0, Math.min(state.helpTop, total - height));
  return { lines: lines.slice(top, top + height), total, height, top };
}

/** All keys, from the table that also matches them, and what the words on the screen mean. */
export function helpLines(): readonly Line[] {
  const keys = KEY_SECTIONS.flatMap(({ title, rows }) =>
    rows
      .filter(({ isInBanner }) => isInBanner !== true)
      .map((row, at) => keyLine(at === 0 ? title : label``, row)),
  );
  return [...keys, BLANK, ...NOTES];
}

function keyLine(section: SafeText, { shown, explained }: KeyRow): Line {
  return [
    span(spaces(2)),
    ...fitLine([span(section, 'muted')], SECTION_COLUMNS),
    ...fitLine([span(keyNames(shown), 'strong')], KEY_COLUMNS),
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
  note(label`⟨U+202E⟩ ⟨Cyrillic …⟩`, label`a character that hides or imitates, written out`),
];
