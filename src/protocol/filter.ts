import type { RequestDocument } from './document.js';
import { anywhere, fits, foldCase, type Glob } from './glob.js';
import type { RequestId } from './names.js';
import { isLive, OUTCOMES, type Outcome, REQUEST_STATES, type RequestState } from './request-view.js';
import type { EpochMs } from './time.js';

/** What a term can look at. `word` is a term without a key: it is looked for in several of them. */
export const TEXT_KEYS = [
  'person',
  'requester',
  'approver',
  'submitter',
  'action',
  'resource',
  'door',
  'id',
  'word',
] as const;
export type TextKey = (typeof TEXT_KEYS)[number];

/** What a request turned out to be: what its door said that it did, or a canary, which no door ever opens. */
export type Upshot = Outcome | 'canary';

/** What `state:` takes: a state, what a request turned out to be, or whether something can still happen. */
export const STANDINGS = [...REQUEST_STATES, ...OUTCOMES, 'canary', 'live', 'ended'] as const;
export type Standing = (typeof STANDINGS)[number];

export const VERDICTS = ['approve', 'deny'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Fits where one of `any` does, or, with `not`, where none does. */
interface Choice<Key extends string, Value> {
  readonly key: Key;
  readonly not: boolean;
  readonly any: readonly Value[];
}

export type TextTerm = Choice<TextKey, Glob>;
export type StateTerm = Choice<'state', Standing>;
export type VerdictTerm = Choice<'verdict', Verdict>;

/** When it was asked: `since` a time or later, `until` just before a time. Whole seconds. */
export interface TimeTerm {
  readonly key: 'since' | 'until';
  readonly at: EpochMs;
}

export type Term = TextTerm | StateTerm | VerdictTerm | TimeTerm;

/**
 * Which requests are meant: those that fit every term. Written and read by filter-text.ts.
 *
 * `verdict:` says of which votes `approver:` and `person:` speak: `approver:bob verdict:deny` is what bob denied. It stands
 * at most once without a `-`; what begins with `-` speaks of all votes.
 */
export interface Filter {
  readonly terms: readonly Term[];
}

/** Fits every request. */
export const EVERYTHING: Filter = { terms: [] };

/** The term that fits one text alone. */
export const exactly = (key: Exclude<TextKey, 'word'>, text: string): TextTerm => ({
  key,
  not: false,
  any: [[foldCase(text)]],
});

/** What of a request a filter can see. */
export interface FilterSubject {
  /** Tells too when it was asked: {@link askedAt}. */
  readonly id: RequestId;
  readonly state: RequestState;
  readonly outcome: Upshot | null;
  readonly requester: string;
  readonly submitter: string;
  readonly action: string;
  readonly resource: string;
  readonly door: string;
  /** null where it is not loaded, or there is none. */
  readonly reason: string | null;
  readonly votes: readonly { readonly approver: string; readonly verdict: Verdict }[];
}

/** How many characters of a reason a search sees. */
const REASON_SEEN = 256;

/** The part of a reason that a search sees: its beginning, and nothing after a NUL, which ends a text in SQLite's LIKE. */
export const seenReason = (reason: string): string =>
  [...(reason.slice(0, 2 * REASON_SEEN).split('\0', 1)[0] ?? '')].slice(0, REASON_SEEN).join('');

/** What a filter sees of a request as the broker keeps it, or as it shows it to approvers. */
export function subjectOf(request: {
  readonly id: RequestId;
  readonly state: RequestState;
  readonly report: { readonly outcome: Outcome } | null;
  readonly canary: EpochMs | null;
  readonly submitter: string;
  readonly document: RequestDocument;
  readonly votes: FilterSubject['votes'];
}): FilterSubject {
  const { id, state, report, canary, submitter, votes } = request;
  const { requester, action, resource, door, context } = request.document;
  const reason = typeof context.reason === 'string' ? seenReason(context.reason) : null;
  return {
    id,
    state,
    outcome: canary === null ? (report?.outcome ?? null) : 'canary',
    requester,
    submitter,
    action,
    resource,
    door,
    reason,
    votes,
  };
}

/** Whether a request fits. */
export function matchesFilter({ terms }: Filter, subject: FilterSubject): boolean {
  const verdicts = countedVerdicts(terms);
  const counted = subject.votes.filter(({ verdict }) => verdicts.includes(verdict));
  return terms.every((term) => {
    if ('at' in term)
      return term.key === 'since' ? askedAt(subject.id) >= term.at : askedAt(subject.id) < term.at;
    return term.not ? !holds(term, subject, subject.votes) : holds(term, subject, counted);
  });
}

/** The verdicts of the votes that terms without a `-` speak of. */
export const countedVerdicts = (terms: readonly Term[]): readonly Verdict[] =>
  terms.find((term): term is VerdictTerm => term.key === 'verdict' && !term.not)?.any ?? VERDICTS;

function holds(
  term: TextTerm | StateTerm | VerdictTerm,
  subject: FilterSubject,
  votes: FilterSubject['votes'],
): boolean {
  switch (term.key) {
    case 'state':
      return term.any.some((standing) => stands(standing, subject));
    case 'verdict':
      return term.any.some((verdict) => votes.some((vote) => vote.verdict === verdict));
    case 'word':
      return textsOf(term.key, subject, votes).some((text) =>
        term.any.some((glob) => fits(anywhere(glob), text)),
      );
    default:
      return textsOf(term.key, subject, votes).some((text) => term.any.some((glob) => fits(glob, text)));
  }
}

function stands(standing: Standing, { state, outcome }: FilterSubject): boolean {
  if (standing === 'live') return isLive(state);
  if (standing === 'ended') return !isLive(state);
  return standing === state || standing === outcome;
}

/** What a term is held against, with its case folded; names have no capitals. */
function textsOf(key: TextKey, subject: FilterSubject, votes: FilterSubject['votes']): readonly string[] {
  const { id, requester, action, resource, reason } = subject;
  switch (key) {
    case 'person':
      return [requester, ...votes.map(({ approver }) => approver)];
    case 'approver':
      return votes.map(({ approver }) => approver);
    case 'word':
      return [action, resource, requester, reason ?? '', id].map(foldCase);
    default:
      return [foldCase(subject[key])];
  }
}

/** Crockford's base 32, as ULIDs use it. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_DIGITS = 10;
const LATEST = 2 ** 48 - 1;

/** When a request was asked: the time in its id (https://github.com/ulid/spec). */
export const askedAt = (id: RequestId): EpochMs =>
  [...id.slice(0, TIME_DIGITS)].reduce((time, digit) => time * 32 + DIGITS.indexOf(digit), 0);

/** The least id of what was asked at a time or later. */
export function leastIdAt(time: EpochMs): RequestId {
  let rest = Math.min(Math.max(0, Math.ceil(time)), LATEST);
  let digits = '';
  for (let count = 0; count < TIME_DIGITS; count += 1) {
    digits = `${DIGITS[rest % 32]}${digits}`;
    rest = Math.floor(rest / 32);
  }
  return digits.padEnd(26, '0') as RequestId;
}

/** The span of time that a filter leaves open; null where it has no end. */
export function timeSpan({ terms }: Filter): {
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
} {
  const times = (key: TimeTerm['key']) => terms.flatMap((term) => (term.key === key ? [term.at] : []));
  const [since, until] = [times('since'), times('until')];
  return {
    since: since.length === 0 ? null : Math.max(...since),
    until: until.length === 0 ? null : Math.min(...until),
  };
}
