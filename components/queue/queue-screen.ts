import type { Name } from '../../src/protocol/names.js';
import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Action } from '../keys/key-row.js';
import { idleKeys } from '../screen/idle-keys.js';
import { NARROW_COLUMNS, panesOf } from '../screen/panes.js';
import type { Screen } from '../screen/screen.js';
import { bodyRows } from '../screen/screen-layout.js';
import { stay } from '../state/console-effects.js';
import { brokerNow, type ConsoleState, selectedRequest } from '../state/console-state.js';
import type { ShownClock } from '../text/clock-text.js';
import { BLANK, centreLine, cutLine, type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText } from '../text/safe-text.js';
import { listLayout } from './list-layout.js';
import { nearestClock } from './nearest-clock.js';
import { hiddenPending, settleQueueFilter } from './queue-filter.js';
import { typeIntoQueueFilter } from './queue-filter-step.js';
import { stepQueue } from './queue-step.js';
import { type QueueItem, queueCapacity, queueWindow } from './queue-window.js';
import { readersByRow } from './readers.js';
import type { RequestRow } from './request-rows.js';
import { standingLine, standingOf } from './request-standing.js';
import { headingLine, rowColumns, rowLines } from './row-lines.js';
import { shortHeading, shortLines, shortStatus } from './short-rows.js';

/** Who waits, the longest first, and below them what has ended. */
export const QUEUE_SCREEN: Screen = {
  title: label`Queue`,
  entrances: [['toQueue', (state) => stay({ ...state, screen: 'queue' })]],
  context: ({ queueFilter }) => (queueFilter.isWriting ? 'filter' : 'queue'),
  target: ({ queueFilter, selected }) => (queueFilter.isWriting ? 'queue filter' : `queue ${selected}`),
  step: stepQueue,
  clocks: pendingClocks,
  paste: (state, text) => (state.queueFilter.isWriting ? typeIntoQueueFilter(state, text) : null),
  settle: (state) => stay(settleQueueFilter(state)),
  lines: queueLines,
  status: statusLine,
  position: positionText,
  hidden: hiddenActions,
};

/** When a request was asked, and when the nearest of its clocks is over. */
export const clockOf = (request: RequestView): ShownClock => ({
  since: request.submittedAt,
  until: nearestClock(request) ?? request.answerBy,
});

function pendingClocks(state: ConsoleState): readonly ShownClock[] {
  const { items } = queueWindow(state, bodyRows(state));
  return items.flatMap((item) =>
    item.kind === 'row' && isLive(item.row.request.state) ? [clockOf(item.row.request)] : [],
  );
}

function positionText(state: ConsoleState): SafeText {
  const rows = bodyRows(state);
  const { total, top } = queueWindow(state, rows);
  const below = total - top - queueCapacity(state, rows);
  if (total <= queueCapacity(state, rows)) return label``;
  const under = label`${Math.max(0, below)} below`;
  return state.size.columns < NARROW_COLUMNS ? under : label`${top} above, ${under}`;
}

function hiddenActions(state: ConsoleState): readonly Action[] {
  const selected = selectedRequest(state);
  const { inForce, isWriting } = state.queueFilter;
  const idle = [...idleKeys(state, selected)];
  if (inForce === null && !isWriting) idle.push('back');
  if (selected === null) idle.push('down', 'up', 'pageDown', 'open');
  const canDecide = selected?.state === 'pending' && state.queue.link.state === 'live';
  return canDecide ? idle : [...idle, 'approve', 'deny', 'denyFraud'];
}

function queueLines(state: ConsoleState, height: number): readonly Line[] {
  if (state.allRows.rows.length === 0) return emptyLines(state, height);
  const { items } = queueWindow(state, height);
  const rows = rowDrawing(state);
  const readers = readersByRow(state);
  const linesOf = (item: QueueItem): readonly Line[] => {
    if (item.kind === 'row') return rows.lines(item.row, readers.get(item.row) ?? []);
    return [BLANK, titleLine(item, state, rows.width)].slice(-rows.itemRows);
  };
  return [...rows.heading, ...items.flatMap(linesOf)];
}

