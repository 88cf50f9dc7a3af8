import { shownTime, type TimeStyle, zonedTime } from '../../src/client/shown-time.js';
import type { EarlierDecision } from '../../src/protocol/background.js';
import { comparedWords, outcomeWords, unusualWords } from '../../src/protocol/background-words.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { BLANK, cutLine, fittingForm, type Line, markedSpans, span } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import type { OpenedBackground } from './background-step.js';

/** How wide it is drawn, and how its times are. */
export interface BackgroundPlace {
  readonly columns: number;
  readonly style: TimeStyle;
}

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

/**
 * What is unusual in one line, whose place is kept free until it is known, so that nothing moves under the eye. Where nothing is,
 * it says with what was compared, and not that all is well.
 */
export function backgroundLine(told: OpenedBackground | null, { columns, style }: BackgroundPlace): Line {
  const margin = span(label`  `);
  if (told === null || told.state === 'asked') return BLANK;
  if (told.state === 'unknown') {
    return cutLine(
      [margin, span(label`What came before is not known: the broker did not answer`, 'warning')],
      columns,
    );
  }
  const { background } = told;
  if (background.unusual.length === 0) {
    const compared = comparedWords(background, zonedTime(background.since, style.zone));
    const words = safeText(compared, { reading: 'exact' });
    return cutLine([margin, span(label`compared with ${words}`, 'muted')], columns - 1);
  }
  const count = background.unusual.length;
  const first = count === 1 ? label`▲ ` : label`▲ ${count} unusual: `;
  const marks = background.unusual.map(
    (what, at): Line => [
      span(at === 0 ? first : label` · `, 'warning'),
      ...markedSpans(safeText(unusualWords(what), { reading: 'exact' }), 'warning'),
    ],
  );
  const forms = marks.map((_, at): Line => [margin, ...marks.slice(0, count - at).flat()]);
  return fittingForm(forms, columns - 1);
}

/** The same in full, and what was decided before: below all that must be read, where it moves nothing by coming late. */
export function backgroundLines(
  told: OpenedBackground | null,
  { columns, style }: BackgroundPlace,
): readonly Line[] {
  if (told === null || told.state === 'asked') return [];
  const heading = headingLines(label`Background`, label`the broker's word, from its history`, columns);
  if (told.state === 'unknown') {
    const why: Line = [span(label`the broker did not answer: `, 'warning'), span(told.why)];
    return [...heading, ...fieldLines(label`not known`, why, columns, 'words')];
  }
  const { background } = told;
  const compared = comparedWords(background, zonedTime(background.since, style.zone));
  return [
    ...heading,
    ...background.unusual.flatMap((what) =>
      fieldLines(
        label`unusual`,
        [span(label`▲ `, 'warning'), ...exact(unusualWords(what))],
        columns,
        'words',
      ),
    ),
    ...fieldLines(label`compared`, [span(label`with `), ...exact(compared)], columns, 'words'),
    ...background.earlier.flatMap((decision) =>
      fieldLines(label`earlier`, earlierLine(decision, style), columns, 'words'),
    ),
    ...(background.earlier.length > 0
      ? []
      : fieldLines(label`earlier`, [span(label`no decision on an equal ask among these`, 'muted')], columns)),
  ];
}

function earlierLine(decision: EarlierDecision, style: TimeStyle): Line {
  const { approver, verdict, decided } = decision;
  const word = verdict === 'approve' ? span(label`approve`, 'accent') : span(label`deny`, 'danger');
  const outcome = outcomeWords(decision);
  return [
    ...exact(approver),
    span(label` `),
    word,
    span(label` at ${safeText(shownTime(decided, style), { reading: 'exact' })}`, 'muted'),
    ...(outcome === '' ? [] : [span(label`; ${safeText(outcome, { reading: 'exact' })}`)]),
  ];
}
