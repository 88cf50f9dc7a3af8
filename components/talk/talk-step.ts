import { isLive, type RequestView } from '../../src/protocol/request-view.js';
import { isCommentText, MAX_COMMENT_TEXT_BYTES } from '../../src/protocol/talk.js';
import { buttonBeside } from '../keys/button-keys.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import type { Tone } from '../screen/theme.js';
import { type Step, stay } from '../state/console-effects.js';
import type { TalkEvent } from '../state/console-events.js';
import {
  type ConsoleState,
  isLiveLink,
  isPainted,
  isSettled,
  openedRequest,
} from '../state/console-state.js';
import { span } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';
import { EMPTY_LINE, editLine, insertText, type TextLine } from '../text/text-line.js';
import type { CommentPanel, EscalationPanel } from './talk-state.js';

const told = (state: ConsoleState, words: SafeText, tone: Tone = 'muted'): ConsoleState => ({
  ...state,
  notice: [span(words, tone)],
});

/** Begins a comment on the opened request. */
export function openComment(state: ConsoleState): ConsoleState {
  const request = openedRequest(state)?.request;
  if (request === undefined) return state;
  if (!isLive(request.state)) return told(state, label`It has ended: nothing is said about it any more.`);
  const talk = {
    kind: 'comment',
    id: request.id,
    text: EMPTY_LINE,
    isSending: false,
    failure: null,
  } as const;
  return { ...state, talk };
}

/** Asks whether everybody is to be rung for the opened request. */
export function openEscalation(state: ConsoleState): ConsoleState {
  const request = openedRequest(state)?.request;
  if (request === undefined) return state;
  const obstacle = escalationObstacle(state, request);
  if (obstacle !== null) return told(state, obstacle);
  const panel = { kind: 'escalation', id: request.id, focused: 'cancel' } as const;
  return { ...state, talk: { ...panel, isSending: false, failure: null } };
}

function escalationObstacle({ identity }: ConsoleState, { state, document }: RequestView): SafeText | null {
  if (state !== 'pending') return label`Nobody is rung for it any more: it does not wait.`;
  if (document.requester === identity.approver)
    return label`You asked for this yourself: somebody else may have all rung.`;
  return null;
}

/** A key while a comment is written or ringing is asked about. Nothing is heard while it is sent. */
export function stepTalk(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  const { talk } = state;
  if (talk === null || talk.isSending) return stay(state);
  return talk.kind === 'comment'
    ? stepComment(state, talk, matched, press)
    : stepEscalation(state, talk, matched, press);
}

function stepComment(
  state: ConsoleState,
  talk: CommentPanel,
  matched: MatchedAction | null,
  press: Press,
): Step {
  if (matched?.action === 'back')
    return stay(told({ ...state, talk: null }, label`Nothing was said.`, 'strong'));
  if (matched?.action === 'say') return say(state, talk);
  if ('text' in press) return stay(write(state, talk, insertText(talk.text, press.text)));
  const edited = editLine(talk.text, press);
  return stay(edited === null ? state : write(state, talk, edited));
}

/** Pasted text goes into a comment, line breaks and all. */
export function pasteIntoTalk(state: ConsoleState, text: string): ConsoleState | null {
  const { talk } = state;
  if (talk?.kind !== 'comment' || talk.isSending) return null;
  return write(state, talk, insertText(talk.text, text));
}

function write(state: ConsoleState, talk: CommentPanel, text: TextLine): ConsoleState {
  if (Buffer.byteLength(text.text) <= MAX_COMMENT_TEXT_BYTES) return { ...state, talk: { ...talk, text } };
  return told(state, label`The comment is full: ${MAX_COMMENT_TEXT_BYTES} bytes.`, 'warning');
}

function say(state: ConsoleState, talk: CommentPanel): Step {
  const { id, text } = talk;
  if (!isPainted(state) || !isCommentText(text.text)) return stay(state);
  if (!isLiveLink(state)) return stay(sayOffline(state));
  const sending = { ...talk, isSending: true, failure: null };
  return stay({ ...state, talk: sending }, { type: 'comment', id, text: text.text });
}

function stepEscalation(
  state: ConsoleState,
  talk: EscalationPanel,
  matched: MatchedAction | null,
  press: Press,
): Step {
  const { id, focused } = talk;
  const close = (): ConsoleState => told({ ...state, talk: null }, label`Nobody was rung.`, 'strong');
  switch (matched?.action) {
    case 'next':
    case 'previous': {
      const other = focused === 'cancel' ? 'ring' : 'cancel';
      return stay({ ...state, talk: { ...talk, focused: buttonBeside(press, 'ring') ?? other } });
    }
    case 'back':
      return stay(close());
    case 'activate':
      if (!isSettled(state)) return stay(state);
      if (focused === 'cancel') return stay(close());
      if (!isLiveLink(state)) return stay(sayOffline(state));
      return stay({ ...state, talk: { ...talk, isSending: true, failure: null } }, { type: 'escalate', id });
    default:
      return stay(state);
  }
}

const sayOffline = (state: ConsoleState): ConsoleState =>
  told(state, label`Not connected to the broker: nothing was sent.`, 'danger');

/** What became of what was said, unless another panel stands there by now: then one line tells it. */
export function hearTalk(state: ConsoleState, event: TalkEvent): Step {
  const { talk } = state;
  const isWaitedFor = talk?.id === event.id && talk.isSending;
  if (event.type === 'notTalked') {
    const { message, hint } = event;
    if (!isWaitedFor) return stay(told(state, message, 'danger'));
    const again = talk.kind === 'escalation' ? { ...talk, focused: 'cancel' as const } : talk;
    return stay({ ...state, talk: { ...again, isSending: false, failure: { message, hint } } });
  }
  const words =
    event.type === 'said'
      ? label`Said to the other approvers; signed by nobody.`
      : label`Everybody who could sign is being rung.`;
  return stay(told(isWaitedFor ? { ...state, talk: null } : state, words, 'strong'));
}
