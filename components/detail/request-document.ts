import { zonedTime } from '../../src/client/shown-time.js';
import { sha256Digest } from '../../src/protocol/canonical.js';
import { isChangeAction, POLICY_CHANGE } from '../../src/protocol/change-messages.js';
import type { BoundDocument } from '../../src/protocol/document.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { parseRule } from '../../src/protocol/rule.js';
import { ruleWords } from '../../src/protocol/rule-words.js';
import type { Tone } from '../screen/theme.js';
import { lengthText } from '../text/clock-text.js';
import { fieldLines, headingLines, jsonLines, MARGIN } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { isUnbroken } from '../text/unbroken.js';
import { examine, type VerifiedClaims, type Voucher, verifiedClaimsOf, voucherOf } from './examination.js';

/** All lines that must be read. */
export interface RequestDocumentLines {
  /** What is asked, and why. */
  readonly ask: readonly Line[];
  /** Who vouches for it, by which rule, and what exactly is signed. */
  readonly proof: readonly Line[];
}

/** For which broker, in whose time zone and how wide a request is drawn. */
export interface DocumentPlace {
  /** The keys under which the broker is pinned. */
  readonly pins: readonly string[];
  readonly zone: string;
  readonly columns: number;
}

interface Drawn {
  readonly columns: number;
  readonly zone: string;
  readonly pins: readonly string[];
  readonly lines: RequestDocumentLines;
}

const drawn = new WeakMap<RequestView, Drawn>();

/**
 * All that an approver must have read before approving, in full and in the same order every time: what is asked,
 * who vouches for it, by which rule, the digests, and the canonical text that the digest is over.
 */
export function requestDocument(request: RequestView, place: DocumentPlace): RequestDocumentLines {
  const { columns, pins, zone } = place;
  const known = drawn.get(request);
  if (known?.columns === columns && known.pins === pins && known.zone === zone) return known.lines;
  const lines = drawDocument(request, place);
  drawn.set(request, { columns, pins, zone, lines });
  return lines;
}

function drawDocument(request: RequestView, { pins, zone, columns }: DocumentPlace): RequestDocumentLines {
  const { bound } = examine(request);
  if (bound === null) return { ask: notADocument(request, columns), proof: [] };
  const { document, canonical } = bound;
  const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
  const field = (name: SafeText, value: Line): readonly Line[] => fieldLines(name, value, columns);
  const ask = [
    ...headingLines(label`What is asked`, label`this and the details are what opens or runs`, columns),
    ...field(label`action`, exact(document.action)),
    ...field(label`resource`, exact(document.resource)),
    ...field(label`requester`, exact(document.requester)),
    ...field(label`door`, exact(document.door)),
    ...field(label`work for`, durationLine(document.duration)),
    ...changeLines(document, columns),
    ...headingLines(label`Details`, label`bound: the door compares every one of them`, columns),
    ...detailLines(document, columns),
    ...(Object.keys(document.details).length === 0 ? field(label`none`, []) : []),
    ...headingLines(
      label`Context`,
      label`for you to read: written by the requester, compared by nobody`,
      columns,
    ),
    ...jsonLines(document.context, columns, 'prose'),
    ...(Object.keys(document.context).length === 0 ? field(label`none`, []) : []),
  ];
  const claims = verifiedClaimsOf(request);
  const proof = [
    ...verifiedLines(claims, columns),
    ...headingLines(label`Proof`, label`checked here, against what you see`, columns),
    ...field(label`submitter`, exact(request.submitter)),
    ...field(label`vouched by`, voucherLine(voucherOf(request, pins), claims)),
    ...ruleLines(request, columns),
    ...digestLines(request, bound, columns),
    ...field(label`asked as`, [
      ...exact(request.id),
      span(label` at `, 'muted'),
      ...exact(zonedTime(request.submittedAt, zone)),
    ]),
    ...headingLines(label`Canonical text`, label`exactly these bytes are behind the digest`, columns),
    ...indented(exact(canonical), columns),
  ];
  return { ask: ask.slice(1), proof };
}

/** The rule in words, where this version can read it, above the text that is signed for. */
function ruleLines({ rule }: RequestView, columns: number): readonly Line[] {
  const text = markedSpans(safeText(rule, { reading: 'exact' }));
  const words = wordsOf(rule).flatMap((sentence, at) => {
    const line = markedSpans(safeText(sentence, { reading: 'prose' }));
    return fieldLines(at === 0 ? label`rule says` : label``, line, columns, 'words');
  });
  return [...words, ...fieldLines(label`rule`, text, columns)];
}

function wordsOf(rule: string): readonly string[] {
  try {
    return ruleWords(parseRule(rule));
  } catch {
    return [];
  }
}

/** What the broker says in words of a change that it asks for itself; what is applied stands below, exactly. */
function changeLines({ action, details }: BoundDocument['document'], columns: number): readonly Line[] {
  const { summary } = details;
  if (!isChangeAction(action) || typeof summary !== 'string') return [];
  return fieldLines(label`change`, markedSpans(safeText(summary, { reading: 'exact' }), 'strong'), columns);
}

/** The lines of another policy stand one below the other, as people know them from diff; the rest is as in any request. */
function detailLines({ action, details }: BoundDocument['document'], columns: number): readonly Line[] {
  const { diff, ...others } = details;
  const isLines = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((line) => typeof line === 'string');
  if (action !== POLICY_CHANGE || !isLines(diff)) return jsonLines(details, columns, 'exact');
  return [
    ...jsonLines(others, columns, 'exact'),
    ...headingLines(label`diff`, label`- goes, + comes; the rest stays`, columns),
    ...diff.flatMap((line) => differenceLines(line, columns)),
  ];
}

