import * as z from 'zod';
import { isIssuer } from './issuer.js';
import { type Fingerprint, isFingerprint, isName, type Name } from './names.js';
import { time } from './request-view.js';

const name = z.custom<Name>(isName, 'not a name');
/** Aliases are local account names, e-mail addresses, chat and GitHub ids, all in the form of a name. */
const names = z.array(name).max(32);
const publicKey = z.string().max(4096);
/** Most keys of one person. */
export const MAX_KEYS = 32;
const fingerprint = z.custom<Fingerprint>(isFingerprint, 'not a fingerprint');

const keyEntry = z.strictObject({
  /** TYPE BASE64 [COMMENT] */
  key: publicKey,
  validAfter: z.nullable(time),
  validBefore: z.nullable(time),
});

export const personSchema = z.strictObject({
  name,
  aliases: names,
  /** Without the prefix `group:`. */
  groups: names,
  keys: z.array(keyEntry).max(MAX_KEYS),
});
/** A person of the roster as it is listed, exported and stored. */
export type Person = z.output<typeof personSchema>;
export type PersonKey = Person['keys'][number];

/** One change of the roster. */
export const rosterChangeSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('add'), person: personSchema }),
  z.strictObject({ change: z.literal('remove'), name }),
  z.strictObject({ change: z.literal('add-key'), name, key: keyEntry }),
  z.strictObject({ change: z.literal('remove-key'), name, fingerprint }),
  z.strictObject({ change: z.literal('rotate-key'), name, fingerprint, key: keyEntry }),
  z.strictObject({ change: z.literal('set'), name, aliases: z.optional(names), groups: z.optional(names) }),
]);
export type RosterChange = z.output<typeof rosterChangeSchema>;

/** Exact texts, or a prefix followed by `*`; `*` alone is everything. */
const patterns = z.array(z.string().min(1).max(256)).min(1).max(64);

export const submitterLimitsSchema = z.strictObject({
  actions: patterns,
  resources: patterns,
  doors: patterns,
  /** Whom it may name as requester; itself is always allowed. */
  requesters: z.array(z.string().min(1).max(256)).max(64),
  /** Whether it may reveal that what it asked was a canary. Absent: it may not, and the text is the one of before there was this. */
  canaries: z.literal(true).exactOptional(),
});
export type SubmitterLimits = z.output<typeof submitterLimitsSchema>;

/** Algorithms that a token may be signed with: asymmetric ones alone, so that no public key can serve as a secret. */
export const OIDC_ALGORITHMS = ['RS256', 'ES256'] as const;

/** Claims that say which token it is, not who holds it. */
const NO_IDENTITY = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti'];

const claimName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/)
  .refine((claim) => !NO_IDENTITY.includes(claim), 'iss, aud, exp, nbf, iat and jti identify nobody');

const oidcClaim = z.strictObject({
  name: claimName,
  /** Compared byte by byte; numbers and booleans by their JSON text. */
  value: z
    .string()
    .min(1)
    .max(256)
    .refine((value) => value.isWellFormed(), 'not UTF-8'),
});

const oidcCredential = z.strictObject({
  kind: z.literal('oidc'),
  issuer: z.string().refine(isIssuer, 'not an https address'),
  audience: z.string().regex(/^[A-Za-z0-9._~:/-]{1,256}$/),
  claims: z
    .array(oidcClaim)
    .min(1)
    .max(16)
    .refine(
      (claims) => new Set(claims.map((claim) => claim.name)).size === claims.length,
      'a claim stands twice',
    ),
  /** The claim that names the requester, in lower case; null where the document alone does. */
  requester: z.nullable(claimName),
  algorithms: z.array(z.enum(OIDC_ALGORITHMS)).min(1).max(OIDC_ALGORITHMS.length),
  /** PEM certificates that are trusted for the issuer instead of the system's. */
  ca: z.nullable(z.string().max(65_536)),
});
/** Tokens of an OpenID provider: of GitHub Actions, GitLab CI and others. */
export type OidcCredential = z.output<typeof oidcCredential>;

/**
 * How a submitter proves who it is. `token` holds the SHA-256 of the token in hex, never the token; `oidc` what a token
 * must carry.
 */
export const submitterCredentialSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('key'), key: publicKey }),
  z.strictObject({ kind: z.literal('token'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ kind: z.literal('socket') }),
  oidcCredential,
]);
export type SubmitterCredential = z.output<typeof submitterCredentialSchema>;

export const submitterSchema = z.strictObject({
  name,
  credential: submitterCredentialSchema,
  limits: submitterLimitsSchema,
});
export type Submitter = z.output<typeof submitterSchema>;

export const submitterChangeSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('add'), submitter: submitterSchema }),
  z.strictObject({ change: z.literal('remove'), name }),
  z.strictObject({ change: z.literal('rotate'), name, credential: submitterCredentialSchema }),
]);
export type SubmitterChange = z.output<typeof submitterChangeSchema>;

/** `GET /v1/roster`, `GET /v1/submitters` and what a change answers. */
export const rosterReply = z.object({ people: z.array(personSchema) });
export const submittersReply = z.object({ submitters: z.array(submitterSchema) });
