import fc from 'fast-check';
import type { RequestDocument } from '../../src/protocol/document.js';
import type { Digest, Fingerprint, Name, Nonce } from '../../src/protocol/names.js';
import type {
  Decision,
  KeyHandover,
  Revocation,
  RosterStatement,
  SessionStatement,
  SubmitStatement,
  Unlocking,
} from '../../src/protocol/statements.js';
import type { JsonObject, JsonValue } from '../../src/protocol/strict-json.js';

/** Everything that the protocol can say, for property tests. */

const from = (alphabet: string, length: fc.StringConstraints) =>
  fc.string({ ...length, unit: fc.constantFrom(...alphabet) });
const exactly = (length: number): fc.StringConstraints => ({ minLength: length, maxLength: length });

const HEX = '0123456789abcdef';
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export const name = from('abcxyz019._@:+-', { minLength: 1, maxLength: 24 }).filter(
  (text) => !text.startsWith('group:'),
) as fc.Arbitrary<Name>;
export const nonce = from(HEX, exactly(32)) as fc.Arbitrary<Nonce>;
export const digest = from(HEX, exactly(64)).map((hex) => `sha256:${hex}`) as fc.Arbitrary<Digest>;
export const fingerprint = fc
  .tuple(from(BASE64, exactly(42)), fc.constantFrom(...'AEIMQUYcgkosw048'))
  .map(([start, end]) => `SHA256:${start}${end}`) as fc.Arbitrary<Fingerprint>;
/** A whole second from the year 0 to 9999, in ms. */
export const time = fc
  .integer({ min: Date.parse('0000-01-01T00:00:00Z') / 1000, max: Date.parse('9999-12-31T23:59:59Z') / 1000 })
  .map((second) => second * 1000);
const count = fc.integer({ min: 0, max: 999_999_999 });

const TRICKY = [
  ...'"\\/\b\f\n\r\t\u0000\u001b\u007f\u0085é́аЖ\u200b\u202e\u2028\ufb33\ufeff\ufffd',
  '😀',
  '\u{e0061}',
  '\u{10fffd}',
];

/** Well-formed text without noncharacters: what the protocol takes. */
export const text = fc
  .string({
    unit: fc.oneof(fc.constantFrom(...TRICKY), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  })
  .filter((value) => value.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(value));

export const json = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    text,
    fc.maxSafeNat(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(
    fc.oneof(text, fc.constantFrom('a', 'b', '', '__proto__', 'constructor', '1', '10')),
    tie('value'),
    {
      maxKeys: 4,
      noNullPrototype: false,
    },
  ) as fc.Arbitrary<JsonObject>,
}));

/** The fields of a document, as a plain object. */
export const documentFields: fc.Arbitrary<RequestDocument> = fc.record({
  version: fc.constant(1 as const),
  action: name,
  door: name,
  requester: name,
  resource: text.filter((value) => value !== '' && !/\p{Cc}/u.test(value)),
  details: json.object,
  context: json.object,
  duration: fc.integer({ min: 0, max: 2_678_400 }),
  nonce,
});

/** Any text at all, lone surrogates included. */
const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
});
const comment = fc.oneof(
  text,
  anyText,
  fc.constantFrom('"\nverdict: approve', '-----BEGIN SSH SIGNATURE-----\n'),
);

export const decision: fc.Arbitrary<Decision> = fc
  .record({
    broker: fingerprint,
    door: name,
    request: digest,
    scope: digest,
    covers: fc.constantFrom('request', 'scope'),
    policy: fc.option(digest),
    verdict: fc.constantFrom('approve', 'deny'),
    requester: name,
    approver: name,
    decided: time,
    notAfter: time,
    duration: count,
    uses: count,
    code: fc.option(from('0123456789', exactly(6))),
    comment,
  })
  .map(
    (any): Decision => ({
      ...any,
      uses: any.covers === 'request' || (any.uses === 0 && any.duration === 0) ? 1 : any.uses,
    }),
  );

export const session: fc.Arbitrary<SessionStatement> = fc.record({
  broker: fingerprint,
  approver: name,
  challenge: from(HEX, exactly(64)),
  issued: time,
  expires: time,
});

export const submit: fc.Arbitrary<SubmitStatement> = fc.record({
  broker: fingerprint,
  submitter: name,
  request: digest,
  nonce,
  issued: time,
});

export const revocation: fc.Arbitrary<Revocation> = fc.record({
  broker: fingerprint,
  request: digest,
  scope: digest,
  approver: name,
  issued: time,
  comment,
});

export const unlocking: fc.Arbitrary<Unlocking> = fc.record({
  broker: fingerprint,
  requester: name,
  approver: name,
  issued: time,
  comment,
});

export const roster: fc.Arbitrary<RosterStatement> = fc.record({
  broker: fingerprint,
  serial: count,
  old: digest,
  next: digest,
  validUntil: time,
  approver: name,
  issued: time,
  comment,
});

export const keyHandover: fc.Arbitrary<KeyHandover> = fc.record({
  old: fingerprint,
  next: fc
    .uint8Array({ minLength: 1, maxLength: 600 })
    .map((bytes) => `ssh-ed25519 ${Buffer.from(bytes).toString('base64')}`),
  issued: time,
  oldValidUntil: time,
});
