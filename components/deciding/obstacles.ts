import { leastReason } from '../../src/client/decide.js';
import { isMatchedNumber } from '../../src/protocol/matched-number.js';
import { isRevocable, type RequestState, type RequestView } from '../../src/protocol/request-view.js';
import { examine, voucherOf } from '../detail/examination.js';
import { mustRead } from '../detail/request-document.js';
import type { Tone } from '../screen/theme.js';
import {
  type ConfirmStep,
  type ConfirmVerdict,
  type ConsoleState,
  openedRequest,
} from '../state/console-state.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** Why a decision about the opened request cannot be signed now. */
export interface Obstacle {
  readonly words: SafeText;
  readonly tone: Tone;
}

const obstacle = (words: SafeText, tone: Tone = 'danger'): Obstacle => ({ words, tone });

/** What stands in the way of a verdict on the opened request, the gravest first; null where it can be signed. */
export function obstacleTo(state: ConsoleState, verdict: ConfirmVerdict): Obstacle | null {
  const opened = openedRequest(state);
  if (opened === null) return obstacle(label`no request is open`);
  const { request, isListed, isAltered } = opened;
  if (state.opened?.isRecord === true) return recordObstacle(request);
  if (isAltered) return obstacle(label`the broker now shows another document under this id`);
  if (examine(request).differences.length > 0) return obstacle(label`what is shown cannot be trusted`);
  if (state.queue.link.state !== 'live') return obstacle(label`not connected to the broker`);
  if (!isListed) return obstacle(label`the broker no longer lists this request`);
  if (verdict === 'revoke') return revokeObstacle(request);
  if (request.state !== 'pending') return obstacle(endedWords(request));
  const { approver, pins } = state.identity;
  if (request.votes.some((vote) => vote.approver === approver)) {
    return obstacle(label`you have signed this one: a person counts once`, 'muted');
  }
  if (verdict !== 'approve') return null;
  if (voucherOf(request, pins).state === 'forged') {
    return obstacle(label`the signature of the submitter does not verify`);
  }
  if (request.document.requester === approver) {
    return obstacle(label`you asked for this yourself: somebody else must approve`, 'muted');
  }
  return unreadObstacle(unreadLines(state)) ?? fieldObstacle(state.confirm, request);
}

/** What the rule wants of whoever approves, and what is not typed yet. */
const fieldObstacle = (confirm: ConfirmStep | null, request: RequestView): Obstacle | null =>
  confirm === null
    ? null
    : (numberObstacle(confirm) ?? resourceObstacle(confirm, request) ?? reasonObstacle(confirm, request));

/** A4: what is found by a search was not brought under the cursor to be decided on. */
function recordObstacle({ state }: RequestView): Obstacle {
  return state === 'pending'
    ? obstacle(label`still waits: decide in the queue`, 'warning')
    : obstacle(label`to read only, from the history`, 'muted');
}

/** Only what can still be used, or what a door ends for us, can be taken back (A27). */
function revokeObstacle(request: RequestView): Obstacle | null {
  const { state, document } = request;
  if (isRevocable(request)) return null;
  if (state === 'pending') return obstacle(label`it is not approved: d denies it`, 'muted');
  if (state !== 'redeemed') return obstacle(label`there is nothing left to take back`, 'muted');
  const door = safeText(document.door, { reading: 'exact' });
  return obstacle(label`it was used, and ${door} does not end what it opened`, 'warning');
}

/** How many lines of the opened request that must be read have not been on the screen yet. */
export function unreadLines(state: ConsoleState): number {
  const { opened } = state;
  return opened === null ? 0 : mustRead(state, opened.request).length - opened.read;
}

function unreadObstacle(unread: number): Obstacle | null {
  if (unread <= 0) return null;
  const lines = unread === 1 ? label`line` : label`lines`;
  return obstacle(label`${unread} more ${lines} to read: Space`, 'warning');
}

export function numberObstacle({ digits }: ConfirmStep): Obstacle | null {
  if (digits === null || isMatchedNumber(digits)) return null;
  return obstacle(
    label`type the six digits that the requester tells you, by a way that you trust`,
    'warning',
  );
}

/** Where the rule has the resource typed: exactly, so that one that only looks alike is noticed (A37). */
export function resourceObstacle({ resource }: ConfirmStep, { document }: RequestView): Obstacle | null {
  if (resource === null || resource.text === document.resource) return null;
  return obstacle(label`type the resource, exactly as it stands here`, 'warning');
}

export function reasonObstacle({ verdict, comment }: ConfirmStep, request: RequestView): Obstacle | null {
  const least = verdict === 'approve' ? leastReason(request) : 0;
  const written = [...comment.text.trim()].length;
  if (written >= least) return null;
  return obstacle(label`say why in the comment: ${least - written} more of ${least} characters`, 'warning');
}

const ENDED: Readonly<Record<Exclude<RequestState, 'pending'>, SafeText>> = {
  approved: label`it is approved already`,
  active: label`it is approved, a grant in use`,
  redeemed: label`it is approved and used already`,
  denied: label`it was denied`,
  expired: label`it expired: nobody answered in time`,
  cancelled: label`it was cancelled`,
  lapsed: label`its approval lapsed unused`,
  revoked: label`its approval was taken back`,
};

function endedWords({ state, endedBy }: RequestView): SafeText {
  if (state === 'pending') return label``;
  if (endedBy === null) return ENDED[state];
  return label`${ENDED[state]} (${safeText(endedBy, { reading: 'prose' })})`;
}
