import type {
  RosterChange,
  SubmitterChange,
  SubmitterCredential,
} from '../../src/protocol/roster-messages.js';
import { buttonSpan, buttonsLine, meaningBelow } from '../screen/button.js';
import { bodyRows } from '../screen/screen-layout.js';
import { type ConsoleState, isSettled } from '../state/console-state.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { BLANK, cutLine, type Line, markedSpans, type Span, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import type { ChangeReview } from './change-form.js';
import { fingerprintText, keyTypeText } from './key-words.js';
import type { Entry } from './people-state.js';

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
const list = (texts: readonly string[]): Line =>
  texts.length === 0 ? [span(label`none`, 'muted')] : exact(texts.join(', '));

/** What will be asked for, and the buttons, which are always on the screen. */
export function reviewLines(state: ConsoleState, review: ChangeReview, height: number): readonly Line[] {
  const { columns } = state.size;
  const { lines, top, height: room } = reviewWindow(state);
  return [
    ...lines.slice(top, top + room),
    ...endLines(state, review).map((line) => cutLine(line, columns)),
  ].slice(-height);
}

/** What will be asked for, and which of its lines are on the screen. */
export function reviewWindow(state: ConsoleState) {
  const { form } = state.people;
  const review = form?.review ?? null;
  const lines = review === null ? [] : contentLines(state, form?.entry ?? null, review);
  const height = Math.max(1, bodyRows(state) - (review === null ? 0 : endLines(state, review).length));
  const total = lines.length;
  return { lines, total, height, top: Math.max(0, Math.min(review?.top ?? 0, total - height)) };
}

function contentLines(
  state: ConsoleState,
  entry: Entry | null,
  { change, reason }: ChangeReview,
): readonly Line[] {
  const { columns } = state.size;
  const field = (name: SafeText, value: Line) => fieldLines(name, value, columns);
  const changed =
    change.of === 'people' ? personLines(change.change, entry, field) : submitterLines(change.change, field);
  return [
    ...headingLines(
      label`What you ask for`,
      label`read it: others will, and sign exactly this`,
      columns,
    ).slice(1),
    ...changed,
    ...field(
      label`reason`,
      reason === null ? [span(label`none`, 'muted')] : markedSpans(safeText(reason, { reading: 'prose' })),
    ),
    ...headingLines(label`What follows`, label`nothing changes before others have signed it`, columns),
    ...followingLines(change.of, columns),
  ];
}

function followingLines(of: Entry['of'], columns: number): readonly Line[] {
  const sentences = [
    label`It becomes a request in the queue: somebody else approves it.`,
    ...(of === 'people'
      ? [
          label`Doors take people and keys over with a new signers file, which approvers sign for: countersign roster sign`,
        ]
      : []),
  ];
  return sentences.flatMap((words) =>
    wrapLine([span(words)], columns - 6, 'words').map((line): Line => [span(spaces(4)), ...line]),
  );
}

type Field = (name: SafeText, value: Line) => readonly Line[];

function personLines(change: RosterChange, entry: Entry | null, field: Field): readonly Line[] {
  switch (change.change) {
    case 'add': {
      const { name, groups, aliases, keys } = change.person;
      return [
        ...field(label`enrol`, [...exact(name), span(label`, who can sign from then on`, 'muted')]),
        ...field(label`groups`, list(groups)),
        ...field(label`aliases`, list(aliases)),
        ...keys.flatMap(({ key }) => keyField(label`with key`, key, field)),
      ];
    }
    case 'set': {
      const before = entry?.of === 'people' ? entry.person : null;
      const lists = [
        [label`groups`, before?.groups, change.groups],
        [label`aliases`, before?.aliases, change.aliases],
      ] as const;
      return [
        ...field(label`change`, exact(change.name)),
        ...lists.flatMap(([name, from, to]) =>
          to === undefined
            ? []
            : [
                ...field(name, [span(label`from `, 'muted'), ...list(from ?? [])]),
                ...field(label``, [span(label`to `, 'muted'), ...list(to)]),
              ],
        ),
      ];
    }
    case 'add-key':
      return [
        ...field(label`let`, [...exact(change.name), span(label` sign with one more key`, 'muted')]),
        ...keyField(label`new key`, change.key.key, field),
      ];
    case 'rotate-key':
      return [
        ...field(label`replace`, exact(change.fingerprint)),
        ...field(label`of`, [...exact(change.name), span(label`, whose sessions with it end`, 'muted')]),
        ...keyField(label`by`, change.key.key, field),
      ];
    case 'remove-key':
      return [
        ...field(label`take away`, exact(change.fingerprint)),
        ...field(label`from`, [...exact(change.name), span(label`, whose sessions with it end`, 'muted')]),
      ];
    case 'remove':
      return field(label`remove`, [
        ...exact(change.name),
        span(label` with every key; sessions and consoles of that person end`, 'danger'),
      ]);
  }
}

