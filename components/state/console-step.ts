import { changesBetween } from '../../src/client/persistent-map.js';
import type { Queue } from '../../src/client/queue.js';
import type { RequestId } from '../../src/protocol/names.js';
import { listen } from '../attention/bell.js';
import { queueNews } from '../attention/queue-news.js';
import { hearBulk } from '../bulk-denial/bulk-step.js';
import { copy, hearCopy } from '../copy/copy-step.js';
import { hearSending, pasteIntoConfirm, stepConfirm } from '../deciding/confirm-step.js';
import { tellMissed } from '../deciding/missed-outcomes.js';
import { leaveUnanswered, settleUnanswered } from '../deciding/unanswered.js';
import { forgetUnknown, hearBackground, settleBackground } from '../detail/background-step.js';
import { stepDetail } from '../detail/detail-step.js';
import { hearGrants } from '../grants/grants-step.js';
import { hearHistory } from '../history/history-step.js';
import type { KeyContext } from '../keys/key-row.js';
import { type MatchedAction, matchKey } from '../keys/key-table.js';
import { movement } from '../keys/movement.js';
import type { Press } from '../keys/press.js';
import { hearOutbox } from '../outbox/outbox-step.js';
import { openPalette, stepPalette, typeIntoPalette } from '../palette/palette-step.js';
import { hearPeople } from '../people/people-step.js';
import { hearPolicy } from '../policy/policy-step.js';
import { showRows } from '../queue/queue-filter.js';
import { followSelection } from '../queue/queue-window.js';
import { groupRequests } from '../queue/request-groups.js';
import { type RequestRows, requestRows } from '../queue/request-rows.js';
import { helpWindow } from '../screen/help-window.js';
import { panesOf } from '../screen/panes.js';
import { bodyRows } from '../screen/screen-layout.js';
import { entranceOf, focusTarget, keyContext, SCREEN_ROWS, SCREENS } from '../screen/screens.js';
import { sleeperOf, wakeDue } from '../snooze/snooze-step.js';
import { arrange } from '../snooze/snoozes.js';
import { hearCanaries, hearStatistics } from '../statistics/statistics-step.js';
import { hearTalk, pasteIntoTalk, stepTalk } from '../talk/talk-step.js';
import { type Line, span } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import { after, type Step, stay } from './console-effects.js';
import type { ConsoleEvent, PaintedFrame } from './console-events.js';
import {
  brokerNow,
  type ConsoleState,
  hearingOf,
  isLiveLink,
  isSameAsk,
  isSettled,
  isTooSmall,
  type PreviewedRequest,
} from './console-state.js';

/** All that the console does, as a function: no clock, no terminal, no network. */
export function step(state: ConsoleState, event: ConsoleEvent): Step {
  // A frame that shows nothing new must not lead to another frame.
  if (event.type === 'painted' && isKnownFrame(state, event.frame)) return stay(state);
  const { state: reacted, effects } = react('at' in event ? { ...state, at: event.at } : state, event);
  const next = tellMissed(state, settleUnanswered(reacted));
  const told = [...effects, ...tellReading(state, next)];
  return settle(next, event.type === 'press' ? 'person' : 'queue', told);
}

/** The others see who reads what. */
function tellReading(before: ConsoleState, { opened }: ConsoleState): Step['effects'] {
  const id = opened?.request.id ?? null;
  return id === (before.opened?.request.id ?? null) ? [] : [{ type: 'showReading', id }];
}

