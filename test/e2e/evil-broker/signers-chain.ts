import { sha256Digest } from '../../../src/protocol/canonical.js';
import type { Digest, Name } from '../../../src/protocol/names.js';
import { formatChain } from '../../../src/protocol/roster-signing.js';
import { formatRoster, type RosterStatement } from '../../../src/protocol/statements.js';
import { type Forgery, type SoftwareKey, signInSoftware } from '../../ssh/software-keys.js';
import type { EvilBroker } from './evil-broker.js';
import { inSeconds, keys } from './people.js';

/** Who signs a step, and what of the statement is not as it should be. */
export interface Signature extends Partial<Omit<RosterStatement, 'approver'>> {
  readonly approver?: string;
  readonly key?: SoftwareKey;
  readonly forgery?: Forgery;
  readonly rewrite?: (signed: string) => string;
}

export interface Step {
  readonly serial?: number;
  readonly from: string;
  /** The file itself. */
  readonly to: string;
  readonly signatures?: readonly Signature[];
}

export const BOB: Signature = { approver: 'bob', key: keys.bob };
export const CAROL: Signature = { approver: 'carol', key: keys.carol };

/** The reply of a broker that shows these steps: genuine but for what is said otherwise, signed by bob and carol. */
export function chainOf({ fingerprint }: Pick<EvilBroker, 'fingerprint'>, ...steps: readonly Step[]): string {
  return formatChain({
    state: 'steps',
    present: sha256Digest(steps.at(-1)?.to ?? ''),
    steps: steps.map(({ serial = 1, from, to, signatures = [BOB, CAROL] }) => ({
      serial,
      old: sha256Digest(from),
      new: sha256Digest(to),
      file: to,
      statements: signatures.map((signature) =>
        statement(
          { broker: fingerprint, serial, old: sha256Digest(from), next: sha256Digest(to) },
          signature,
        ),
      ),
    })),
  });
}

type Subject = Pick<RosterStatement, 'broker' | 'serial' | 'old' | 'next'>;

function statement(
  subject: Subject,
  { approver = 'bob', key = keys.bob, forgery, rewrite = (text) => text, ...change }: Signature,
): string {
  const text = formatRoster({
    ...subject,
    validUntil: inSeconds(3600),
    issued: inSeconds(0),
    comment: '',
    ...change,
    approver: approver as Name,
  });
  return rewrite(text + signInSoftware(key, text, { namespace: 'roster@countersign', ...forgery }));
}

export const newest = (present: Digest): string => formatChain({ state: 'newest', present, steps: [] });
