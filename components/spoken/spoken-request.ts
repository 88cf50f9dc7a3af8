import type { RequestId } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { backgroundLine } from '../detail/background-lines.js';
import { detailWindow } from '../detail/detail-window.js';
import { examine } from '../detail/examination.js';
import { mustRead } from '../detail/request-document.js';
import { frameOf } from '../hooks/use-painted-frames.js';
import { nearestClock } from '../queue/nearest-clock.js';
import { otherReaders, readingLine } from '../queue/readers.js';
import { standingOf } from '../queue/request-standing.js';
import { panesOf } from '../screen/panes.js';
import { detailLayout } from '../screen/screen-layout.js';
import { brokerNow, type ConsoleState, openedRequest, selectedRequest } from '../state/console-state.js';
import { leftText } from '../text/clock-text.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { plainLine, plainText } from './plain-line.js';

/** One fact: its name, and what it is. */
export const fact = (name: SafeText, value: Line): Line => [span(label`${name}: `, 'muted'), ...value];

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** A request in a few words. */
export function requestName(request: RequestView): Line {
  const document = examine(request).bound?.document;
  if (document === undefined) return [span(label`not a valid request document`)];
  const { action, resource, requester } = document;
  return [...exact(action), span(label` on `), ...exact(resource), span(label` for `), ...exact(requester)];
}

export function standingWords(request: RequestView, state: ConsoleState): Line {
  const { words } = standingOf(request, state.identity.approver, brokerNow(state));
  return markedSpans(words);
}

/** How long an answer may take; nothing where none is waited for. */
export function leftFact(request: RequestView, state: ConsoleState): readonly Line[] {
  if (request.state !== 'pending') return [];
  return [fact(label`time left`, [span(leftText(timeLeft(request, state)))])];
}

const timeLeft = (request: RequestView, state: ConsoleState): number =>
  (nearestClock(request) ?? request.answerBy) - brokerNow(state);

const LITTLE_MS = 60_000;

/** Said once, when the time for an answer to the request that one is at has become short. */
export function lateNews(before: ConsoleState, state: ConsoleState): readonly Line[] {
  const request = openedRequest(state)?.request ?? selectedRequest(state);
  if (request?.state !== 'pending') return [];
  const isLate = timeLeft(request, before) >= LITTLE_MS && timeLeft(request, state) < LITTLE_MS;
  return isLate ? [fact(label`Less than a minute left`, requestName(request))] : [];
}

/** Which lines of the opened request, of those that must be read, were read out already. */
export interface Heard {
  readonly of: RequestId | null;
  readonly lines: ReadonlySet<Line>;
}

export const NOTHING_HEARD: Heard = { of: null, lines: new Set() };

/** Whether the lines of a request are part of the frame, and so are counted as read. */
export const isRequestShown = (state: ConsoleState): boolean => frameOf(state).mustRead !== null;

/**
 * What is new of the opened request: its head when it is opened, and the lines that have come into the window. Every line that must be
 * read is read out when it first stands in the window, even if it is equal to another one: only so may it count as read.
 */
export function requestNews(
  before: ConsoleState | null,
  state: ConsoleState,
  heard: Heard,
): { readonly lines: readonly Line[]; readonly heard: Heard } {
  const { opened } = state;
  if (opened === null) return { lines: [], heard: NOTHING_HEARD };
  if (!isRequestShown(state)) return { lines: [], heard };
  const { id } = opened.request;
  const isSame = before?.opened?.request.id === id && before.opened.read <= opened.read;
  const known = isSame && heard.of === id ? heard.lines : NOTHING_HEARD.lines;
  const former = isSame && isRequestShown(before) ? before : null;
  const needed = new Set(mustRead(state, opened.request));
  const seen = former === null ? [] : windowLines(former);
  const texts = new Set(seen.map(plainText));
  const hasMoved = former !== null && former.opened?.top !== opened.top;
  const shown = windowLines(state);
  const lines = shown.filter((line) =>
    needed.has(line) ? !known.has(line) || (hasMoved && !seen.includes(line)) : !texts.has(plainText(line)),
  );
  return {
    lines: [...headNews(isSame ? before : null, state), ...lines],
    heard: { of: id, lines: new Set([...known, ...shown.filter((line) => needed.has(line))]) },
  };
}

const windowLines = (state: ConsoleState): readonly Line[] =>
  detailWindow(state, detailLayout(state).request)?.lines ?? [];

/** What does not scroll: said when it is new, or another one than before. */
function headNews(former: ConsoleState | null, state: ConsoleState): readonly Line[] {
  const known = new Set(former === null ? [] : headLines(former).map(plainText));
  return headLines(state).filter((line) => !known.has(plainText(line)));
}

function headLines(state: ConsoleState): readonly Line[] {
  const request = openedRequest(state)?.request;
  if (request === undefined) return [];
  const { zone } = state.display;
  const style = { columns: panesOf(state).detail, style: { zone, now: brokerNow(state) } };
  return [
    fact(label`Request opened`, requestName(request)),
    fact(label`state`, standingWords(request, state)),
    ...leftFact(request, state),
    plainLine(readingLine(otherReaders(state, request.id))),
    plainLine(backgroundLine(state.background, style)),
  ];
}
