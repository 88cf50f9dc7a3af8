import { formatTime } from '../../src/protocol/time.js';
import type { Report, ReportedRequest } from './report.js';
import { grouped, peopleOf, type RequestFigures, type Waits } from './report-figures.js';

/** A table with a head; times in whole seconds, empty where there is none. Its cells hold what requesters wrote. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a report can be laid out by. */
export const VIEWS = ['decision', 'request', 'person', 'rule', 'door', 'resource', 'requester'] as const;
export type View = (typeof VIEWS)[number];

export function tableOf(report: Report, view: View): Table {
  switch (view) {
    case 'decision':
      return decisions(report);
    case 'request':
      return requests(report);
    case 'person':
      return people(report);
    default:
      return groups(report, view);
  }
}

/** Who approved what: each signed decision with what became of its request. */
function decisions({ decisions: all }: Report): Table {
  return {
    head: [
      'time',
      'person',
      'did',
      'requester',
      'action',
      'resource',
      'door',
      'rule',
      'waited',
      'became',
      'request',
      'comment',
    ],
    rows: all.map(({ at, person, deed, comment, request }) => {
      const { requester, action, resource, door, rule, id, askedAt } = request;
      const waited = seconds(at - askedAt);
      return [
        formatTime(at),
        person,
        deed,
        requester,
        action,
        resource,
        door,
        rule,
        waited,
        fateOf(request),
        id,
        comment,
      ];
    }),
  };
}

function requests({ requests: all }: Report): Table {
  return {
    head: ['time', 'request', 'requester', 'action', 'resource', 'door', 'rule', 'by', 'waited', 'became'],
    rows: all.map((request) => {
      const { askedAt, id, requester, action, resource, door, rule, way, waited } = request;
      return [
        formatTime(askedAt),
        id,
        requester,
        action,
        resource,
        door,
        rule,
        way ?? '',
        seconds(waited),
        fateOf(request),
      ];
    }),
  };
}

function people(report: Report): Table {
  return {
    head: [
      'person',
      'approved',
      'denied',
      'fraud',
      'break-glass',
      'revoked',
      'reviewed',
      'asked',
      'median',
      'p90',
      'longest',
    ],
    rows: peopleOf(report).map(({ person, asked, deeds, waits }) => {
      const { approve, deny, fraud, alone, revoke, review } = deeds;
      return [
        person,
        ...[approve, deny, fraud, alone, revoke, review, asked].map(String),
        ...waitCells(waits),
      ];
    }),
  };
}

function groups({ requests: all }: Report, by: 'rule' | 'door' | 'resource' | 'requester'): Table {
  return {
    head: [by, ...FIGURES.map(([name]) => name), 'median', 'p90', 'longest'],
    rows: grouped(all, (request) => request[by]).map(({ key, figures }) => [
      key,
      ...FIGURES.map(([, field]) => String(figures[field])),
      ...waitCells(figures.waits),
    ]),
  };
}

/** The figures of a group of requests by the names of their columns. */
export const FIGURES: readonly (readonly [string, Exclude<keyof RequestFigures, 'waits'>])[] = [
  ['asked', 'asked'],
  ['approved', 'approved'],
  ['grant', 'underGrant'],
  ['automatic', 'automatic'],
  ['break-glass', 'alone'],
  ['denied', 'denied'],
  ['expired', 'expired'],
  ['cancelled', 'cancelled'],
  ['lapsed', 'lapsed'],
  ['revoked', 'revoked'],
  ['opened', 'opened'],
  ['erased', 'erased'],
];

const fateOf = ({ fate, opened }: ReportedRequest): string =>
  opened && fate === 'redeemed' ? 'opened' : fate;

const waitCells = (waits: Waits | null): readonly string[] => [
  seconds(waits?.median ?? null),
  seconds(waits?.p90 ?? null),
  seconds(waits?.longest ?? null),
];

const seconds = (ms: number | null): string => (ms === null ? '' : String(Math.round(ms / 1000)));
