import type { RequestStatus, VoteView } from './request-view.js';
import { type EpochMs, formatTime } from './time.js';

/** What a vote says of how much it allows. */
export type Terms = Pick<VoteView, 'verdict' | 'covers' | 'notAfter' | 'duration' | 'uses'>;

/** What tells how much of an approval is left, as the broker keeps it and as it shows it. */
export interface Allowance extends Pick<RequestStatus, 'redeemedAt' | 'grant' | 'uses'> {
  readonly votes: readonly Terms[];
}

/** What votes are worth together: their earliest end, shortest work and fewest uses, as doors count them. */
export interface Worth {
  readonly covers: 'request' | 'scope';
  /** First use must lie before this; infinite without votes. */
  readonly notAfter: EpochMs;
  /** Seconds of work from first use; 0 for none. */
  readonly duration: number;
  /** 0 is any number. */
  readonly uses: number;
}

/** Where nobody had to sign. */
const ONE_USE: Worth = { covers: 'request', notAfter: Number.POSITIVE_INFINITY, duration: 0, uses: 1 };

/** @param votes all with equal `covers` */
export function worthOf(votes: readonly Terms[]): Worth {
  const yes = votes.filter(({ verdict }) => verdict === 'approve');
  const [first] = yes;
  if (first === undefined) return ONE_USE;
  const limited = yes.map(({ uses }) => uses).filter((uses) => uses !== 0);
  return {
    covers: first.covers,
    notAfter: Math.min(...yes.map(({ notAfter }) => notAfter)),
    duration: Math.min(...yes.map(({ duration }) => duration)),
    uses: limited.length === 0 ? 0 : Math.min(...limited),
  };
}

/** Whether its votes cover later equal asks too. One that passes under a grant is none itself. */
export const isGrant = (request: Allowance): boolean =>
  request.grant === null && worthOf(request.votes).covers === 'scope';

/** When the time of a grant is over; null before its first use, until when its `claimBy` holds. */
export function grantOver({ redeemedAt, votes }: Allowance): EpochMs | null {
  if (redeemedAt === null) return null;
  const { duration, notAfter } = worthOf(votes);
  return duration === 0 ? notAfter : redeemedAt + duration * 1000;
}

/** How many uses a grant still has; infinite for any number. */
export function usesLeft({ votes, uses }: Allowance): number {
  const most = worthOf(votes).uses;
  return most === 0 ? Number.POSITIVE_INFINITY : most - uses;
}

/** Why an active grant ends by itself at this time; null where it does not. */
export function grantEnd(grant: Allowance, now: EpochMs): string | null {
  const over = grantOver(grant);
  if (over !== null && now >= over) return `the time of the grant was over at ${formatTime(over)}`;
  if (usesLeft(grant) <= 0) return `all uses of the grant were made: ${grant.uses}`;
  return null;
}
