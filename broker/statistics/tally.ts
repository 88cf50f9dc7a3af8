import * as z from 'zod';
import type { Name } from '../../src/protocol/names.js';
import type { RequestState } from '../../src/protocol/request-view.js';
import {
  type DecisionWaits,
  MOST_ROWS,
  type OutcomeCounts,
  type Statistics,
} from '../../src/protocol/statistics.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { RequestOutcome } from '../store/store.js';
import { zonedHours } from './zoned-hours.js';

type Counts = { -readonly [Field in keyof OutcomeCounts]: number };
type Figures = Omit<Statistics, 'since' | 'until' | 'reach' | 'zone'>;

/** What one approver did. */
interface Load {
  approved: number;
  denied: number;
  readonly waits: number[];
}

/** Counts requests, in any order, each once. */
export class Tally {
  readonly #placeOf: ReturnType<typeof zonedHours>;
  readonly #all = nothing();
  #passed = 0;
  /** In ms. */
  readonly #waits: number[] = [];
  readonly #approvers = new Map<Name, Load>();
  readonly #rules = new Map<string, Counts>();
  readonly #ruleNames = new Map<string, string>();
  readonly #hours = Array.from({ length: 24 }, nothing);
  readonly #days = new Map<string, Counts>();

  /** @param zone an IANA name that is known here */
  constructor(zone: string) {
    this.#placeOf = zonedHours(zone);
  }

  add(request: RequestOutcome): void {
    const end = endOf(request);
    const { day, hour } = this.#placeOf(request.askedAt);
    const hours = this.#hours[hour] ?? nothing();
    const groups = [
      this.#all,
      hours,
      counts(this.#days, day),
      counts(this.#rules, this.#ruleName(request.rule)),
    ];
    for (const group of groups) {
      group.asked += 1;
      if (end === 'approved' || end === 'denied' || end === 'expired') group[end] += 1;
    }
    if (end === 'passed') this.#passed += 1;
    const decided = decidedAt(request, end);
    if (decided !== null) this.#waits.push(waited(request, decided));
    // The votes of what passed under a grant are those of the grant, and counted there.
    if (request.grant === null) this.#addVotes(request);
  }

  /** All figures; days from `since` to `until`, also those on which nothing was asked. */
  figures(since: EpochMs, until: EpochMs): Figures {
    const approvers = [...this.#approvers].map(([name, { approved, denied, waits }]) => ({
      name,
      approved,
      denied,
      p50: inSeconds(rank(waits.sort(ascending), 0.5)),
    }));
    const rules = [...this.#rules].map(([rule, group]) => ({ rule, ...group }));
    return {
      ...this.#all,
      passed: this.#passed,
      waits: waitsOf(this.#waits),
      approvers: approvers
        .sort((a, b) => b.approved + b.denied - a.approved - a.denied || compare(a.name, b.name))
        .slice(0, MOST_ROWS),
      rules: rules.sort((a, b) => b.asked - a.asked || compare(a.rule, b.rule)).slice(0, MOST_ROWS),
      hours: this.#hours,
      days: this.#daysBetween(since, until).map((day) => ({ day, ...(this.#days.get(day) ?? nothing()) })),
    };
  }

  #addVotes({ votes, askedAt }: RequestOutcome): void {
    for (const { approver, verdict, decided } of votes) {
      const load = this.#approvers.get(approver) ?? { approved: 0, denied: 0, waits: [] };
      this.#approvers.set(approver, load);
      load[verdict === 'approve' ? 'approved' : 'denied'] += 1;
      load.waits.push(Math.max(0, decided - askedAt));
    }
  }

  #ruleName(text: string): string {
    const known = this.#ruleNames.get(text);
    if (known !== undefined) return known;
    const name = nameIn(text);
    this.#ruleNames.set(text, name);
    return name;
  }

  /** By the calendar alone: a day of it is a day, however many hours the clocks give it. */
  #daysBetween(since: EpochMs, until: EpochMs): readonly string[] {
    const days: string[] = [];
    const last = Date.parse(this.#placeOf(until).day);
    for (let day = Date.parse(this.#placeOf(since).day); day <= last; day += DAY) {
      days.push(new Date(day).toISOString().slice(0, '2026-01-31'.length));
    }
    return days;
  }
}

const DAY = 86_400_000;

const nothing = (): Counts => ({ asked: 0, approved: 0, denied: 0, expired: 0 });

function counts(groups: Map<string, Counts>, key: string): Counts {
  const group = groups.get(key) ?? nothing();
  groups.set(key, group);
  return group;
}

/** How a request came out; null for what still waits or was taken back before an answer. */
type End = 'approved' | 'passed' | 'denied' | 'expired' | null;

/** States to which an approval leads. */
const APPROVED: readonly RequestState[] = ['approved', 'active', 'redeemed', 'lapsed', 'revoked'];

function endOf({ state, votes, grant, alone }: RequestOutcome): End {
  if (state === 'denied' || state === 'expired') return state;
  if (!APPROVED.includes(state)) return null;
  const isSigned = votes.some(({ verdict }) => verdict === 'approve');
  return grant === null && !alone && isSigned ? 'approved' : 'passed';
}

/** When the last signature came that the end hangs on; null where it hangs on none. */
function decidedAt({ votes }: RequestOutcome, end: End): EpochMs | null {
  if (end !== 'approved' && end !== 'denied') return null;
  const verdict = end === 'approved' ? 'approve' : 'deny';
  const times = votes.filter((vote) => vote.verdict === verdict).map(({ decided }) => decided);
  return times.length === 0 ? null : Math.max(...times);
}

/** The clock of who signed may be behind the broker's. */
const waited = ({ askedAt }: RequestOutcome, decided: EpochMs): number => Math.max(0, decided - askedAt);

function waitsOf(waits: number[]): DecisionWaits | null {
  if (waits.length === 0) return null;
  waits.sort(ascending);
  const at = (share: number): number => inSeconds(rank(waits, share));
  return { decisions: waits.length, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(share * sorted.length) - 1] ?? 0;

const ruleText = z.object({ name: z.string().max(256) });

function nameIn(rule: string): string {
  const read = ruleText.safeParse(JSON.parse(rule));
  return read.success ? read.data.name : '-';
}

const inSeconds = (ms: number): number => Math.round(ms / 1000);
const ascending = (a: number, b: number): number => a - b;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
