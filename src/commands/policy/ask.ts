import type { Ask } from '../../../broker/policy/policy.js';
import type { Principals } from '../../../broker/roster/principals.js';
import { parseDocument } from '../../protocol/document.js';
import { parseName } from '../../protocol/names.js';
import type { Submitter } from '../../protocol/roster-messages.js';
import type { JsonObject } from '../../protocol/strict-json.js';
import type { EpochMs } from '../../protocol/time.js';
import type { VerifiedFacts } from '../../protocol/verified-facts.js';

/** An ask that nobody makes, to see what would become of it. */
export interface ImaginedAsk {
  readonly action: string;
  readonly resource: string;
  readonly requester: string;
  readonly door: string;
  readonly submitter: string;
  readonly details: JsonObject;
  readonly context: JsonObject;
  /** In seconds. */
  readonly duration: number;
  readonly verified: VerifiedFacts | null;
  readonly now: EpochMs;
}

/** Stands for a door or a submitter that nobody named. */
export const UNNAMED = '-';

const NOBODY_IN_PARTICULAR: Submitter['limits'] = {
  actions: ['*'],
  resources: ['*'],
  doors: ['*'],
  requesters: ['*'],
};

/**
 * @throws Problem `malformed-document`, `usage` for what no ask could hold
 * @returns the ask, and whether its submitter is enrolled
 */
export function askOf(
  { submitter, verified, now, ...document }: ImaginedAsk,
  principals: Principals,
): { readonly ask: Ask; readonly isEnrolled: boolean } {
  const bound = parseDocument({ version: 1, nonce: '0'.repeat(32), ...document });
  const name = parseName(submitter, 'the submitter');
  const enrolled = principals.submitter(name);
  const stranger: Submitter = { name, credential: { kind: 'socket' }, limits: NOBODY_IN_PARTICULAR };
  const ask = { bound, submitter: enrolled ?? stranger, verified, principals, now };
  return { ask, isEnrolled: enrolled !== null };
}