function submitterLines(change: SubmitterChange, field: Field): readonly Line[] {
  switch (change.change) {
    case 'add': {
      const { name, credential, limits } = change.submitter;
      return [
        ...field(label`enrol`, [...exact(name), span(label`, which can ask from then on`, 'muted')]),
        ...credentialField(credential, field),
        ...field(label`actions`, list(limits.actions)),
        ...field(label`resources`, list(limits.resources)),
        ...field(label`doors`, list(limits.doors)),
        ...field(
          label`requesters`,
          limits.requesters.length === 0 ? [span(label`itself alone`)] : list(limits.requesters),
        ),
      ];
    }
    case 'rotate':
      return [
        ...field(label`let`, [
          ...exact(change.name),
          span(label` ask with another key, and no longer as before`, 'muted'),
        ]),
        ...credentialField(change.credential, field),
      ];
    case 'remove':
      return field(label`remove`, [
        ...exact(change.name),
        span(label`: it can neither ask nor use what was approved`, 'danger'),
      ]);
  }
}

const credentialField = (credential: SubmitterCredential, field: Field): readonly Line[] =>
  credential.kind === 'key' ? keyField(label`with key`, credential.key, field) : [];

const keyField = (name: SafeText, line: string, field: Field): readonly Line[] =>
  field(name, [
    span(fingerprintText(line), 'strong'),
    span(label`  `),
    ...markedSpans(keyTypeText(line), 'muted'),
  ]);

/** What is going on or went wrong, and the buttons. */
function endLines(state: ConsoleState, review: ChangeReview): readonly Line[] {
  const { columns } = state.size;
  const { failure, isAsking } = review;
  const title = label`── Ask for it? `;
  const rule: Line = [span(title, 'accent'), span(repeatText(label`─`, columns - title.length), 'accent')];
  if (isAsking) return [rule, [span(label`   Asking the broker…`, 'accent')]];
  const failed: readonly Line[] =
    failure === null
      ? []
      : [[span(label`✗ Not asked: ${failure.message}.`, 'danger')], [span(failure.hint)]].flatMap((line) =>
          wrapLine(line, columns - 5, 'words').map((part): Line => [span(spaces(3)), ...part]),
        );
  return [rule, ...failed, buttonLine(state, review)];
}

/** What Enter does, where there is no room for that beside the buttons. */
export function reviewStatus(state: ConsoleState, review: ChangeReview): Line {
  return review.isAsking ? BLANK : meaningBelow(buttons(review), meaning(state, review), state.size.columns);
}

const buttonLine = (state: ConsoleState, review: ChangeReview): Line =>
  buttonsLine(buttons(review), meaning(state, review), state.size.columns);

const buttons = ({ focused }: ChangeReview): readonly Span[] => [
  buttonSpan(label`Cancel`, focused === 'cancel'),
  buttonSpan(label`Ask for it`, focused === 'ask'),
];

function meaning(state: ConsoleState, { focused }: ChangeReview): SafeText {
  if (!isSettled(state)) return label`…`;
  return focused === 'cancel' ? label`Enter cancels` : label`Enter asks for it`;
}
