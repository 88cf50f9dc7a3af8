import type { Requirements } from '../../src/door/requirements.js';
import type { Expectation } from '../../src/door/verification.js';
import { parseDocument } from '../../src/protocol/document.js';
import type { Fingerprint } from '../../src/protocol/names.js';
import type { RevokedKeys } from '../../src/ssh/revoked-keys.js';
import { parseSignersFile } from '../../src/ssh/signers-file.js';
import { type Change, EVERYBODY, inSeconds, receipt, signersFile } from '../e2e/evil-broker/people.js';

export const BROKER = `SHA256:${'A'.repeat(43)}` as Fingerprint;

/** The key that it had before, which is still pinned. */
export const ROTATED = `SHA256:${'C'.repeat(42)}A` as Fingerprint;

export const REQUIREMENTS: Requirements = {
  people: 1,
  groups: [],
  touch: false,
  longest: 900,
  longestDuration: 0,
  grants: false,
  number: false,
  sharedRequester: 'one-more',
  alone: null,
};

/** What alice asked for, unless said otherwise. */
export const boundFor = (requester = 'alice', nonce = '1'.repeat(32)) =>
  parseDocument({
    version: 1,
    action: 'command.run',
    door: 'run:web-1',
    requester,
    resource: 'web-1',
    details: { argv: ['reboot'] },
    context: {},
    duration: 0,
    nonce,
  });

/** What a door of these people holds receipts against. */
export function expectation(
  requirements: Partial<Requirements> = {},
  requester = 'alice',
  people = EVERYBODY,
  revoked: RevokedKeys = new Set(),
): Expectation {
  return {
    brokers: [BROKER, ROTATED],
    bound: boundFor(requester),
    signers: parseSignersFile(signersFile(people)),
    revoked,
    requirements: { ...REQUIREMENTS, ...requirements },
    number: null,
    drawn: null,
  };
}

/** Receipts for what was asked, one a change; without one, bob's. */
export function receiptsFor({ bound }: Pick<Expectation, 'bound'>, ...changes: readonly Change[]): string[] {
  return (changes.length === 0 ? [{}] : changes).map((change) =>
    receipt({ fingerprint: BROKER }, { bound }, change),
  );
}

export { inSeconds };
