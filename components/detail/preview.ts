import type { RequestView } from '../../src/protocol/request-view.js';
import { panesOf } from '../screen/panes.js';
import { bodyRows, headRows } from '../screen/screen-layout.js';
import {
  type ConsoleState,
  isSameAsk,
  isSettled,
  isTooSmall,
  SETTLE_MS,
  selectedRequest,
} from '../state/console-state.js';
import type { Line } from '../text/line.js';
import { detailWindow } from './detail-window.js';
import { openRequest } from './open-request.js';
import { documentPlace, mustRead, requestDocument } from './request-document.js';

/** The request under the cursor as it stands beside the queue: at the width, and with the lines, that it has once it is opened. */
export interface Preview {
  readonly request: RequestView;
  /** What of it fits, from its first line on. */
  readonly lines: readonly Line[];
  /** How many lines do not fit. */
  readonly left: number;
  /** How many of those must be read. */
  readonly unread: number;
}

const previews = new WeakMap<ConsoleState, Preview | null>();

/** What stands beside the queue; null where there is no room for it, or something else stands there. */
export function previewOf(state: ConsoleState): Preview | null {
  const known = previews.get(state);
  if (known !== undefined) return known;
  const preview = drawPreview(state);
  previews.set(state, preview);
  return preview;
}

function drawPreview(state: ConsoleState): Preview | null {
  const { opened, screen, isHelpOpen, palette } = state;
  const isCovered = isHelpOpen || palette !== null || isTooSmall(state);
  if (opened !== null || screen !== 'queue' || isCovered || !panesOf(state).isSplit) return null;
  const request = selectedRequest(state);
  if (request === null) return null;
  const shown = { ...openRequest(state, request), background: null };
  const window = detailWindow(shown, bodyRows(state) - headRows(state));
  if (window === null) return null;
  const { length } = window.lines;
  // Nobody compares digests in passing, and at every step of the cursor all of them would be written: they stand where it is opened.
  const { evidence } = requestDocument(request, documentPlace(shown));
  const told = window.total - evidence.length;
  // The last row says how much is left out, where something is.
  const lines = window.lines.slice(0, Math.max(0, window.total > length ? Math.min(told, length - 1) : told));
  const unread = Math.max(0, mustRead(state, request).length - lines.length);
  return { request, lines, left: window.total - lines.length, unread };
}

/**
 * The request under the cursor, as it was painted, where all that must be read of it has stood beside the queue for as long as anything
 * that is decided on (A1, A4); null where it did not, or is another one by now.
 */
export function readInPreview(state: ConsoleState): RequestView | null {
  const { previewed, at } = state;
  const selected = selectedRequest(state);
  const { isSplit, detail } = panesOf(state);
  if (previewed === null || selected === null || !isSplit || previewed.columns !== detail) return null;
  if (!isSettled(state) || at - previewed.since < SETTLE_MS) return null;
  const { request } = previewed;
  return request.id === selected.id && isSameAsk(request, selected) ? request : null;
}
