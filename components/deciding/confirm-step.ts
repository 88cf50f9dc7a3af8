import { takesNumber, takesResource } from '../../src/client/decide.js';
import { MAX_RESOURCE_BYTES } from '../../src/protocol/document.js';
import { readTypedNumber } from '../../src/protocol/matched-number.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { fraudComment } from '../../src/protocol/restraints.js';
import { commentFits, MAX_COMMENT_BYTES } from '../../src/protocol/statement.js';
import { buttonBeside } from '../keys/button-keys.js';
import type { MatchedAction } from '../keys/key-table.js';
import type { Press } from '../keys/press.js';
import { type Step, stay } from '../state/console-effects.js';
import {
  brokerNow,
  type ConfirmField,
  type ConfirmStep,
  type ConfirmTarget,
  type ConfirmVerdict,
  type ConsoleState,
  isField,
  isSettled,
} from '../state/console-state.js';
import { span } from '../text/line.js';
import { label } from '../text/safe-text.js';
import { EMPTY_LINE, editLine, insertText, type TextLine } from '../text/text-line.js';
import { SENT } from './confirm-lines.js';
import { showsAllSigned } from './confirm-window.js';
import { type CoverChoice, canChoose, changeCover, firstChoice, toggleCover } from './cover-step.js';
import { numberObstacle, obstacleTo, reasonObstacle, resourceObstacle } from './obstacles.js';

/**
 * Goes to the confirm step, with the focus where Enter signs nothing: on what the rule wants typed, else on Cancel. Where something
 * stands in the way, says what instead.
 */
export function openConfirm(state: ConsoleState, verdict: ConfirmVerdict): ConsoleState {
  if (state.opened === null) return state;
  const obstacle = obstacleTo(state, verdict);
  if (obstacle !== null) return { ...state, notice: [span(obstacle.words, obstacle.tone)] };
  const { request } = state.opened;
  const isYes = verdict === 'approve';
  const confirm: ConfirmStep = {
    verdict,
    cover: isYes ? firstChoice(request) : null,
    focused: 'cancel',
    comment: draftFor(state, request, verdict),
    digits: isYes && takesNumber(request) ? '' : null,
    resource: isYes && takesResource(request) ? EMPTY_LINE : null,
    isSigning: false,
    isSent: false,
    signingSince: 0,
    failure: null,
  };
  return { ...state, confirm: { ...confirm, focused: nextLacking(confirm, request) ?? 'cancel' } };
}

/** What was written before the panel was left, to read what a new width of the terminal counts anew, say; else nothing. */
function draftFor({ draft }: ConsoleState, { id }: RequestView, verdict: ConfirmVerdict): TextLine {
  return draft?.id === id && draft.verdict === verdict ? draft.comment : EMPTY_LINE;
}

/** The first field that the rule wants filled and that is not; null where all are. */
function nextLacking(confirm: ConfirmStep, request: RequestView): ConfirmField | null {
  if (numberObstacle(confirm) !== null) return 'number';
  if (resourceObstacle(confirm, request) !== null) return 'resource';
  return reasonObstacle(confirm, request) === null ? null : 'comment';
}

/** Says that it closed: who looked away for a moment must not take a panel that is gone for a signature. Of all in it the comment is kept. */
function closeConfirm(state: ConsoleState): ConsoleState {
  const { confirm, opened } = state;
  const draft =
    confirm === null || opened === null
      ? null
      : { id: opened.request.id, verdict: confirm.verdict, comment: confirm.comment };
  return { ...state, confirm: null, draft, notice: [span(label`Cancelled: nothing was signed.`, 'strong')] };
}

/** Back to the buttons: an agent that does not answer holds nobody there. */
function cancelSigning(state: ConsoleState, confirm: ConfirmStep): Step {
  const failure = {
    message: label`you cancelled it`,
    hint: label`Nothing was sent, and a signature that still comes is thrown away.`,
  };
  return stay(
    { ...state, confirm: { ...confirm, isSigning: false, focused: 'cancel', failure } },
    { type: 'cancelSigning' },
  );
}