function react(state: ConsoleState, event: ConsoleEvent): Step {
  switch (event.type) {
    case 'identified':
      return stay({ ...state, identity: { ...state.identity, ...event.broker } });
    case 'queue':
      return receiveQueue(state, event.queue);
    case 'tick':
      return hearTick(state);
    case 'resize':
      return stay({ ...state, size: event.size });
    case 'resumed':
      // What was typed at the shell meant the shell: what keys act on is as new as if it had just come (A34).
      return stay({
        ...state,
        painted: { ...state.painted, since: event.at },
        previewed: state.previewed && { ...state.previewed, since: event.at },
      });
    case 'press':
      return hearPress(state, event.press);
    case 'paste':
      return stay(receivePaste({ ...state, notice: null }, event.text));
    case 'painted':
      return stay(recordFrame(state, event.frame));
    case 'sending':
      return stay(hearSending(state));
    case 'decided':
      return stay(returnToQueue(state));
    case 'acknowledged':
      return stay({ ...state, notice: [span(label`Noted under your name.`, 'strong')] });
    case 'failed':
      return stay(recordFailure(state, event));
    case 'sendingDenial':
    case 'denied':
    case 'denyingOver':
      return hearBulk(state, event);
    case 'copied':
      return hearCopy(state, event);
    case 'background':
    case 'noBackground':
      return hearBackground(state, event);
    case 'found':
    case 'notFound':
      return hearHistory(state, event);
    case 'toldOfGrants':
    case 'notToldOfGrants':
      return hearGrants(state, event);
    case 'enrolled':
    case 'notEnrolled':
    case 'changeMade':
    case 'changeNotMade':
      return hearPeople(state, event);
    case 'policy':
    case 'noPolicy':
    case 'explained':
    case 'notExplained':
      return stay(hearPolicy(state, event));
    case 'counted':
    case 'notCounted':
      return hearStatistics(state, event);
    case 'toldOfCanaries':
    case 'notToldOfCanaries':
      return stay(hearCanaries(state, event));
    case 'letters':
    case 'noLetters':
    case 'letterSettled':
      return hearOutbox(state, event);
    case 'said':
    case 'escalated':
    case 'notTalked':
      return hearTalk(state, event);
  }
}

/** Pasted text goes into the field that has the focus, and nowhere else (A35). */
function receivePaste(state: ConsoleState, text: string): ConsoleState {
  if (state.palette !== null) return isTooSmall(state) ? state : typeIntoPalette(state, text);
  const isInFront = state.opened === null && !state.isHelpOpen && !isTooSmall(state);
  const pasted = isInFront ? SCREENS[state.screen].paste?.(state, text) : undefined;
  return pasted ?? pasteIntoTalk(state, text) ?? pasteIntoConfirm(state, text);
}

/** A key takes away what was said last, unless it comes too early to do anything: then nobody has read it yet. */
function hearPress(state: ConsoleState, press: Press): Step {
  const unsaid = { ...state, notice: null };
  const heard = receivePress(unsaid, press);
  const isTooEarly = heard.state === unsaid && heard.effects.length === 0 && !isSettled(state);
  return isTooEarly ? stay(state) : heard;
}

function receivePress(state: ConsoleState, press: Press): Step {
  const context = keyContext(state);
  const matched = matchKey(context, press);
  return act(state, context, matched, press);
}

/** Does what a key does in a place. */
function act(state: ConsoleState, context: KeyContext, matched: MatchedAction | null, press: Press): Step {
  if (matched?.action === 'quit') return stay(state, { type: 'quit' });
  if (matched?.action === 'suspend') return stay(state, { type: 'suspend' });
  if (matched?.action === 'redraw') return stay(state, { type: 'redraw' });
  if (matched?.action === 'reconnect') return stay(state, { type: 'reconnect' });
  if (isTooSmall(state)) return stay(state);
  if (context === 'palette') {
    return stepPalette(state, matched, press, (closed, action) =>
      act(closed, keyContext(closed), { action, times: 1 }, press),
    );
  }
  if (matched?.action === 'copyId') return copy(state, 'id');
  if (matched?.action === 'copyAsk') return copy(state, 'ask');
  if (matched?.action === 'palette') return stay(openPalette(state));
  if (context === 'help') return stay(matched === null ? state : stepHelp(state, matched));
  if (matched?.action === 'help') return stay({ ...state, isHelpOpen: true, helpTop: 0 });
  const entrance = matched === null ? null : entranceOf(matched.action);
  if (entrance !== null) return entrance(state);
  switch (context) {
    case 'record':
    case 'detail':
      return stay(stepDetail(state, matched));
    case 'talk':
    case 'escalation':
      return stepTalk(state, matched, press);
    case 'confirm':
    case 'cover':
    case 'comment':
    case 'number':
    case 'resource':
      return stepConfirm(state, matched, press);
    default:
      return SCREENS[state.screen].step(state, matched, press);
  }
}

