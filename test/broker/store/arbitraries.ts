import fc from 'fast-check';
import type { Request, Vote } from '../../../broker/requests/request.js';
import { type BoundDocument, parseDocument } from '../../../src/protocol/document.js';
import type { Claim, Digest, Name, RequestId } from '../../../src/protocol/names.js';
import { OUTCOMES, REQUEST_STATES } from '../../../src/protocol/request-view.js';
import { type JsonValue, parseStrictJson } from '../../../src/protocol/strict-json.js';

const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });

export const name = fc
  .stringMatching(/^[a-z0-9._@:+-]{1,20}$/)
  .filter((text) => !text.startsWith('group:')) as fc.Arbitrary<Name>;
export const sha256 = hex(64);
const digest = sha256.map((digits) => `sha256:${digits}` as Digest);
const claim = hex(32) as fc.Arbitrary<Claim>;
const time = fc.nat({ max: 2 ** 42 });
export const requestId = fc
  .string({
    unit: fc.constantFrom(...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'),
    minLength: 25,
    maxLength: 25,
  })
  .map((text) => `0${text}`) as fc.Arbitrary<RequestId>;

/** Whatever the strict reader lets through, with what hurts most often: quotes, escapes, bidi, NUL, emoji, SQL. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    "'; DROP TABLE requests; --",
    '\u0000',
    'a\u0000b',
    '\u001b[2J\r\n',
    '\u202eevil',
    '\u2028',
    '\u{e0041}',
    '👩🏽‍💻',
    'e\u0301',
    '__proto__',
    'constructor',
    '%s%n',
    '`$(touch x)`',
    '?1 :id @id $id',
  ),
);
const readable = hostileText.filter(
  (text) => text.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(text),
);
const resource = readable.filter((text) => text !== '' && !/[\u0000-\u001f\u007f-\u009f]/.test(text));

const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    readable,
    fc.nat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(readable, tie('json'), { maxKeys: 3 }),
  ),
}));
const object = fc.dictionary(readable, json, { maxKeys: 4 });

export const bound: fc.Arbitrary<BoundDocument> = fc
  .record({
    version: fc.constant(1),
    action: name,
    door: name,
    requester: name,
    resource,
    details: object,
    context: object,
    duration: fc.nat({ max: 3600 }),
    nonce: hex(32),
  })
  .map((document) => parseDocument(parseStrictJson(JSON.stringify(document))));

const vote: fc.Arbitrary<Vote> = fc.record({
  approver: name,
  verdict: fc.constantFrom('approve', 'deny'),
  decided: time,
  notAfter: time,
  covers: fc.constantFrom('request', 'scope'),
  duration: fc.nat(),
  uses: fc.nat(),
  comment: hostileText,
  receipt: hostileText,
});

/** Any request that the types allow, sensible or not. */
export const request: fc.Arbitrary<Request> = fc
  .tuple(
    bound,
    fc.record({
      id: requestId,
      submitter: name,
      vouched: fc.option(hostileText),
      verified: fc.option(hostileText),
      rule: hostileText,
      policy: digest,
      submittedAt: time,
    }),
    fc.record({
      answerBy: time,
      state: fc.constantFrom(...REQUEST_STATES),
      claimBy: fc.option(time),
      votes: fc.array(vote, { maxLength: 3 }),
      alone: fc.option(fc.record({ vote, opensAt: time, opened: fc.boolean() })),
      missing: fc.array(hostileText, { maxLength: 2 }),
      claim: fc.option(claim),
      redeemedAt: fc.option(time),
      grant: fc.option(requestId),
      uses: fc.nat(),
      watchedAt: fc.option(time),
      report: fc.option(
        fc.record({ claim, outcome: fc.constantFrom(...OUTCOMES), code: fc.option(hostileText), at: time }),
      ),
      canary: fc.option(time),
      endedAt: fc.option(time),
      endedBy: fc.option(hostileText),
      comments: fc.array(fc.record({ by: name, at: time, text: hostileText }), { maxLength: 3 }),
      escalated: fc.option(fc.record({ by: name, at: time })),
      askers: fc.nat({ max: 100 }),
      idleSince: fc.option(time),
    }),
  )
  .map(([document, fixed, life]) => ({ ...document, ...fixed, ...life }));
