import { canonicalJson, sha256Digest } from '../../src/protocol/canonical.js';
import { type BoundDocument, parseDocument } from '../../src/protocol/document.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import { parseSignedText } from '../../src/protocol/receipt.js';
import type { RequestView } from '../../src/protocol/request-view.js';
import { parseSubmit } from '../../src/protocol/statements.js';
import { type JsonValue, parseStrictJson } from '../../src/protocol/strict-json.js';
import { parseVerifiedFacts, type VerifiedFacts } from '../../src/protocol/verified-facts.js';
import { verifySignature } from '../../src/ssh/signature.js';
import { label, type SafeText, safeText } from '../text/safe-text.js';

/** What is found when a request is held against the digests that the broker gives for it (A62). */
export interface Examination {
  /** The document as it is read here; null where it is none. */
  readonly bound: BoundDocument | null;
  /** Which claims of the broker do not agree with what is shown. */
  readonly differs: { readonly digest: boolean; readonly scope: boolean; readonly rule: boolean };
  /** The same as sentences; empty where everything agrees. */
  readonly differences: readonly SafeText[];
}

/** What the broker says that it verified about the ask. */
export type VerifiedClaims =
  | { readonly state: 'none' }
  | { readonly state: 'read'; readonly facts: VerifiedFacts }
  | { readonly state: 'unreadable' };

/** Who says that the submitter sent this document. */
export type Voucher =
  /** The submitter cannot sign: the broker alone says so. */
  | { readonly state: 'unsigned' }
  | { readonly state: 'verified'; readonly key: Fingerprint }
  | { readonly state: 'forged'; readonly why: SafeText };

/** What a submit statement says, once its signature was found to hold. */
type Vouching =
  | Exclude<Voucher, { state: 'verified' }>
  | { readonly state: 'verified'; readonly key: Fingerprint; readonly broker: Fingerprint };

const examinations = new WeakMap<RequestView, Examination>();
const vouchers = new WeakMap<RequestView, Vouching>();

/** Recomputes digest, scope and rule digest from exactly what is shown. Computed once for each state of a request. */
export function examine(request: RequestView): Examination {
  return remember(examinations, request, () => {
    const bound = read(request);
    const differs = {
      digest: bound?.digest !== request.digest,
      scope: bound?.scope !== request.scope,
      rule: sha256Digest(request.rule) !== request.policy,
    };
    return { bound, differs, differences: describe(bound, differs) };
  });
}

function describe(bound: BoundDocument | null, differs: Examination['differs']): readonly SafeText[] {
  if (bound === null) return [label`what the broker shows is not a valid request document`];
  return [
    ...(differs.digest
      ? [label`the document shown is not the one the broker stores: their digests differ`]
      : []),
    ...(differs.scope ? [label`the scope that the broker gives is not the scope of this document`] : []),
    ...(differs.rule ? [label`the rule shown is not the one whose digest would be signed`] : []),
  ];
}

/** Reads what the broker verified. It is the broker's word: nothing here can check it. */
export function verifiedClaimsOf({ verified }: RequestView): VerifiedClaims {
  if (verified === null) return { state: 'none' };
  try {
    return { state: 'read', facts: parseVerifiedFacts(verified) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { state: 'unreadable' };
  }
}

/**
 * Verifies the submitter's own signature of this very document, made for this very broker.
 *
 * @param pins the keys under which the broker is pinned
 */
export function voucherOf(request: RequestView, pins: readonly string[]): Voucher {
  const vouching = remember(vouchers, request, (): Vouching => {
    if (request.vouched === null) return { state: 'unsigned' };
    try {
      return verifyVoucher(request, request.vouched);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return { state: 'forged', why: safeText(error.message, { reading: 'prose' }) };
    }
  });
  if (vouching.state !== 'verified') return vouching;
  if (!pins.includes(vouching.broker)) return forged(label`it was made for another broker`);
  return { state: 'verified', key: vouching.key };
}

function verifyVoucher(request: RequestView, vouched: string): Vouching {
  const { statement, armor } = parseSignedText(vouched);
  const submit = parseSubmit(statement);
  const { key } = verifySignature(statement, armor, 'submit@countersign');
  if (submit.submitter !== request.submitter) return forged(label`another submitter signed it`);
  if (submit.request !== examine(request).bound?.digest)
    return forged(label`it was made for another document`);
  return { state: 'verified', key: key.fingerprint, broker: submit.broker };
}

const forged = (why: SafeText): Extract<Voucher, { state: 'forged' }> => ({ state: 'forged', why });

/** Reads it again as strictly as a broker or a door does; whatever goes wrong, it is no document. */
function read({ document }: RequestView): BoundDocument | null {
  try {
    return parseDocument(parseStrictJson(canonicalJson(document as unknown as JsonValue)));
  } catch {
    return null;
  }
}

function remember<Key extends object, Value>(known: WeakMap<Key, Value>, key: Key, find: () => Value): Value {
  const value = known.get(key) ?? find();
  known.set(key, value);
  return value;
}
