import * as z from 'zod';
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
});
export type SubmitterLimits = z.output<typeof submitterLimitsSchema>;

/** How a submitter proves who it is. `token` holds the SHA-256 of the token in hex, never the token. */
const credential = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('key'), key: publicKey }),
  z.strictObject({ kind: z.literal('token'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.strictObject({ kind: z.literal('socket') }),
]);
export type SubmitterCredential = z.output<typeof credential>;

export const submitterSchema = z.strictObject({ name, credential, limits: submitterLimitsSchema });
export type Submitter = z.output<typeof submitterSchema>;

export const submitterChangeSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('add'), submitter: submitterSchema }),
  z.strictObject({ change: z.literal('remove'), name }),
  z.strictObject({ change: z.literal('rotate'), name, credential }),
]);
export type SubmitterChange = z.output<typeof submitterChangeSchema>;

/** `GET /v1/roster`, `GET /v1/submitters` and what a change answers. */
export const rosterReply = z.object({ people: z.array(personSchema) });
export const submittersReply = z.object({ submitters: z.array(submitterSchema) });
