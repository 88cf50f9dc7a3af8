import { zonedTime } from '../../src/client/shown-time.js';
import { isChangeAction } from '../../src/protocol/change-messages.js';
import type { ExplanationReply } from '../../src/protocol/explanation.js';
import type { Name } from '../../src/protocol/names.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import type { Tone } from '../screen/theme.js';
import type { ConsoleState } from '../state/console-state.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';
import { wantsLines } from './rule-lines.js';

const exact = (text: string, tone: Tone = 'text'): Line =>
  markedSpans(safeText(text, { reading: 'exact' }), tone);

/** How a request came under its rule, and who could sign it. It is the word of the broker: what is signed for stands in the request. */
export function explanationLines(
  state: ConsoleState,
  { id, document }: RequestView,
  reply: ExplanationReply,
): readonly Line[] {
  const { columns } = state.size;
  return [
    ...headingLines(label`Explained`, label`the broker's word`, columns),
    ...fieldLines(
      label`request`,
      [
        ...exact(document.action),
        span(label` on `, 'muted'),
        ...exact(document.resource, 'strong'),
        span(label` for `, 'muted'),
        ...exact(document.requester),
      ],
      columns,
    ),
    ...fieldLines(
      label`asked as`,
      [...exact(id), span(label` at `, 'muted'), ...exact(zonedTime(reply.asked, state.display.zone))],
      columns,
    ),
    ...triedLines(reply, document.action, columns),
    ...headingLines(label`Its rule`, label`pinned when it was asked`, columns),
    ...wantsLines(reply.rule, columns),
    ...(reply.isShared
      ? fieldLines(label`requester`, [span(label`is not one person of the roster`, 'warning')], columns)
      : []),
    ...peopleLines(reply, columns),
    ...missingLines(reply, columns),
  ];
}

function triedLines(
  { tried, file, isInForce }: ExplanationReply,
  action: Name,
  columns: number,
): readonly Line[] {
  if (file === null) return [];
  return [
    ...headingLines(label`Rules, in order`, label`judged as of when it was asked`, columns),
    ...tried.flatMap(({ name, line, outcome, parts }) => [
      ...fieldLines(
        OUTCOMES[outcome].words,
        [
          ...exact(name, OUTCOMES[outcome].tone),
          ...(line === 0 ? [] : [span(label`  line ${line}`, 'muted')]),
        ],
        columns,
      ),
      ...(outcome === 'decides' ? [] : parts.filter(({ holds }) => holds !== true)).flatMap((part) =>
        partLines(part, columns),
      ),
    ]),
    ...(tried.some(({ outcome }) => outcome !== 'passed-over')
      ? []
      : fieldLines(label`none`, [span(label`no rule of now is for such an ask`, 'warning')], columns)),
    ...(isInForce ? [] : pinnedLines(action, columns)),
  ];
}

/** Why the rule of the request is not the one that decides now. */
function pinnedLines(action: Name, columns: number): readonly Line[] {
  if (isChangeAction(action)) {
    const words = label`a change of the broker itself takes another person, whatever a rule says`;
    return fieldLines(label`but`, [span(words)], columns, 'words');
  }
  const words = label`the policy has changed since it was asked: what was pinned stays`;
  return fieldLines(label`▲ but`, [span(words, 'warning')], columns, 'words');
}

const OUTCOMES: Readonly<
  Record<ExplanationReply['tried'][number]['outcome'], { readonly words: SafeText; readonly tone: Tone }>
> = {
  decides: { words: label`▸ decides`, tone: 'strong' },
  'passed-over': { words: label`· not for it`, tone: 'muted' },
  'no-answer': { words: label`✗ no answer`, tone: 'danger' },
};

function partLines(
  { text, holds, failure, looked }: ExplanationReply['tried'][number]['parts'][number],
  columns: number,
): readonly Line[] {
  const verdict = holds === null ? label`  no answer` : label`  not true`;
  return [
    ...fieldLines(verdict, exact(text), columns),
    ...(failure === null ? [] : fieldLines(label``, exact(failure, 'danger'), columns)),
    ...looked.flatMap((words) => fieldLines(label``, exact(words, 'muted'), columns)),
  ];
}

function peopleLines({ people }: ExplanationReply, columns: number): readonly Line[] {
  const named = (wanted: (person: ExplanationReply['people'][number]) => boolean) => people.filter(wanted);
  const rows = (
    title: SafeText,
    of: ExplanationReply['people'],
    words: (person: ExplanationReply['people'][number]) => Line,
  ) =>
    of.flatMap((person, at) =>
      fieldLines(
        at === 0 ? title : label``,
        [...exact(person.name, 'strong'), span(label`  `), ...words(person)],
        columns,
      ),
    );
  const groups = (person: ExplanationReply['people'][number]): Line =>
    exact(person.groups.join(', '), 'muted');
  return [
    ...headingLines(label`Who signs`, label`as the roster and the groups are now`, columns),
    ...rows(
      label`signed`,
      named(({ signed }) => signed !== null),
      ({ signed }) => (signed === 'approve' ? [span(label`approved`)] : [span(label`denied`, 'danger')]),
    ),
    ...rows(
      label`could sign`,
      named(({ signed, why }) => signed === null && why === null),
      groups,
    ),
    ...rows(
      label`could not`,
      named(({ signed, why }) => signed === null && why !== null),
      ({ why }) => exact(why ?? '', 'muted'),
    ),
    ...(people.length === 0 ? fieldLines(label`nobody`, [span(label`has to sign`)], columns) : []),
  ];
}

function missingLines({ missing, satisfiable }: ExplanationReply, columns: number): readonly Line[] {
  return [
    ...missing.flatMap((words, at) =>
      fieldLines(at === 0 ? label`missing` : label``, exact(words), columns, 'words'),
    ),
    ...(satisfiable
      ? []
      : fieldLines(label`▲ stuck`, [span(label`all who could sign are too few now`, 'warning')], columns)),
  ];
}
