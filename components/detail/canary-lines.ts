import { shownTime } from '../../src/client/shown-time.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { fieldLines, headingLines } from '../text/field-lines.js';
import { type Line, span } from '../text/line.js';
import { label, safeText } from '../text/safe-text.js';
import type { ProgressPlace } from './request-progress.js';

/** That a request was a canary, once its submitter has revealed it. */
export function canaryLines({ canary }: RequestView, { columns, style }: ProgressPlace): readonly Line[] {
  if (canary === null) return [];
  const at = safeText(shownTime(canary, style), { reading: 'exact' });
  return [
    ...headingLines(label`Canary`, label`nobody needed this: it was asked to see who reads`, columns),
    ...fieldLines(label`revealed`, [span(label`at ${at}, signed by its submitter`)], columns, 'words'),
  ];
}
