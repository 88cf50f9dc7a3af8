import { changesBetween } from '../../src/client/persistent-map.js';
import { queueNews as newsInOneLine } from '../attention/queue-news.js';
import { bannerLines } from '../screen/banner-lines.js';
import { bodyLines } from '../screen/body-lines.js';
import { footerLines, statusLine } from '../screen/footer.js';
import { headerLines } from '../screen/header.js';
import { bodyRows, detailLayout } from '../screen/screen-layout.js';
import { keyContext, SCREENS } from '../screen/screens.js';
import { type ConsoleState, isSettled } from '../state/console-state.js';
import { BLANK, isSameLine, type Line, span } from '../text/line.js';
import { label, type SafeText } from '../text/safe-text.js';
import { hasCaret, hasCursor, isSaid, plainLine, plainText } from './plain-line.js';
import { queueNews, rowFacts } from './spoken-queue.js';
import { fact, type Heard, isRequestShown, lateNews, NOTHING_HEARD, requestNews } from './spoken-request.js';

/** What has been read out so far, and last. */
export interface Transcript {
  readonly state: ConsoleState;
  /** Counts what was said, each time one more. */
  readonly number: number;
  /** What was said last. */
  readonly lines: readonly Line[];
  readonly heard: Heard;
}

/** What is said first: whose console this is, what must not be overlooked, and where one is. */
export function beginTranscript(state: ConsoleState): Transcript {
  return append({ state, number: 0, lines: [], heard: NOTHING_HEARD }, null, state);
}

/** What is said of a change: only what is new. Of clocks that move, only that little time is left for what one is at. */
export function continueTranscript(transcript: Transcript, state: ConsoleState): Transcript {
  const next = append(transcript, atTheSameTime(transcript.state, state), state);
  const late = lateNews(transcript.state, state);
  return late.length === 0 ? next : { ...next, lines: [...next.lines, ...late] };
}

/** What the former state would be now: compared with that, a clock says nothing. What has not settled has not done so by waiting here. */
function atTheSameTime(before: ConsoleState, { at }: ConsoleState): ConsoleState {
  if (isSettled(before)) return { ...before, at };
  return { ...before, at, painted: { ...before.painted, since: at } };
}

/** Everything again that would be on the screen now. */
export function repeatTranscript({ number }: Transcript, state: ConsoleState): Transcript {
  return append({ state, number, lines: [], heard: NOTHING_HEARD }, null, state);
}

function append({ number, heard }: Transcript, before: ConsoleState | null, state: ConsoleState): Transcript {
  const request = requestNews(before, state, heard);
  const lines = [
    ...headerNews(before, state),
    ...(before === null ? [] : queueNews(before, state)),
    ...noticeNews(before, state),
    ...request.lines,
    ...placeNews(before, state),
    ...footerNews(before, state),
  ];
  return { state, number: number + 1, lines: lines.filter(isSaid), heard: request.heard };
}

/** What a key led to, or the broker told; what only sums up the news of the queue is said there one by one. */
function noticeNews(before: ConsoleState | null, state: ConsoleState): readonly Line[] {
  const { notice, queue, identity } = state;
  if (notice === null || notice === before?.notice) return [];
  const { approver } = identity;
  const changes = before === null ? [] : changesBetween(before.queue.requests, queue.requests);
  const sum = newsInOneLine(changes, { approver, isOwnOnly: false });
  return sum !== null && isSameLine(sum, notice) ? [] : [plainLine(notice)];
}

/** The field that is being written: it stands below all that was said, and is written anew with each key. */
export function writtenLine(state: ConsoleState): Line | null {
  const line = [...bannerLines(state), ...placeLines(state)].find(hasCaret);
  return line === undefined ? null : plainLine(line);
}

function headerNews(before: ConsoleState | null, state: ConsoleState): readonly Line[] {
  const banners = bannerLines(state);
  if (before === null) return [...headerLines(state).slice(0, 1), ...banners].map(plainLine);
  const isSame = before.queue.link.state === state.queue.link.state;
  const link: readonly Line[] = isSame ? [] : [[span(label`Link: ${LINKS[state.queue.link.state]}`)]];
  return [...link, ...newLines(bannerLines(before), banners)];
}

