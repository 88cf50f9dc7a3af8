import { Problem } from './problems.js';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A person, door, submitter, requester or action: `[a-z0-9._@:+-]{1,128}`. Only group principals begin with `group:`. */
export type Name = Branded<string, 'Name'>;
/** `sha256:` and 64 lower-case hex digits. */
export type Digest = Branded<string, 'Digest'>;
/** A ULID made by the broker: 26 characters of Crockford's base 32. */
export type RequestId = Branded<string, 'RequestId'>;
/** 128 random bits, 32 lower-case hex digits, that make a document unique. */
export type Nonce = Branded<string, 'Nonce'>;
/** 128 random bits, 32 lower-case hex digits, under which a door redeems and repeats its redeem. */
export type Claim = Branded<string, 'Claim'>;
/** `SHA256:` and 43 characters of unpadded base64, as `ssh-keygen -l` prints it. */
export type Fingerprint = Branded<string, 'Fingerprint'>;
/** A bearer secret made by the broker: 256 random bits, 43 characters of base64url. */
export type BearerToken = Branded<string, 'BearerToken'>;
/** An ID token of a CI system: three parts of base64url with dots between them (RFC 7515, 7.1), at most 12 KiB. */
export type OidcToken = Branded<string, 'OidcToken'>;

const NAME = /^[a-z0-9._@:+-]{1,128}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const REQUEST_ID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const HEX_128 = /^[0-9a-f]{32}$/;
const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]$/;
const BEARER_TOKEN = /^[A-Za-z0-9_-]{43}$/;
const OIDC_TOKEN = /^(?=.{1,12288}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export const isName = (text: unknown): text is Name =>
  typeof text === 'string' && NAME.test(text) && !text.startsWith('group:');
export const isDigest = (text: unknown): text is Digest => typeof text === 'string' && DIGEST.test(text);
export const isRequestId = (text: unknown): text is RequestId =>
  typeof text === 'string' && REQUEST_ID.test(text);
export const isNonce = (text: unknown): text is Nonce => typeof text === 'string' && HEX_128.test(text);
export const isClaim = (text: unknown): text is Claim => typeof text === 'string' && HEX_128.test(text);
export const isFingerprint = (text: unknown): text is Fingerprint =>
  typeof text === 'string' && FINGERPRINT.test(text);
export const isBearerToken = (text: unknown): text is BearerToken =>
  typeof text === 'string' && BEARER_TOKEN.test(text);
export const isOidcToken = (text: unknown): text is OidcToken =>
  typeof text === 'string' && OIDC_TOKEN.test(text);

/** @throws Problem `usage` that says which value is no name. */
export function parseName(text: string, what: string): Name {
  if (isName(text)) return text;
  throw new Problem(
    'usage',
    `${what} is not a name: use 1 to 128 of a-z 0-9 . _ @ : + -, not starting with group:`,
  );
}

/** @throws Problem `usage` */
export function parseRequestId(text: string): RequestId {
  if (isRequestId(text)) return text;
  throw new Problem('usage', 'a request id is 26 characters, as printed by countersign list');
}
