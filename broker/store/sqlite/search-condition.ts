import {
  countedVerdicts,
  type Filter,
  leastIdAt,
  type StateTerm,
  type Term,
  type TextTerm,
  timeSpan,
  VERDICTS,
  type Verdict,
  type VerdictTerm,
} from '../../../src/protocol/filter.js';
import { anywhere, type Glob } from '../../../src/protocol/glob.js';
import { isLive, REQUEST_STATES } from '../../../src/protocol/request-view.js';

/** A condition on a row of `request_search`. All that anybody wrote stands in the parameters. */
export interface Condition {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** Columns that hold the names of those who voted, each with a space before and after it. */
const VOTERS: Readonly<Record<Verdict, string>> = { approve: 'approved', deny: 'denied' };
const WORD_COLUMNS = ['action', 'resource', 'requester', 'reason', 'id'];
const LIVE = REQUEST_STATES.filter(isLive);

/** What {@link matchesFilter} wants, times left out: they are in {@link idSpan}. */
export function conditionOf({ terms }: Filter): Condition {
  const counted = countedVerdicts(terms);
  return all(
    terms.flatMap((term) => {
      if ('at' in term) return [];
      return [term.not ? not(termCondition(term, VERDICTS)) : termCondition(term, counted)];
    }),
  );
}

/** All ids that can fit: from one on, and below another. */
export function idSpan(filter: Filter): { readonly from: string; readonly below: string } {
  const { since, until } = timeSpan(filter);
  const spans = filter.terms.filter(isIdTerm).map(({ any: globs }) => {
    const starts = globs.map(([start]) => start.toUpperCase());
    const ends = starts.map((start) => `${start}${AFTER_ALL}`);
    return { from: starts.sort()[0] ?? '', below: ends.sort().at(-1) ?? AFTER_ALL };
  });
  const froms = [since === null ? '' : leastIdAt(since), ...spans.map(({ from }) => from)];
  const belows = [until === null ? AFTER_ALL : leastIdAt(until), ...spans.map(({ below }) => below)];
  return { from: froms.sort().at(-1) ?? '', below: belows.sort()[0] ?? AFTER_ALL };
}

/** Sorts after every ULID, and after every one that begins with what stands before it. */
const AFTER_ALL = '~';

const isIdTerm = (term: Term): term is TextTerm => term.key === 'id' && !term.not;

function termCondition(term: TextTerm | StateTerm | VerdictTerm, verdicts: readonly Verdict[]): Condition {
  switch (term.key) {
    case 'state':
      return any(term.any.map(standingCondition));
    case 'verdict':
      return any(term.any.map((verdict) => ({ sql: `${VOTERS[verdict]} <> ''`, parameters: [] })));
    default:
      return any(term.any.map((glob) => globCondition(term.key, glob, verdicts)));
  }
}

function standingCondition(standing: StateTerm['any'][number]): Condition {
  if (standing === 'live') return isOneOf('state', LIVE);
  if (standing === 'ended') return not(isOneOf('state', LIVE));
  return any([isOneOf('state', [standing]), isOneOf('outcome', [standing])]);
}

function globCondition(key: TextTerm['key'], glob: Glob, verdicts: readonly Verdict[]): Condition {
  switch (key) {
    case 'word':
      return any(WORD_COLUMNS.map((column) => like(column, anywhere(glob))));
    case 'approver':
      return any(verdicts.map((verdict) => hasVoter(VOTERS[verdict], glob)));
    case 'person':
      return any([like('requester', glob), ...verdicts.map((verdict) => hasVoter(VOTERS[verdict], glob))]);
    default:
      return like(key, glob);
  }
}

/** LIKE tells A–Z and a–z not apart, as {@link foldCase}. */
const like = (column: string, glob: Glob): Condition => ({
  sql: `${column} LIKE ? ESCAPE '\\'`,
  parameters: [glob.map(escaped).join('%')],
});

/** A star inside a name could reach into the next one in a plain LIKE: then each name is looked at by itself. */
function hasVoter(column: string, glob: Glob): Condition {
  const literals = glob.filter((literal) => literal !== '');
  if (literals.length === 0) return { sql: `${column} <> ''`, parameters: [] };
  if (literals.length === 1) {
    const [start, end] = [glob[0] === '' ? '' : ' ', glob.at(-1) === '' ? '' : ' '];
    return like(column, ['', `${start}${literals[0]}${end}`, '']);
  }
  const names = `json_each('["' || replace(trim(${column}), ' ', '","') || '"]')`;
  const { sql, parameters } = like('value', glob);
  return { sql: `EXISTS (SELECT 1 FROM ${names} WHERE ${sql})`, parameters };
}

const escaped = (literal: string): string => literal.replace(/[\\%_]/g, '\\$&');

const isOneOf = (column: string, values: readonly string[]): Condition => ({
  sql: `${column} IN (${values.map(() => '?').join()})`,
  parameters: values,
});

const not = ({ sql, parameters }: Condition): Condition => ({ sql: `NOT (${sql})`, parameters });
const any = (conditions: readonly Condition[]): Condition => joined(conditions, ' OR ', 'FALSE');
const all = (conditions: readonly Condition[]): Condition => joined(conditions, ' AND ', 'TRUE');

function joined(conditions: readonly Condition[], by: string, none: string): Condition {
  if (conditions.length === 0) return { sql: none, parameters: [] };
  return {
    sql: conditions.map(({ sql }) => `(${sql})`).join(by),
    parameters: conditions.flatMap(({ parameters }) => parameters),
  };
}