/** How the rows are drawn at the size that the list has. */
function rowDrawing(state: ConsoleState) {
  const { isTable, itemRows, headingRows } = listLayout(state);
  const width = panesOf(state).list;
  const common = {
    approver: state.identity.approver,
    now: brokerNow(state),
    selected: state.selected,
  };
  if (isTable) {
    const columns = rowColumns(width);
    const lines = (row: RequestRow, readers: readonly Name[]) =>
      rowLines(row, readers, { ...common, columns });
    return { width, itemRows, heading: [headingLine(columns)], lines };
  }
  const frame = { ...common, width, lines: itemRows };
  const lines = (row: RequestRow, readers: readonly Name[]) => shortLines(row, readers, frame);
  return { width, itemRows, heading: headingRows === 0 ? [] : [shortHeading(width)], lines };
}

/** Nothing that is hidden may look as if it were not there. */
function titleLine({ kind }: QueueItem, state: ConsoleState, columns: number): Line {
  if (kind === 'earlier') {
    return [span(label`   Earlier `, 'muted'), span(repeatText(label`─`, columns - 14), 'muted')];
  }
  const hidden = hiddenPending(state);
  const words =
    hidden === 0 ? label`Nobody is waiting for you.` : label`Nobody who fits is waiting; ${hidden} hidden.`;
  return cutLine([span(label`   ${words}`, 'strong')], columns);
}

/** Whether it is still to be seen what becomes of it. */
const isOpenEnded = ({ state, report }: RequestView): boolean =>
  report === null && (isLive(state) || state === 'redeemed');

/** How the newest own approval stands, until its door has reported; else, where a row has one line only, what it leaves out. */
function statusLine(state: ConsoleState): Line {
  const selected = selectedRequest(state);
  const [approver, now] = [state.identity.approver, brokerNow(state)];
  const approved = state.approved === null ? undefined : state.queue.requests.get(state.approved);
  if (approved !== undefined && isOpenEnded(approved)) return approvedLine(approved, approver, now);
  if (selected === null || listLayout(state).itemRows > 1) return BLANK;
  return shortStatus(selected, approver, now);
}

function approvedLine(request: RequestView, approver: string, now: EpochMs): Line {
  const { action, resource } = request.document;
  const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
  const standing = standingLine(standingOf(request, approver, now));
  return [
    ...standing,
    span(label`: `, 'muted'),
    ...exact(action),
    span(label` on `, 'muted'),
    ...exact(resource),
  ];
}

/** An empty queue says what is going on and what to do next, over the whole width unless a request stands beside it. */
function emptyLines(state: ConsoleState, height: number): readonly Line[] {
  const columns = state.opened === null ? state.size.columns : panesOf(state).list;
  const isLive = state.queue.link.state === 'live';
  const words = isLive ? quietLines() : connectingLines(state);
  const lines = [
    ...words.flatMap((line) => wrapLine(line, columns - 2, 'words')).map((line) => centreLine(line, columns)),
    ...(isLive ? invitationLines(state, columns) : []),
  ];
  const above = Math.max(0, Math.floor((height - lines.length) / 3));
  return [...Array<Line>(above).fill(BLANK), ...lines];
}

function quietLines(): readonly Line[] {
  return [
    [span(label`Nobody is waiting.`, 'strong')],
    BLANK,
    [span(label`A new ask appears here by itself, with a bell.`)],
    BLANK,
    [span(label`To see one, ask for something in a second terminal:`, 'muted')],
  ];
}

/** To be selected and pasted, so at the left edge and without anything around it. */
function invitationLines({ identity }: ConsoleState, columns: number): readonly Line[] {
  if (identity.invitation.length === 0)
    return [centreLine([span(label`countersign request --help`)], columns)];
  return [BLANK, ...identity.invitation.map((line) => markedSpans(safeText(line, { reading: 'exact' })))];
}

function connectingLines({ queue, identity }: ConsoleState): readonly Line[] {
  const address = markedSpans(safeText(identity.address, { reading: 'exact' }));
  if (queue.link.state === 'connecting') {
    return [
      [span(label`Connecting to `, 'muted'), ...address],
      BLANK,
      [span(label`The queue appears as soon as the broker answers.`, 'muted')],
    ];
  }
  return [
    [span(label`The queue is not known.`, 'strong')],
    BLANK,
    [span(label`Somebody may be waiting: this console cannot see it now.`)],
  ];
}
