import type { RequestView } from '../../src/protocol/request-view.js';
import { ownOutcome } from '../attention/queue-news.js';
import type { Banner } from '../screen/banner-lines.js';
import { brokerNow, type ConfirmVerdict, type ConsoleState, isLiveLink } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** A signature that was sent to a broker from which no answer came: it may count, or still come to count (A50). */
export interface Unanswered {
  /** As it was when it was signed about. */
  readonly request: RequestView;
  readonly verdict: ConfirmVerdict;
  /** By the broker's clock, after the signature. */
  readonly since: number;
}

/** The broker takes nothing that was signed longer ago, in ms: what it has not got by then never counts. */
const GOOD_FOR_MS = 60_000;

const NOUNS: Readonly<Record<ConfirmVerdict, SafeText>> = {
  approve: label`approval`,
  deny: label`denial`,
  fraud: label`denial`,
  revoke: label`revocation`,
};

/** Leaves the confirm step: nothing can be cancelled there any more. */
export function leaveUnanswered(state: ConsoleState): ConsoleState {
  const { confirm, opened, unanswered } = state;
  if (confirm === null || opened === null) return state;
  const sent = { request: opened.request, verdict: confirm.verdict, since: brokerNow(state) };
  return { ...state, confirm: null, draft: null, unanswered: [...unanswered, sent] };
}

/** Once the picture is live, says what became of what was sent, and forgets it. */
export function settleUnanswered(state: ConsoleState): ConsoleState {
  if (state.unanswered.length === 0 || !isLiveLink(state)) return state;
  const outcomes = state.unanswered.map((sent) => ({ sent, notice: outcomeOf(state, sent) }));
  const known = outcomes.filter(({ notice }) => notice !== null);
  if (known.length === 0) return state;
  const unanswered = outcomes.filter(({ notice }) => notice === null).map(({ sent }) => sent);
  return { ...state, unanswered, notice: known.at(-1)?.notice ?? null };
}

/** Null while it is not known. */
function outcomeOf(state: ConsoleState, { request, verdict, since }: Unanswered): Line | null {
  const current = state.queue.requests.get(request.id);
  const isCounted =
    verdict === 'revoke'
      ? current?.state === 'revoked'
      : current?.votes.some(
          (vote) =>
            vote.approver === state.identity.approver &&
            (vote.verdict === 'approve') === (verdict === 'approve'),
        );
  const what = label`${NOUNS[verdict]} of ${subjectOf(request)}`;
  if (isCounted === true && current !== undefined) {
    const outcome = ownOutcome(request, current, state.identity.approver);
    return outcome ?? [span(label`Your ${what} did arrive, and is recorded.`, 'strong')];
  }
  if (current === undefined)
    return [span(label`What became of your ${what} stands in the history.`, 'warning')];
  if (brokerNow(state) - since < GOOD_FOR_MS) return null;
  return [span(label`Your ${what} did not arrive, and does not count.`, 'warning')];
}

export function unansweredBanners({ unanswered }: ConsoleState): readonly Banner[] {
  const [first, ...others] = unanswered;
  if (first === undefined) return [];
  const more = others.length === 0 ? label`` : label` and ${others.length} more`;
  return [
    {
      words: label`▲ No answer came to your ${NOUNS[first.verdict]} of ${subjectOf(first.request)}${more}: it was signed and sent, and may count. This goes once that is known.`,
      tone: 'alarm',
      rows: 3,
    },
  ];
}

const subjectOf = ({ document: { action, resource } }: RequestView): SafeText =>
  label`${safeText(action, { reading: 'exact' })} on ${safeText(resource, { reading: 'exact' })}`;
