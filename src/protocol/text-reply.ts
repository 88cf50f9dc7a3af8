import { type BearerToken, isBearerToken, isRequestId, type RequestId } from './names.js';
import { Problem } from './problems.js';
import { formatSignedText, parseReceipts, type Receipt, type SignedText } from './receipt.js';
import { type EpochMs, formatTime, parseTime } from './time.js';

const STATES = [
  'pending',
  'approved',
  'denied',
  'expired',
  'lapsed',
  'cancelled',
  'revoked',
  'spent',
  'error',
] as const;
/** What a shell acts on; its exit code follows this word, never the HTTP status. */
export type ReplyState = (typeof STATES)[number];

/** The reply of the broker to a client that sent `Accept: text/plain`, errors included. */
export interface TextReply {
  readonly state: ReplyState;
  readonly id: RequestId | null;
  readonly watch: BearerToken | null;
  /** A problem code; one that is not in our table comes from a later broker. At most 64 characters. */
  readonly code: string | null;
  readonly answerBy: EpochMs | null;
  readonly claimBy: EpochMs | null;
  /** Printable ASCII, for the person who waits; null for none. */
  readonly hint: string | null;
  readonly receipts: readonly SignedText[];
}

const MAX_REPLY_BYTES = 64 * 1024;
const HEAD =
  /^countersign\/1 ([a-z]+) ([0-9A-Z]{26}|-)\nwatch: (\S+)\ncode: ([a-z-]{1,64})\nanswer-by: (\S+)\nclaim-by: (\S+)\nhint: ([\x20-\x7e]+)\n\n/;

/**
 * Beside these, the words of a door that watches what it opened, `GET …/standing`: whoever asks to be let in takes them for
 * no reply.
 */
export type WrittenState = ReplyState | 'redeemed' | 'active';

/** Writes the reply: a head of seven lines, a blank line, then the receipts. */
export function formatTextReply(reply: Omit<TextReply, 'state'> & { readonly state: WrittenState }): string {
  const time = (value: EpochMs | null): string => (value === null ? '-' : formatTime(value));
  return [
    `countersign/1 ${reply.state} ${reply.id ?? '-'}`,
    `watch: ${reply.watch ?? '-'}`,
    `code: ${reply.code ?? '-'}`,
    `answer-by: ${time(reply.answerBy)}`,
    `claim-by: ${time(reply.claimBy)}`,
    `hint: ${reply.hint === null ? '-' : printable(reply.hint)}`,
    '',
    reply.receipts.map(formatSignedText).join(''),
  ].join('\n');
}

/**
 * Reads a reply as a door must: anything that is not exactly the form is refused.
 *
 * @throws Problem `broker-reply`, `malformed-receipt` or `malformed-statement`
 */
export function parseTextReply(text: string): TextReply & { readonly receipts: readonly Receipt[] } {
  if (Buffer.byteLength(text) > MAX_REPLY_BYTES)
    throw new Problem('broker-reply', 'the reply is larger than 64 KiB');
  const head = HEAD.exec(text);
  if (head === null) throw new Problem('broker-reply', 'the reply does not have the seven lines of its head');
  const [whole, word, id, watch, code, answerBy, claimBy, hint] = head;
  const state = STATES.find((known) => known === word);
  if (state === undefined) throw new Problem('broker-reply', 'the reply has an unknown state');
  return {
    state,
    id: optional(id, (value) => (isRequestId(value) ? value : null)),
    watch: optional(watch, (value) => (isBearerToken(value) ? value : null)),
    code: optional(code, (value) => value),
    answerBy: optional(answerBy, parseTime),
    claimBy: optional(claimBy, parseTime),
    hint: optional(hint, (value) => value),
    receipts: parseReceipts(text.slice(whole.length)),
  };
}

function optional<Value>(text: string | undefined, parse: (text: string) => Value | null): Value | null {
  if (text === undefined || text === '-') return null;
  const value = parse(text);
  if (value === null) throw new Problem('broker-reply', 'the reply has a malformed value in its head');
  return value;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?') || '-';
}
