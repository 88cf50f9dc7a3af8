import type { SafeText } from '../text/safe-text.js';
import type { Action, KeyContext, KeyRow, KeySection } from './key-row.js';
import type { Press } from './press.js';
import { ANYWHERE_KEYS, PALETTE_KEYS } from './sections/anywhere.js';
import { CONFIRMING_KEYS, DECIDING_KEYS, OTHERS_KEYS } from './sections/deciding.js';
import { PEOPLE_KEYS } from './sections/people.js';
import { COPYING_KEYS, FILTER_KEYS, READING_KEYS } from './sections/reading.js';
import { OUTBOX_KEYS, SCREEN_KEYS, STATISTICS_KEYS } from './sections/screens.js';

/** In the order of the help. */
export const KEY_SECTIONS: readonly KeySection[] = [
  READING_KEYS,
  DECIDING_KEYS,
  OTHERS_KEYS,
  CONFIRMING_KEYS,
  FILTER_KEYS,
  PEOPLE_KEYS,
  OUTBOX_KEYS,
  COPYING_KEYS,
  PALETTE_KEYS,
  STATISTICS_KEYS,
  SCREEN_KEYS,
  ANYWHERE_KEYS,
];

/** All rows. No key has two meanings in one context. */
export const KEY_TABLE: readonly KeyRow[] = KEY_SECTIONS.flatMap(({ rows }) => rows);

/** One action, so many times: more than once only for keys that may be held. */
export interface MatchedAction {
  readonly action: Action;
  readonly times: number;
}

/**
 * The action of a press, or null. Several characters at once are an action only if they are one repeating key held
 * down: nothing else is ever acted on but exactly one character (A34, A35).
 */
export function matchKey(context: KeyContext, press: Press): MatchedAction | null {
  for (const { action, contexts, keys, repeats } of KEY_TABLE) {
    if (!contexts.includes(context)) continue;
    for (const key of keys) {
      const times = timesPressed(key, press, repeats === true);
      if (times > 0) return { action, times };
    }
  }
  return null;
}

function timesPressed(key: Press, press: Press, repeats: boolean): number {
  if ('named' in key) return 'named' in press && press.named === key.named ? 1 : 0;
  if ('control' in key) return 'control' in press && press.control === key.control ? 1 : 0;
  if (!('text' in press)) return 0;
  if (press.text === key.text) return 1;
  return repeats && press.text === key.text.repeat(press.text.length) ? press.text.length : 0;
}

/** The rows whose hints stand in the footer. */
export function footerRows(context: KeyContext): readonly (KeyRow & { readonly hint: SafeText })[] {
  return KEY_TABLE.filter(
    (row): row is KeyRow & { readonly hint: SafeText } => row.hint !== null && row.contexts.includes(context),
  );
}