function stepHelp(state: ConsoleState, matched: MatchedAction): ConsoleState {
  if (matched.action === 'help' || matched.action === 'back') return { ...state, isHelpOpen: false };
  const { top, total, height } = helpWindow(state);
  const lines = movement(matched, Math.max(1, height - 1));
  if (lines === null) return state;
  return { ...state, helpTop: Math.max(0, Math.min(top + lines, total - height)) };
}

function receiveQueue(state: ConsoleState, queue: Queue): Step {
  const { approver } = state.identity;
  const isTold = isLiveLink(state) && queue.link.state === 'live';
  const changes = isTold ? changesBetween(state.queue.requests, queue.requests) : [];
  const news = queueNews(changes, { approver, isOwnOnly: isNoticeHeld(state) });
  return SCREEN_ROWS.reduce(
    (taken, [, { onQueue }]) =>
      onQueue === undefined ? taken : after(taken, (next) => onQueue(next, state.queue)),
    news === null ? takeQueue(state, queue) : after(takeQueue(state, queue), withNotice(news)),
  );
}

/** Who has just signed sees that first, whatever others do meanwhile. */
const NOTICE_HELD_MS = 3000;

/** No longer where our clock was set back. */
const isNoticeHeld = ({ notice, noticeHeldUntil, at }: ConsoleState): boolean =>
  notice !== null && at < noticeHeldUntil && noticeHeldUntil - at <= NOTICE_HELD_MS;

const withNotice =
  (notice: Line) =>
  (state: ConsoleState): Step =>
    stay(isLiveLink(state) ? { ...state, notice } : state);

function takeQueue(state: ConsoleState, queue: Queue): Step {
  const groups = groupRequests(queue.requests, state.groups);
  const { allRows, snoozes } =
    groups === state.groups
      ? state
      : takeRows(arrange(requestRows(groups), state.snoozes, sleeperOf({ ...state, queue })));
  const shown = showRows({ ...state, queue, groups, allRows, snoozes });
  const taken = { ...shown, selected: keepSelection(state, shown.rows) };
  const next = forgetUnknown(taken, !isLiveLink(state));
  // What was said of one request must not stand beside another, or over a picture that is old (A50).
  if (queue.link.state !== 'live') return stay({ ...next, notice: null });
  const isNew = allRows !== state.allRows || !isLiveLink(state);
  const said = sayRemark(next);
  return isNew || isBellDue(said) ? listenTo(said) : stay(said);
}

function sayRemark(state: ConsoleState): ConsoleState {
  if (state.remark === null) return state;
  const words = label`${safeText(state.remark, { reading: 'prose' })}.`;
  return { ...state, remark: null, notice: [span(words, 'strong')] };
}

const takeRows = ({ rows, snoozes }: ReturnType<typeof arrange>) => ({ allRows: rows, snoozes });

/** What was snoozed may be over, and the bell may have something to say that no message tells. */
function hearTick(state: ConsoleState): Step {
  const woken = wakeDue(state);
  const isWake = woken !== state && isLiveLink(woken);
  return isWake || isBellDue(woken) ? listenTo(woken) : stay(woken);
}

/**
 * The selection stays with its request. Where that is gone it falls to what stands in its place, and where nobody
 * waited before, and nothing is read, it goes to the first who does.
 */
function keepSelection(
  { rows: before, selected, opened }: ConsoleState,
  rows: RequestRows,
): RequestId | null {
  const first = rows.rows[0];
  if (before.pending === 0 && first?.section === 'pending' && opened === null) return first.request.id;
  if (selected !== null && rows.indexOf.has(selected)) return selected;
  const index = selected === null ? 0 : (before.indexOf.get(selected) ?? 0);
  return rows.rows[Math.min(index, rows.rows.length - 1)]?.request.id ?? null;
}

/** Calls the person for what is new since the bell was asked last, or has come to a further step. */
function listenTo(state: ConsoleState): Step {
  const { bell, isNews, rings } = listen(state.bell, state, hearingOf(state));
  const heard = { ...state, bell, notice: isNews && !isNoticeHeld(state) ? null : state.notice };
  return rings ? stay(heard, { type: 'ring' }) : stay(heard);
}

/** Whether there is something to listen for that no message tells: a step has begun, or quiet hours are over. */
function isBellDue(state: ConsoleState): boolean {
  if (!isLiveLink(state)) return false;
  return brokerNow(state) >= state.bell.nextStepAt || (state.bell.isHeld && !hearingOf(state).isQuiet);
}

