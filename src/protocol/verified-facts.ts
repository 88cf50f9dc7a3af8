import * as z from 'zod';
import { canonicalJson } from './canonical.js';
import { Problem } from './problems.js';
import { parseStrictJson } from './strict-json.js';

/**
 * What the broker itself verified about an ask: the claims of an OIDC token that its issuer signed. They stand beside the
 * document and are not signed by approvers; whoever reads them trusts the broker for them.
 */
export interface VerifiedFacts {
  readonly issuer: string;
  /** Those that the submitter is enrolled with first, then the others by name. */
  readonly claims: readonly { readonly name: string; readonly value: string }[];
}

/** Most claims that are kept of a token, and the longest of them in UTF-16 units. */
export const MAX_CLAIMS = 64;
export const MAX_CLAIM_CHARS = 1024;

const schema = z.strictObject({
  issuer: z.string().max(256),
  claims: z
    .array(z.strictObject({ name: z.string().max(128), value: z.string().max(MAX_CLAIM_CHARS) }))
    .max(MAX_CLAIMS),
});

/** Their canonical text (RFC 8785), as it is stored, logged and sent. */
export const formatVerifiedFacts = ({ issuer, claims }: VerifiedFacts): string =>
  canonicalJson({ issuer, claims: claims.map(({ name, value }) => ({ name, value })) });

/** @throws Problem `broker-reply` for a text that {@link formatVerifiedFacts} does not write. */
export function parseVerifiedFacts(text: string): VerifiedFacts {
  try {
    const facts = schema.parse(parseStrictJson(text));
    if (formatVerifiedFacts(facts) === text) return facts;
  } catch (cause) {
    throw new Problem('broker-reply', 'the facts that the broker verified cannot be read', { cause });
  }
  throw new Problem('broker-reply', 'the facts that the broker verified are not canonical');
}
