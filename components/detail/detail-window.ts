import { brokerNow, type ConsoleState, openedRequest } from '../state/console-state.js';
import { commentLines } from '../talk/comment-lines.js';
import type { Line } from '../text/line.js';
import { backgroundLines } from './background-lines.js';
import { documentPlace, requestDocument } from './request-document.js';
import { requestProgress } from './request-progress.js';

/** The part of the opened request that is on the screen. */
export interface DetailWindow {
  readonly lines: readonly Line[];
  readonly top: number;
  readonly total: number;
  /** Which of the lines that must be read are among them: from the first, to before the second. */
  readonly mustRead: { readonly from: number; readonly to: number };
}

export function detailWindow(state: ConsoleState, height: number): DetailWindow | null {
  const { opened } = state;
  const current = openedRequest(state);
  if (opened === null || current === null) return null;
  const { columns, zone } = documentPlace(state);
  const place = { columns, style: { zone, now: brokerNow(state) }, isRecord: opened.isRecord };
  const progress = requestProgress(current.request, equalAsks(state), place);
  const { mustRead, evidence } = requestDocument(opened.request, documentPlace(state));
  const below = [
    ...progress,
    ...commentLines(current.request, place),
    ...backgroundLines(state.background, place),
    ...evidence,
  ];
  const total = mustRead.length + below.length;
  const top = Math.max(0, Math.min(opened.top, total - height));
  const bottom = Math.min(total, top + Math.max(0, height));
  return {
    lines: [...mustRead, ...below].slice(top, bottom),
    top,
    total,
    mustRead: { from: Math.min(top, mustRead.length), to: Math.min(bottom, mustRead.length) },
  };
}

function equalAsks({ allRows: rows, opened }: ConsoleState) {
  const id = opened?.request.id;
  const index = id === undefined ? undefined : rows.indexOf.get(id);
  const row = index === undefined ? undefined : rows.rows[index];
  return row?.section === 'pending' ? row.members.filter((member) => member.id !== id) : [];
}
