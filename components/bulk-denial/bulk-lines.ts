import type { Whose } from '../../src/client/bulk-denial.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { buttonSpan, buttonsLine, meaningBelow } from '../screen/button.js';
import { bodyRows } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, isSettled } from '../state/console-state.js';
import { leftText } from '../text/clock-text.js';
import {
  BLANK,
  cutLine,
  fitLine,
  fittingForm,
  type Line,
  lineWidth,
  markedSpans,
  type Span,
  span,
} from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type Reading, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { writtenLines } from '../text/written-lines.js';
import { type BulkDenial, type BulkTarget, bulkObstacle } from './bulk-state.js';

const LABEL_COLUMNS = 14;
/** On fewer rows there is one line less above the list, and one below it. */
const ROOMY_ROWS = 9;
/** The title, and what it is about; count, comment, two for what stands in the way, and the buttons. */
const OTHER_ROWS = 7;
const LEFT = 9;
const ACTION = 16;
const REQUESTER = 14;
/** Below this a request has no room for its action. */
const NARROW = 56;
/** From here on a request has room for what its requester wrote. */
const WIDE = 100;

/** How many requests of the list are on the screen at once; none where the buttons would not be there with them. */
export const bulkCapacity = (state: ConsoleState): number =>
  Math.max(0, bodyRows(state) - (isRoomy(state) ? OTHER_ROWS : OTHER_ROWS - 2));

const isRoomy = (state: ConsoleState): boolean => bodyRows(state) >= ROOMY_ROWS;

/** What is denied, one request a line, and below it what has to be typed. */
export function bulkLines(state: ConsoleState, height: number): readonly Line[] {
  const { bulk } = state;
  if (bulk === null) return [];
  const { columns } = state.size;
  if (bulkCapacity(state) === 0) return wrapLine(TOO_SMALL, columns - 1, 'words').slice(0, height);
  const listed = bulk.requests.slice(bulk.top, bulk.top + bulkCapacity(state));
  const now = brokerNow(state);
  const lines = [
    ...titleLines(bulk, columns).slice(0, isRoomy(state) ? 2 : 1),
    ...listed.map((request) => requestLine(request, now, columns)),
  ];
  const panel = panelLines(state, bulk, columns);
  const gap = Math.max(0, height - lines.length - panel.length);
  return [...lines, ...Array<Line>(gap).fill(BLANK), ...panel];
}

const TOO_SMALL: Line = [
  span(label` Too little room to show what is denied: make the terminal larger.`, 'danger'),
];

/** Where in the list the window stands. */
export function bulkPosition({ bulk }: ConsoleState): SafeText {
  if (bulk === null) return label``;
  const { requests, top, seen } = bulk;
  return label`${requests.length - seen === 0 ? label`all seen` : label`${seen} seen`}, ${top} above`;
}

function titleLines(bulk: BulkDenial, columns: number): readonly Line[] {
  const { requests } = bulk;
  const count = requests.length === 1 ? label`1 request` : label`${requests.length} requests`;
  const words = [
    label`Deny ${count} ${WHOSE[bulk.whose]}`,
    label`Deny ${requests.length} ${SHORT_WHOSE[bulk.whose]}`,
  ];
  const forms = words.map(
    (deny): Line => [
      span(label`── `, 'accent'),
      span(deny, 'strong'),
      span(label` `),
      ...whoseName(bulk),
      span(label` `),
    ],
  );
  const line = fittingForm(forms, columns - 1);
  return [
    [...line, span(repeatText(label`─`, columns - lineWidth(line)), 'accent')],
    cutLine([span(label`   frozen as they were; D goes on to ${NEXT[bulk.whose]}`, 'muted')], columns),
  ];
}

const WHOSE: Readonly<Record<Whose, SafeText>> = {
  equal: label`equal to`,
  requester: label`of the requester`,
  submitter: label`from the submitter`,
};
/** The same where the name needs the room. */
const SHORT_WHOSE: Readonly<Record<Whose, SafeText>> = {
  equal: label`equal to`,
  requester: label`of`,
  submitter: label`from`,
};
const NEXT: Readonly<Record<Whose, SafeText>> = {
  equal: label`all of its requester`,
  requester: label`all from its submitter`,
  submitter: label`those equal to it`,
};

function whoseName({ whose, like }: BulkDenial): Line {
  const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }), 'strong');
  if (whose === 'requester') return exact(like.document.requester);
  if (whose === 'submitter') return exact(like.submitter);
  return [...exact(like.document.action), span(label` on `, 'muted'), ...exact(like.document.resource)];
}

