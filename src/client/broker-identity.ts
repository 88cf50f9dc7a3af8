import { brokerReply } from '../protocol/messages.js';
import type { Fingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parsePublicKeyLine } from '../ssh/public-key.js';
import { formatAddress } from './address.js';
import type { HttpClient } from './http-client.js';
import { checkPinned, pinBroker, readKnownBrokers } from './known-brokers.js';
import { brokerPublicKeyPath, type Locations } from './locations.js';
import { readIfThere } from './private-file.js';

/** Who the broker is, by a source that it cannot change under us. */
export interface BrokerIdentity {
  readonly fingerprint: Fingerprint;
  /** True where this very call pinned it: the user should be told. */
  readonly isNew: boolean;
}

/**
 * Finds the fingerprint that statements will name. Over the socket it is read from the data directory; over a URL the
 * first one seen is pinned in `known_brokers`, and another one later is refused.
 *
 * @throws Problem `broker-changed`, `broker-unreachable`, `broker-reply`
 */
export async function identifyBroker(client: HttpClient, locations: Locations): Promise<BrokerIdentity> {
  const address = formatAddress(client.address);
  const offered = await offeredFingerprint(client);
  const local = client.address.kind === 'socket' ? await localFingerprint(locations.data) : null;
  const pinned = local ?? (await readKnownBrokers(locations.config)).get(address);
  if (pinned === undefined) {
    await pinBroker(locations.config, address, offered);
    return { fingerprint: offered, isNew: true };
  }
  checkPinned(pinned, offered, address);
  return { fingerprint: pinned, isNew: false };
}

/** The fingerprint of the key in the data directory, null where there is none. */
export async function localFingerprint(data: string): Promise<Fingerprint | null> {
  const line = await readIfThere(brokerPublicKeyPath(data));
  return line === null ? null : parsePublicKeyLine(line).fingerprint;
}

async function offeredFingerprint(client: HttpClient): Promise<Fingerprint> {
  const { fingerprint, key } = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
  try {
    if (parsePublicKeyLine(key).fingerprint === fingerprint) return fingerprint;
  } catch (cause) {
    throw new Problem('broker-reply', 'the broker shows something that is no key', { cause });
  }
  throw new Problem('broker-reply', 'the broker shows a fingerprint that is not the one of its key');
}
