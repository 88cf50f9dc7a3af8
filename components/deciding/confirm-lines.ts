import { coverWords, revocationWords } from '../../src/protocol/rule-words.js';
import { buttonSpan } from '../screen/button.js';
import { NARROW_COLUMNS, panesOf } from '../screen/panes.js';
import type { Tone } from '../screen/theme.js';
import {
  brokerNow,
  type ConfirmStep,
  type ConsoleState,
  isSettled,
  type OpenedRequest,
} from '../state/console-state.js';
import { ageText } from '../text/clock-text.js';
import { BLANK, cutLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { firstRows, wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { isUnbroken } from '../text/unbroken.js';
import { writtenLines } from '../text/written-lines.js';
import { canChoose } from './cover-step.js';
import { obstacleTo } from './obstacles.js';

/** Rows of the comment that are on the screen at once, those around the caret. */
const COMMENT_ROWS = 3;
/** On a terminal with fewer rows everything that can do with less gets less. */
const ROOMY_ROWS = 20;
/** A signature that nobody has to do anything for takes less. */
const WAIT_SHOWN_MS = 2000;
/** From so many columns on it stands beside the buttons what Enter does, and else below the panel. */
const BESIDE = 68;
/** Rows of what is asked and by whom, each: it was read in full before. */
const SUBJECT_ROWS = 2;
/** Characters of the digest that are shown: `sha256:` and 64 bits. */
const DIGEST_START = 7 + 16;

const TITLES: Readonly<Record<ConfirmStep['verdict'], SafeText>> = {
  approve: label`Approve?`,
  deny: label`Deny?`,
  fraud: label`Deny as fraud?`,
  revoke: label`Revoke?`,
};
const SIGN_BUTTONS: Readonly<Record<ConfirmStep['verdict'], SafeText>> = {
  approve: label`Sign approval`,
  deny: label`Sign denial`,
  fraud: label`Sign and lock`,
  revoke: label`Sign revocation`,
};

const VERBS: Readonly<Record<ConfirmStep['verdict'], SafeText>> = {
  approve: label`approve`,
  deny: label`deny`,
  fraud: label`deny as fraud`,
  revoke: label`revoke`,
};
const ENTER_SIGNS: Readonly<Record<ConfirmStep['verdict'], SafeText>> = {
  approve: label`Enter signs the approval`,
  deny: label`Enter signs the denial`,
  fraud: label`Enter signs and locks`,
  revoke: label`Enter signs the revocation`,
};

/** The step between a decision key and a signature; no lines where there is none. */
export function confirmLines(state: ConsoleState): readonly Line[] {
  const { confirm, opened, size } = state;
  if (confirm === null || opened === null) return [];
  const columns = panesOf(state).detail;
  const isRoomy = size.rows >= ROOMY_ROWS;
  return [
    titleLine(TITLES[confirm.verdict], columns),
    ...subjectLines(confirm, opened, columns, SUBJECT_ROWS),
    digestLine(opened, columns),
    ...coverLines(confirm, opened, columns),
    ...lockLines(confirm, opened, columns),
    ...numberLines(confirm, columns),
    ...resourceLines(confirm, columns),
    ...commentLines(confirm, columns, isRoomy ? COMMENT_ROWS : 1),
    ...(isRoomy ? [BLANK] : []),
    ...stateLines(state, confirm, columns),
    buttonLine(state, confirm, columns),
  ];
}

/** The same for where it does not fit: what must be seen at once, and what can be done without. */
export interface ConfirmParts {
  /** What is signed, for whom, and what that covers or locks. */
  readonly signed: readonly Line[];
  /** All that is written or typed. */
  readonly fields: readonly Line[];
  /** The one that has the focus. */
  readonly focused: readonly Line[];
  readonly state: readonly Line[];
  readonly buttons: Line;
}

export function confirmParts(state: ConsoleState): ConfirmParts | null {
  const { confirm, opened } = state;
  if (confirm === null || opened === null) return null;
  const columns = panesOf(state).detail;
  const number = numberLines(confirm, columns);
  const resource = resourceLines(confirm, columns);
  const comment = commentLines(confirm, columns, 1);
  return {
    signed: [
      ...subjectLines(confirm, opened, columns, 1),
      ...coverLines(confirm, opened, columns),
      ...lockLines(confirm, opened, columns),
    ],
    fields: [...number, ...resource, ...comment],
    focused: { number, resource, comment, cover: [], cancel: [], sign: [] }[confirm.focused],
    state: stateLines(state, confirm, columns),
    buttons: buttonLine(state, confirm, columns),
  };
}

/** What a yes covers and how to choose, or what a revocation ends; in full. */
function coverLines(
  { verdict, cover, focused }: ConfirmStep,
  { request }: OpenedRequest,
  columns: number,
): readonly Line[] {
  const prose = (text: string): SafeText => safeText(text, { reading: 'prose' });
  if (verdict === 'revoke') {
    return wrapped(label`ends`, [span(prose(revocationWords(request) ?? 'nothing'))], columns);
  }
  if (cover === null) return [];
  const words: Line = [
    span(prose(coverWords(cover.terms)), cover.terms.covers === 'scope' ? 'warning' : 'text'),
  ];
  if (focused === 'cover') {
    const { mostUses, longest } = cover;
    const keys = [
      ...(mostUses === null ? [] : ['Space every equal ask']),
      ...(longest === 0 ? [] : ['← → time']),
      ...(cover.terms.covers === 'scope' ? ['↑ ↓ uses'] : []),
    ].join(', ');
    return [
      ...wrapped(label`covers`, [span(label`▏`, 'accent'), ...words], columns),
      ...wrapped(label``, [span(prose(keys), 'muted')], columns),
    ];
  }
  const hint: Line = canChoose(cover) ? [span(label`  Tab goes there`, 'muted')] : [];
  return wrapped(label`covers`, [...words, ...hint], columns);
}

/** What a denial as fraud does beside ending the request. */
function lockLines({ verdict }: ConfirmStep, { request }: OpenedRequest, columns: number): readonly Line[] {
  if (verdict !== 'fraud') return [];
  const requester = markedSpans(safeText(request.document.requester, { reading: 'exact' }), 'strong');
  const words = span(label` may ask for nothing until an approver unlocks`, 'warning');
  return wrapped(label`and locks`, [...requester, words], columns);
}

/** At most so many rows; what does not fit is cut visibly. */
function wrapped(name: SafeText, value: Line, columns: number, rows?: number): readonly Line[] {
  const width = valueColumns(columns);
  return firstRows(wrapLine(value, width, 'words'), rows, width).map((line, at) =>
    labelled(at === 0 ? name : label``, line, columns),
  );
}

function titleLine(title: SafeText, columns: number): Line {
  const left: Line = [span(label`── `, 'accent'), span(title, 'strong'), span(label` `)];
  return [...left, span(repeatText(label`─`, columns - title.length - 4), 'accent')];
}

function subjectLines(
  { verdict }: ConfirmStep,
  { request }: OpenedRequest,
  columns: number,
  rows: number,
): readonly Line[] {
  const { action, resource, requester, door } = request.document;
  const exact = (text: string, tone: Tone = 'text'): Line =>
    markedSpans(safeText(text, { reading: 'exact' }), tone);
  const word = span(VERBS[verdict], verdict === 'approve' ? 'accent' : 'danger');
  const what: Line = [
    word,
    span(label`  `),
    ...exact(action),
    span(label` on `, 'muted'),
    ...exact(resource, 'strong'),
  ];
  const who: Line = [...exact(requester, 'strong'), span(label` through `, 'muted'), ...exact(door)];
  return [
    ...wrapped(label`you sign`, what, columns, Math.max(rows, columns < NARROW_COLUMNS ? SUBJECT_ROWS : 1)),
    ...wrapped(label`for`, who, columns, rows),
  ];
}

function digestLine({ request }: OpenedRequest, columns: number): Line {
  const start = safeText(request.digest.slice(0, DIGEST_START), { reading: 'exact' });
  return labelled(label`digest`, [span(start), span(label`…`, 'muted')], columns);
}

const marginOf = (columns: number): number => (columns < NARROW_COLUMNS ? 1 : 3);
const labelColumns = (columns: number): number => marginOf(columns) + 11;
const valueColumns = (columns: number): number => columns - labelColumns(columns) - 2;

function labelled(name: SafeText, value: Line, columns: number): Line {
  if (isUnbroken(columns)) return [span(label`${name}: `, 'muted'), ...value];
  const margin = spaces(marginOf(columns));
  const gap = spaces(labelColumns(columns) - marginOf(columns) - name.length);
  return [span(label`${margin}${name}${gap}`, 'muted'), ...cutLine(value, valueColumns(columns))];
}

const DIGITS = 6;

/** The digits that are typed so far, in the places of all six. */
function numberLines({ digits, focused }: ConfirmStep, columns: number): readonly Line[] {
  if (digits === null) return [];
  const line: Line[number][] = [];
  for (let at = 0; at < DIGITS; at += 1) {
    if (at === DIGITS / 2) line.push(span(label` `));
    if (focused === 'number' && at === digits.length) line.push(span(label`▏`, 'accent'));
    const digit = digits.at(at);
    line.push(
      digit === undefined ? span(label`·`, 'muted') : span(safeText(digit, { reading: 'exact' }), 'strong'),
    );
  }
  if (focused !== 'number' && digits === '') line.push(span(label`  Tab goes there`, 'muted'));
  return [labelled(label`number`, line, columns)];
}

/** What is typed of the resource; it stands in full above. */
function resourceLines({ resource, focused }: ConfirmStep, columns: number): readonly Line[] {
  if (resource === null) return [];
  if (resource.text === '' && focused !== 'resource')
    return [labelled(label`type it`, [span(label`the resource  Tab goes there`, 'muted')], columns)];
  return writtenLines(resource, {
    columns: valueColumns(columns),
    rows: 1,
    reading: 'exact',
    hasCaret: focused === 'resource',
  }).map((line) => labelled(label`resource`, line, columns));
}

function commentLines({ comment, focused }: ConfirmStep, columns: number, rows: number): readonly Line[] {
  const isFocused = focused === 'comment';
  if (comment.text === '' && !isFocused)
    return [labelled(label`comment`, [span(label`none (c to write one)`, 'muted')], columns)];
  return writtenLines(comment, {
    columns: valueColumns(columns),
    rows,
    reading: 'prose',
    hasCaret: isFocused,
  }).map((line, at) => labelled(at === 0 ? label`comment` : label``, line, columns));
}

/** What stands in the way, what went wrong, or what is going on. */
function stateLines(state: ConsoleState, confirm: ConfirmStep, columns: number): readonly Line[] {
  const obstacle = obstacleTo(state, confirm.verdict);
  const paragraphs: Line[] = [];
  if (confirm.isSigning) {
    paragraphs.push([span(waitWords(state, confirm), 'accent')]);
  } else if (obstacle !== null) {
    paragraphs.push(
      obstacle.tone === 'warning'
        ? [span(label`Not yet: ${obstacle.words}.`, 'warning')]
        : [span(label`✗ Nothing can be signed: ${obstacle.words}.`, 'danger')],
    );
  } else if (confirm.failure !== null) {
    const { message, hint } = confirm.failure;
    paragraphs.push([span(label`✗ Not signed: ${message}.`, 'danger')], [span(label`  ${hint}`)]);
  }
  const indent = span(spaces(3));
  return paragraphs
    .flatMap((paragraph) => wrapLine(paragraph, columns - 5, 'words'))
    .map((line) => [indent, ...line]);
}

export const SENT = label`Signed and sent: it cannot be cancelled any more.`;

/** What the signature waits for, and for how long already. */
function waitWords(state: ConsoleState, { signingSince, isSent }: ConfirmStep): SafeText {
  const waited = brokerNow(state) - signingSince;
  const since = waited < WAIT_SHOWN_MS ? label`` : label` Waiting for ${ageText(waited)}.`;
  // An answer comes at once as a rule: nobody has to read that it is awaited.
  if (isSent && waited >= WAIT_SHOWN_MS) return label`${SENT} The broker has not answered yet.${since}`;
  return state.identity.isTouched
    ? label`▲ Touch your security key: it waits for you.${since} Esc cancels.`
    : label`Signing. Your agent may ask you, in a window of its own.${since} Esc cancels.`;
}

function buttonLine(state: ConsoleState, confirm: ConfirmStep, columns: number): Line {
  if (confirm.isSigning) return [];
  const canSign = obstacleTo(state, confirm.verdict) === null;
  const buttons: Line = [
    span(spaces(2)),
    buttonSpan(label`Cancel`, confirm.focused === 'cancel'),
    span(spaces(3)),
    buttonSpan(SIGN_BUTTONS[confirm.verdict], confirm.focused === 'sign', canSign),
  ];
  const means: Line = [span(enterMeans(state, confirm, canSign), 'muted'), span(spaces(2))];
  return columns < BESIDE ? cutLine(buttons, columns) : spreadLine(buttons, means, columns);
}

/** What Enter does, for below a panel that is too narrow to say it beside the buttons. */
export function narrowMeaning(state: ConsoleState): Line {
  const { confirm } = state;
  if (confirm === null || confirm.isSigning || panesOf(state).detail >= BESIDE) return BLANK;
  return [span(enterMeans(state, confirm, obstacleTo(state, confirm.verdict) === null), 'muted')];
}

/** Shown only once it is true: a key that comes too early does nothing. */
function enterMeans(state: ConsoleState, { focused, verdict }: ConfirmStep, canSign: boolean): SafeText {
  if (focused === 'comment') return label`Enter ends the comment`;
  if (focused === 'cover') return label`Enter ends the choice`;
  if (focused === 'number') return label`Enter ends the number`;
  if (focused === 'resource') return label`Enter ends the resource`;
  if (!isSettled(state)) return label`…`;
  if (focused === 'cancel') return label`Enter cancels`;
  if (!canSign) return label`this cannot be signed`;
  return ENTER_SIGNS[verdict];
}
