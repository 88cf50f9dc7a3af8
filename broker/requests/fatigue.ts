import type { Name } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { type EpochMs, formatTime } from '../../src/protocol/time.js';
import { inForce, type Restraints, type Strikes, strikesKey } from './restraints.js';

/** When denials mute, and for how long; times in ms by the broker's clock. */
export interface FatigueLimits {
  /** So many denials within the window mute a requester for a resource. */
  readonly mutingDenials: number;
  readonly denialWindowMs: number;
  readonly muteMs: number;
}

/** One requester, as he is counted, asking for one resource. */
export interface Pair {
  readonly requester: Name;
  readonly resource: string;
}

/** What a denial makes of the restraints; `muted` tells until when the pair is muted by it, null where it is not. */
export function struck(
  restraints: Restraints,
  { requester, resource }: Pair,
  now: EpochMs,
  { mutingDenials, denialWindowMs, muteMs }: FatigueLimits,
): { readonly restraints: Restraints; readonly muted: EpochMs | null } {
  const standing = strikesOf(restraints, { requester, resource });
  const recent = (standing?.denials ?? []).filter((at) => at > now - denialWindowMs);
  const denials = [...recent, now].slice(-mutingDenials);
  const muted = denials.length >= mutingDenials ? now + muteMs : null;
  const mutedUntil = muted ?? standing?.mutedUntil ?? null;
  const expires = Math.max(now + denialWindowMs, mutedUntil ?? 0);
  const strikes: Strikes = { kind: 'strikes', requester, resource, denials, mutedUntil, expires };
  const others = inForce(restraints, now);
  return { restraints: new Map([...others, [strikesKey(requester, resource), strikes]]), muted };
}

/** An approval shows that the pair may be asked about: its denials are forgotten. The same map where there are none. */
export function forgiven(restraints: Restraints, { requester, resource }: Pair): Restraints {
  const key = strikesKey(requester, resource);
  if (!restraints.has(key)) return restraints;
  return new Map([...restraints].filter(([other]) => other !== key));
}

/** Until when a pair is muted; null where it is not. */
export function mutedUntil(restraints: Restraints, pair: Pair, now: EpochMs): EpochMs | null {
  const until = strikesOf(restraints, pair)?.mutedUntil ?? null;
  return until !== null && until > now ? until : null;
}

/** @throws Problem `muted` that says until when, why, and what a person can do */
export function checkNotMuted(restraints: Restraints, pair: Pair, now: EpochMs): void {
  const until = mutedUntil(restraints, pair, now);
  if (until === null) return;
  const { requester, resource } = pair;
  throw new Problem(
    'muted',
    `${requester} was denied ${JSON.stringify(resource)} repeatedly and may not ask for it until ${formatTime(until)}`,
    {
      hint: `call an approver, who lifts it with: countersign unlock ${requester}`,
      retryAfter: Math.ceil((until - now) / 1000),
    },
  );
}

function strikesOf(restraints: Restraints, { requester, resource }: Pair): Strikes | null {
  const found = restraints.get(strikesKey(requester, resource));
  return found?.kind === 'strikes' ? found : null;
}
