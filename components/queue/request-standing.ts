import { grantOver, usesLeft } from '../../src/protocol/grant.js';
import { missingPeople } from '../../src/protocol/missing-words.js';
import type { Outcome, RequestView } from '../../src/protocol/request-view.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { Tone } from '../screen/theme.js';
import { leftText } from '../text/clock-text.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** Where a request stands, in words: a symbol, and a tone that only repeats what they say. */
export interface Standing {
  readonly symbol: SafeText;
  readonly words: SafeText;
  readonly tone: Tone;
  /** It waits, as all do: where there is little room, that goes without saying. */
  readonly isUsual?: true;
}

const standing = (symbol: SafeText, words: SafeText, tone: Tone): Standing => ({ symbol, words, tone });

/**
 * Words a standing so that it never claims more than is known: green and "opened" come from the door's own report and
 * from nothing else (A50).
 */
export function standingOf(request: RequestView, approver: string, now: EpochMs): Standing {
  const { state, report, canary } = request;
  if (canary !== null) return canaryStanding(request, approver);
  if (report !== null) return reported(request, report.outcome, now);
  switch (state) {
    case 'pending':
      return pending(request, approver, now);
    case 'approved':
      return standing(label`○`, label`${approvedBy(request, approver)}, not used yet`, 'accent');
    case 'active':
      return standing(label`○`, label`grant in use, ${leftOfGrant(request, now)}`, 'accent');
    case 'redeemed':
      return standing(label`○`, label`${approvedBy(request, approver)}, no report yet`, 'accent');
    case 'denied':
      return standing(label`✗`, deniedWords(request), 'danger');
    case 'expired':
      return standing(label`·`, label`expired, nobody answered`, 'muted');
    case 'lapsed':
      return standing(label`·`, label`lapsed, never used`, 'muted');
    case 'cancelled':
      return standing(label`·`, label`cancelled`, 'muted');
    case 'revoked':
      return standing(label`✗`, label`revoked`, 'danger');
  }
}

/** It was asked to see who reads: whoever decided on it is told how he did, in words that blame nobody. */
function canaryStanding({ votes }: RequestView, approver: string): Standing {
  const own = votes.find((vote) => vote.approver === approver)?.verdict;
  if (own === 'deny') return standing(label`·`, label`a canary: you caught it`, 'strong');
  if (own === 'approve') return standing(label`▲`, label`a canary: you approved it`, 'warning');
  return standing(label`·`, label`a canary, asked to see who reads`, 'muted');
}
/** Instead of a standing, where what the broker shows does not fit the digests that it gives for it (A62). */
export const DIFFERS: Line = [span(label`▲ do not sign: differs`, 'alarm')];

/** Symbol and words as a line. */
export function standingLine({ symbol, words, tone }: Standing): Line {
  return [span(label`${symbol} `, tone), ...markedSpans(words, tone)];
}

function reported(request: RequestView, outcome: Outcome, now: EpochMs): Standing {
  const { state, report } = request;
  const code = report?.code ?? null;
  const because = code === null ? label`` : label` (${safeText(code, { reading: 'exact' })})`;
  if (outcome === 'observed') return standing(label`·`, label`observed only, door not guarded`, 'warning');
  if (outcome === 'refused') return standing(label`✗`, label`door refused${because}`, 'danger');
  if (state === 'active')
    return standing(label`✓`, label`opened, grant: ${leftOfGrant(request, now)}`, 'good');
  if (state === 'redeemed' || state === 'approved') return standing(label`✓`, label`opened`, 'good');
  return standing(
    label`▲`,
    label`${state === 'revoked' ? label`opened, then revoked` : label`opened, not approved`}`,
    'danger',
  );
}

function pending(request: RequestView, approver: string, now: EpochMs): Standing {
  const { votes, waiting, document, alone } = request;
  if (alone !== null) {
    return standing(label`▲`, label`break-glass: opens alone, ${leftText(alone.opensAt - now)}`, 'alarm');
  }
  if (waiting === 0) return standing(label`○`, label`nobody waiting`, 'warning');
  if (document.requester === approver) return standing(label`●`, label`your own ask`, 'muted');
  if (votes.some((vote) => vote.approver === approver)) {
    return standing(label`●`, label`${progressWords(request)} signed, you among them`, 'muted');
  }
  if (votes.length > 0 || (missingPeople(request.missing) ?? 1) > 1) {
    return standing(label`●`, label`waiting, ${progressWords(request)} signed`, 'accent');
  }
  return { ...standing(label`●`, label`waiting`, 'accent'), isUsual: true };
}

/** How much is left of a grant in use: time, and uses where they are counted. */
function leftOfGrant(request: RequestView, now: EpochMs): SafeText {
  const over = grantOver(request) ?? now;
  const uses = usesLeft(request);
  const time = leftText(over - now);
  return Number.isFinite(uses) ? label`${time}, ${uses} left` : time;
}

/** Who said yes, where one person did; else how many. */
function approvedBy({ votes }: RequestView, approver: string): SafeText {
  const names = votes.filter(({ verdict }) => verdict === 'approve').map((vote) => vote.approver);
  const [first] = names;
  if (first === undefined) return label`approved`;
  if (names.length > 1) return label`approved by ${names.length}`;
  return first === approver
    ? label`approved by you`
    : label`approved by ${safeText(first, { reading: 'exact' })}`;
}

/** How many of how many have signed: `1/2`; just how many where the rule has several ways. */
function progressWords({ votes, missing }: RequestView): SafeText {
  const signed = votes.filter(({ verdict }) => verdict === 'approve').length;
  const more = missingPeople(missing);
  return more === null ? label`${signed}` : label`${signed}/${signed + more}`;
}

function deniedWords({ votes }: RequestView): SafeText {
  const denier = votes.find(({ verdict }) => verdict === 'deny')?.approver;
  return denier === undefined ? label`denied` : label`denied by ${safeText(denier, { reading: 'exact' })}`;
}
