import type { Deed, Report, ReportedDecision, ReportedRequest } from './report.js';

/** Waiting times in ms: half of them at most `median`, nine of ten at most `p90`. Null where nobody has waited. */
export interface Waits {
  readonly median: number;
  readonly p90: number;
  readonly longest: number;
}

/** Requests that have something in common, and what became of them. */
export interface RequestFigures {
  readonly asked: number;
  /** Signed by the people whom the rule asks for. */
  readonly approved: number;
  readonly underGrant: number;
  readonly automatic: number;
  /** Break-glass that went through: the requester alone. */
  readonly alone: number;
  readonly denied: number;
  /** Nobody answered in time. */
  readonly expired: number;
  readonly cancelled: number;
  /** Approved, and never used. */
  readonly lapsed: number;
  readonly revoked: number;
  /** Their doors said that they opened. */
  readonly opened: number;
  /** Kept long enough: what became of them is not in the log any more. */
  readonly erased: number;
  readonly waits: Waits | null;
}

/** What one person did. */
export interface PersonFigures {
  readonly person: string;
  readonly asked: number;
  readonly deeds: Readonly<Record<Deed, number>>;
  /** From the ask until this person's yes or no. */
  readonly waits: Waits | null;
}

export const figuresOf = (requests: readonly ReportedRequest[]): RequestFigures => {
  const count = (test: (request: ReportedRequest) => boolean): number => requests.filter(test).length;
  return {
    asked: requests.length,
    approved: count(({ way }) => way === 'signed'),
    underGrant: count(({ way }) => way === 'grant'),
    automatic: count(({ way }) => way === 'automatic'),
    alone: count(({ way }) => way === 'alone'),
    denied: count(({ fate }) => fate === 'denied'),
    expired: count(({ fate }) => fate === 'expired'),
    cancelled: count(({ fate }) => fate === 'cancelled'),
    lapsed: count(({ fate }) => fate === 'lapsed'),
    revoked: count(({ fate }) => fate === 'revoked'),
    opened: count(({ opened }) => opened),
    erased: count(({ fate }) => fate === 'erased'),
    waits: waitsOf(requests.flatMap(({ waited }) => (waited === null ? [] : [waited]))),
  };
};

/** By what they have in common, the most asked first. */
export function grouped(
  requests: readonly ReportedRequest[],
  key: (request: ReportedRequest) => string,
): readonly { readonly key: string; readonly figures: RequestFigures }[] {
  return [...Map.groupBy(requests, key)]
    .map(([name, members]) => ({ key: name, figures: figuresOf(members) }))
    .sort((a, b) => b.figures.asked - a.figures.asked || compare(a.key, b.key));
}

/** Everybody who signed or asked, those who signed most first. */
export function peopleOf({ requests, decisions }: Report): readonly PersonFigures[] {
  const signed = Map.groupBy(decisions, ({ person }) => person);
  const asked = Map.groupBy(requests, ({ requester }) => requester);
  return [...new Set([...signed.keys(), ...asked.keys()])]
    .map((person) => personFigures(person, asked.get(person)?.length ?? 0, signed.get(person) ?? []))
    .sort((a, b) => total(b) - total(a) || b.asked - a.asked || compare(a.person, b.person));
}

function personFigures(person: string, asked: number, decisions: readonly ReportedDecision[]): PersonFigures {
  const deeds: Record<Deed, number> = { approve: 0, deny: 0, fraud: 0, alone: 0, revoke: 0, review: 0 };
  for (const { deed } of decisions) deeds[deed] += 1;
  const answers = decisions.filter(({ deed }) => deed === 'approve' || deed === 'deny' || deed === 'fraud');
  return { person, asked, deeds, waits: waitsOf(answers.map(({ at, request }) => at - request.askedAt)) };
}

const total = ({ deeds }: PersonFigures): number =>
  Object.values(deeds).reduce((sum, count) => sum + count, 0);

/** By nearest rank: each figure is one that somebody has waited. */
export function waitsOf(times: readonly number[]): Waits | null {
  if (times.length === 0) return null;
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { median: rank(0.5), p90: rank(0.9), longest: rank(1) };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
