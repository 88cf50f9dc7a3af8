import type { DeadLetter, SinkStanding } from '../../src/protocol/outbox-messages.js';
import type { Action } from '../keys/key-row.js';
import { TABLE_COLUMNS } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Tone } from '../screen/theme.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { ageText } from '../text/clock-text.js';
import {
  BLANK,
  cutLine,
  fitLine,
  type Line,
  markedSpans,
  piecesLine,
  span,
  spreadLine,
} from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { droppingStatus, LETTER_ROWS, panelLines, panelRows, RULE_ROWS } from './outbox-panel.js';
import { letterIndex, selectedLetter } from './outbox-state.js';

const MARGIN = 3;
const NUMBER_COLUMNS = 9;

const exact = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'exact' }), tone);
const prose = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'prose' }), tone);

const isTable = ({ size }: ConsoleState): boolean => size.columns >= TABLE_COLUMNS;

/** The names of the columns of the receivers, where there are columns, and a blank row below the receivers. */
const sinkHeadRows = (state: ConsoleState): number => (isTable(state) ? 2 : 1);

/** How many receivers have a row; none where there is no room for two of several. */
function sinkRows(state: ConsoleState): number {
  const sinks = state.queue.outbox.length;
  const room = bodyRows(state) - panelRows(state) - LETTER_ROWS - sinkHeadRows(state) - RULE_ROWS;
  const rows = Math.min(sinks, room, Math.floor(state.size.rows / 3));
  return shownSinks(sinks, rows) < Math.min(2, sinks) ? 0 : rows;
}

/** The last one of too few rows says how many more there are. */
const shownSinks = (sinks: number, rows: number): number => (sinks > rows ? rows - 1 : rows);

/** How many letters are on the screen at once. */
export function letterCapacity(state: ConsoleState): number {
  const sinks = sinkRows(state);
  const head = RULE_ROWS + (sinks === 0 ? 0 : sinkHeadRows(state) + sinks);
  return Math.max(1, Math.floor((bodyRows(state) - head - panelRows(state)) / LETTER_ROWS));
}

/** Each receiver and how it fares, the letters that were given up, and about the selected one why. */
export function outboxLines(state: ConsoleState, height: number): readonly Line[] {
  const { outbox, queue } = state;
  if (queue.outbox.length === 0 && (outbox.letters ?? []).length === 0) return emptyLines(state, height);
  const letters = (outbox.letters ?? []).slice(outbox.top, outbox.top + letterCapacity(state));
  const lines = [
    ...sinkLines(state),
    ruleLine(state),
    ...letters.flatMap((letter) => letterLines(letter, state)),
    ...(letters.length === 0 ? [noLettersLine(state)] : []),
  ];
  const panel = panelLines(state, height);
  const room = height - panel.length;
  const gap = Array<Line>(Math.max(0, room - lines.length)).fill(BLANK);
  return [...lines.slice(0, room), ...gap, ...panel];
}

function emptyLines(state: ConsoleState, height: number): readonly Line[] {
  const { outbox, size } = state;
  const words: readonly Line[] =
    outbox.failure !== null
      ? [[span(label`✗ ${outbox.failure.message}`, 'danger')], [span(outbox.failure.hint)]]
      : outbox.letters === null
        ? [[span(askingWords(state), 'strong')]]
        : [
            [span(label`Nothing leaves this broker.`, 'strong')],
            BLANK,
            [span(label`Webhooks and a notify command send events out; none is configured.`)],
          ];
  return placardLines(words, size.columns, height);
}

function sinkLines(state: ConsoleState): readonly Line[] {
  const { queue, size } = state;
  const rows = sinkRows(state);
  if (rows === 0) return [];
  const nameColumns = size.columns >= 100 ? 32 : 24;
  const heading: Line = [
    span(spaces(MARGIN)),
    ...fitLine([span(label`Receiver`, 'muted')], nameColumns),
    ...fitLine([span(label`Waiting`, 'muted')], NUMBER_COLUMNS),
    ...fitLine([span(label`Dead`, 'muted')], NUMBER_COLUMNS),
    span(label`How it fares`, 'muted'),
  ];
  const shown = shownSinks(queue.outbox.length, rows);
  const others = queue.outbox.length - shown;
  return [
    ...(isTable(state) ? [heading] : []),
    ...queue.outbox
      .slice(0, shown)
      .map((sink) =>
        isTable(state)
          ? cutLine(sinkLine(sink, nameColumns), size.columns)
          : shortSinkLine(sink, size.columns),
      ),
    ...(others > 0 ? [[span(label`   and ${others} more`, 'muted')]] : []),
    BLANK,
  ];
}

function sinkLine(standing: SinkStanding, nameColumns: number): Line {
  const { sink, waiting, dead } = standing;
  return [
    span(spaces(MARGIN)),
    ...fitLine(fitLine(exact(sink, 'strong'), nameColumns - 2), nameColumns),
    ...fitLine([span(label`${waiting}`, waiting === 0 ? 'muted' : 'text')], NUMBER_COLUMNS),
    ...fitLine([span(label`${dead}`, dead === 0 ? 'muted' : 'warning')], NUMBER_COLUMNS),
    ...symbolSpans(standing),
    ...fareLine(standing),
  ];
}

