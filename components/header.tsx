import type { ReactElement } from 'react';
import type { Link } from '../src/client/queue.js';
import { bannerLines } from './banner-lines.js';
import type { ConsoleState, Identity } from './console-state.js';
import { cutLine, type Line, lineWidth, markedSpans, type Span, span, spreadLine } from './line.js';
import { SafeLines } from './safe-line.js';
import { label, repeatText, type SafeText, safeText } from './safe-text.js';

/** Characters of the fingerprint that are shown, after `SHA256:`. */
const SHORT_FINGERPRINT = 12;

/** Who, where, how fresh and how many; below it whatever must not be overlooked. */
export function Header({ state }: { readonly state: ConsoleState }): ReactElement {
  const lines = headerLines(state);
  return <SafeLines lines={lines} height={lines.length} />;
}

export function headerLines(state: ConsoleState): readonly Line[] {
  const { identity, queue, rows, size } = state;
  const right: Line = [
    linkSpan(queue.link),
    span(label`   `),
    span(
      rows.pending === 0 ? label`nothing pending` : label`${rows.pending} pending`,
      rows.pending === 0 ? 'muted' : 'strong',
    ),
    span(label` `),
  ];
  return [
    spreadLine(identityLine(identity, size.columns - lineWidth(right) - 2), right, size.columns),
    [span(repeatText(label`─`, size.columns), 'muted')],
    ...bannerLines(state),
  ];
}

/** Where there is too little room, the address gives way and not the fingerprint: that is what names the broker. */
function identityLine({ approver, address, fingerprint }: Identity, room: number): Line {
  const exact = (text: string): SafeText => safeText(text, { reading: 'exact' });
  const before: Line = [
    span(label` countersign`, 'accent'),
    span(label`  `),
    ...markedSpans(exact(approver), 'strong'),
    span(label` at `, 'muted'),
  ];
  const short = fingerprint.replace('SHA256:', '').slice(0, SHORT_FINGERPRINT);
  const after: Line = [span(label`  ${exact(short)}…`, 'muted')];
  const addressRoom = room - lineWidth(before) - lineWidth(after);
  return [...before, ...cutLine(markedSpans(exact(address)), addressRoom), ...after];
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
export function titleText({ rows, queue }: ConsoleState): SafeText {
  if (queue.link.state !== 'live') return label`countersign: not connected`;
  return rows.pending === 0 ? label`countersign` : label`countersign: ${rows.pending} pending`;
}