/** The signature is made and on its way. */
export function hearSending(state: ConsoleState): ConsoleState {
  const { confirm } = state;
  return confirm?.isSigning === true ? { ...state, confirm: { ...confirm, isSent: true } } : state;
}

/** A key in the confirm step. While a signature is made none but Esc is heard, which cancels nothing any more once it was sent. */
export function stepConfirm(state: ConsoleState, matched: MatchedAction | null, press: Press): Step {
  const { confirm } = state;
  if (confirm === null) return stay(state);
  if (confirm.isSigning) {
    if (matched?.action !== 'back') return stay(state);
    if (!confirm.isSent) return cancelSigning(state, confirm);
    return stay({ ...state, notice: [span(SENT, 'warning')] });
  }
  switch (matched?.action) {
    case 'back':
      return stay(isField(confirm.focused) ? focusOn(state, confirm, 'cancel') : closeConfirm(state));
    case 'next':
      return stay(focusOn(state, confirm, buttonBeside(press, 'sign') ?? neighbour(confirm, 1)));
    case 'previous':
      return stay(focusOn(state, confirm, neighbour(confirm, -1)));
    case 'comment':
      return stay(focusOn(state, confirm, 'comment'));
    case 'cover':
      return stay(withCover(state, confirm, toggleCover));
    case 'activate':
      return activate(state, confirm);
    default:
      if (confirm.focused === 'cover') {
        return stay(withCover(state, confirm, (cover) => changeCover(cover, press)));
      }
      if (confirm.focused === 'number') return stay(editDigits(state, confirm, press));
      if (confirm.focused === 'resource') return stay(editResource(state, confirm, press));
      return stay(confirm.focused === 'comment' ? edit(state, confirm, press) : state);
  }
}

/** Pasted text goes into the field that has the focus, line breaks and all, and nowhere else (A35); what is to be typed takes none. */
export function pasteIntoConfirm(state: ConsoleState, text: string): ConsoleState {
  const { confirm } = state;
  if (confirm?.isSigning === false && confirm.focused === 'comment') return insert(state, confirm, text);
  if (confirm?.isSigning === false && confirm.focused === 'number') return insertDigits(state, confirm, text);
  if (confirm?.focused === 'resource') {
    return { ...state, notice: [span(label`Pasted text was ignored: the resource is typed.`, 'warning')] };
  }
  return { ...state, notice: [span(label`Pasted text was ignored: only a field takes it.`, 'muted')] };
}

/** The next one or the one before in the circle of buttons and fields. */
function neighbour({ focused, digits, resource, cover }: ConfirmStep, way: 1 | -1): ConfirmTarget {
  const circle: readonly ConfirmTarget[] = [
    'cancel',
    'sign',
    ...(cover !== null && canChoose(cover) ? (['cover'] as const) : []),
    ...(digits === null ? [] : (['number'] as const)),
    ...(resource === null ? [] : (['resource'] as const)),
    'comment',
  ];
  return circle.at((circle.indexOf(focused) + way) % circle.length) ?? 'cancel';
}

function focusOn(state: ConsoleState, confirm: ConfirmStep, focused: ConfirmTarget): ConsoleState {
  return { ...state, confirm: { ...confirm, focused } };
}

