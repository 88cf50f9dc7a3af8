import type { RequestDocument } from '../../src/protocol/document.js';
import { effectWords } from '../../src/protocol/effect-words.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { knownRule } from '../../src/protocol/rule.js';
import { ruleWords } from '../../src/protocol/rule-words.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { panesOf } from '../screen/panes.js';
import type { ConsoleState } from '../state/console-state.js';
import { lengthText } from '../text/clock-text.js';
import { fieldLines, headingLine, jsonLines, MARGIN } from '../text/field-lines.js';
import { type Line, markedSpans, span } from '../text/line.js';
import { wrapLine } from '../text/line-wrapping.js';
import { label, type SafeText, safeText, spaces } from '../text/safe-text.js';
import { isUnbroken } from '../text/unbroken.js';
import { changeSummary, detailsLines, markedDetails, markedIn } from './details-lines.js';
import { evidenceLines, indented } from './evidence-lines.js';
import { examine, type VerifiedClaims, type Voucher, verifiedClaimsOf, voucherOf } from './examination.js';

/** All of a request that is made of what is signed for. */
export interface RequestDocumentLines {
  /** What must be read before approving: every field of the document is in it, whatever it is called. */
  readonly mustRead: readonly Line[];
  /** What this program checks in the place of the reader. */
  readonly evidence: readonly Line[];
}

/** For which broker, in whose time zone and how wide a request is drawn. */
export interface DocumentPlace {
  /** The keys under which the broker is pinned. */
  readonly pins: readonly string[];
  readonly zone: string;
  readonly columns: number;
}

/** For whom and how wide the console draws a request now. */
export const documentPlace = (state: ConsoleState): DocumentPlace => ({
  pins: state.identity.pins,
  zone: state.display.zone,
  columns: panesOf(state).detail,
});

/** What must be read of a request before approving, as the console draws it now. */
export const mustRead = (state: ConsoleState, request: RequestView): readonly Line[] =>
  requestDocument(request, documentPlace(state)).mustRead;

interface Drawn {
  readonly columns: number;
  readonly zone: string;
  readonly pins: readonly string[];
  readonly lines: RequestDocumentLines;
}

const drawn = new WeakMap<RequestView, Drawn>();

/**
 * All that an approver must have read before approving, in full and in the same order every time: what happens then, who asks for what and
 * why, all that is bound, who vouches for it, and by which rule. It is drawn from the bytes behind the digest and from nothing that
 * could change or come late, and no two documents look the same in it (A1).
 */
export function requestDocument(request: RequestView, place: DocumentPlace): RequestDocumentLines {
  const { columns, pins, zone } = place;
  const known = drawn.get(request);
  if (known?.columns === columns && known.pins === pins && known.zone === zone) return known.lines;
  const lines = drawDocument(request, place);
  drawn.set(request, { columns, pins, zone, lines });
  return lines;
}

const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));

function drawDocument(request: RequestView, place: DocumentPlace): RequestDocumentLines {
  const { bound } = examine(request);
  if (bound === null) return { mustRead: notADocument(request, place.columns), evidence: [] };
  return {
    mustRead: [
      ...askLines(request, bound.document, place.columns),
      ...proofLines(request, bound.document, place),
    ],
    evidence: evidenceLines(request, bound, place),
  };
}

function askLines(request: RequestView, document: RequestDocument, columns: number): readonly Line[] {
  const { action, resource, requester, door, duration, context, details } = document;
  const field = (name: SafeText, value: Line): readonly Line[] => fieldLines(name, value, columns);
  return [
    ...effectLines(document, request.state === 'pending', columns),
    ...markLines(request, document, columns),
    ...field(label`action`, [...exact(action), span(label` on `, 'muted'), ...exact(resource)]),
    ...field(label`requester`, [...exact(requester), span(label` through `, 'muted'), ...exact(door)]),
    ...fieldLines(label`work for`, durationLine(duration), columns, 'words'),
    ...changeLines(document, columns),
    sectionLine(label`Context`, label`written by the requester, compared by nobody`, context, columns),
    ...jsonLines(context, columns, 'prose'),
    sectionLine(label`Details`, label`bound: the door compares every one of them`, details, columns),
    ...detailsLines(document, columns),
  ];
}

