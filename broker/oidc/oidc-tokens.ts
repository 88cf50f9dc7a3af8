import { isDeepStrictEqual } from 'node:util';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { Problem } from '../../src/protocol/problems.js';
import type { Submitter } from '../../src/protocol/roster-messages.js';
import type { EpochMs } from '../../src/protocol/time.js';
import {
  formatVerifiedFacts,
  MAX_CLAIM_CHARS,
  MAX_CLAIMS,
  type VerifiedFacts,
} from '../../src/protocol/verified-facts.js';
import type { OidcSubmitter, Principals } from '../roster/principals.js';
import { IssuerKeys } from './issuer-keys.js';

/** How far the clock of an issuer may be off the broker's, in seconds. */
const SKEW = 60;
/** Longest time since a token was issued, in seconds, whatever its own end is. */
const MAX_AGE = 3600;
const CLAIM_NAME = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/;
/** They say when and for whom a token was made, not who asks: each token of a job has others. */
const OF_THE_TOKEN = new Set([
  'iss',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'auth_time',
  'nonce',
  'at_hash',
  'c_hash',
]);

export interface OidcIdentity {
  readonly submitter: Submitter;
  /** For whom alone this token asks; null for whom its submitter may. */
  readonly requester: string | null;
  /** Canonical text of the {@link VerifiedFacts}. */
  readonly verified: string;
}

/** Authenticates submitters by the ID tokens of their CI system (OpenID Connect Core 1.0, section 2; RFC 7519). */
export class OidcTokens {
  readonly #clock: () => EpochMs;
  readonly #timeout: number;
  readonly #issuers = new Map<string, IssuerKeys>();

  constructor({ clock, timeout }: { readonly clock: () => EpochMs; readonly timeout: number }) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /**
   * The submitter whose issuer, audience and claims a token carries, once its signature holds.
   *
   * @throws Problem `oidc-token-refused`, `issuer-unreachable`
   */
  async identify(token: string, principals: () => Principals): Promise<OidcIdentity> {
    const submitter = claimedSubmitter(unverified(token), principals());
    const { issuer, audience, algorithms, ca } = submitter.credential;
    const source = { issuer, ca, clock: this.#clock, timeout: this.#timeout };
    const place = `${issuer}\n${ca ?? ''}`;
    const keys = this.#issuers.get(place) ?? new IssuerKeys(source);
    this.#issuers.set(place, keys);
    const payload = await verifiedPayload(token, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: SKEW,
      maxTokenAge: MAX_AGE,
      requiredClaims: ['exp', 'iat'],
      currentDate: new Date(this.#clock()),
    });
    // Once more, of what was signed and of who is enrolled by now.
    const current = claimedSubmitter(payload, principals());
    if (!isDeepStrictEqual(current.credential, submitter.credential))
      throw refused('the submitter has changed');
    const requester = requesterOf(payload, current.credential);
    return { submitter: current, requester, verified: formatVerifiedFacts(factsOf(payload, current)) };
  }
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (cause) {
    throw refused('it is not a JSON Web Token', cause);
  }
}

/** By what a token says of itself: nothing is fetched for a token that would serve nobody. */
function claimedSubmitter(payload: JWTPayload, principals: Principals): OidcSubmitter {
  const candidates = principals.oidcSubmitters(String(payload.iss));
  if (candidates.length === 0) throw refused('nobody is enrolled for its issuer');
  const fitting = candidates.filter(({ credential }) => fits(payload, credential));
  const [only] = fitting;
  if (only === undefined) throw refused('nobody is enrolled with its audience and claims');
  if (fitting.length > 1) throw refused('it fits more than one submitter');
  return only;
}

function fits(payload: JWTPayload, { audience, claims }: OidcSubmitter['credential']): boolean {
  // A token for several audiences could have been shown to this broker by another one of them.
  const { aud } = payload;
  const isForUs = aud === audience || (Array.isArray(aud) && aud.length === 1 && aud[0] === audience);
  return (
    isForUs && claims.length > 0 && claims.every(({ name, value }) => claimText(payload, name) === value)
  );
}

/** A claim with one value as a text; null for lists, groups and what is absent. */
function claimText(payload: JWTPayload, name: string): string | null {
  const value = Object.hasOwn(payload, name) ? payload[name] : null;
  if (typeof value === 'string') return value.isWellFormed() ? value : null;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

async function verifiedPayload(
  token: string,
  keys: IssuerKeys,
  options: NonNullable<Parameters<typeof jwtVerify>[2]>,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.find, options)).payload;
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof errors.JOSEError) throw refused(explain(error), error);
    // What the issuer publishes is no key of its algorithm, or a weak one: Web Crypto has errors of its own for that.
    throw refused('the key of its issuer cannot be used', error);
  }
}

function explain(error: errors.JOSEError): string {
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its algorithm is not the one that is enrolled';
  if (error instanceof errors.JWTExpired) return 'it has expired, or is more than an hour old';
  if (error instanceof errors.JWTClaimValidationFailed) {
    const isAhead = error.reason === 'check_failed' && (error.claim === 'nbf' || error.claim === 'iat');
    return isAhead
      ? 'it is not valid yet, by the clock of the broker'
      : `its claim ${error.claim} is missing or wrong`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return 'its issuer has no such key';
  return 'its signature does not hold';
}

/** @throws Problem `oidc-token-refused` for a token that does not name the one for whom it asks */
function requesterOf(payload: JWTPayload, { requester }: OidcSubmitter['credential']): string | null {
  if (requester === null) return null;
  const named = claimText(payload, requester);
  if (named === null) throw refused(`it has no claim ${requester}, which names the requester`);
  // Beyond ASCII the lower case of another letter can be one of ours: that of the Kelvin sign is k.
  if (!/^[!-~]+$/.test(named)) throw refused(`its claim ${requester} is no name in ASCII`);
  return named.toLowerCase();
}

function factsOf(payload: JWTPayload, { credential }: OidcSubmitter): VerifiedFacts {
  const enrolled = credential.claims.map(({ name }) => name);
  const others = Object.keys(payload)
    .filter((name) => !enrolled.includes(name) && !OF_THE_TOKEN.has(name) && CLAIM_NAME.test(name))
    .sort();
  const claims = [...enrolled, ...others].flatMap((name) => {
    const value = claimText(payload, name);
    return value === null || value.length > MAX_CLAIM_CHARS ? [] : [{ name, value }];
  });
  return { issuer: credential.issuer, claims: claims.slice(0, MAX_CLAIMS) };
}

const refused = (why: string, cause?: unknown): Problem =>
  new Problem('oidc-token-refused', `the token is refused: ${why}`, { cause });
