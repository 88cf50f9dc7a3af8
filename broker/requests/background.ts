import {
  type Background,
  EARLIER_DECISIONS,
  type EarlierDecision,
  MAX_ADDRESS_CHARS,
  type Unusual,
} from '../../src/protocol/background.js';
import type { RequestDocument } from '../../src/protocol/document.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestState } from '../../src/protocol/request-view.js';
import type { Person } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import { lookAlike } from './look-alike.js';
import type { Request } from './request.js';

/** What was asked before in the name of the same requester. */
export interface Past {
  /** Older than the request that they are the past of, the newest first. */
  readonly asks: readonly Request[];
  /** See {@link Background}. */
  readonly since: EpochMs;
  readonly reach: Background['reach'];
}

/** By whom, where and when a request is read. */
export interface BackgroundPlace {
  /** Who stands behind the requester in the roster; null for nobody. */
  readonly person: Person | null;
  readonly roster: Iterable<Person>;
  /** The reader's time zone, an IANA name that is known here. */
  readonly zone: string;
}

const DAY = 86_400_000;
const MINUTES_A_DAY = 1440;
/** Fewer asks tell nothing of the hours at which somebody asks. */
const HABIT_ASKS = 10;
/** So near another one, in minutes, an hour of the day is no other one. */
const SAME_HOUR_MINUTES = 60;

/** What is unusual about a request, and what was decided before on the same scope. Pure; it finds fault or nothing, and lowers no guard. */
export function backgroundOf(request: Request, past: Past, place: BackgroundPlace): Background {
  const { since, reach } = past;
  // Nobody asked for a canary. One that was denied stays: who asks must not be able to hide a denial afterwards (A20).
  const asks = past.asks.filter(({ canary, state }) => canary === null || state === 'denied');
  const usual = asks.filter((ask) => isUsual(ask, place.person));
  return {
    isPerson: place.person !== null,
    since,
    reach,
    asks: asks.length,
    approved: usual.length,
    earlier: earlierDecisions(request, asks),
    unusual: [
      ...lookAlikes(request.document.requester, place),
      ...denials(request, asks),
      ...firsts(request, usual, place.zone),
    ],
  };
}

const PASSED: readonly RequestState[] = ['approved', 'active', 'redeemed', 'lapsed'];

/**
 * Whether an ask makes what it asked usual: somebody else approved it, nobody took that back, and no door refused it or only
 * watched. What a rule lets pass alone, or the requester himself, was looked at by nobody.
 */
export function isUsual({ state, votes, report, document }: Request, person: Person | null): boolean {
  const isOwn = (approver: Name): boolean => approver === document.requester || approver === person?.name;
  return (
    PASSED.includes(state) &&
    (report === null || report.outcome === 'opened') &&
    votes.every(({ verdict }) => verdict === 'approve') &&
    votes.some(({ approver }) => !isOwn(approver))
  );
}

/** What passed under a grant was not decided by itself: the decision is the grant's. */
function earlierDecisions({ scope }: Request, asks: readonly Request[]): readonly EarlierDecision[] {
  return asks
    .filter((ask) => ask.scope === scope && ask.grant === null)
    .flatMap(({ id, votes, report }) =>
      votes.map(({ approver, verdict, decided }) => ({
        request: id,
        approver,
        verdict,
        decided,
        report: report === null ? null : { outcome: report.outcome, code: report.code, at: report.at },
      })),
    )
    .sort((one, other) => other.decided - one.decided)
    .slice(0, EARLIER_DECISIONS);
}

function lookAlikes(requester: Name, { person, roster }: BackgroundPlace): readonly Unusual[] {
  const found = lookAlike(requester, person, roster);
  return found === null ? [] : [{ code: 'look-alike', requester, ...found }];
}

/** Counted while the request was open: a clock that ran ahead for a while does not hide a denial. */
function denials({ submittedAt, endedAt }: Request, asks: readonly Request[]): readonly Unusual[] {
  const count = asks.filter(({ votes }) =>
    votes.some(
      ({ verdict, decided }) =>
        verdict === 'deny' && decided > submittedAt - DAY && (endedAt === null || decided <= endedAt),
    ),
  ).length;
  return count === 0 ? [] : [{ code: 'denied', asks: count }];
}

function firsts(request: Request, usual: readonly Request[], zone: string): readonly Unusual[] {
  if (usual.length === 0) return [{ code: 'nothing-approved' }];
  const { document, submitter, vouched, submittedAt } = request;
  const address = addressOf(document);
  return [
    ...(address !== null && !usual.some((ask) => addressOf(ask.document) === address)
      ? [{ code: 'new-address' as const, address, submitter, signed: vouched !== null }]
      : []),
    ...newHour(submittedAt, usual, zone),
    ...(usual.some((ask) => ask.submitter === submitter)
      ? []
      : [{ code: 'new-submitter' as const, submitter }]),
    ...(usual.some((ask) => ask.document.resource === document.resource)
      ? []
      : [{ code: 'new-resource' as const }]),
  ];
}

/** Where the requester comes from, as the submitter wrote it; null where it wrote none. */
function addressOf({ details }: RequestDocument): string | null {
  const { source } = details;
  return typeof source === 'string' && source !== '' && source.length <= MAX_ADDRESS_CHARS ? source : null;
}

function newHour(submittedAt: EpochMs, usual: readonly Request[], zone: string): readonly Unusual[] {
  if (usual.length < HABIT_ASKS) return [];
  const minuteOf = minutesIn(zone);
  const minute = minuteOf(submittedAt);
  const isNear = (other: number): boolean => {
    const apart = Math.abs(minute - other);
    return Math.min(apart, MINUTES_A_DAY - apart) <= SAME_HOUR_MINUTES;
  };
  if (usual.some((ask) => isNear(minuteOf(ask.submittedAt)))) return [];
  const twoDigits = (number: number): string => String(number).padStart(2, '0');
  return [{ code: 'new-hour', at: `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`, zone }];
}

/** The minute of the day in a time zone. */
function minutesIn(timeZone: string): (time: EpochMs) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    numberingSystem: 'latn',
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (time) => {
    const parts = format.formatToParts(time);
    const part = (type: 'hour' | 'minute'): number =>
      Number(parts.find((found) => found.type === type)?.value);
    return part('hour') * 60 + part('minute');
  };
}
