import type { Action } from '../keys/key-table.js';
import { panesOf } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Screen } from '../screen/screens.js';
import { stay } from '../state/console-effects.js';
import { brokerNow, type ConsoleState, selectedRequest } from '../state/console-state.js';
import { BLANK, centreLine, type Line, markedSpans, span } from '../text/line.js';
import { label, repeatText, type SafeText, safeText } from '../text/safe-text.js';
import { hiddenPending, settleQueueFilter } from './queue-filter.js';
import { typeIntoQueueFilter } from './queue-filter-step.js';
import { stepQueue } from './queue-step.js';
import { type QueueItem, queueCapacity, queueWindow } from './queue-window.js';
import { readersByRow } from './readers.js';
import { headingLine, type RowFrame, rowColumns, rowLines } from './row-lines.js';

/** Who waits, the longest first, and below them what has ended. */
export const QUEUE_SCREEN: Screen = {
  title: label`Queue`,
  entrances: [['toQueue', (state) => stay({ ...state, screen: 'queue' })]],
  context: ({ queueFilter }) => (queueFilter.isWriting ? 'filter' : 'queue'),
  target: ({ queueFilter, selected }) => (queueFilter.isWriting ? 'queue filter' : `queue ${selected}`),
  step: stepQueue,
  paste: (state, text) => (state.queueFilter.isWriting ? typeIntoQueueFilter(state, text) : null),
  settle: (state) => stay(settleQueueFilter(state)),
  lines: queueLines,
  status: () => BLANK,
  position: positionText,
  hidden: hiddenActions,
};

function positionText(state: ConsoleState): SafeText {
  const rows = bodyRows(state);
  const { total, top } = queueWindow(state, rows);
  const below = total - top - queueCapacity(rows);
  if (total <= queueCapacity(rows)) return label``;
  return label`${top} above, ${Math.max(0, below)} below`;
}

function hiddenActions(state: ConsoleState): readonly Action[] {
  const selected = selectedRequest(state);
  const unfiltered: readonly Action[] =
    state.queueFilter.inForce === null && !state.queueFilter.isWriting ? ['back'] : [];
  if (selected === null) return [...unfiltered, 'down', 'up', 'pageDown', 'open', 'approve', 'deny'];
  const canDecide = selected.state === 'pending' && state.queue.link.state === 'live';
  return canDecide ? unfiltered : [...unfiltered, 'approve', 'deny'];
}

function queueLines(state: ConsoleState, height: number): readonly Line[] {
  if (state.allRows.rows.length === 0) return emptyLines(state, height);
  const { items } = queueWindow(state, height);
  const width = panesOf(state).list;
  const columns = rowColumns(width);
  const frame: RowFrame = {
    columns,
    approver: state.identity.approver,
    now: brokerNow(state),
    selected: state.selected,
  };
  const readers = readersByRow(state);
  const linesOf = (item: QueueItem) =>
    item.kind === 'nobody' ? nobodyLines(state) : itemLines(item, frame, readers, width);
  return [headingLine(columns), ...items.flatMap(linesOf)];
}

/** Nothing that is hidden may look as if it were not there. */
function nobodyLines(state: ConsoleState): readonly Line[] {
  const hidden = hiddenPending(state);
  const words =
    hidden === 0
      ? label`   Nobody is waiting for you.`
      : label`   Nobody who fits the filter is waiting; ${hidden} hidden.`;
  return [BLANK, [span(words, 'strong')]];
}

function itemLines(
  item: Exclude<QueueItem, { readonly kind: 'nobody' }>,
  frame: RowFrame,
  readers: ReturnType<typeof readersByRow>,
  columns: number,
): readonly Line[] {
  switch (item.kind) {
    case 'row':
      return rowLines(item.row, readers.get(item.row) ?? [], frame);
    case 'earlier':
      return [BLANK, [span(label`   Earlier `, 'muted'), span(repeatText(label`─`, columns - 14), 'muted')]];
  }
}

/** An empty queue says what is going on and what to do next. */
function emptyLines(state: ConsoleState, height: number): readonly Line[] {
  const columns = panesOf(state).list;
  const isLive = state.queue.link.state === 'live';
  const words = isLive ? quietLines() : connectingLines(state);
  const lines = [
    ...words.map((line) => centreLine(line, columns)),
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
