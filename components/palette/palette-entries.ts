import { isRequestId, type RequestId } from '../../src/protocol/names.js';
import { nearest } from '../../src/protocol/nearest.js';
import type { Action, KeyContext, KeyRow } from '../keys/key-row.js';
import { KEY_TABLE } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { ConsoleState } from '../state/console-state.js';
import type { PaletteState } from './palette-state.js';

/** What the palette can do. */
export type PaletteEntry =
  | { readonly kind: 'action'; readonly name: string; readonly row: KeyRow }
  | { readonly kind: 'request'; readonly name: string; readonly id: RequestId };

/** Keys that move, or that mean something only while something else is open. */
const NOT_OFFERED: readonly Action[] = ['palette', 'run', 'back', 'next', 'previous', 'activate'];

/**
 * All that keys do where the palette was opened, and the screens, each once and in the order of the key table.
 *
 * @param behind where keys went when it was opened
 */
export function offeredEntries(state: ConsoleState, behind: KeyContext): readonly PaletteEntry[] {
  const entries = new Map<Action, PaletteEntry>();
  for (const row of KEY_TABLE) {
    const { action, contexts, isInBanner } = row;
    const isHeard = contexts.includes(behind) || leadsToScreen(action);
    const isOffered = !NOT_OFFERED.includes(action) && movement({ action, times: 1 }, 1) === null;
    const isShown = isInBanner !== true || state.queue.restoration !== null;
    if (isHeard && isOffered && isShown && !entries.has(action)) {
      entries.set(action, { kind: 'action', name: nameOf(action), row });
    }
  }
  return [...entries.values()];
}

/** Actions that lead to a screen are named after it: `toQueue`. */
export const leadsToScreen = (action: Action): boolean => /^to[A-Z]/.test(action);

/** `toHistory` is typed as `history`, `denyFraud` as `deny fraud`. */
const nameOf = (action: Action): string =>
  action
    .replace(/^to(?=[A-Z])/, '')
    .replaceAll(/(?<=.)[A-Z]/g, (capital) => ` ${capital}`)
    .toLowerCase();

/** The entries that fit what is typed, the best first; a request id is a request. */
export function fittingEntries(
  { line }: PaletteState,
  offered: readonly PaletteEntry[],
): readonly PaletteEntry[] {
  const typed = line.text.trim().toLowerCase();
  const id = typed.toUpperCase();
  if (isRequestId(id)) return [{ kind: 'request', name: 'open request', id }];
  const ranked = offered.flatMap((entry) => {
    const rank = rankOf(typed, entry);
    return rank === null ? [] : [{ entry, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ entry }) => entry);
}

/** How well a name fits, 0 the best; null where it does not: not even the letters typed stand in it in their order. */
function rankOf(typed: string, entry: PaletteEntry): number | null {
  const { name } = entry;
  if (name === typed) return 0;
  if (name.startsWith(typed)) return 1;
  if (name.includes(` ${typed}`)) return 2;
  if (name.includes(typed)) return 3;
  if (entry.kind === 'action' && typed.length > 2 && entry.row.explained.toLowerCase().includes(typed))
    return 4;
  return hasInOrder(name, typed) ? 5 : null;
}

function hasInOrder(name: string, typed: string): boolean {
  let at = 0;
  for (const character of typed) {
    at = name.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** The entry that Enter runs; null where none fits. */
export function chosenEntry({ chosen }: PaletteState, fitting: readonly PaletteEntry[]): PaletteEntry | null {
  return fitting.find(({ name }) => name === chosen) ?? fitting[0] ?? null;
}

/** The name that was probably meant where none fits; null for none. */
export const nearestName = ({ line }: PaletteState, offered: readonly PaletteEntry[]): string | null =>
  nearest(
    line.text.trim().toLowerCase(),
    offered.map(({ name }) => name),
  );
