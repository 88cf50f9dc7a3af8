import { sha256Digest } from '../../src/protocol/canonical.js';
import { POLICY_CHANGE } from '../../src/protocol/change-messages.js';
import { type Digest, isDigest } from '../../src/protocol/names.js';
import { Problem } from '../../src/protocol/problems.js';
import type { JsonObject } from '../../src/protocol/strict-json.js';
import { parseStrictJson } from '../../src/protocol/strict-json.js';
import type { EpochMs } from '../../src/protocol/time.js';
import type { CompiledPolicy } from '../policy/compile.js';
import type { NewEvent, Request } from '../requests/request.js';
import type { PolicyText } from '../store/store.js';
import type { ChangeText } from './directory-change.js';
import { applyDifference, differenceOf } from './text-difference.js';

/** What stands where a request names what is asked for. */
export const POLICY_RESOURCE = 'policy';

type Written = Pick<CompiledPolicy, 'text' | 'digest' | 'rules'>;

/**
 * Writes another policy down for approvers: every line that comes or goes, so that nothing else can come into force than
 * what they read.
 *
 * @throws Problem `body-too-large` for what no document can hold
 */
export function describePolicy(current: Written, next: Written): ChangeText {
  const diff = differenceOf(current.text, next.text);
  const count = (mark: string): number => diff.filter((line) => line.startsWith(mark)).length;
  const rules = { before: current.rules.length, after: next.rules.length };
  const details = {
    summary: `another policy: ${linesText(count('+'))} more, ${linesText(count('-'))} less; rules: ${rules.before} before, ${rules.after} after`,
    previous: current.digest,
    next: next.digest,
    rules,
    diff,
  };
  try {
    const checked = parseStrictJson(JSON.stringify(details)) as JsonObject;
    return { action: POLICY_CHANGE, resource: POLICY_RESOURCE, details: checked };
  } catch (cause) {
    throw new Problem('body-too-large', 'a line of this policy cannot stand in a request', { cause });
  }
}

/** From which policy to which one a request leads; null for a request about something else. */
export function policyChangeOf({
  document: { action, details },
}: Pick<Request, 'document'>): { readonly previous: Digest; readonly next: Digest } | null {
  const { previous, next } = details;
  return action === POLICY_CHANGE && isDigest(previous) && isDigest(next) ? { previous, next } : null;
}

/**
 * The text that a request asks for, made of the one in force and of exactly the lines that were read.
 *
 * @throws Problem `change-outdated` where another policy has come into force since
 */
export function describedPolicy(
  kept: Pick<PolicyText, 'text' | 'digest'> | null,
  details: JsonObject,
): string {
  const { previous, next, diff } = details;
  if (kept === null || kept.digest !== previous || !Array.isArray(diff)) throw outdated();
  const text = applyDifference(
    kept.text,
    diff.filter((line) => typeof line === 'string'),
  );
  if (sha256Digest(text) !== next) throw outdated();
  return text;
}

/** What the log says of a policy that comes into force. `about` says by whose word, where it is not the file's alone. */
export function policyLoaded(
  file: string,
  { digest, rules }: Pick<CompiledPolicy, 'digest' | 'rules'>,
  at: EpochMs,
  about: JsonObject,
): NewEvent {
  return { kind: 'policy.loaded', at, body: { file, digest, rules: rules.length, ...about } };
}

const outdated = (): Problem =>
  new Problem('change-outdated', 'another policy has come into force since this was asked');

const linesText = (count: number): string => (count === 1 ? '1 line' : `${count} lines`);
