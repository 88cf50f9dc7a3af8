import { MAX_COMMENT_BYTES } from '../src/protocol/statement.js';
import {
  type CommentLine,
  deleteAfter,
  deleteBefore,
  EMPTY_COMMENT,
  insertText,
  moveLeft,
  moveRight,
  moveToEnd,
  moveToStart,
} from './comment-line.js';
import { type Step, stay } from './console-effects.js';
import { type ConfirmStep, type ConfirmTarget, type ConsoleState, isSettled } from './console-state.js';
import type { MatchedAction, NamedKey, Press } from './key-table.js';
import { span } from './line.js';
import { obstacleTo } from './obstacles.js';
import { label } from './safe-text.js';

/** Goes to the confirm step, with the focus on Cancel; where something stands in the way, says what instead. */
export function openConfirm(state: ConsoleState, verdict: 'approve' | 'deny'): ConsoleState {
  if (state.opened === null) return state;
  const obstacle = obstacleTo(state, verdict);
  if (obstacle !== null) return { ...state, notice: [span(obstacle.words, obstacle.tone)] };
  const confirm: ConfirmStep = {
    verdict,
    focused: 'cancel',
    comment: EMPTY_COMMENT,
    isSigning: false,
    failure: null,
  };
  return { ...state, confirm };
}

/** A key in the confirm step. Nothing is heard while a signature is made. */
export function stepConfirm(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  const { confirm } = state;
  if (confirm === null || confirm.isSigning) return stay(state);
  switch (matched?.action) {
    case 'back':
      return stay(
        confirm.focused === 'comment' ? focusOn(state, confirm, 'cancel') : { ...state, confirm: null },
      );
    case 'next':
      return stay(focusOn(state, confirm, nextTarget(confirm.focused, press)));
    case 'previous':
      return stay(focusOn(state, confirm, nextTarget(nextTarget(confirm.focused, press), press)));
    case 'comment':
      return stay(focusOn(state, confirm, 'comment'));
    case 'activate':
      return activate(state, confirm);
    default:
      return stay(confirm.focused === 'comment' ? edit(state, confirm, press) : state);
  }
}

/** Pasted text goes into the comment, line breaks and all, and nowhere else (A35). */
export function pasteIntoConfirm(state: ConsoleState, text: string): ConsoleState {
  const { confirm } = state;
  if (confirm?.focused === 'comment' && !confirm.isSigning) return insert(state, confirm, text);
  return { ...state, notice: [span(label`Pasted text was ignored: only a comment takes it.`, 'muted')] };
}

/** Three in a circle; the arrows go to and fro between the two buttons. */
function nextTarget(focused: ConfirmTarget, press: Press): ConfirmTarget {
  const isArrow = 'named' in press && (press.named === 'left' || press.named === 'right');
  if (focused === 'cancel') return 'sign';
  return focused === 'sign' && !isArrow ? 'comment' : 'cancel';
}

function focusOn(state: ConsoleState, confirm: ConfirmStep, focused: ConfirmTarget): ConsoleState {
  return { ...state, confirm: { ...confirm, focused } };
}

function activate(state: ConsoleState, confirm: ConfirmStep): Step {
  if (confirm.focused === 'comment') return stay(focusOn(state, confirm, 'cancel'));
  if (!isSettled(state) || state.opened === null) return stay(state);
  if (confirm.focused === 'cancel') return stay({ ...state, confirm: null });
  if (obstacleTo(state, confirm.verdict) !== null) return stay(state);
  const { verdict, comment } = confirm;
  return stay(
    { ...state, confirm: { ...confirm, isSigning: true, failure: null } },
    { type: 'decide', request: state.opened.request, decision: { verdict, comment: comment.text } },
  );
}

const EDITS: Partial<Record<NamedKey, (comment: CommentLine) => CommentLine>> = {
  backspace: deleteBefore,
  delete: deleteAfter,
  left: moveLeft,
  right: moveRight,
  home: moveToStart,
  end: moveToEnd,
};

function edit(state: ConsoleState, confirm: ConfirmStep, press: Press): ConsoleState {
  if ('text' in press) return insert(state, confirm, press.text);
  if ('control' in press) return press.control === 'u' ? withComment(state, confirm, EMPTY_COMMENT) : state;
  const change = EDITS[press.named];
  return change === undefined ? state : withComment(state, confirm, change(confirm.comment));
}

function insert(state: ConsoleState, confirm: ConfirmStep, text: string): ConsoleState {
  const comment = insertText(confirm.comment, text);
  if (comment !== null) return withComment(state, confirm, comment);
  return {
    ...state,
    notice: [span(label`The comment is full: ${MAX_COMMENT_BYTES} bytes as it is signed.`, 'warning')],
  };
}

function withComment(state: ConsoleState, confirm: ConfirmStep, comment: CommentLine): ConsoleState {
  return { ...state, confirm: { ...confirm, comment } };
}
