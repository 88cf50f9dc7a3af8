import type { MapChange } from '../../src/client/persistent-map.js';
import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { canaryNotice } from '../deciding/canary-notice.js';
import type { Tone } from '../screen/theme.js';
import { cutLine, type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** Columns that one name in a line of news takes at most. */
const NAME = 32;

/**
 * What to say of what changed from one live picture to the next, in one line; null where nothing did that is worth one. That something
 * was a canary comes first (A33), then what became of this person's own yes, then, unless only that is wanted, what others decided, then
 * what is asked newly.
 */
export function queueNews(
  changes: readonly MapChange<RequestId, RequestView>[],
  { approver, isOwnOnly }: { readonly approver: string; readonly isOwnOnly: boolean },
): Line | null {
  let [decided, asked, count]: [Line | null, RequestView | null, number] = [null, null, 0];
  let own: Line | null = null;
  for (const { before: known, after: request } of changes) {
    if (request === undefined) continue;
    const revealed = known === undefined ? null : canaryNotice(known, request, approver);
    if (revealed !== null) return revealed;
    if (request.canary !== null) continue;
    if (known === undefined) {
      if (!isAskOfOthers(request, approver)) continue;
      [asked, count] = [request, count + 1];
    } else {
      own ??= ownOutcome(known, request, approver);
      decided = decisionOfOthers(known, request, approver) ?? decided;
    }
  }
  if (own !== null || isOwnOnly) return own;
  return decided ?? (asked === null ? null : newsOf(asked, count));
}

const isAskOfOthers = ({ state, waiting, document }: RequestView, approver: string): boolean =>
  state === 'pending' && waiting > 0 && document.requester !== approver;

/** What became of an approval that this person signed: what its door reported (A50), or that it ended without. */
export function ownOutcome(known: RequestView, request: RequestView, approver: string): Line | null {
  const { votes, report, state, endedBy } = request;
  if (!votes.some((vote) => vote.approver === approver && vote.verdict === 'approve')) return null;
  const line = (symbol: SafeText, words: SafeText, tone: Tone): Line => [
    span(label`${symbol} `, tone),
    ...subject(request),
    span(label`: `),
    ...markedSpans(words, tone),
  ];
  if (report !== null && known.report === null) {
    const code = report.code === null ? label`` : label` (${safeText(report.code, { reading: 'exact' })})`;
    if (report.outcome === 'refused') return line(label`✗`, label`the door refused${code}`, 'danger');
    if (report.outcome === 'observed') return line(label`·`, label`the door only watches`, 'warning');
    const isApproved = state === 'redeemed' || state === 'approved' || state === 'active';
    if (!isApproved)
      return line(label`▲`, label`opened, though it is ${safeText(state, { reading: 'exact' })}`, 'danger');
    return line(label`✓`, label`the door opened, as you approved`, 'good');
  }
  if (state === known.state || report !== null) return null;
  if (state === 'lapsed') return line(label`·`, label`your approval was never used`, 'muted');
  if (state !== 'revoked' && state !== 'denied' && state !== 'cancelled') return null;
  const why = safeText(endedBy ?? state, { reading: 'prose' });
  return line(label`✗`, label`your approval does not count any more: ${why}`, 'warning');
}

/** Who else signed what, before its row goes. */
function decisionOfOthers(known: RequestView, request: RequestView, approver: string): Line | null {
  const fresh = request.votes.find(
    (vote) =>
      vote.approver !== approver &&
      !known.votes.some((old) => old.approver === vote.approver && old.verdict === vote.verdict),
  );
  if (fresh === undefined || known.state !== 'pending') return null;
  const isNo = fresh.verdict === 'deny';
  const verb = isNo ? label` denied ` : label` approved `;
  const rest = request.state === 'pending' ? label`; it still waits for others` : label``;
  return [
    ...cutLine(markedSpans(safeText(fresh.approver, { reading: 'exact' }), 'strong'), NAME),
    span(verb, isNo ? 'danger' : 'accent'),
    ...subject(request),
    span(rest, 'muted'),
  ];
}

function newsOf(request: RequestView, count: number): Line {
  if (count === 1) return [span(label`New: `, 'accent'), ...subject(request)];
  return [span(label`${count} new asks, the last one: `, 'accent'), ...subject(request)];
}

/** `ssh.login on web-1 for alice`, as the broker shows it: the request itself is held against its digests. */
function subject({ document: { action, resource, requester } }: RequestView): Line {
  const exact = (text: string): Line => cutLine(markedSpans(safeText(text, { reading: 'exact' })), NAME);
  return [
    ...exact(action),
    span(label` on `, 'muted'),
    ...exact(resource),
    span(label` for `, 'muted'),
    ...exact(requester),
  ];
}
