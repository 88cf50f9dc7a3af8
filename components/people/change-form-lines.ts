import { isShort, NARROW_COLUMNS } from '../screen/panes.js';
import { type ConsoleState, isSettled } from '../state/console-state.js';
import { BLANK, cutLine, fitLine, fittingForm, type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, repeatText, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { writtenLines } from '../text/written-lines.js';
import {
  type ChangeForm,
  type ChangeKind,
  chosenDeed,
  type FieldName,
  fieldsOf,
  keyDeeds,
  textOf,
} from './change-form.js';
import { writtenKey } from './change-reading.js';
import { reviewLines } from './change-review-lines.js';
import { keyTypeText } from './key-words.js';

const LABEL_COLUMNS = 15;
/** What stands below a field on a narrow terminal begins left of it. */
const NARROW_MARGIN = 5;
/** Rows of the field that is written, those around the caret; on a short terminal fewer. */
const WRITTEN_ROWS = 3;
const FEW_WRITTEN_ROWS = 2;

const MARKER = 3;

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/** A rule with a title in it. */
export function titleLine(title: Line, columns: number): Line {
  const left: Line = [span(label`── `, 'accent'), ...title, span(label` `)];
  const width = left.reduce((sum, { text }) => sum + text.length, 0);
  return cutLine([...left, span(repeatText(label`─`, columns - width), 'accent')], columns);
}

/** The form, or the step before it is asked for. What has the focus is always on the screen. */
export function changeFormLines(state: ConsoleState, form: ChangeForm, height: number): readonly Line[] {
  if (form.review !== null) return reviewLines(state, form.review, height);
  const { columns } = state.size;
  const blocks = fieldsOf(form).map((field) => ({ field, lines: fieldBlock(state, form, field) }));
  const lines = blocks.flatMap((block) => block.lines);
  const at = blocks.findIndex(({ field }) => field === form.focused);
  const above = blocks.slice(0, at).reduce((sum, block) => sum + block.lines.length, 0);
  const needed = above + (blocks[at]?.lines.length ?? 0);
  const room = height - 1;
  const from = Math.min(above, Math.max(0, needed - room));
  const shown = lines.slice(from, from + room);
  const means = [
    BLANK,
    ...wrapLine([span(meaning(state, form), 'muted')], columns - 2 * MARKER, 'words').map(
      (line): Line => [span(spaces(MARKER)), ...line],
    ),
  ];
  return [
    titleLine([span(TITLES[form.kind], 'strong'), ...titleName(form)], columns),
    ...shown,
    ...(shown.length + means.length <= room ? means : []),
  ].map((line) => cutLine(line, columns));
}

const TITLES: Readonly<Record<ChangeKind, SafeText>> = {
  enrolPerson: label`Enrol a person`,
  enrolSubmitter: label`Enrol a submitter by its key`,
  setNames: label`Groups and aliases of`,
  changeKeys: label`Keys of`,
  rotate: label`Another key for`,
  remove: label`Remove`,
};

const titleName = ({ entry }: ChangeForm): Line =>
  entry === null ? [] : [span(label` `), ...exact(entry.name)];

function meaning(state: ConsoleState, form: ChangeForm): SafeText {
  if (form.focused !== fieldsOf(form).at(-1)) return label`Tab and Enter go to the next field, Esc leaves.`;
  return isSettled(state) ? label`Enter shows what will be asked for; nothing is asked yet.` : label`…`;
}

const LABELS: Readonly<Record<FieldName, SafeText>> = {
  name: label`name`,
  groups: label`groups`,
  aliases: label`aliases`,
  deed: label`what`,
  key: label`public key`,
  actions: label`actions`,
  resources: label`resources`,
  doors: label`doors`,
  requesters: label`requesters`,
  again: label`name again`,
  reason: label`reason`,
};

/** What stands in an empty field, in full and in short. */
const PLACEHOLDERS: Readonly<Record<Exclude<FieldName, 'deed'>, readonly [SafeText, SafeText]>> = {
  name: [label`of a-z 0-9 . _ @ : + -`, label`a-z 0-9 . _ @ : + -`],
  groups: [label`none; with spaces between them`, label`none`],
  aliases: [label`none; accounts, e-mail, with spaces between them`, label`none`],
  key: [label`paste one line of a .pub file`, label`paste a .pub line`],
  actions: [label`such as ssh.*, with commas between them`, label`such as ssh.*`],
  resources: [label`such as web-1.example.com; * is everything`, label`such as web-1; * all`],
  doors: [label`such as host:web-1.example.com`, label`such as host:web-1`],
  requesters: [label`for itself alone; * for everybody`, label`itself; * everybody`],
  again: [label`type it, so that it is the right one`, label`type it again`],
  reason: [label`none; for those who decide`, label`none`],
};

function fieldBlock({ size }: ConsoleState, form: ChangeForm, field: FieldName): readonly Line[] {
  const isNarrow = size.columns < NARROW_COLUMNS;
  const width = size.columns - LABEL_COLUMNS - 2;
  const rows = isShort({ size }) ? FEW_WRITTEN_ROWS : WRITTEN_ROWS;
  const lines = field === 'deed' ? deedLines(form, width) : textLines(form, field, width, rows);
  const below = isNarrow ? NARROW_MARGIN : LABEL_COLUMNS;
  const mistake = form.mistakes[field];
  const more = [
    ...(field === 'key' ? keyLines(form, size.columns - below - 2) : []),
    ...(mistake === undefined
      ? []
      : wrapLine([span(label`✗ ${mistake}`, 'danger')], size.columns - below - 2, 'words')),
  ];
  const isFocused = field === form.focused;
  return [
    ...lines.map((line, at): Line => {
      const name = at === 0 ? LABELS[field] : label``;
      const tone = isFocused ? 'strong' : 'muted';
      return [
        span(at === 0 && isFocused ? label` ▸ ` : label`   `, 'accent'),
        ...fitLine([span(name, tone)], LABEL_COLUMNS - MARKER),
        ...line,
      ];
    }),
    ...more.map((line): Line => [span(spaces(below)), ...line]),
  ];
}

function textLines(
  form: ChangeForm,
  field: Exclude<FieldName, 'deed'>,
  columns: number,
  rows: number,
): readonly Line[] {
  const line = textOf(form, field);
  const reading = field === 'reason' ? 'prose' : 'exact';
  const placeholder = (room: number): Line =>
    fittingForm(
      PLACEHOLDERS[field].map((words) => [span(words, 'muted')]),
      room,
    );
  if (field === form.focused) {
    if (line.text === '') return [[span(label`▏`, 'accent'), ...placeholder(columns - 1)]];
    return writtenLines(line, { columns, rows, reading, hasCaret: true });
  }
  if (line.text === '') return [placeholder(columns)];
  return [cutLine(markedSpans(safeText(line.text, { reading })), columns)];
}

/** The key by its fingerprint as soon as it is one, to be compared with what its owner says. */
function keyLines(form: ChangeForm, columns: number): readonly Line[] {
  const { text } = textOf(form, 'key');
  const key = writtenKey(text);
  if (key !== null) {
    const type = safeText(key.type, { reading: 'exact' });
    return wrapLine(
      [
        ...exact(key.fingerprint).map(({ text: part }) => span(part, 'strong')),
        span(label`  ${type}`, 'muted'),
      ],
      columns,
      'words',
    );
  }
  return text === '' || form.mistakes.key !== undefined
    ? []
    : [[span(label`▲ no public key yet`, 'warning')]];
}

function deedLines(form: ChangeForm, columns: number): readonly Line[] {
  const deed = chosenDeed(form);
  const count = keyDeeds(form.entry).length;
  const words: Line =
    deed.type === 'add'
      ? [span(label`add one more key`)]
      : [
          span(
            deed.type === 'replace' ? label`replace ` : label`take away `,
            deed.type === 'replace' ? 'text' : 'danger',
          ),
          ...exact(deed.fingerprint),
          span(label`  `),
          ...markedSpans(keyTypeText(deed.line), 'muted'),
        ];
  const hint: Line = [span(label`  ← → ${form.deed + 1} of ${count}`, 'muted')];
  return wrapLine(
    [...(form.focused === 'deed' ? [span(label`▏`, 'accent')] : []), ...words, ...hint],
    columns,
    'words',
  );
}
