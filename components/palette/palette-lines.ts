import type { RequestView } from '../../src/protocol/request-view.js';
import { keyNames } from '../keys/key-names.js';
import { contextBehind } from '../screen/screens.js';
import { type ConsoleState, selectedRequest } from '../state/console-state.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { writtenLines } from '../text/written-lines.js';
import {
  chosenEntry,
  fittingEntries,
  nearestName,
  offeredEntries,
  type PaletteEntry,
} from './palette-entries.js';

const NAME_COLUMNS = 18;
const KEY_COLUMNS = 11;

const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });

/** The palette over the whole body: what is typed, what it would act on, and what fits. */
export function paletteLines(state: ConsoleState, height: number): readonly Line[] {
  const { palette, size } = state;
  if (palette === null) return [];
  const { columns } = size;
  const offered = offeredEntries(state, contextBehind(state));
  const fitting = fittingEntries(palette, offered);
  const place = { columns: columns - 5, rows: 1, reading: 'exact', hasCaret: true } as const;
  const [written = BLANK] = writtenLines(palette.line, place);
  const head = [[span(label` : `, 'accent'), ...written], cutLine(subjectLine(state), columns), BLANK];
  const entry = chosenEntry(palette, fitting);
  if (entry === null) {
    const near = nearestName(palette, offered);
    const meant = near === null ? label`` : label` Did you mean ${exact(near)}?`;
    return [
      ...head,
      ...wrapLine([span(label`✗ Nothing here has that name.${meant}`, 'danger')], columns - 4, 'words'),
      [span(label`A request id opens that request.`, 'muted')],
    ].map((line, at) => (at < head.length ? line : [span(label`   `), ...line]));
  }
  const room = Math.max(1, height - head.length);
  const first = Math.max(0, fitting.indexOf(entry) - room + 1);
  return [
    ...head,
    ...fitting
      .slice(first, first + room)
      .map((one) => cutLine(entryLine(one, one === entry, state), columns)),
  ];
}

/** What would be acted on: no key of the palette does anything to what is not named here. */
function subjectLine(state: ConsoleState): Line {
  const request = subjectOf(state);
  if (request === null) return BLANK;
  const { action, resource, requester } = request.document;
  return [
    span(label`   for `, 'muted'),
    ...markedSpans(exact(action)),
    span(label` on `, 'muted'),
    ...markedSpans(exact(resource), 'strong'),
    span(label`, asked by `, 'muted'),
    ...markedSpans(exact(requester), 'strong'),
  ];
}

function subjectOf(state: ConsoleState): RequestView | null {
  if (state.opened !== null) return state.opened.request;
  return state.screen === 'queue' ? selectedRequest(state) : null;
}

function entryLine(entry: PaletteEntry, isChosen: boolean, { queue }: ConsoleState): Line {
  const tone = isChosen ? 'strong' : 'text';
  const head: Line = [
    span(isChosen ? label` ▸ ` : label`   `, 'accent'),
    ...fitLine([span(exact(entry.name), tone)], NAME_COLUMNS),
  ];
  if (entry.kind === 'action') {
    const { shown, explained } = entry.row;
    return [...head, ...fitLine([span(keyNames(shown), 'muted')], KEY_COLUMNS), span(explained, 'muted')];
  }
  const request = queue.requests.get(entry.id);
  if (request === undefined)
    return [...head, span(label`not in the queue: looked for in the history`, 'muted')];
  const { action, resource, requester } = request.document;
  return [
    ...head,
    ...markedSpans(exact(action)),
    span(label` on `, 'muted'),
    ...markedSpans(exact(resource), 'strong'),
    span(label`, asked by `, 'muted'),
    ...markedSpans(exact(requester), 'strong'),
  ];
}
