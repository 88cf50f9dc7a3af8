import { isQuiet, type QuietHours } from '../../src/client/alerts.js';
import type { Display } from '../../src/client/display.js';
import type { Link, Queue } from '../../src/client/queue.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { type Bell, type Hearing, listen, SILENT_BELL } from '../attention/bell.js';
import type { BulkDenial } from '../bulk-denial/bulk-state.js';
import type { CoverChoice } from '../deciding/cover-step.js';
import type { Unanswered } from '../deciding/unanswered.js';
import type { OpenedBackground } from '../detail/background-step.js';
import { examine } from '../detail/examination.js';
import { CLOSED_GRANTS, type GrantsState } from '../grants/grants-state.js';
import { CLOSED_HISTORY, type HistoryState } from '../history/history-state.js';
import { CLOSED_OUTBOX, type OutboxState } from '../outbox/outbox-state.js';
import type { PaletteState } from '../palette/palette-state.js';
import { CLOSED_PEOPLE, type PeopleState } from '../people/people-state.js';
import { CLOSED_POLICY, type PolicyState } from '../policy/policy-state.js';
import { NO_QUEUE_FILTER, type QueueFilter } from '../queue/queue-filter.js';
import { groupRequests, type RequestGroups } from '../queue/request-groups.js';
import { type RequestRow, type RequestRows, requestRows, shownRequest } from '../queue/request-rows.js';
import { NO_SNOOZES, type Snoozes } from '../snooze/snoozes.js';
import { CLOSED_STATISTICS, type StatisticsState } from '../statistics/statistics-state.js';
import type { TalkPanel } from '../talk/talk-state.js';
import type { Line } from '../text/line.js';
import type { SafeText } from '../text/safe-text.js';
import type { TextLine } from '../text/text-line.js';

/** Who signs, and for which broker. */
export interface Identity {
  readonly approver: string;
  readonly address: string;
  readonly fingerprint: string;
  /** All keys under which the broker is pinned. */
  readonly pins: readonly string[];
  readonly invitation: readonly string[];
  /** Whether the key that signs is a security key, which waits for a touch. */
  readonly isTouched: boolean;
}

/** Columns and rows of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Everything that the screen is drawn from. Immutable. */
export interface ConsoleState {
  readonly identity: Identity;
  readonly display: Display;
  readonly quiet: QuietHours | null;
  readonly warnings: readonly string[];
  /** What is said once, in the first live picture; null once it was. */
  readonly remark: string | null;
  readonly queue: Queue;
  /** The requests of the queue with those that are equal together, of which its rows are made. */
  readonly groups: RequestGroups;
  /** The queue as a whole: what is counted, and rung for. */
  readonly allRows: RequestRows;
  /** What of it the queue shows: what its filter fits. */
  readonly rows: RequestRows;
  readonly queueFilter: QueueFilter;
  /** Our clock at the newest event. */
  readonly at: EpochMs;
  readonly size: Size;
  readonly screen: ScreenName;
  readonly history: HistoryState;
  readonly grants: GrantsState;
  readonly people: PeopleState;
  readonly policy: PolicyState;
  readonly outbox: OutboxState;
  /** What this person leaves alone for a while. */
  readonly snoozes: Snoozes;
  readonly statistics: StatisticsState;
  /** The request under the cursor of the queue, by its id and never by its place. */
  readonly selected: RequestId | null;
  /** The first item of the queue that is on the screen. */
  readonly top: number;
  readonly opened: OpenedRequest | null;
  /** What came before the opened request; null until that was asked. */
  readonly background: OpenedBackground | null;
  readonly confirm: ConfirmStep | null;
  /** The comment of the confirm step that was left last, for when it opens again about the same. */
  readonly draft: CommentDraft | null;
  /** What was signed and sent, and of which nobody has said yet whether it counts. */
  readonly unanswered: readonly Unanswered[];
  /** The requests of the newest live picture, while there is none. */
  readonly lastSeen: Queue['requests'] | null;
  /** What this person approved last: how it stands is said until its door has reported. */
  readonly approved: RequestId | null;
  /** The step before many denials at once. */
  readonly bulk: BulkDenial | null;
  /** What is said to the others about the opened request; never beside a confirm step. */
  readonly talk: TalkPanel | null;
  /** The command palette, in front of what it acts on; null where it is closed. */
  readonly palette: PaletteState | null;
  readonly isHelpOpen: boolean;
  /** The first line of the help that is on the screen. */
  readonly helpTop: number;
  /** One line about what just happened, until the next key. */
  readonly notice: Line | null;
  /** Until when, by our clock, the line stays whatever others do meanwhile: it says that one's own signature is recorded. */
  readonly noticeHeldUntil: EpochMs;
  readonly focus: Focus;
  readonly painted: PaintedFocus;
  /** What has stood beside the queue with all that must be read of it; null where the newest frame has no such request. */
  readonly previewed: PreviewedRequest | null;
  readonly bell: Bell;
}

