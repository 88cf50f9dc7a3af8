import { zonedTime } from '../../src/client/shown-time.js';
import { sha256Digest } from '../../src/protocol/canonical.js';
import type { BoundDocument } from '../../src/protocol/document.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { fieldLines, headingLines, MARGIN } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { isUnbroken } from '../text/unbroken.js';
import { examine, voucherOf } from './examination.js';
import type { DocumentPlace } from './request-document.js';

/**
 * What this program has checked by itself, to be held against other records: the digests, the key of the submitter, the texts behind
 * the digests. All that they say in other words stands in the part that must be read.
 */
export function evidenceLines(
  request: RequestView,
  bound: BoundDocument,
  { columns, pins, zone }: DocumentPlace,
): readonly Line[] {
  const field = (name: SafeText, text: string): readonly Line[] => fieldLines(name, exact(text), columns);
  const voucher = voucherOf(request, pins);
  return [
    ...headingLines(label`Evidence`, label`checked by this program; you need not read it`, columns),
    ...digestLines(request, bound, columns),
    ...(voucher.state === 'verified' ? field(label`key`, voucher.key) : []),
    ...fieldLines(
      label`asked as`,
      [...exact(request.id), span(label` at `, 'muted'), ...exact(zonedTime(request.submittedAt, zone))],
      columns,
    ),
    ...field(label`rule`, request.rule),
    ...headingLines(label`Canonical text`, label`exactly these bytes are behind the digest`, columns),
    ...indented(exact(bound.canonical), columns),
  ];
}

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }), 'muted');

function digestLines(request: RequestView, bound: BoundDocument, columns: number): readonly Line[] {
  const { differs } = examine(request);
  const field = (name: SafeText, own: string, claimed: string, isWrong: boolean): readonly Line[] => {
    if (!isWrong) return fieldLines(name, [span(label`✓ `, 'accent'), ...exact(own)], columns);
    return [
      ...fieldLines(name, [span(label`▲ differs`, 'alarm'), span(label` `), ...exact(own)], columns),
      ...fieldLines(label`broker says`, [span(label`✗ `, 'danger'), ...exact(claimed)], columns),
    ];
  };
  return [
    ...field(label`digest`, bound.digest, request.digest, differs.digest),
    ...field(label`scope`, bound.scope, request.scope, differs.scope),
    ...field(label`rule digest`, sha256Digest(request.rule), request.policy, differs.rule),
  ];
}

/** A text on lines of its own. */
export function indented(line: Line, columns: number): readonly Line[] {
  if (isUnbroken(columns)) return [line];
  const indent = span(spaces(MARGIN + 2));
  return wrapLine(line, columns - 2 * MARGIN - 2, 'columns').map((part) => [indent, ...part]);
}