function proofLines(
  request: RequestView,
  { nonce }: RequestDocument,
  { pins, columns }: DocumentPlace,
): readonly Line[] {
  const claims = verifiedClaimsOf(request);
  return [
    ...verifiedLines(claims, columns),
    headingLine(label`Proof`, label`checked here, against what you see`, columns),
    ...fieldLines(
      label`sent by`,
      [...exact(request.submitter), span(label`  `), ...voucherLine(voucherOf(request, pins), claims)],
      columns,
      'words',
    ),
    ...fieldLines(label`nonce`, exact(nonce), columns),
    ...ruleLines(request, columns),
  ];
}

/** What happens then, in plain words: as it is no label and no heading, nothing that others wrote can stand like it. */
function effectLines(document: RequestDocument, isPending: boolean, columns: number): readonly Line[] {
  const words = safeText(effectWords(document), { reading: 'exact' });
  const line = [span(isPending ? label`If approved, ${words}.` : label`Asked: ${words}.`, 'strong')];
  if (isUnbroken(columns)) return [line];
  const margin = span(spaces(MARGIN));
  return wrapLine(line, columns - 2 * MARGIN, 'words').map((part) => [margin, ...part]);
}

/** How much of what others wrote could deceive, where any of it could. */
function markLines(request: RequestView, document: RequestDocument, columns: number): readonly Line[] {
  const { resource, context } = document;
  const written = markedIn(resource, 'exact') + markedIn(context, 'prose') + markedDetails(document);
  const count = written + markedClaims(verifiedClaimsOf(request));
  if (count === 0) return [];
  const what =
    count === 1 ? label`character that could deceive is` : label`characters that could deceive are`;
  const words = span(label`${count} ${what} written out below`, 'warning');
  return fieldLines(label`▲ marked`, [words], columns, 'words');
}

/** An issuer signs what others named: a branch, say. */
function markedClaims(claims: VerifiedClaims): number {
  if (claims.state !== 'read') return 0;
  const texts = claims.facts.claims.flatMap(({ name, value }) => [name, value]);
  return markedIn([claims.facts.issuer, ...texts], 'exact');
}

function sectionLine(title: SafeText, meaning: SafeText, object: JsonObject, columns: number): Line {
  return headingLine(title, Object.keys(object).length === 0 ? label`none` : meaning, columns);
}

/** The rule in words; where this version cannot read it, the text itself. */
function ruleLines({ rule }: RequestView, columns: number): readonly Line[] {
  const words = wordsOf(rule);
  if (words !== null) {
    return fieldLines(label`rule`, markedSpans(safeText(words, { reading: 'prose' })), columns, 'words');
  }
  const unread = span(label`▲ this version cannot read it. Its text: `, 'warning');
  return fieldLines(label`rule`, [unread, ...exact(rule)], columns);
}

function wordsOf(rule: string): string | null {
  const known = knownRule(rule);
  return known === null ? null : ruleWords(known).join('; ');
}

function changeLines(document: RequestDocument, columns: number): readonly Line[] {
  const summary = changeSummary(document);
  if (summary === null) return [];
  return fieldLines(label`change`, markedSpans(safeText(summary, { reading: 'exact' }), 'strong'), columns);
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
  const heading = headingLine(
    label`Verified by the broker`,
    label`signed by the issuer, read by the broker: not by the requester, and not checked here`,
    columns,
  );
  if (claims.state === 'unreadable') {
    return [heading, ...fieldLines(label`token`, [span(label`▲ cannot be read`, 'alarm')], columns)];
  }
  const { issuer, claims: facts } = claims.facts;
  const exact = (text: string): Line => markedSpans(safeText(text, { reading: 'exact' }));
  return [
    heading,
    ...fieldLines(label`OIDC token`, exact(issuer), columns),
    ...facts.flatMap(({ name, value }) =>
      fieldLines(safeText(name, { reading: 'exact' }), exact(value), columns),
    ),
  ];
}

function voucherLine(voucher: Voucher, claims: VerifiedClaims): Line {
  switch (voucher.state) {
    case 'unsigned':
      return [
        claims.state === 'read'
          ? span(label`○ by the token above, which the broker verified`, 'warning')
          : span(label`○ not signed: only the broker says so`, 'warning'),
      ];
    case 'verified':
      return [span(label`✓ `, 'accent'), span(label`signed by its own key`)];
    case 'forged':
      return [span(label`▲ signature does not verify: ${voucher.why}`, 'alarm')];
  }
}

function notADocument({ document }: RequestView, columns: number): readonly Line[] {
  return [
    headingLine(label`What came from the broker`, label`no door could have sent this`, columns),
    ...indented(exact(JSON.stringify(document) ?? ''), columns),
  ];
}