/** The places of the console, between which a person goes to and fro. */
export type ScreenName =
  | 'queue'
  | 'bulkDenial'
  | 'history'
  | 'grants'
  | 'people'
  | 'policy'
  | 'outbox'
  | 'statistics';

/** The request that is being read. */
export interface OpenedRequest {
  /** As it was when it was opened: what is shown, and what is signed. */
  readonly request: RequestView;
  /** Whether it was found in the history: it is read there, and nothing is decided on it. */
  readonly isRecord: boolean;
  /** The first line of it that is on the screen. */
  readonly top: number;
  /** How many of the lines that must be read have been on the screen, counted from the first without a gap. */
  readonly read: number;
  /** The width that those lines were counted at. */
  readonly width: number;
}

/** The step between a decision key and a signature. It is about the opened request. */
export interface ConfirmStep {
  readonly verdict: ConfirmVerdict;
  /** What a yes covers; null for a no or a revocation. */
  readonly cover: CoverChoice | null;
  readonly focused: ConfirmTarget;
  readonly comment: TextLine;
  /** The digits of the number that are typed so far; null where none is asked for. */
  readonly digits: string | null;
  /** What is typed of the resource so far; null where the rule does not have it typed. */
  readonly resource: TextLine | null;
  readonly isSigning: boolean;
  /** Whether that signature is made and was sent: nothing can be cancelled any more. */
  readonly isSent: boolean;
  /** Since when, by the broker's clock. */
  readonly signingSince: EpochMs;
  /** Why the last try failed. */
  readonly failure: { readonly message: SafeText; readonly hint: SafeText } | null;
}

/** A comment that was written and not signed. */
export interface CommentDraft {
  readonly id: RequestId;
  readonly verdict: ConfirmVerdict;
  readonly comment: TextLine;
}

/** What is signed. */
export type ConfirmVerdict = 'approve' | 'deny' | 'fraud' | 'revoke';

export type ConfirmField = 'cover' | 'number' | 'resource' | 'comment';
export type ConfirmTarget = 'cancel' | 'sign' | ConfirmField;

/** What a key would act on, as one word, and who moved it there last. */
export interface Focus {
  readonly target: string;
  readonly movedBy: 'person' | 'queue';
}

/** The newest focus that has reached the terminal, and since when by our clock. */
export interface PaintedFocus {
  readonly target: string | null;
  readonly since: EpochMs;
}

/** A request as it was painted beside the queue, at which width, and since when by our clock. */
export interface PreviewedRequest {
  readonly request: RequestView;
  readonly columns: number;
  readonly since: EpochMs;
}

/** Keys that decide are not acted on before what they act on has stood on the screen for so many ms (A4, A34). */
export const SETTLE_MS = 300;
/** Below this there is room for one line only: who waits, and whether that is known. */
export const SMALLEST: Size = { columns: 40, rows: 10 };

/** What a console begins with. */
export type ConsoleStart = Pick<
  ConsoleState,
  'identity' | 'display' | 'quiet' | 'warnings' | 'queue' | 'size' | 'at'
> &
  Partial<Pick<ConsoleState, 'remark'>>;

