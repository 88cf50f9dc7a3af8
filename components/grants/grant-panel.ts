import { worthOf } from '../../src/protocol/grant.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { coverWords, revocationWords } from '../../src/protocol/rule-words.js';
import { examine } from '../detail/examination.js';
import { brokerNow, type ConsoleState } from '../state/console-state.js';
import { ageText } from '../text/clock-text.js';
import { cutLine, type Line, markedSpans, span, spreadLine } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, safeText, spaces } from '../text/safe-text.js';
import { selectedApproval } from './grants-window.js';

const MARGIN = 3;
/** What goes on begins with a bar, which nothing that others wrote can draw. */
const START = span(spaces(MARGIN));
const BAR = span(label` │ `, 'muted');

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** Who approved a request, by name. */
export function approversLine({ votes }: RequestView): Line {
  const names = votes.filter(({ verdict }) => verdict === 'approve').map(({ approver }) => exact(approver));
  if (names.length === 0) return [span(label`nobody had to sign`, 'muted')];
  return names.flatMap((name, at) => (at === 0 ? name : [span(label`, `, 'muted'), ...name]));
}

/** Below the grants, in words: what the selected one covers, who gave it, and what taking it back would end. */
export function panelLines(state: ConsoleState, rows: number): readonly Line[] {
  const request = selectedApproval(state);
  if (request === null || rows < 2) return [];
  const { columns } = state.size;
  const isGrant = request.state !== 'redeemed';
  const title = isGrant ? label`── What it covers ` : label`── What stays open `;
  const lines = paragraphs(state, request).flatMap((paragraph) =>
    wrapLine(paragraph, columns - 2 * MARGIN, 'words').map(
      (line, at): Line => [at === 0 ? START : BAR, ...line],
    ),
  );
  const shown = lines.slice(0, rows - 1);
  const isCut = shown.length < lines.length;
  return [
    [span(title, 'accent'), span(repeatText(label`─`, columns - title.length), 'accent')],
    ...shown.map((line, at): Line => {
      const isLast = at === shown.length - 1;
      if (!isCut || !isLast) return cutLine(line, columns);
      return spreadLine(line, [span(label`… Enter reads it all `, 'muted')], columns);
    }),
  ];
}

function paragraphs(state: ConsoleState, request: RequestView): readonly Line[] {
  const { votes, grant } = request;
  const { bound } = examine(request);
  if (bound === null) return [[span(label`not a valid request document`, 'danger')]];
  const worth = worthOf(votes);
  const ending = revocationWords(request);
  const now = brokerNow(state);
  const by = votes.flatMap(({ approver, verdict, decided }, at): Line => {
    if (verdict !== 'approve') return [];
    return [
      ...(at === 0 ? [] : [span(label`, `)]),
      ...exact(approver),
      span(label` ${ageText(now - decided)} ago`),
    ];
  });
  return [
    [
      ...exact(bound.document.action),
      span(label` on `, 'muted'),
      ...exact(bound.document.resource),
      span(label` for `, 'muted'),
      ...exact(bound.document.requester),
      span(label` through `, 'muted'),
      ...exact(bound.document.door),
      ...Object.entries(bound.document.details).flatMap(
        ([name, value]): Line => [
          span(label`, `, 'muted'),
          ...exact(name),
          span(label` `),
          ...exact(typeof value === 'string' ? value : JSON.stringify(value)),
        ],
      ),
    ],
    worth.covers === 'scope' && grant === null
      ? [span(label`covers `, 'muted'), ...exact(coverWords(worth))]
      : grant === null
        ? [span(label`for this one ask`)]
        : [span(label`under the grant `, 'muted'), ...exact(grant)],
    [
      span(label`approved by `, 'muted'),
      ...(by.length === 0 ? [span(label`nobody: the rule asked for none`)] : by),
    ],
    ...(ending === null ? [] : [[span(label`R would end it: `, 'muted'), ...exact(ending)]]),
  ];
}
