/**
 * Every error that a client, a door or an operator can meet, in one table. The code is stable: scripts match on it.
 * `status` is the HTTP status of the RFC 9457 problem document, `hint` says what to do about it.
 */
export const PROBLEMS = {
  // What was sent
  'malformed-json': {
    status: 400,
    hint: 'send one strict I-JSON value (RFC 7493): no duplicate keys, integers only',
  },
  'malformed-document': {
    status: 422,
    hint: 'see "HTTP" in the README for the fields of a document and their limits',
  },
  'malformed-statement': {
    status: 422,
    hint: 'a statement has exactly its lines, once each, in order, in ASCII, each ended by LF',
  },
  'malformed-receipt': {
    status: 422,
    hint: 'a receipt is one statement followed by one SSH signature and nothing else',
  },
  'malformed-request': {
    status: 400,
    hint: 'check the part of the request that the message names; see "HTTP" in the README',
  },
  'body-too-large': { status: 413, hint: 'a document has at most 64 KiB' },
  'headers-too-large': { status: 431, hint: 'send fewer or shorter headers' },
  'unsupported-media-type': { status: 415, hint: 'send application/json' },
  'not-found': { status: 404, hint: 'check the id and the address' },
  'method-not-allowed': { status: 405, hint: 'see "HTTP" in the README for the methods of each route' },
  'origin-refused': { status: 403, hint: 'the broker has no browser interface; use the terminal console' },

  // Signatures and keys
  'malformed-key': {
    status: 422,
    hint: 'give one line of an OpenSSH public key file: TYPE BASE64 [COMMENT]',
  },
  'unsupported-key': {
    status: 422,
    hint: 'use ed25519, ecdsa, rsa (2048 bits or more), sk-ed25519 or sk-ecdsa',
  },
  'malformed-signature': { status: 422, hint: 'make the signature with ssh-keygen -Y sign' },
  'wrong-namespace': {
    status: 422,
    hint: 'sign with the namespace of this verb, for example -n decision@countersign',
  },
  'weak-signature': { status: 422, hint: 'sign with SHA-256 or SHA-512; SHA-1 is refused' },
  'bad-signature': {
    status: 403,
    hint: 'the text was changed after it was signed, or another key signed it',
  },
  'presence-missing': {
    status: 403,
    hint: 'touch the security key when it blinks, and use a key that demands it',
  },
  'unknown-key': { status: 403, hint: 'enrol the key first: countersign roster add NAME --key FILE' },
  'wrong-principal': { status: 403, hint: 'sign under the name that owns the key' },
  'revoked-key': {
    status: 403,
    hint: 'sign with another key: this one stands in the revoked-keys file of this door',
  },
  'bad-revoked-keys': {
    status: 400,
    hint: 'one public key or SHA256: fingerprint a line; comments begin with #',
  },
  'key-expired': { status: 403, hint: 'enrol a new key, or extend the old one' },
  'key-not-yet-valid': { status: 403, hint: 'wait until the key is valid, or correct the clock' },
  'malformed-signers-file': { status: 422, hint: 'write it with: countersign roster export' },
  'signing-failed': {
    status: 422,
    hint: 'check that the key is loaded in the agent (ssh-add -l) or readable',
  },
  'no-agent': {
    status: 422,
    hint: 'start one there again (ssh-agent -a PATH, ssh-add) and sign again; countersign doctor says more',
  },
  'signing-needs-terminal': {
    status: 422,
    hint: 'sign in a terminal: the key asks for its passphrase, its PIN or a touch',
  },
  // Who may do what
  unauthenticated: { status: 401, hint: 'sign in again: the credential is missing, unknown or ended' },
  'oidc-token-refused': {
    status: 401,
    hint: 'compare its issuer, audience and claims with: countersign submitter list; ask for a fresh token',
  },
  'issuer-unreachable': {
    status: 503,
    hint: 'check from the broker that the issuer answers; other submitters are not affected',
  },
  forbidden: { status: 403, hint: 'this credential does not reach this verb' },
  'submitter-limits': {
    status: 403,
    hint: 'ask the broker owner to widen what this submitter may ask: countersign submitter list',
  },
  'demo-only': {
    status: 403,
    hint: 'the local socket may ask for demo.* only, as demo, through demo; enrol a submitter: countersign submitter add',
  },
  'not-an-approver': {
    status: 403,
    hint: 'decisions come from a NAME of the roster, never from an alias or a group',
  },
  'self-approval': { status: 403, hint: 'somebody other than the requester must approve' },
  'no-rule': {
    status: 403,
    hint: 'no rule of the policy allows this; the broker owner sees why with: countersign policy explain',
  },
  'rule-unmet': { status: 422, hint: 'ask again with what the rule wants' },
  'rule-failed': {
    status: 403,
    hint: 'the broker owner must correct the condition of that rule; until then it refuses what it cannot judge',
  },
  'import-refused': {
    status: 422,
    hint: 'take that part out, import the rest, and write a rule for it by hand',
  },
  'bad-policy': { status: 422, hint: 'correct the lines that are named' },
  'policy-unfit': {
    status: 503,
    hint: 'the owner of the broker stops it and corrects the roster or the policy: countersign policy install',
  },
  'validation-refused': {
    status: 403,
    hint: 'a check of your organisation refuses it: ask again once that is mended',
  },
  'validation-unavailable': {
    status: 503,
    hint: 'ask again in a moment; the log of the broker says more of who did not answer',
  },
  'bad-webhooks': { status: 422, hint: 'correct the lines that are named' },
  'already-voted': { status: 409, hint: 'a person counts once' },
  'covers-differ': { status: 409, hint: 'sign for what the others signed for' },
  'number-needed': {
    status: 422,
    hint: 'ask the requester for the six digits that the door shows, and sign with them: --code',
  },
  'reason-needed': {
    status: 422,
    hint: 'say why you approve, in at least as many characters as the rule wants: --comment TEXT',
  },
  'not-a-revoker': { status: 403, hint: 'somebody whom the rule names, or who approved it, takes it back' },
  'grant-not-allowed': { status: 403, hint: 'the rule in force takes only covers: request' },
  'statement-mismatch': {
    status: 409,
    hint: 'read the request again: the statement does not speak of this one',
  },
  'wrong-broker': {
    status: 409,
    hint: 'check the address and its line in known_brokers, beside the file of: countersign config path',
  },
  'policy-changed': {
    status: 409,
    hint: 'read the request again: the statement names another rule than the one in force for it',
  },
  'clock-skew': { status: 409, hint: 'correct the clock (NTP) of the side that is named' },
  'not-after-invalid': {
    status: 409,
    hint: 'not-after must lie after now and at most 15 minutes after decided',
  },
  replayed: { status: 409, hint: 'a submit statement is good once; sign a fresh one' },
  'challenge-unknown': { status: 403, hint: 'ask for a new challenge and sign that one' },

  // The life of a request
  'request-ended': { status: 409, hint: 'the request has ended; ask again' },
  denied: { status: 403, hint: 'an approver said no' },
  expired: { status: 410, hint: 'ask again' },
  lapsed: { status: 410, hint: 'the approval was not used in time; ask again' },
  cancelled: { status: 410, hint: 'the request was cancelled; ask again' },
  revoked: { status: 410, hint: 'the approval was taken back; ask again' },
  spent: { status: 409, hint: 'the approval was used by another claim; ask again' },
  'no-delivery': { status: 404, hint: 'see what waits: countersign outbox list' },
  'sink-in-use': {
    status: 409,
    hint: 'take it out of the configuration of the broker first; its dead letters alone go with --all',
  },
  'nothing-to-unlock': { status: 409, hint: 'see who is locked or muted: countersign locks' },
  'nothing-to-revoke': {
    status: 409,
    hint: 'deny a pending request; what was opened ends at its door',
  },
  'nothing-to-review': {
    status: 409,
    hint: 'what was opened by its requester alone is reviewed: countersign review',
  },
  'too-many-comments': { status: 409, hint: 'speak to the others by another way' },
  'escalated-lately': { status: 429, hint: 'they were rung just now: wait a minute, or call them yourself' },
  'not-a-canary': {
    status: 409,
    hint: 'a canary is made as one, and revealed by its submitter: countersign canary --help',
  },
  'canaries-not-allowed': {
    status: 403,
    hint: 'remove it, and enrol it again with that right: see countersign submitter add --help',
  },
  'not-redeemed': { status: 409, hint: 'redeem with this claim first, then report' },
  'already-reported': { status: 409, hint: 'this claim has reported another outcome' },
  'claim-needed': { status: 400, hint: 'send {"claim":"32 hex digits"}' },

  // The log, outside of the broker
  'log-forked': {
    status: 409,
    hint: 'keep both: countersign audit verify NEW --against OLD names where they part',
  },
  'malformed-export': { status: 400, hint: 'make it anew with: countersign audit export FILE' },

  // At a door, which checks for itself
  'bad-config': { status: 400, hint: 'correct that line; the README lists the keys and their values' },
  'signers-missing': { status: 400, hint: 'make it on the broker: countersign roster export > FILE' },
  'unsafe-file': { status: 403, hint: 'make it yours alone to write: chmod go-w FILE' },
  'no-receipt': {
    status: 502,
    hint: 'do not trust that broker: it says approved and has no signature to show',
  },
  'deny-receipt': { status: 502, hint: 'do not trust that broker: it shows a signed no as a yes' },
  'wrong-door': { status: 403, hint: 'do not trust that broker: it shows an approval for another door' },
  'wrong-request': {
    status: 403,
    hint: 'do not trust that broker: it shows an approval for another request',
  },
  'wrong-scope': { status: 403, hint: 'do not trust that broker: it shows an approval for something else' },
  'wrong-requester': {
    status: 403,
    hint: 'do not trust that broker: it shows an approval for somebody else',
  },
  'mixed-receipts': { status: 403, hint: 'do not trust that broker: its receipts do not belong together' },
  'grant-refused': { status: 403, hint: 'approve each request, or let this door take grants: grants=yes' },
  'too-long': {
    status: 403,
    hint: 'sign for a shorter time, or raise longest or longest-duration of this door',
  },
  'no-number': {
    status: 403,
    hint: 'approve again with the six digits that the requester reads out: countersign approve ID --code DIGITS',
  },
  'wrong-number': {
    status: 403,
    hint: 'ask again, and read the number out to the approver: each ask has one try and a number of its own',
  },
  'unknown-approver': { status: 403, hint: 'renew the signers file of this door: countersign roster export' },
  'no-touch': { status: 403, hint: 'sign with a security key and touch it: this door asks for that' },
  'no-quorum': { status: 403, hint: 'more or other people must approve: this door asks for more than that' },
  'alone-too-early': {
    status: 403,
    hint: 'the same command again then; meanwhile anybody who may approve can approve it or stop it',
  },
  'too-late': { status: 410, hint: 'ask again: the approval ended before it was used' },
  'grant-ended': { status: 410, hint: 'ask again: the time of the grant is over' },
  'clock-back': { status: 409, hint: 'correct the clock of this machine: it was set back' },
  'state-failed': { status: 503, hint: 'check that disk and the permissions there: nothing was opened' },
  'executable-changed': { status: 409, hint: 'ask again: approved was what the file held before' },
  'directory-changed': { status: 409, hint: 'ask again in the directory that is there now' },
  'not-executed': { status: 422, hint: 'check the command: the approval is used, so ask again' },

  // Where members of a group come from
  'schedule-refused': {
    status: 502,
    hint: 'correct the schedule: until then its group has no members',
  },
  'schedule-unreachable': {
    status: 503,
    hint: 'check the address and the network: until then the group has no members',
  },

  // Limits
  muted: { status: 429, hint: 'call an approver, who lifts it: countersign unlock REQUESTER' },
  locked: { status: 403, hint: 'call an approver, who lifts it: countersign unlock REQUESTER' },
  'rate-limited': { status: 429, hint: 'slow down and try again after Retry-After seconds' },
  'too-many-pending': { status: 429, hint: 'wait until pending requests are answered, or cancel some' },
  'too-many-connections': { status: 503, hint: 'close other consoles or raise the limit' },

  // What is kept
  'hold-exists': { status: 409, hint: 'choose another name, or lift that one: countersign audit hold list' },
  'hold-unknown': { status: 404, hint: 'see: countersign audit hold list' },

  // The broker's own state
  'no-approver': { status: 503, hint: 'enrol somebody first: countersign roster add NAME --key FILE' },
  'roster-conflict': {
    status: 409,
    hint: 'a name, alias or key belongs to one person or one submitter only',
  },
  'signers-unknown': {
    status: 404,
    hint: 'install the signers file of this door by hand, once: countersign roster export',
  },
  'roster-changed': {
    status: 409,
    hint: 'look at it again: countersign roster sign',
  },
  'change-outdated': { status: 409, hint: 'look at what there is now, and ask for the change again' },
  'roster-unknown': { status: 404, hint: 'see: countersign roster list' },
  'broker-locked': { status: 503, hint: 'another broker or command has this data directory open' },
  'newer-store': {
    status: 503,
    hint: 'the database was written by a newer Countersign; install that version',
  },
  'storage-failed': { status: 503, hint: 'check the disk of the broker: nothing was recorded' },
  draining: { status: 503, hint: 'the broker is stopping; try again in a moment' },
  internal: { status: 500, hint: 'see the log of the broker for this request id' },

  // The client's side
  'broker-unreachable': { status: 503, hint: 'check the address, the network and that the broker runs' },
  unanswered: { status: 504, hint: 'look before you sign again: countersign show ID' },
  'broker-unknown': { status: 409, hint: 'pin it first: countersign status' },
  'broker-changed': {
    status: 409,
    hint: 'the broker key is not the pinned one; if that is intended, remove its line from known_brokers',
  },
  'kept-heads-damaged': {
    status: 500,
    hint: 'put a copy of the file back: what was seen of a log must not be forgotten silently',
  },
  'broker-reply': { status: 502, hint: 'the reply is not one of a Countersign broker' },
  'shown-differs': {
    status: 409,
    hint: 'the broker shows another document than it stores: do not sign, report it',
  },
  usage: { status: 400, hint: 'see --help' },
  'malformed-configuration': { status: 400, hint: 'countersign config init --print shows an example' },
  'no-key': { status: 400, hint: 'give a key with --key FILE or COUNTERSIGN_KEY, or load one in the agent' },
} as const satisfies Record<string, { status: number; hint: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/**
 * The one error type of the project. `message` says what happened, in lower case without a full stop;
 * `hint` says what to do. Neither ever carries a secret.
 */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly hint: string;
  /** After how many seconds another try can help; null where that is not known. */
  readonly retryAfter: number | null;

  constructor(
    code: ProblemCode,
    message: string,
    options: { hint?: string; cause?: unknown; retryAfter?: number } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'Problem';
    this.code = code;
    this.hint = options.hint ?? PROBLEMS[code].hint;
    this.retryAfter = options.retryAfter ?? null;
  }

  /** The HTTP status of this problem's document. */
  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** An RFC 9457 problem document as it stands on the wire. */
export interface ProblemDocument {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly hint: string;
}

/** Turns a problem into its wire form; anything else becomes `internal` without detail. */
export function toProblemDocument(error: unknown): ProblemDocument {
  const problem = error instanceof Problem ? error : new Problem('internal', 'internal error');
  return {
    type: 'about:blank',
    title: problem.code.replaceAll('-', ' '),
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    hint: problem.hint,
  };
}
