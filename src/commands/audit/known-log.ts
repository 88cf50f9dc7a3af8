import { type KeptHead, readKeptLogs } from '../../client/kept-heads.js';
import { readKnownBrokers } from '../../client/known-brokers.js';
import type { Fingerprint } from '../../protocol/names.js';
import { parsePublicKeyLine } from '../../ssh/public-key.js';

/** What this machine knows of the broker of a log. */
export interface KnownLog {
  /** Keys by which the reader or this machine knows the broker; none where nobody does. */
  readonly pinned: readonly Fingerprint[];
  /** Heads of its log that were kept here, in the order of their numbers. */
  readonly kept: readonly KeptHead[];
}

/**
 * Looks up what this machine knows.
 *
 * @param given the keys that the reader names; none lets the pins of this machine count
 * @param named the key that the log or its directory names, TYPE BASE64; null where none does
 * @throws Problem `kept-heads-damaged`; `usage` for a known_brokers that cannot be read
 */
export async function knownLog(
  config: string,
  given: readonly Fingerprint[],
  named: { readonly key: string | null; readonly isOwn: boolean },
): Promise<KnownLog> {
  const own = named.key === null ? null : parsePublicKeyLine(named.key).fingerprint;
  const seeds = own === null ? given : [...given, own];
  const [known, { heads }] = await Promise.all([readKnownBrokers(config), readKeptLogs(config)]);
  const pins = [...known.values()]
    .map((pinned) => pinned.map(({ fingerprint }) => fingerprint))
    .filter((fingerprints) => fingerprints.some((one) => seeds.includes(one)))
    .flat();
  const fallback = named.isOwn ? seeds : pins;
  return {
    pinned: given.length > 0 ? given : fallback,
    kept: heads
      .filter(({ broker }) => seeds.includes(broker) || pins.includes(broker))
      .sort((a, b) => a.seq - b.seq),
  };
}