export function startState(start: ConsoleStart): ConsoleState {
  const { queue, at } = start;
  const groups = groupRequests(queue.requests);
  const rows = requestRows(groups);
  const selected = rows.rows[0]?.request.id ?? null;
  const bell =
    queue.link.state === 'live'
      ? listen(SILENT_BELL, { allRows: rows, groups }, hearingOf(start)).bell
      : SILENT_BELL;
  return {
    ...start,
    remark: start.remark ?? null,
    bell,
    groups,
    allRows: rows,
    snoozes: NO_SNOOZES,
    rows,
    queueFilter: NO_QUEUE_FILTER,
    screen: 'queue',
    history: CLOSED_HISTORY,
    grants: CLOSED_GRANTS,
    people: CLOSED_PEOPLE,
    policy: CLOSED_POLICY,
    outbox: CLOSED_OUTBOX,
    statistics: CLOSED_STATISTICS,
    selected,
    top: 0,
    opened: null,
    background: null,
    confirm: null,
    draft: null,
    unanswered: [],
    lastSeen: null,
    approved: null,
    bulk: null,
    talk: null,
    palette: null,
    isHelpOpen: false,
    helpTop: 0,
    notice: null,
    noticeHeldUntil: 0,
    focus: { target: `queue ${selected}`, movedBy: 'queue' },
    painted: { target: null, since: at },
    previewed: null,
  };
}

/** The broker's clock: countdowns are shown by it. */
export const brokerNow = ({ at, queue }: ConsoleState): EpochMs => at + queue.clockOffset;

/** Who is called, and when. */
export function hearingOf({
  identity,
  display,
  quiet,
  queue,
  at,
}: Pick<ConsoleState, 'identity' | 'display' | 'quiet' | 'queue' | 'at'>): Hearing {
  return {
    approver: identity.approver,
    at,
    now: at + queue.clockOffset,
    isQuiet: quiet !== null && isQuiet(quiet, at, display.zone),
  };
}

/** Whether the picture is the broker's own and new: before that, nothing is asked of whoever answers at its address (A28). */
export const isLiveLink = ({ queue }: ConsoleState): boolean => queue.link.state === 'live';

/** Whether the link has become live again: what failed while it was not may be tried once more. */
export const isBack = (state: ConsoleState, before: Link): boolean =>
  before.state !== 'live' && isLiveLink(state);

export const isTooSmall = ({ size }: ConsoleState): boolean =>
  size.columns < SMALLEST.columns || size.rows < SMALLEST.rows;

/** Whether keys are what is written or chosen there. */
export const isField = (target: ConfirmTarget): target is ConfirmField =>
  target !== 'cancel' && target !== 'sign';

/** True once what keys act on has been on the screen, unchanged, for long enough to be read. */
export function isSettled({ focus, painted, at }: ConsoleState): boolean {
  return painted.target === focus.target && at - painted.since >= SETTLE_MS;
}

/**
 * Opening decides nothing, so a row that the person chose may be opened at once. One that others put under the cursor must
 * have been there for a while, and either must be on the screen.
 */
export function isPainted(state: ConsoleState): boolean {
  const { focus, painted } = state;
  return focus.movedBy === 'person' ? painted.target === focus.target : isSettled(state);
}

export function selectedRow({ rows, selected }: ConsoleState): RequestRow | null {
  const index = selected === null ? undefined : rows.indexOf.get(selected);
  return index === undefined ? null : (rows.rows[index] ?? null);
}

export function selectedRequest(state: ConsoleState): RequestView | null {
  const row = selectedRow(state);
  return row === null ? null : shownRequest(row, state.selected);
}

/**
 * The opened request with the newest of what changes during its life, and the document that was opened.
 * `isAltered` where the broker now gives another document, rule or voucher under the same id.
 */
export function openedRequest({ opened, queue, grants }: ConsoleState): {
  readonly request: RequestView;
  readonly isListed: boolean;
  readonly isAltered: boolean;
} | null {
  if (opened === null) return null;
  const { id } = opened.request;
  // What a door watches may have ended long ago, and stands in the list of what is watched alone.
  const watched = grants.told?.watched.find((request) => request.id === id);
  const current = queue.requests.get(id) ?? watched;
  if (current === undefined) return { request: opened.request, isListed: false, isAltered: false };
  const isAltered = !isSameAsk(opened.request, current);
  return { request: isAltered ? opened.request : current, isListed: true, isAltered };
}

/** Whether two views of one request ask for the same, by the same voucher and rule: only what comes of it may differ. */
export function isSameAsk(a: RequestView, b: RequestView): boolean {
  const isSameText =
    a.digest === b.digest &&
    a.scope === b.scope &&
    a.submitter === b.submitter &&
    a.vouched === b.vouched &&
    a.verified === b.verified &&
    a.rule === b.rule &&
    a.policy === b.policy;
  return (
    isSameText && (a.document === b.document || examine(a).bound?.canonical === examine(b).bound?.canonical)
  );
}