function requestLine({ document, answerBy }: RequestView, now: number, columns: number): Line {
  const { action, resource, requester, context } = document;
  const reasonColumns = columns >= WIDE ? Math.floor(columns / 3) : 0;
  const actionColumns = columns >= NARROW ? ACTION : 0;
  const room = columns - 3 - LEFT - actionColumns - REQUESTER - reasonColumns - 1;
  const cell = (text: string, reading: Reading, width: number): Line => [
    ...fitLine(markedSpans(safeText(text, { reading })), width - 2),
    span(spaces(2)),
  ];
  const { reason } = context;
  return [
    span(spaces(3)),
    ...fitLine([span(leftText(answerBy - now), 'muted')], LEFT),
    ...(actionColumns === 0 ? [] : cell(action, 'exact', actionColumns)),
    ...cell(resource, 'exact', room),
    ...cell(requester, 'exact', REQUESTER),
    ...(reasonColumns === 0 || typeof reason !== 'string' ? [] : cell(reason, 'prose', reasonColumns)),
  ];
}

function panelLines(state: ConsoleState, bulk: BulkDenial, columns: number): readonly Line[] {
  const { focused, count, comment, signing } = bulk;
  const labelled = (name: SafeText, value: Line): Line => [
    span(label`   ${name}${spaces(LABEL_COLUMNS - name.length - 3)}`, 'muted'),
    ...cutLine(value, columns - LABEL_COLUMNS - 2),
  ];
  const caret = (target: BulkTarget): Line => (focused === target ? [span(label`▏`, 'accent')] : []);
  const typed: Line = [span(safeText(count, { reading: 'exact' }), 'strong'), ...caret('count')];
  const written = writtenLines(comment, {
    columns: columns - LABEL_COLUMNS - 2,
    rows: 1,
    reading: 'prose',
    hasCaret: focused === 'comment',
  });
  const hint = (words: SafeText): Line => [span(words, 'muted')];
  return [
    labelled(label`how many`, count === '' && focused !== 'count' ? hint(label`type the number`) : typed),
    labelled(
      label`comment`,
      comment.text === '' && focused !== 'comment'
        ? hint(label`none; one for all of them`)
        : (written[0] ?? BLANK),
    ),
    ...stateLines(state, bulk, columns).slice(0, isRoomy(state) ? 2 : 1),
    ...(signing === null ? [buttonLine(state, bulk, columns)] : [BLANK]),
  ];
}

/** How far it is, what went wrong, or what is lacking. */
function stateLines(state: ConsoleState, bulk: BulkDenial, columns: number): readonly [Line, Line] {
  const { signing, signed, ended, failure, requests } = bulk;
  const indent = span(spaces(3));
  const obstacle = bulkObstacle(state, bulk);
  const line = ((): Line => {
    if (signing !== null) {
      const all = requests.length + signed + ended;
      const at = Math.min(all, signed + ended + 1);
      if (signing.isSent) {
        const words = signing.isStopping ? label`No other follows` : label`Esc stops after it`;
        return [span(label`${at} of ${all} is sent and cannot be cancelled. ${words}.`, 'accent')];
      }
      const key = state.identity.isTouched ? label`touch your key for each` : label`your agent may ask`;
      return [span(label`Signing ${at} of ${all}: ${key}. Esc cancels.`, 'accent')];
    }
    if (failure !== null) {
      return [
        span(label`✗ Stopped with ${signed} signed: ${failure.message}. `, 'danger'),
        span(failure.hint),
      ];
    }
    if (obstacle !== null) return [span(label`Not yet: ${obstacle}.`, 'warning')];
    return [span(label`Each takes a signature of its own, one after the other.`, 'muted')];
  })();
  const [first = BLANK, ...more] = wrapLine(line, columns - 5, 'words');
  return [
    [indent, ...first],
    [indent, ...cutLine(more.flat(), columns - 5)],
  ];
}

function denials(count: number): SafeText {
  return count === 1 ? label`1 denial` : label`${count} denials`;
}

function buttonLine(state: ConsoleState, bulk: BulkDenial, columns: number): Line {
  const canSign = bulkObstacle(state, bulk) === null;
  return buttonsLine(buttons(bulk, canSign), enterMeans(state, bulk, canSign), columns);
}

/** What Enter does, where there is no room for that beside the buttons. */
export function bulkStatus(state: ConsoleState): Line {
  const { bulk, size } = state;
  if (bulk === null || bulk.signing !== null) return BLANK;
  const canSign = bulkObstacle(state, bulk) === null;
  return meaningBelow(buttons(bulk, canSign), enterMeans(state, bulk, canSign), size.columns);
}

const buttons = ({ focused, requests }: BulkDenial, canSign: boolean): readonly Span[] => [
  buttonSpan(label`Cancel`, focused === 'cancel'),
  buttonSpan(label`Sign ${denials(requests.length)}`, focused === 'sign', canSign),
];

function enterMeans(state: ConsoleState, { focused, requests }: BulkDenial, canSign: boolean): SafeText {
  if (focused === 'count') return label`Enter ends the number`;
  if (focused === 'comment') return label`Enter ends the comment`;
  if (!isSettled(state)) return label`…`;
  if (focused === 'cancel') return label`Enter cancels`;
  return canSign ? label`Enter signs ${denials(requests.length)}` : label`this cannot be signed`;
}
