import { narrowMeaning } from '../deciding/confirm-lines.js';
import { obstacleTo } from '../deciding/obstacles.js';
import { detailWindow } from '../detail/detail-window.js';
import { keyNames } from '../keys/key-names.js';
import type { Action } from '../keys/key-row.js';
import { footerRows } from '../keys/key-table.js';
import { type ConsoleState, isSettled, openedRequest } from '../state/console-state.js';
import { type Line, lineWidth, span, spreadLine } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';
import { helpWindow } from './help-window.js';
import { idleKeys } from './idle-keys.js';
import { detailLayout } from './screen-layout.js';
import { keyContext, SCREENS } from './screens.js';
import { linesText, windowText } from './window-text.js';

/** What just happened or can be done, and the keys. */
export function footerLines(state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const status: Line = [span(label`  `), ...(state.notice ?? statusLine(state))];
  return [spreadLine(status, [span(positionText(state), 'muted'), span(label`  `)], columns), keyLine(state)];
}

/** What just can be decided, or what is going on. */
export function statusLine(state: ConsoleState): Line {
  if (state.palette !== null) return [];
  const isInFront = state.opened === null && !state.isHelpOpen;
  if (isInFront) return SCREENS[state.screen].status(state);
  return state.confirm === null ? offerLine(state) : narrowMeaning(state);
}

/** What can be decided about the opened request, or why not yet. */
function offerLine(state: ConsoleState): Line {
  const opened = openedRequest(state);
  const isAsked = state.confirm !== null || state.talk !== null;
  if (opened === null || isAsked || state.isHelpOpen || !isSettled(state)) return [];
  if (obstacleTo(state, 'revoke') === null) return [span(label`R takes it back.`)];
  const approve = obstacleTo(state, 'approve');
  if (state.opened?.isRecord === true && approve !== null) return [span(approve.words, approve.tone)];
  if (approve?.tone === 'danger') return [span(label`Cannot be approved: ${approve.words}`, 'danger')];
  if (approve !== null) return [span(approve.words, approve.tone)];
  return [span(label`All read: a approves, d denies, f denies as fraud.`)];
}

function positionText(state: ConsoleState): SafeText {
  if (state.palette !== null) return label``;
  if (state.isHelpOpen) {
    return windowText(helpWindow(state), state.size.columns);
  }
  if (state.opened !== null) {
    const shown = detailWindow(state, detailLayout(state).request);
    if (shown === null) return label``;
    if (shown.lines.length === 0) return label`${shown.total} lines`;
    const { top, lines, total } = shown;
    return linesText({ top, height: lines.length, total }, state.size.columns);
  }
  return SCREENS[state.screen].position(state);
}

/** As many hints as fit, in the order of the table; those that one can do without give way first, then the last ones. */
function keyLine(state: ConsoleState): Line {
  const hidden = hiddenActions(state);
  const pieces = footerRows(keyContext(state))
    .filter(({ action }) => !hidden.includes(action))
    .map(({ shown, hint, queueHint, yields = 0 }) => {
      const words = state.screen === 'queue' ? (queueHint ?? hint) : hint;
      const line = [span(label` ${keyNames(shown)}`, 'strong'), span(label` ${words} `, 'muted')];
      return { yields, line };
    });
  const width = (): number => lineWidth(pieces.flatMap(({ line }) => line)) + 1;
  while (width() > state.size.columns) {
    const first = Math.max(...pieces.map(({ yields }) => yields));
    pieces.splice(
      pieces.findLastIndex(({ yields }) => yields === first),
      1,
    );
  }
  return [span(label` `), ...pieces.flatMap(({ line }) => line)];
}

/** Keys that would do nothing now are not offered. */
function hiddenActions(state: ConsoleState): readonly Action[] {
  if (state.isHelpOpen || state.palette !== null) return [];
  if (state.confirm?.isSigning === true) return ['next', 'comment'];
  if (state.talk?.isSending === true) return ['next', 'say', 'back'];
  if (state.opened === null) return SCREENS[state.screen].hidden(state);
  const hidden = [...idleKeys(state, openedRequest(state)?.request ?? null)];
  if (obstacleTo(state, 'approve') !== null) hidden.push('approve');
  if (obstacleTo(state, 'deny') !== null) hidden.push('deny', 'denyFraud');
  if (obstacleTo(state, 'revoke') !== null) hidden.push('revoke');
  return hidden;
}
