import type { JsonObject, JsonValue } from '../../src/protocol/strict-json.js';
import type { NewEvent, Request } from '../requests/request.js';
import { chatLine } from './plain-line.js';

/** Longest part that others wrote, in characters; there are at most five. */
const MAX_PART = 150;

/** What each event is called to people. */
const WORDS: Readonly<Record<NewEvent['kind'], string>> = {
  'request.submitted': 'Asked',
  'request.voted': 'Signed yes',
  'request.reconsidered': 'A yes counts no longer',
  'request.alone': 'Break-glass begun',
  'request.approved': 'Approved',
  'request.denied': 'Denied',
  'request.expired': 'Expired',
  'request.cancelled': 'Cancelled',
  'request.lapsed': 'Lapsed',
  'request.revoked': 'Revoked',
  'request.used': 'Grant used',
  'request.redeemed': 'Claimed by its door',
  'request.watched': 'Watched by its door',
  'request.reported': 'Reported by its door',
  'request.reviewed': 'Break-glass reviewed',
  'request.commented': 'Commented',
  'request.escalated': 'Everybody rung',
  'request.canary': 'It was a canary',
  'requester.muted': 'Muted after denials',
  'requester.locked': 'Locked after a fraud',
  'requester.unlocked': 'Unlocked',
  'roster.changed': 'People changed',
  'submitters.changed': 'Submitters changed',
  'policy.loaded': 'Policy in force',
  'roster.signed': 'Signers file signed',
  'broker.key': 'Key of the broker in use',
  'hold.placed': 'Legal hold placed',
  'hold.lifted': 'Legal hold lifted',
  'history.erased': 'Old requests erased',
  'outbox.retried': 'Dead letters sent again',
  'outbox.dropped': 'Dead letters dropped',
  'store.created': 'Database made',
  'store.restored': 'Restored from a back-up',
  'restore.acknowledged': 'Restore acknowledged',
};

/** All kinds of events. */
export const EVENT_KINDS = Object.keys(WORDS) as readonly NewEvent['kind'][];

/**
 * One line for people, of which no chat makes anything but text: `Asked: sudo⟨.⟩run on db-2 for alice: INC-4312`. It begins with
 * a word of ours, so that no marker of a list or a heading stands first.
 */
export function summaryOf(kind: string, body: JsonObject, subject: Request | null): string {
  const word = (WORDS as Readonly<Record<string, string>>)[kind] ?? `Event ${part(kind)}`;
  const by = textOf(body.approver) ?? (kind.startsWith('outbox.') ? textOf(body.by) : null);
  const what = subject === null ? (textOf(body.requester) ?? textOf(body.sink)) : about(subject);
  const why = kind === 'request.submitted' ? textOf(subject?.document.context.reason) : reasonOf(body);
  return [
    by === null ? word : `${word} by ${part(by)}`,
    ...(what === null ? [] : [subject === null ? part(what) : what]),
    ...(why === null ? [] : [part(why)]),
  ].join(': ');
}

const about = ({ document: { action, resource, requester } }: Request): string =>
  `${part(action)} on ${part(resource)} for ${part(requester)}`;

/** Why it ended, or what the door or an approver said. */
function reasonOf({ because, outcome, code, text }: JsonObject): string | null {
  const said = [outcome, code].filter((one) => typeof one === 'string').join(', ');
  return textOf(because) ?? textOf(text) ?? (said === '' ? null : said);
}

const part = (text: string): string => chatLine(text, MAX_PART);
const textOf = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
