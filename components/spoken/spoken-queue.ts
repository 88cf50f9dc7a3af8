import { changesBetween } from '../../src/client/persistent-map.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { examine } from '../detail/examination.js';
import { readersByRow } from '../queue/readers.js';
import {
  brokerNow,
  type ConsoleState,
  isLiveLink,
  selectedRequest,
  selectedRow,
} from '../state/console-state.js';
import { talkNote } from '../talk/comment-lines.js';
import { ageText } from '../text/clock-text.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { joinText, label, type Reading, safeText } from '../text/safe-text.js';
import { plainText } from './plain-line.js';
import { fact, leftFact, requestName, standingWords } from './spoken-request.js';

/** So many are named when several come or change at once; the others are counted. */
const NAMED = 5;

/** The row under the cursor, a fact a line; none where there is no row. */
export function rowFacts(state: ConsoleState): readonly Line[] {
  const request = selectedRequest(state);
  const row = selectedRow(state);
  if (request === null || row === null) return [];
  const at = (state.rows.indexOf.get(request.id) ?? 0) + 1;
  const { differences, bound } = examine(request);
  const warning: readonly Line[] = differences.map((words) => [
    span(label`▲ Do not sign: ${words}`, 'alarm'),
  ]);
  const place = fact(label`Row ${at} of ${state.rows.rows.length}`, requestName(request));
  if (bound === null) return [place, ...warning];
  const { door, context } = bound.document;
  const readers = readersByRow(state).get(row) ?? [];
  const talk = row.section === 'pending' ? talkNote(request) : [];
  const text = (raw: string, reading: Reading): Line => markedSpans(safeText(raw, { reading }));
  const hasReason = typeof context.reason === 'string' && context.reason !== '';
  return [
    place,
    ...warning,
    fact(label`state`, standingWords(request, state)),
    ...leftFact(request, state),
    fact(label`asked`, [span(label`${ageText(brokerNow(state) - request.submittedAt)} ago`)]),
    fact(label`door`, text(door, 'exact')),
    fact(label`reason`, hasReason ? text(String(context.reason), 'prose') : [span(label`none given`)]),
    ...(row.members.length > 1 ? [fact(label`equal asks`, [span(label`${row.members.length}`)])] : []),
    ...(row.isSnoozed ? [fact(label`snoozed`, [span(label`for a while, on this console`)])] : []),
    ...(talk.length > 0 ? [fact(label`of the others`, talk)] : []),
    ...(readers.length > 0
      ? [
          fact(label`read by`, [
            span(
              joinText(
                readers.map((name) => safeText(name, { reading: 'exact' })),
                label`, `,
              ),
            ),
          ]),
        ]
      : []),
  ];
}

/** What has come, and what stands otherwise than before; nothing of a picture that is taken over as a whole. */
export function queueNews(before: ConsoleState, state: ConsoleState): readonly Line[] {
  if (before.queue.requests === state.queue.requests || !isLiveLink(state)) return [];
  const count: readonly Line[] =
    before.rows.pending === state.rows.pending && isLiveLink(before)
      ? []
      : [fact(label`Pending`, [span(label`${state.rows.pending}`)])];
  if (!isLiveLink(before)) return count;
  const asked: RequestView[] = [];
  const changed: RequestView[] = [];
  const talked: Line[] = [];
  for (const { before: former, after: request } of changesBetween(
    before.queue.requests,
    state.queue.requests,
  )) {
    if (request === undefined) continue;
    if (former === undefined) {
      if (request.state === 'pending') asked.push(request);
    } else if (standingKey(former, state) !== standingKey(request, state)) changed.push(request);
    if (former !== undefined) talked.push(...talkNews(former, request, state));
  }
  return [
    ...named(asked, (request) => fact(label`New ask`, requestName(request))),
    ...named(changed, (request) => [
      ...fact(label`Changed`, requestName(request)),
      span(label`: `),
      ...standingWords(request, state),
    ]),
    ...named(talked, (line) => line),
    ...count,
  ];
}

/** What others have said about a request since, or that one of them had everybody rung. */
function talkNews(former: RequestView, request: RequestView, { identity }: ConsoleState): readonly Line[] {
  const { comments, escalated } = request;
  const who = (name: string): Line => markedSpans(safeText(name, { reading: 'exact' }));
  const said = comments.slice(former.comments.length).filter(({ by }) => by !== identity.approver);
  const isRung = escalated !== null && escalated.at !== former.escalated?.at;
  return [
    ...said.map(
      ({ by, text }): Line => [
        ...fact(label`Comment, not signed, on`, requestName(request)),
        span(label`: `),
        ...who(by),
        span(label` says `),
        ...markedSpans(safeText(text, { reading: 'prose' })),
      ],
    ),
    ...(isRung && escalated.by !== identity.approver
      ? [[...fact(label`Everybody rung for`, requestName(request)), span(label`: by `), ...who(escalated.by)]]
      : []),
  ];
}

const standingKey = (request: RequestView, state: ConsoleState): string =>
  plainText(standingWords(request, state));

function named<Item>(items: readonly Item[], line: (item: Item) => Line): readonly Line[] {
  const more = items.length - NAMED;
  return [...items.slice(0, NAMED).map(line), ...(more > 0 ? [[span(label`and ${more} more`)]] : [])];
}
