import { caughtWords, MISSED_WORDS } from '../../src/client/canaries.js';
import { zonedTime } from '../../src/client/shown-time.js';
import type { ConsoleState } from '../state/console-state.js';
import { type Line, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, safeText, spaces } from '../text/safe-text.js';
import { heading, MARGIN } from './section.js';

/** How the reader did on canaries (A33): how many were caught, and which were not; nothing where there were none. */
export function canaryLines({ statistics, size, display }: ConsoleState): readonly Line[] {
  const { told, failure } = statistics.canaries;
  const { columns } = size;
  const inSection = (...lines: readonly Line[]): readonly Line[] => [
    ...heading(label`Canaries`, label`only you see yours`, columns),
    ...lines
      .flatMap((line) => wrapLine(line, columns - 2 * MARGIN, 'words'))
      .map((line): Line => [span(spaces(MARGIN)), ...line]),
  ];
  if (failure !== null) return inSection([span(label`✗ ${failure.message} (g tries again)`, 'danger')]);
  const caught = told === null ? null : caughtWords(told, display.zone);
  if (told === null || caught === null) return [];
  const { missed, missedCount } = told;
  const words: Line = [span(safeText(caught, { reading: 'exact' }), 'strong')];
  if (missedCount === 0) return inSection(words);
  const more = missedCount - missed.length;
  return inSection(
    words,
    [span(MISSED_LABEL, 'muted')],
    ...missed.map(({ id, revealed }): Line => {
      const at = safeText(zonedTime(revealed, display.zone), { reading: 'exact' });
      return [span(safeText(id, { reading: 'exact' })), span(label`  ${at}`, 'muted')];
    }),
    ...(more > 0 ? [[span(label`and ${more} older`, 'muted')] satisfies Line] : []),
  );
}

const MISSED_LABEL = safeText(MISSED_WORDS, { reading: 'exact' });
