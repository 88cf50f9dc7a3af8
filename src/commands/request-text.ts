import { readShown } from '../client/shown-request.js';
import { shownTime, type TimeStyle } from '../client/shown-time.js';
import type { BoundDocument, RequestDocument } from '../protocol/document.js';
import { effectWords } from '../protocol/effect-words.js';
import { grantOver, isGrant, worthOf } from '../protocol/grant.js';
import { Problem } from '../protocol/problems.js';
import { parseReceipt, parseSignedText } from '../protocol/receipt.js';
import { isLive, type RequestView, type VoteView } from '../protocol/request-view.js';
import { knownRule } from '../protocol/rule.js';
import { coverWords, revocationWords, ruleWords } from '../protocol/rule-words.js';
import { parseSubmit } from '../protocol/statements.js';
import type { JsonObject } from '../protocol/strict-json.js';
import type { EpochMs } from '../protocol/time.js';
import { parseVerifiedFacts } from '../protocol/verified-facts.js';
import { verifySignature } from '../ssh/signature.js';
import { exact, prose } from './output.js';

const LABEL_WIDTH = 11;

/**
 * A request as a whole for a terminal: every field of its document, nothing cut, whatever could deceive marked. `details`
 * and `context` stand as JSON, so that no two documents look the same (A1). Times are in the reader's zone.
 */
export function formatRequest(view: RequestView, style: TimeStyle): string {
  const time = (at: EpochMs): string => shownTime(at, style);
  const { document } = readShown(view);
  const { rule } = view;
  return [
    field('request', view.id),
    field('state', standing(view, style)),
    field(
      'effect',
      `${view.state === 'pending' ? 'If approved,' : 'Asked:'} ${exact(effectWords(document))}.`,
    ),
    ...documentFields(document),
    field('asked', `${time(view.submittedAt)} through ${exact(view.submitter)}, ${vouching(view)}`),
    ...verifiedFields(view),
    field('answer by', time(view.answerBy)),
    ...(view.claimBy === null ? [] : [field('claim by', time(view.claimBy))]),
    ...(isLive(view.state) ? [field('waiting', view.waiting === 0 ? 'nobody' : String(view.waiting))] : []),
    field('rule', [...wordsOf(rule), exact(rule)].join('\n')),
    ...grantFields(view, style),
    ...aloneFields(view, style),
    ...view.missing.map((missing) => field('missing', prose(missing))),
    ...view.votes.map((vote) => field(vote.verdict, voteText(vote, view, style))),
    ...(view.report === null
      ? []
      : [field('door says', `${view.report.outcome} (${view.report.code ?? '-'}) ${time(view.report.at)}`)]),
    ...talkFields(view, style),
    ...(view.canary === null
      ? []
      : [
          field(
            'canary',
            `revealed at ${time(view.canary)}: nobody needed this, it was asked to see who reads`,
          ),
        ]),
    field('policy', view.policy),
    field('scope', view.scope),
    field('digest', view.digest),
  ].join('\n');
}

/** A document without a broker, in the same form. */
export function formatDocument({ document, scope, digest }: BoundDocument): string {
  return [...documentFields(document), field('scope', scope), field('digest', digest)].join('\n');
}

function documentFields(document: RequestDocument): readonly string[] {
  return [
    field('action', exact(document.action)),
    field('resource', exact(document.resource)),
    field('door', exact(document.door)),
    field('requester', exact(document.requester)),
    field('details', json(document.details)),
    field('context', json(document.context)),
    field('duration', document.duration === 0 ? 'none' : `${document.duration} s from first use`),
    field('nonce', document.nonce),
  ];
}

/** The rule in words, above its text; nothing where this version cannot read it. */
function wordsOf(rule: string): readonly string[] {
  const known = knownRule(rule);
  return known === null ? [] : ruleWords(known).map(prose);
}

/** What a lasting grant allows and how much is left of it, under which one this passed, and what a revocation would end. */
function grantFields(view: RequestView, style: TimeStyle): readonly string[] {
  const revoking = revocationWords(view);
  return [
    ...(view.grant === null ? [] : [field('grant', `used under grant ${view.grant}`)]),
    ...(isGrant(view) ? [field('grant', grantText(view, style))] : []),
    ...(revoking === null ? [] : [field('revoking', prose(revoking))]),
  ];
}

function grantText(view: RequestView, style: TimeStyle): string {
  const until = grantOver(view) ?? view.claimBy;
  const uses = view.uses === 0 ? 'not used yet' : view.uses === 1 ? 'used once' : `used ${view.uses} times`;
  const end = until === null || !isLive(view.state) ? '' : `, until ${shownTime(until, style)}`;
  return `${coverWords(worthOf(view.votes))}; ${uses}${end}`;
}