/** A line that goes on begins with a bar, so that it cannot pass for the next one. */
function differenceLines(line: string, columns: number): readonly Line[] {
  if (isUnbroken(columns)) {
    const mark = DIFF_MARKS[line.slice(0, 1)];
    const text = safeText(mark === undefined ? line : line.slice(1), { reading: 'exact' });
    return fieldLines(mark ?? label`no line of diff`, markedSpans(text), columns);
  }
  const indent = span(spaces(MARGIN + 2));
  const lines = wrapLine(differenceLine(line), columns - 2 * MARGIN - 4, 'columns');
  return lines.map((part, at) =>
    at === 0 ? [indent, ...part] : [indent, span(label`│ `, 'muted'), ...part],
  );
}

/**
 * The first character is the mark of diff, so that nothing is told by colour alone. An indent is shown as what it is. What is no line of
 * diff says so: it could begin with what goes before the lines that go on.
 */
function differenceLine(line: string): Line {
  if (!/^[-+@ ]/.test(line)) {
    return [span(label`▲ `, 'alarm'), ...markedSpans(safeText(line, { reading: 'exact' }))];
  }
  const tone = TONES[line.slice(0, 1)] ?? 'text';
  const [, indent = '', rest = ''] = /^(.(?: *(?=[^ ]))?)(.*)$/s.exec(line) ?? [];
  const mark = safeText(indent.slice(0, 1).trim(), { reading: 'exact' });
  const text = markedSpans(safeText(rest, { reading: 'exact' }), tone);
  return [span(mark, tone), span(spaces(indent.length - mark.length)), ...text];
}

/** The marks of diff in a word, where they are read out. */
const DIFF_MARKS: Readonly<Record<string, SafeText>> = {
  '+': label`comes`,
  '-': label`goes`,
  '@': label`place`,
  ' ': label`stays`,
};

const TONES: Readonly<Record<string, Tone>> = { '+': 'accent', '-': 'danger', '@': 'muted' };

function digestLines(request: RequestView, bound: BoundDocument, columns: number): readonly Line[] {
  const { differs } = examine(request);
  const field = (name: SafeText, own: string, claimed: string, isWrong: boolean): readonly Line[] => {
    const line = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
    if (!isWrong) return fieldLines(name, [span(label`✓ `, 'accent'), ...line(own)], columns);
    return [
      ...fieldLines(name, [span(label`▲ differs`, 'alarm'), span(label` `), ...line(own)], columns),
      ...fieldLines(label`broker says`, [span(label`✗ `, 'danger'), ...line(claimed)], columns),
    ];
  };
  return [
    ...field(label`digest`, bound.digest, request.digest, differs.digest),
    ...field(label`scope`, bound.scope, request.scope, differs.scope),
    ...field(label`rule digest`, sha256Digest(request.rule), request.policy, differs.rule),
  ];
}

function durationLine(seconds: number): Line {
  if (seconds === 0) return [span(label`no time limit of its own (duration 0)`)];
  return [
    span(label`${lengthText(seconds)}, from its first use`),
    span(label`  (${seconds} seconds)`, 'muted'),
  ];
}

/** Claims of an OIDC token, apart from what the requester wrote. */
function verifiedLines(claims: VerifiedClaims, columns: number): readonly Line[] {
  if (claims.state === 'none') return [];
  const heading = headingLines(
    label`Verified by the broker`,
    label`signed by the issuer, read by the broker: not by the requester, and not checked here`,
    columns,
  );
  if (claims.state === 'unreadable') {
    return [...heading, ...fieldLines(label`token`, [span(label`▲ cannot be read`, 'alarm')], columns)];
  }
  const { issuer, claims: facts } = claims.facts;
  const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
  return [
    ...heading,
    ...fieldLines(label`OIDC token`, exact(issuer), columns),
    ...facts.flatMap(({ name, value }) =>
      fieldLines(safeText(name, { reading: 'exact' }), exact(value), columns),
    ),
  ];
}

function voucherLine(voucher: Voucher, claims: VerifiedClaims): Line {
  switch (voucher.state) {
    case 'unsigned':
      if (claims.state === 'read') {
        return [span(label`○ the broker, which verified an OIDC token: see above`, 'warning')];
      }
      return [span(label`○ nobody: only the broker says who sent this`, 'warning')];
    case 'verified':
      return [
        span(label`✓ `, 'accent'),
        span(label`its signature, by the key ${safeText(voucher.key, { reading: 'exact' })}`),
      ];
    case 'forged':
      return [span(label`▲ signature does not verify: ${voucher.why}`, 'alarm')];
  }
}

function notADocument({ document }: RequestView, columns: number): readonly Line[] {
  return [
    ...headingLines(label`What came from the broker`, label`no door could have sent this`, columns),
    ...indented(markedSpans(safeText(JSON.stringify(document) ?? '', { reading: 'exact' })), columns),
  ];
}

function indented(line: Line, columns: number): readonly Line[] {
  if (isUnbroken(columns)) return [line];
  const indent = span(spaces(MARGIN + 2));
  return wrapLine(line, columns - 2 * MARGIN - 2, 'columns').map((part) => [indent, ...part]);
}
