import { zonedTime } from '../../src/client/shown-time.js';
import type { DeadLetter, SinkStanding } from '../../src/protocol/outbox-messages.js';
import type { Action } from '../keys/key-table.js';
import { buttonSpan } from '../screen/button.js';
import { bodyRows } from '../screen/screen-layout.js';
import type { Tone } from '../screen/theme.js';
import { brokerNow, type ConsoleState, isLiveLink, isSettled } from '../state/console-state.js';
import { ageText } from '../text/clock-text.js';
import { BLANK, cutLine, fitLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { placardLines, wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { letterIndex, selectedLetter } from './outbox-state.js';

const LETTER_ROWS = 2;
const MARGIN = 3;
/** The step before a letter is dropped, or why the selected one was given up, at most so much of it. */
const PANEL_ROWS = 5;
/** The names of the columns of the receivers, and a blank row below them. */
const SINK_HEAD_ROWS = 2;
/** The rule over the letters. */
const RULE_ROWS = 1;
const NUMBER_COLUMNS = 9;

const exact = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'exact' }), tone);
const prose = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'prose' }), tone);

/** How many receivers have a row; none where there is no room for two of several. */
function sinkRows(state: ConsoleState): number {
  const sinks = state.queue.outbox.length;
  const room = bodyRows(state) - PANEL_ROWS - LETTER_ROWS - SINK_HEAD_ROWS - RULE_ROWS;
  const rows = Math.min(sinks, room, Math.floor(state.size.rows / 3));
  return rows < Math.min(2, sinks) ? 0 : rows;
}

/** How many letters are on the screen at once. */
export function letterCapacity(state: ConsoleState): number {
  const sinks = sinkRows(state);
  const head = RULE_ROWS + (sinks === 0 ? 0 : SINK_HEAD_ROWS + sinks);
  return Math.max(1, Math.floor((bodyRows(state) - head - PANEL_ROWS) / LETTER_ROWS));
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
  const panel = panelLines(state).slice(0, Math.min(PANEL_ROWS, height));
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
  const shown = queue.outbox.length > rows ? rows - 1 : rows;
  const others = queue.outbox.length - shown;
  return [
    heading,
    ...queue.outbox.slice(0, shown).map((sink) => cutLine(sinkLine(sink, nameColumns), size.columns)),
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
    ...fareLine(standing),
  ];
}

function fareLine({ sink, configured, failing, dead }: SinkStanding): Line {
  if (!configured) {
    const name = safeText(sink, { reading: 'exact' });
    return [span(label`▲ not configured: countersign outbox drop ${name} --forget`, 'warning')];
  }
  if (failing !== null) return [span(label`✗ `, 'danger'), ...prose(failing)];
  return dead > 0
    ? [span(label`▲ a dead letter holds back what follows it`, 'warning')]
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
  const what: Line = [
    span(isSelected ? label` ▸ ` : label`   `, 'accent'),
    ...exact(kind, isSelected ? 'strong' : 'text'),
    span(label`  to `, 'muted'),
    ...exact(sink),
    span(label`  event ${event}`, 'muted'),
  ];
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

/** Below the letters: why the selected one was given up, or the step before it is dropped. */
function panelLines(state: ConsoleState): readonly Line[] {
  const { outbox, size, display } = state;
  const { columns } = size;
  if (outbox.dropping !== null) return droppingLines(state);
  const letter = selectedLetter(outbox);
  if (letter === null) return [];
  const title = label`── Why `;
  const written = safeText(zonedTime(letter.at, display.zone), { reading: 'exact' });
  const why: Line = [...prose(letter.error), span(label`  (written at ${written})`, 'muted')];
  return [
    [span(title, 'accent'), span(repeatText(label`─`, columns - title.length), 'accent')],
    ...wrapLine(why, columns - 2 * MARGIN, 'words').map((line): Line => [span(spaces(MARGIN)), ...line]),
  ];
}

function droppingLines(state: ConsoleState): readonly Line[] {
  const { outbox, size } = state;
  const { columns } = size;
  const { dropping } = outbox;
  if (dropping === null) return [];
  const { letter, focused } = dropping;
  const title = label`── Drop it? `;
  const means = !isSettled(state)
    ? label`…`
    : focused === 'cancel'
      ? label`Enter cancels`
      : label`Enter drops it for good`;
  return [
    [span(title, 'accent'), span(repeatText(label`─`, columns - title.length), 'accent')],
    cutLine(
      [
        span(spaces(MARGIN)),
        ...exact(letter.sink, 'strong'),
        span(label` is never sent `),
        ...exact(letter.kind, 'strong'),
        span(label` (event ${letter.event})`),
      ],
      columns,
    ),
    cutLine(
      [
        span(spaces(MARGIN)),
        span(label`What waits behind it goes on. This is recorded under your name.`, 'muted'),
      ],
      columns,
    ),
    BLANK,
    spreadLine(
      [
        span(spaces(2)),
        buttonSpan(label`Cancel`, focused === 'cancel'),
        span(spaces(3)),
        buttonSpan(label`Drop`, focused === 'drop'),
      ],
      [span(means, 'muted'), span(spaces(2))],
      columns,
    ),
  ];
}

export function outboxStatus({ outbox }: ConsoleState): Line {
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