function isKnownFrame(state: ConsoleState, frame: PaintedFrame): boolean {
  return (
    state.painted.target === frame.target &&
    newlyRead(state, frame) === (state.opened?.read ?? 0) &&
    nowPreviewed(state, frame) === state.previewed
  );
}

function recordFrame(state: ConsoleState, frame: PaintedFrame): ConsoleState {
  const { painted, opened, at } = state;
  return {
    ...state,
    painted: painted.target === frame.target ? painted : { target: frame.target, since: at },
    opened: opened === null ? null : { ...opened, read: newlyRead(state, frame) },
    previewed: nowPreviewed(state, frame),
  };
}

/** What stands beside the queue, and since when it has stood there as it is. */
function nowPreviewed(
  { previewed: before, at }: ConsoleState,
  { previewed }: PaintedFrame,
): PreviewedRequest | null {
  if (previewed === null) return null;
  const isSame =
    before !== null &&
    before.request.id === previewed.request.id &&
    before.columns === previewed.columns &&
    isSameAsk(before.request, previewed.request);
  return isSame ? before : { ...previewed, since: at };
}

/** Only what follows on without a gap counts: jumping to the end is not reading. */
function newlyRead({ opened }: ConsoleState, { mustRead }: PaintedFrame): number {
  const read = opened?.read ?? 0;
  const isOfOpened = mustRead?.id === opened?.request.id && mustRead?.columns === opened?.width;
  if (mustRead === null || !isOfOpened || mustRead.from > read) return read;
  return Math.max(read, mustRead.to);
}

/** Back to the queue, onto the next one that waits; where none does, the cursor stays with the one just decided. */
function returnToQueue(state: ConsoleState): ConsoleState {
  const decided = state.opened?.request;
  const next = state.rows.rows.find(
    ({ section, request, members }) =>
      section === 'pending' &&
      members.every(({ id }) => id !== decided?.id) &&
      // A lock ends all that is pending in that name.
      (state.confirm?.verdict !== 'fraud' || request.document.requester !== decided?.document.requester),
  );
  return {
    ...state,
    notice: decidedNotice(state),
    noticeHeldUntil: state.at + NOTICE_HELD_MS,
    approved: state.confirm?.verdict === 'approve' ? (decided?.id ?? null) : state.approved,
    confirm: null,
    draft: null,
    opened: null,
    selected: next?.request.id ?? state.selected,
  };
}

const SIGNED = {
  approve: label`Your approval is signed and recorded.`,
  deny: label`Your denial is signed and recorded.`,
  fraud: label`Your denial is signed and recorded, and the requester is locked.`,
  revoke: label`Your revocation is signed and recorded.`,
} as const;

function decidedNotice({ confirm }: ConsoleState): Line {
  return [span(SIGNED[confirm?.verdict ?? 'approve'], 'strong')];
}

function recordFailure(
  state: ConsoleState,
  { of, message, hint }: Extract<ConsoleEvent, { type: 'failed' }>,
): ConsoleState {
  if (of === 'unanswered') return leaveUnanswered(state);
  if (of !== 'decision' || state.confirm === null) return { ...state, notice: [span(message, 'danger')] };
  const confirm = {
    ...state.confirm,
    isSigning: false,
    isSent: false,
    focused: 'cancel' as const,
    failure: { message, hint },
  };
  return { ...state, confirm };
}

/**
 * What follows from any change: the windows follow the selections, lines are counted anew at a new width, a search goes on where
 * more of it will be seen, and what came before is asked for a request that was opened.
 */
function settle(state: ConsoleState, movedBy: 'person' | 'queue', effects: Step['effects']): Step {
  const { opened, focus } = state;
  const columns = panesOf(state).detail;
  const recounted =
    opened !== null && opened.width !== columns ? { ...opened, width: columns, read: 0 } : opened;
  const { settle: settleScreen = stay } = SCREENS[state.screen];
  const followed = after(settleScreen({ ...state, opened: recounted }), settleBackground);
  const next = followed.state;
  const top = followSelection(next, bodyRows(next));
  const target = focusTarget(next);
  const settled = { ...next, top, focus: target === focus.target ? focus : { target, movedBy } };
  return stay(settled, ...effects, ...followed.effects);
}