/** Break-glass: the requester lets himself in. */
function aloneFields(view: RequestView, style: TimeStyle): readonly string[] {
  if (view.alone === null) return [];
  const { vote, opensAt, opened } = view.alone;
  const at = shownTime(opensAt, style);
  const words = opened ? `was let in at ${at}` : `is let in at ${at} unless somebody denies it`;
  return [field('alone', `${voteText(vote, view, style)}\n${words}`)];
}

/** What approvers said and did among themselves: the word of the broker, under no signature. */
function talkFields({ comments, escalated }: RequestView, style: TimeStyle): readonly string[] {
  return [
    ...comments.map(({ by, at, text }) =>
      field('comment', `by ${exact(by)} ${shownTime(at, style)}, not signed: ${JSON.stringify(prose(text))}`),
    ),
    ...(escalated === null
      ? []
      : [
          field(
            'escalated',
            `by ${exact(escalated.by)} ${shownTime(escalated.at, style)}: everybody was rung`,
          ),
        ]),
  ];
}

function standing({ state, endedAt, endedBy }: RequestView, style: TimeStyle): string {
  const end = endedAt === null ? '' : ` at ${shownTime(endedAt, style)}`;
  return `${state}${end}${endedBy === null ? '' : `: ${prose(endedBy)}`}`;
}

/** What the broker says that it verified: apart from what the requester wrote, and no more than the broker's word. */
function verifiedFields({ verified }: RequestView): readonly string[] {
  if (verified === null) return [];
  try {
    const { issuer, claims } = parseVerifiedFacts(verified);
    const values = claims.map(({ name, value }) => `${exact(name)} ${exact(value)}`);
    return [field('verified', [`by the broker: OIDC token of ${exact(issuer)}`, ...values].join('\n'))];
  } catch (error) {
    if (error instanceof Problem) return [field('verified', `UNREADABLE: ${prose(error.message)}`)];
    throw error;
  }
}

/** Who stands behind the ask, by a signature that is checked here. */
function vouching(view: RequestView): string {
  if (view.vouched === null) {
    return view.verified === null ? 'who did not sign it' : 'who showed a token and did not sign it';
  }
  return checked(() => {
    const { statement, armor } = parseSignedText(view.vouched ?? '');
    const { key } = verifySignature(statement, armor, 'submit@countersign');
    const submit = parseSubmit(statement);
    if (submit.request !== view.digest || submit.submitter !== view.submitter) {
      throw new Problem('statement-mismatch', 'it speaks of another request');
    }
    return `signed with ${key.fingerprint}`;
  });
}

function voteText(
  { approver, decided, notAfter, comment, receipt, ...terms }: VoteView,
  view: RequestView,
  style: TimeStyle,
): string {
  const time = (at: EpochMs): string => shownTime(at, style);
  const signature = checked(() => {
    const { statement, armor, decision } = parseReceipt(receipt);
    const { key } = verifySignature(statement, armor, 'decision@countersign');
    const isOfGrant = view.grant !== null && decision.covers === 'scope' && decision.scope === view.scope;
    if ((decision.request !== view.digest && !isOfGrant) || decision.approver !== approver) {
      throw new Problem('statement-mismatch', 'it speaks of another request');
    }
    return `signed with ${key.fingerprint}`;
  });
  const said = comment === '' ? '' : `, ${JSON.stringify(prose(comment))}`;
  const covers = terms.covers === 'scope' ? `, for ${coverWords(terms)}` : '';
  return `by ${exact(approver)} ${time(decided)}, good until ${time(notAfter)}${covers}${said}, ${signature}`;
}

function checked(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Problem) return `WITH A SIGNATURE THAT DOES NOT HOLD: ${prose(error.message)}`;
    throw error;
  }
}

/** JSON.stringify breaks and indents; everything else in a line may be anybody's. */
function json(value: JsonObject): string {
  return JSON.stringify(value, null, 2)
    .split('\n')
    .map((line) => {
      const text = line.trimStart();
      return line.slice(0, line.length - text.length) + exact(text);
    })
    .join('\n');
}

/** A label and its value, whose further lines stand below the first. */
export function field(name: string, text: string): string {
  const [first = '', ...more] = text.split('\n');
  const indent = ' '.repeat(LABEL_WIDTH);
  return [name.padEnd(LABEL_WIDTH) + first, ...more.map((line) => indent + line)].join('\n');
}