function activate(state: ConsoleState, confirm: ConfirmStep): Step {
  if (isField(confirm.focused)) return stay(focusOn(state, confirm, afterField(state, confirm)));
  if (!isSettled(state) || state.opened === null) return stay(state);
  if (confirm.focused === 'cancel') return stay(closeConfirm(state));
  if (obstacleTo(state, confirm.verdict) !== null || !showsAllSigned(state)) return stay(state);
  const { verdict, comment, digits, cover, resource } = confirm;
  const { request } = state.opened;
  const signing = {
    ...state,
    confirm: { ...confirm, isSigning: true, signingSince: brokerNow(state), failure: null },
  };
  if (verdict === 'revoke') return stay(signing, { type: 'revoke', request, comment: comment.text });
  const code = digits === null ? null : readTypedNumber(digits);
  const terms = cover === null ? {} : { terms: cover.terms };
  const typed = resource === null ? {} : { resource: resource.text };
  const said = verdict === 'fraud' ? ({ verdict: 'deny', isFraud: true } as const) : { verdict };
  return stay(signing, {
    type: 'decide',
    request,
    decision: { ...said, comment: comment.text, code, ...typed, ...terms },
  });
}

/** From one field that is filled to the next that the rule wants; from one that is not, or from the last, to Cancel. */
function afterField({ opened }: ConsoleState, confirm: ConfirmStep): ConfirmTarget {
  const lacking = opened === null ? null : nextLacking(confirm, opened.request);
  return lacking === null || lacking === confirm.focused ? 'cancel' : lacking;
}

/** No resource has a line break: one comes where a fast hand presses Enter along with the last letter. */
function editResource(state: ConsoleState, confirm: ConfirmStep, press: Press): ConsoleState {
  if (confirm.resource === null) return state;
  const edited =
    'text' in press
      ? insertText(confirm.resource, press.text.replaceAll(/[\r\n]/g, ''))
      : editLine(confirm.resource, press);
  const isShort = edited !== null && edited.text.length <= MAX_RESOURCE_BYTES;
  return isShort ? { ...state, confirm: { ...confirm, resource: edited } } : state;
}

function edit(state: ConsoleState, confirm: ConfirmStep, press: Press): ConsoleState {
  if ('text' in press) return insert(state, confirm, press.text);
  const edited = editLine(confirm.comment, press);
  return edited === null ? state : withComment(state, confirm, edited);
}

function withCover(
  state: ConsoleState,
  confirm: ConfirmStep,
  change: (cover: CoverChoice) => CoverChoice,
): ConsoleState {
  return confirm.cover === null ? state : { ...state, confirm: { ...confirm, cover: change(confirm.cover) } };
}

function editDigits(state: ConsoleState, confirm: ConfirmStep, press: Press): ConsoleState {
  if ('text' in press) return insertDigits(state, confirm, press.text);
  if ('control' in press) return press.control === 'u' ? withDigits(state, confirm, '') : state;
  return press.named === 'backspace'
    ? withDigits(state, confirm, (confirm.digits ?? '').slice(0, -1))
    : state;
}

/** Takes digits, and passes over the spaces between them; anything else, or a seventh, is no part of a number. */
function insertDigits(state: ConsoleState, confirm: ConfirmStep, text: string): ConsoleState {
  const digits = (confirm.digits ?? '') + text.replaceAll(/\s/g, '');
  if (/^[0-9]{0,6}$/.test(digits)) return withDigits(state, confirm, digits);
  return { ...state, notice: [span(label`A number is six digits; nothing else is taken.`, 'warning')] };
}

function withDigits(state: ConsoleState, confirm: ConfirmStep, digits: string): ConsoleState {
  return { ...state, confirm: { ...confirm, digits } };
}

function insert(state: ConsoleState, confirm: ConfirmStep, text: string): ConsoleState {
  const comment = insertText(confirm.comment, text);
  const signed = confirm.verdict === 'fraud' ? fraudComment(comment.text) : comment.text;
  if (commentFits(signed)) return withComment(state, confirm, comment);
  return {
    ...state,
    notice: [span(label`The comment is full: ${MAX_COMMENT_BYTES} bytes as it is signed.`, 'warning')],
  };
}

function withComment(state: ConsoleState, confirm: ConfirmStep, comment: TextLine): ConsoleState {
  return { ...state, confirm: { ...confirm, comment } };
}
