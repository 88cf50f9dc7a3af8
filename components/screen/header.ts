import type { Display } from '../../src/client/display.js';
import type { Link } from '../../src/client/queue.js';
import { KEY_TABLE } from '../keys/key-table.js';
import { otherReaders, readingLine } from '../queue/readers.js';
import { type ConsoleState, SMALLEST } from '../state/console-state.js';
import {
  BLANK,
  cutLine,
  fittingForm,
  type Line,
  lineWidth,
  markedSpans,
  type Span,
  span,
  spreadLine,
} from '../text/line.js';
import { label, repeatText, type SafeText, safeText } from '../text/safe-text.js';
import { bannerLines } from './banner-lines.js';
import { panesOf } from './panes.js';
import { headerRows } from './screen-layout.js';
import { SCREEN_ROWS, SCREENS } from './screens.js';
import type { Tone } from './theme.js';

/** Characters of the fingerprint that are shown, after `SHA256:`. */
const SHORT_FINGERPRINT = 12;

/** On a narrower terminal the address needs the room more than the number of grants, which have rows of their own. */
const WIDE = 100;

/** Who, where, how fresh and how many; below it whatever must not be overlooked. */
export function headerLines(state: ConsoleState): readonly Line[] {
  const { queue, allRows, size } = state;
  const right: Line = [
    linkSpan(queue.link),
    span(label`   `),
    ...countSpans(queue.link, allRows.pending),
    ...snoozedLine(allRows.snoozed),
    ...(size.columns < WIDE ? [] : grantsLine(allRows.active)),
    span(label` `),
  ];
  return [
    spreadLine(identityLine(state, size.columns - lineWidth(right) - 2), right, size.columns),
    ...(headerRows(state) === 1 ? [] : [ruleLine(state)]),
    ...bannerLines(state),
  ];
}

/** Before the broker has told, that nothing is pending is not known. */
const countSpans = ({ state }: Link, pending: number): Line =>
  pending === 0 && state !== 'live' ? [] : [span(pendingText(pending), pending === 0 ? 'muted' : 'strong')];

const pendingText = (count: number): SafeText =>
  count === 0 ? label`nothing pending` : label`${count} pending`;

/** All that a terminal shows that is too small for anything else: how fresh, how many, and from where on there is more. */
export function smallLine({ queue, allRows, size }: ConsoleState): Line {
  const { columns, rows } = SMALLEST;
  const count = queue.link.state === 'live' ? label`  ${pendingText(allRows.pending)}` : label``;
  const more = label`  (needs ${columns}x${rows})`;
  return cutLine([linkSpan(queue.link), span(count, 'strong'), span(more, 'muted')], size.columns);
}

/** The screens between which one goes to and fro, by their keys; where a request is open, who else reads it. */
function ruleLine(state: ConsoleState): Line {
  const { size, opened, isHelpOpen } = state;
  const isPlace = SCREENS[state.screen].entrances.length > 0;
  const isInFront = isPlace && !isHelpOpen && (opened === null || panesOf(state).isSplit);
  const reading = opened === null || isHelpOpen ? [] : readingLine(otherReaders(state, opened.request.id));
  const words = cutLine(reading, size.columns - 6);
  const right: Line = words.length === 0 ? [] : [span(label` `), ...words, span(label` ──`, 'muted')];
  const room = size.columns - lineWidth(right);
  const left = isInFront ? tabsLine(state, room) : [];
  return [...left, span(repeatText(label`─`, room - lineWidth(left)), 'muted'), ...right];
}

/** In the longest form that fits: all titles, or that of the screen one is at and the keys of the others. */
function tabsLine(state: ConsoleState, room: number): Line {
  const forms = [
    tabs(state, { between: label`── `, areAllNamed: true }),
    tabs(state, { between: label` `, areAllNamed: true }),
    tabs(state, { between: label`─ `, areAllNamed: false }),
    tabs(state, { between: label`─`, areAllNamed: false }),
  ];
  return fittingForm(forms, room);
}

function tabs(
  { screen, queue }: ConsoleState,
  { between, areAllNamed }: { readonly between: SafeText; readonly areAllNamed: boolean },
): Line {
  const dead = queue.outbox.reduce((sum, sink) => sum + sink.dead, 0);
  return SCREEN_ROWS.flatMap(([name, { title, entrances }]): Line => {
    if (entrances.length === 0) return BLANK;
    const key = KEY_TABLE.find(({ action }) => action === entrances[0]?.[0])?.shown ?? label``;
    const isHere = name === screen;
    return [
      span(between, 'muted'),
      span(isHere || areAllNamed ? label`${key} ${title}` : key, isHere ? 'accent' : 'muted'),
      ...(name === 'outbox' && dead > 0 ? [span(label` ▲ ${dead}`, 'warning')] : []),
      span(label` `),
    ];
  });
}

const snoozedLine = (count: number): Line => (count === 0 ? [] : [span(label`, ${count} snoozed`, 'muted')]);

function grantsLine(count: number): Line {
  if (count === 0) return [];
  return [span(label`, ${count} ${count === 1 ? label`grant` : label`grants`} in use`, 'accent')];
}

/** Room for the address, below which it is of no use. */
const LEAST_ADDRESS = 8;

/** Where there is too little room, the address gives way, then our own name, and not the fingerprint: that is what names the broker. */
function identityLine({ identity, display }: ConsoleState, room: number): Line {
  const { approver, address, fingerprint } = identity;
  const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const name: Line = [span(label` countersign`, 'accent')];
  const profile = profileLine(display);
  const who: Line = [span(label` `), ...markedSpans(exact(approver), 'strong')];
  const short = fingerprint.replace('SHA256:', '').slice(0, SHORT_FINGERPRINT);
  const key: Line = [span(label`  ${exact(short)}…`, 'muted')];
  const before: Line = [...name, ...profile, span(label` `), ...who, span(label` at `, 'muted')];
  const addressRoom = room - lineWidth(before) - lineWidth(key);
  if (addressRoom >= LEAST_ADDRESS)
    return [...before, ...cutLine(markedSpans(exact(address)), addressRoom), ...key];
  const forms = [
    [...name, ...profile, span(label` `), ...who, ...key],
    [...profile, ...who, ...key],
    [...profile, ...who],
  ];
  return forms.find((form) => lineWidth(form) <= room) ?? [...profile, ...who];
}

/** In brackets, so that the name stands out without colours too. */
function profileLine({ profile }: Display): Line {
  if (profile === null) return [];
  const tone: Tone = profile.colour === null ? 'strong' : `profile-${profile.colour}`;
  return [span(label` `), span(label`[${safeText(profile.name, { reading: 'exact' })}]`, tone)];
}

function linkSpan(link: Link): Span {
  switch (link.state) {
    case 'live':
      return span(label`● live`);
    case 'connecting':
      return span(label`○ connecting`, 'warning');
    case 'stale':
      return span(label`▲ not connected`, 'danger');
    case 'refused':
      return span(label`✗ refused`, 'danger');
  }
}

/** The title of the terminal or the tmux pane. */
export function titleText({ display, allRows, queue }: ConsoleState): SafeText {
  const { profile } = display;
  const name =
    profile === null
      ? label`countersign`
      : label`countersign ${safeText(profile.name, { reading: 'exact' })}`;
  if (queue.link.state !== 'live') return label`${name}: not connected`;
  return allRows.pending === 0 ? name : label`${name}: ${allRows.pending} pending`;
}