/** The same without columns: what is wrong first, and no number that is nothing. */
function shortSinkLine(standing: SinkStanding, columns: number): Line {
  const { sink, waiting, dead } = standing;
  const name: Line = [...symbolSpans(standing), ...exact(sink, 'strong')];
  const given = dead === 0 ? BLANK : [span(label`${dead} dead`, 'warning')];
  const held = waiting === 0 ? BLANK : [span(label`${waiting} wait`)];
  return [span(spaces(MARGIN)), ...piecesLine([name, given, held, fareLine(standing)], columns - MARGIN - 1)];
}

/** Whether something is wrong with a receiver; nothing where it takes what it is sent. */
function symbolSpans({ configured, failing, dead }: SinkStanding): Line {
  if (configured && failing !== null) return [span(label`✗ `, 'danger')];
  return configured && dead === 0 ? BLANK : [span(label`▲ `, 'warning')];
}

function fareLine({ sink, configured, failing, dead }: SinkStanding): Line {
  if (!configured) {
    const name = safeText(sink, { reading: 'exact' });
    return [span(label`not configured: countersign outbox drop ${name} --forget`, 'warning')];
  }
  if (failing !== null) return prose(failing);
  return dead > 0
    ? [span(label`a dead letter holds back what follows it`, 'warning')]
    : [span(label`takes what it is sent`, 'muted')];
}

function ruleLine({ outbox, size }: ConsoleState): Line {
  const letters = outbox.letters ?? [];
  const count = outbox.hasMore ? label`${letters.length} and more` : label`${letters.length}`;
  const title = label`   Dead letters: ${count} `;
  return [span(title, 'muted'), span(repeatText(label`─`, size.columns - title.length - MARGIN), 'muted')];
}

const askingWords = (state: ConsoleState): SafeText =>
  isLiveLink(state) ? label`Asking the broker…` : label`Not connected: the outbox is not known.`;

function noLettersLine(state: ConsoleState): Line {
  const { outbox } = state;
  if (outbox.failure !== null)
    return [span(label`   ✗ ${outbox.failure.message}. ${outbox.failure.hint}`, 'danger')];
  if (outbox.letters === null) return [span(label`   ${askingWords(state)}`, 'muted')];
  return [span(label`   None: nothing was given up.`, 'muted')];
}

function letterLines(letter: DeadLetter, state: ConsoleState): readonly Line[] {
  const { columns } = state.size;
  const isSelected = letter === selectedLetter(state.outbox);
  const { sink, event, kind, attempts, dead, about, request } = letter;
  const age = ageText(brokerNow(state) - dead);
  const tries = attempts === 1 ? label`1 try` : label`${attempts} tries`;
  const marker = span(isSelected ? label` ▸ ` : label`   `, 'accent');
  const name = exact(kind, isSelected ? 'strong' : 'text');
  const to: Line = [span(label`to `, 'muted'), ...exact(sink)];
  const number: Line = [span(label`event ${event}`, 'muted')];
  if (!isTable(state)) {
    const { requester = '', action = '', resource = '' } = about ?? {};
    const subject = [exact(requester), exact(action), exact(resource)];
    const since = [[span(label`${age} ago`, 'muted')], [span(tries, 'muted')]];
    const indent = MARGIN + 2;
    return [
      [marker, ...piecesLine([name, to, number], columns - MARGIN - 1)],
      [span(spaces(indent)), ...piecesLine([...subject, ...since], columns - indent)],
    ];
  }
  const what: Line = [marker, ...name, span(label`  `), ...to, span(label`  `), ...number];
  const subject: Line =
    about === null
      ? request === null
        ? [span(label`about no request`, 'muted')]
        : exact(request, 'muted')
      : [
          ...exact(about.action),
          span(label` on `, 'muted'),
          ...exact(about.resource),
          span(label` for `, 'muted'),
          ...exact(about.requester),
        ];
  return [
    spreadLine(what, [span(label`given up ${age} ago, ${tries} `, 'muted')], columns),
    cutLine([span(spaces(MARGIN + 2)), ...subject], columns),
  ];
}

export function outboxStatus(state: ConsoleState): Line {
  const { outbox } = state;
  if (outbox.dropping !== null) return droppingStatus(state);
  if (outbox.failure !== null && (outbox.letters ?? []).length > 0) {
    return [span(label`✗ ${outbox.failure.message}`, 'danger')];
  }
  return outbox.hasMore ? [span(label`More of them: countersign outbox list`, 'muted')] : [];
}

export function outboxPosition({ outbox }: ConsoleState): SafeText {
  const total = outbox.letters?.length ?? 0;
  return total === 0 ? label`` : label`${letterIndex(outbox) + 1} of ${total}`;
}

export function hiddenInOutbox({ outbox }: ConsoleState): readonly Action[] {
  return selectedLetter(outbox) === null ? ['down', 'up', 'pageDown', 'retry', 'drop'] : [];
}
