import { worthOf } from '../../src/protocol/grant.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { examine } from '../detail/examination.js';
import type { Action } from '../keys/key-row.js';
import { LEAD, MARKER, type RowColumns, rowColumns } from '../queue/row-lines.js';
import type { Tone } from '../screen/theme.js';
import { statusColumns } from '../screen/window-text.js';
import { brokerNow, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { ageText, leftText } from '../text/clock-text.js';
import {
  BLANK,
  cutLine,
  fitLine,
  fittingForm,
  type Line,
  markedSpans,
  piecesLine,
  span,
} from '../text/line.js';
import { placardLines } from '../text/line-wrapping.js';
import { label, type Reading, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { approversLine, panelLines } from './grant-panel.js';
import { endOf, lastUse } from './grants-state.js';
import {
  type GrantItem,
  grantCapacity,
  grantItems,
  headingRows,
  panelRows,
  requestsOf,
} from './grants-window.js';

/** Columns of the time that is left; those of the uses stand beside it. */
const LEFT = 11;
const USED = LEAD - LEFT;
/** The same where the rows have no columns. */
const SHORT_LEFT = 8;
const SHORT_LEAD = 14;
/** Kept free at the right edge. */
const SPARE = 1;

/** The grants in force, what doors watch, and in full what the selected one covers. */
export function grantsLines(state: ConsoleState, height: number): readonly Line[] {
  const items = grantItems(state);
  if (items.length === 0) return emptyLines(state, height);
  const columns = rowColumns(state.size.columns);
  const { top } = state.grants;
  const lines = [
    ...(headingRows(state) === 0 ? [] : [headingLine(columns)]),
    ...items.slice(top, top + grantCapacity(state)).flatMap((item) => itemLines(state, item, columns)),
  ];
  const panel = panelLines(state, panelRows(state));
  const gap = Array<Line>(Math.max(0, height - lines.length - panel.length)).fill(BLANK);
  return [...lines.slice(0, height - panel.length), ...gap, ...panel];
}

function headingLine({ isWide, action, resource, requester }: RowColumns): Line {
  const name = (text: SafeText, width: number): Line => fitLine([span(text, 'muted')], width);
  return [
    span(spaces(MARKER)),
    ...name(label`Time left`, LEFT),
    ...name(label`Used`, USED),
    ...name(label`Action`, action),
    ...name(label`Resource`, resource),
    ...name(isWide ? label`Requester, door` : label`Requester`, requester),
    span(isWide ? label`Granted by` : label``, 'muted'),
  ];
}

function itemLines(state: ConsoleState, item: GrantItem, columns: RowColumns): readonly Line[] {
  if (item.kind !== 'heading') {
    return headingRows(state) === 0 ? shortLines(state, item) : approvalLines(state, item, columns);
  }
  const title = label`   Open, and watched by the door `;
  return [
    BLANK,
    [span(title, 'muted'), span(repeatText(label`─`, state.size.columns - title.length - MARKER), 'muted')],
  ];
}

type Approval = Exclude<GrantItem, { kind: 'heading' }>;

/** The two lines of a grant, or of what a door watches. What is cut here stands in full in the panel or the request. */
function approvalLines(
  state: ConsoleState,
  { kind, request }: Approval,
  columns: RowColumns,
): readonly [Line, Line] {
  const { bound, differences } = examine(request);
  const { action, resource, requester, isWide, state: stateColumns } = columns;
  const isSelected = request.id === state.grants.selected;
  const tone: Tone = isSelected ? 'strong' : 'text';
  const head: Line = [
    span(isSelected ? label` ▸ ` : label`   `, 'accent'),
    ...fitLine(kind === 'grant' ? grantLead(state, request) : watchedLead(state, request), LEAD),
  ];
  const second = span(spaces(MARKER + LEAD));
  const rest = action + resource + requester;
  if (bound === null || differences.length > 0) {
    return [
      [
        ...head,
        ...fitLine([span(label`▲ the broker shows this differently from what was signed`, 'alarm')], rest),
      ],
      [second],
    ];
  }
  const { document } = bound;
  const first: Line = [
    ...head,
    ...cell(cellText(document.action, 'exact', tone), action),
    ...cell(cellText(document.resource, 'exact', tone), resource),
    ...cell(cellText(document.requester, 'exact', tone), requester),
  ];
  const reason = document.context.reason;
  const why = typeof reason === 'string' && reason !== '' ? cellText(reason, 'prose', 'text') : BLANK;
  const door = cellText(document.door, 'exact', 'muted');
  const standing = standingLine(state, kind, request);
  if (isWide) {
    return [
      [...first, ...cutLine(approversLine(request), stateColumns)],
      [
        second,
        ...cell([...standing, span(label`  `), ...why], action + resource),
        ...cutLine(door, requester + stateColumns),
      ],
    ];
  }
  const by: Line = [span(label`  by `, 'muted'), ...approversLine(request)];
  return [
    first,
    [second, ...cutLine([...standing, ...by, span(label`  `), ...door, span(label`  `), ...why], rest)],
  ];
}

/** The same without columns: who may do what, then on what and who gave it. */
function shortLines(state: ConsoleState, { kind, request }: Approval): readonly [Line, Line] {
  const { bound, differences } = examine(request);
  const isSelected = request.id === state.grants.selected;
  const tone: Tone = isSelected ? 'strong' : 'text';
  const lead = kind === 'grant' ? grantLead(state, request, SHORT_LEFT) : watchedLead(state, request);
  const head: Line = [span(isSelected ? label` ▸ ` : label`   `, 'accent'), ...fitLine(lead, SHORT_LEAD)];
  const width = state.size.columns - MARKER - SPARE;
  if (bound === null || differences.length > 0) {
    return [[...head, ...cutLine([span(label`▲ not what was signed`, 'alarm')], width - SHORT_LEAD)], BLANK];
  }
  const { action, requester, resource, door, context } = bound.document;
  const why = typeof context.reason === 'string' ? cellText(context.reason, 'prose', 'text') : BLANK;
  const who = [cellText(requester, 'exact', tone), cellText(action, 'exact', tone)];
  const by: Line = [span(label`by `, 'muted'), ...approversLine(request)];
  const what = [cellText(resource, 'exact', tone), by, cellText(door, 'exact', 'muted'), why];
  return [
    [...head, ...piecesLine([...who, standingLine(state, kind, request)], width - SHORT_LEAD)],
    [span(spaces(MARKER)), ...piecesLine(what, width)],
  ];
}

/** How long it still lives, and how much of it is used up. */
function grantLead(state: ConsoleState, request: RequestView, leftColumns = LEFT): Line {
  const now = brokerNow(state);
  const left = (endOf(request) ?? now) - now;
  const { uses } = worthOf(request.votes);
  return [
    ...fitLine([span(leftText(left), left < 60_000 ? 'warning' : 'text')], leftColumns),
    span(uses === 0 ? label`${request.uses}` : label`${request.uses}/${uses}`),
  ];
}

const watchedLead = (state: ConsoleState, { redeemedAt }: RequestView): Line =>
  redeemedAt === null ? BLANK : [span(label`open ${ageText(brokerNow(state) - redeemedAt)}`)];

function standingLine(state: ConsoleState, kind: 'grant' | 'watched', request: RequestView): Line {
  if (kind === 'watched') return [span(label`○ ends if revoked`, 'accent')];
  const used: EpochMs | null = lastUse(request, state.queue.requests, state.grants.told);
  if (used === null) return [span(label`○ not used yet`, 'muted')];
  return [span(label`○ used ${ageText(brokerNow(state) - used)} ago`, 'accent')];
}

/** A column with a gap of two behind it. */
const cell = (line: Line, width: number): Line => [...fitLine(line, width - 2), span(label`  `)];

const cellText = (raw: string, reading: Reading, tone: Tone): Line =>
  markedSpans(safeText(raw, { reading }), tone);

function emptyLines(state: ConsoleState, height: number): readonly Line[] {
  const { columns } = state.size;
  return placardLines(emptyWords(state), columns, height);
}

function emptyWords(state: ConsoleState): readonly Line[] {
  const { failure, told } = state.grants;
  if (failure !== null) return [[span(label`✗ ${failure.message}`, 'danger')], [span(failure.hint)]];
  if (!isLiveLink(state)) return [[span(label`Not connected: the grants are not known.`, 'warning')]];
  if (told === null) return [[span(label`Asking the broker…`, 'strong')]];
  return [
    [span(label`No grant is in force, and no door watches what it opened.`, 'strong')],
    BLANK,
    [
      span(
        label`A grant lets equal asks pass without another signature. Where the rule allows it, it is given in the confirm step of a request, and taken back here with R.`,
      ),
    ],
  ];
}

/** What is not known, or how old what doors watch is. */
export function grantsStatus(state: ConsoleState): Line {
  const { failure, told, isWaiting } = state.grants;
  if (grantItems(state).length === 0) return BLANK;
  if (failure !== null) return [span(label`✗ ${failure.message} (g tries again)`, 'danger')];
  if (told === null || isWaiting) return [span(label`asking the broker…`, 'muted')];
  if (told.watched.length === 0) return BLANK;
  const more = told.more === 0 ? label`` : label`${told.more} older ones are watched too; `;
  const asOf = label`watched as of ${ageText(brokerNow(state) - told.at)} ago`;
  const forms = [label`${more}${asOf}, g looks again`, label`${asOf}, g looks again`, asOf];
  return fittingForm(
    forms.map((words) => [span(words, 'muted')]),
    statusColumns(grantsPosition(state), state.size.columns),
  );
}

export function grantsPosition(state: ConsoleState): SafeText {
  const requests = requestsOf(grantItems(state));
  const index = requests.findIndex(({ id }) => id === state.grants.selected);
  return index < 0 ? label`` : label`${index + 1} of ${requests.length}`;
}

export function hiddenInGrants(state: ConsoleState): readonly Action[] {
  if (requestsOf(grantItems(state)).length === 0) return ['down', 'up', 'pageDown', 'open', 'revoke'];
  return isLiveLink(state) ? [] : ['revoke'];
}