const LINKS: Readonly<Record<ConsoleState['queue']['link']['state'], SafeText>> = {
  live: label`live`,
  connecting: label`connecting`,
  stale: label`not connected`,
  refused: label`refused`,
};

/** What stands between header and footer, but for the request itself: a screen, what lies over it, or the panel below a request. */
function placeNews(before: ConsoleState | null, state: ConsoleState): readonly Line[] {
  const former = before !== null && placeName(before) === placeName(state) ? before : null;
  const title = former === null && !isRequestShown(state) ? [titleLine(state)] : [];
  if (keyContext(state) !== 'queue' || state.rows.rows.length === 0) {
    return [...title, ...newLines(former === null ? [] : placeLines(former), placeLines(state))];
  }
  const isSame = former?.selected === state.selected && former.rows.rows.length > 0;
  return [...title, ...(isSame ? [] : rowFacts(state))];
}

/** A field or a panel of a screen is part of it; what lies over it is another place. */
function placeName(state: ConsoleState): string {
  const { opened, screen } = state;
  if (isRequestShown(state)) return `request ${opened?.request.id}`;
  const context = keyContext(state);
  return context === SCREENS[screen].context(state) ? `screen ${screen}` : context;
}

function titleLine({ isHelpOpen, palette, screen }: ConsoleState): Line {
  if (palette !== null) return [span(label`Palette`)];
  return [span(isHelpOpen ? label`Help` : label`Screen ${SCREENS[screen].title}`)];
}

/** The lines of a place as they would stand on the screen, without those of a request. */
function placeLines(state: ConsoleState): readonly Line[] {
  const lines = bodyLines(state, bodyRows(state));
  if (!isRequestShown(state)) return lines;
  const { head, request } = detailLayout(state);
  return lines.slice(head + request);
}

/**
 * What of some lines is new. Where the cursor has gone to another row that row alone is said, and among other rows it is told; a line that is being written is not said
 * before it is left.
 */
function newLines(before: readonly Line[], lines: readonly Line[]): readonly Line[] {
  const known = new Set(before.filter((line) => !hasCaret(line)).map(plainText));
  const at = lines.findIndex(hasCursor);
  const cursor = lines[at];
  const former = before.find(hasCursor);
  const hasMoved = cursor !== undefined && former !== undefined && plainText(cursor) !== plainText(former);
  const said = hasMoved
    ? lines.slice(at, endOfRow(lines, at))
    : lines.filter((line) => !known.has(plainText(line)));
  const isOneOfMany = !hasMoved && said.filter((line) => !hasCaret(line)).length > 1;
  return said
    .filter((line) => !hasCaret(line))
    .map((line) =>
      isOneOfMany && line === cursor ? fact(label`Cursor on`, plainLine(line)) : plainLine(line),
    );
}

/** A row goes on in the lines that are indented more deeply than any row begins. */
function endOfRow(lines: readonly Line[], start: number): number {
  let end = start + 1;
  while (/^ {4}/.test(lines[end]?.map(({ text }) => text).join('') ?? '')) end += 1;
  return end;
}

/**
 * What can be done now, or how much is left to read, where that is another thing than before; and the keys of a new place: between the
 * buttons of a panel and its fields they are said once.
 */
function footerNews(before: ConsoleState | null, state: ConsoleState): readonly Line[] {
  const status = state.notice === null ? statusLine(state) : BLANK;
  const isOther = before === null || withoutNumbers(statusLine(before)) !== withoutNumbers(status);
  const hasRead = Math.abs((before?.opened?.read ?? 0) - (state.opened?.read ?? 0)) > 1;
  const hasKeys = before !== null && panelOf(before) === panelOf(state);
  const keys: Line = [span(label`Keys: `), ...plainLine(footerLines(state).at(-1) ?? BLANK)];
  return [...(isOther || hasRead ? [plainLine(status)] : []), ...(hasKeys ? [] : [keys])];
}

/** How much is left to read is said after a page, not after each line. */
const withoutNumbers = (line: Line): string => plainText(line).replaceAll(/\d+/g, '');

const panelOf = (state: ConsoleState): string =>
  state.confirm === null ? keyContext(state) : `confirm ${state.confirm.verdict}`;
