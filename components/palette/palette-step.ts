import type { RequestId } from '../../src/protocol/names.js';
import { openRequest } from '../detail/open-request.js';
import { openHistory, searchFor } from '../history/history-step.js';
import type { Action } from '../keys/key-row.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import { contextBehind, entranceOf } from '../screen/screens.js';
import { type Step, stay } from '../state/console-effects.js';
import { type ConsoleState, isPainted } from '../state/console-state.js';
import { span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { editLine, insertText, type TextLine } from '../text/text-line.js';
import {
  chosenEntry,
  fittingEntries,
  leadsToScreen,
  offeredEntries,
  type PaletteEntry,
} from './palette-entries.js';
import { OPEN_PALETTE, type PaletteState } from './palette-state.js';

/** Longest text that is taken, in UTF-16 units: the longest name or a request id with room to spare. */
const MAX_TYPED = 64;

export const openPalette = (state: ConsoleState): ConsoleState => ({ ...state, palette: OPEN_PALETTE });

/**
 * A key in the palette. Enter runs the chosen entry as its own key would in the place where the palette was opened, and only once
 * the frame with the entry, and with what it acts on, has reached the terminal: what is typed ahead runs nothing (A34, A35).
 * Whatever waits longer for its own key, as all that decides, waits as long here, and acts on nothing but what the palette
 * has named that long (A4).
 *
 * @param act does what a key does in a place
 */
export function stepPalette(
  state: ConsoleState,
  matched: MatchedAction | null,
  press: Press,
  act: (state: ConsoleState, action: Action) => Step,
): Step {
  const { palette } = state;
  if (palette === null) return stay(state);
  switch (matched?.action) {
    case 'back':
      return stay({ ...state, palette: null });
    case 'next':
      return stay(choose(state, palette, 1));
    case 'previous':
      return stay(choose(state, palette, -1));
    case 'run':
      return run(state, palette, act);
    default:
      if ('text' in press) return stay(typeIntoPalette(state, press.text));
      return stay(withLine(state, editLine(palette.line, press) ?? palette.line));
  }
}

/** Text that is typed or pasted: a line break in it is a space and runs nothing (A35). */
export function typeIntoPalette(state: ConsoleState, text: string): ConsoleState {
  const { palette } = state;
  if (palette === null) return state;
  const line = insertText(palette.line, text.replaceAll(/[\r\n]+/g, ' '));
  if (line.text.length <= MAX_TYPED) return withLine(state, line);
  return { ...state, notice: [span(label`Nothing has a name as long as that.`, 'warning')] };
}

const withLine = (state: ConsoleState, line: TextLine): ConsoleState =>
  line === state.palette?.line ? state : { ...state, palette: { line, chosen: null } };

const fittingHere = (state: ConsoleState, palette: PaletteState): readonly PaletteEntry[] =>
  fittingEntries(palette, offeredEntries(state, contextBehind(state)));

function choose(state: ConsoleState, palette: PaletteState, way: 1 | -1): ConsoleState {
  const fitting = fittingHere(state, palette);
  const entry = chosenEntry(palette, fitting);
  if (entry === null) return state;
  const next = fitting[Math.max(0, Math.min(fitting.length - 1, fitting.indexOf(entry) + way))] ?? entry;
  return { ...state, palette: { ...palette, chosen: next.name } };
}

function run(
  state: ConsoleState,
  palette: PaletteState,
  act: (state: ConsoleState, action: Action) => Step,
): Step {
  const entry = chosenEntry(palette, fittingHere(state, palette));
  if (entry === null || !isPainted(state)) return stay(state);
  const closed = { ...state, palette: null };
  if (entry.kind === 'request') return stay(openById(closed, entry.id));
  const { action } = entry.row;
  const ran = leadsToScreen(action) ? goToScreen(closed, action) : act(closed, action);
  // It came too early to do anything, as its key would have: it can be pressed again.
  return ran.state === closed && ran.effects.length === 0 ? stay(state) : ran;
}

/** From wherever one is, an opened request too. */
function goToScreen(state: ConsoleState, action: Action): Step {
  return entranceOf(action)?.({ ...state, opened: null }) ?? stay(state);
}

/** To be decided on where the queue has it, else to be read where the history finds it. */
function openById(state: ConsoleState, id: RequestId): ConsoleState {
  const request = state.queue.requests.get(id);
  if (request !== undefined) return openRequest({ ...state, screen: 'queue', selected: id }, request);
  return searchFor(openHistory({ ...state, opened: null }), `id:${id}`);
}
