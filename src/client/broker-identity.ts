import { join } from 'node:path';
import { brokerReply } from '../protocol/messages.js';
import type { Fingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { splitSignedTexts } from '../protocol/receipt.js';
import type { EpochMs } from '../protocol/time.js';
import { type FormerKeys, formerKeys, verifyKeyHandover } from '../ssh/key-handover.js';
import { parsePublicKeyLine } from '../ssh/public-key.js';
import { formatAddress } from './address.js';
import type { HttpClient } from './http-client.js';
import { checkPinned, knownBrokersPath, type Pin, pinBroker, readKnownBrokers } from './known-brokers.js';
import { brokerPublicKeyPath, type Locations } from './locations.js';
import { readIfThere } from './private-file.js';

/** Under which keys a broker goes, all of them by a source that it cannot change under us. */
export interface BrokerNames {
  /** Its present key. */
  readonly fingerprint: Fingerprint;
  /** Former ones in force, oldest first: doors that were not told of a newer one pin them. */
  readonly former: readonly Fingerprint[];
  /** All that were ever pinned. */
  readonly pins: readonly Fingerprint[];
}

/** Who the broker is, and what this very call did about it. */
export interface BrokerIdentity extends BrokerNames {
  /** `pinned` at first use; `followed` from a pinned key to its successor. The user should be told. */
  readonly news: 'pinned' | 'followed' | null;
}

interface Offer {
  readonly fingerprint: Fingerprint;
  readonly former: FormerKeys;
}

/**
 * Finds the keys that statements may name. Over the socket they are read from the data directory; over a URL the first
 * one seen is pinned in `known_brokers`. Another one later is refused, unless the newest pinned one is still in force and
 * has handed over to it: then it is pinned beside it. What an older one says counts no more: it has handed over already.
 *
 * @throws Problem `broker-changed`, `broker-unreachable`, `broker-reply`
 */
export async function identifyBroker(
  client: HttpClient,
  locations: Locations,
  now: () => EpochMs = Date.now,
): Promise<BrokerIdentity> {
  const address = formatAddress(client.address);
  const offer = await askWhoItIs(client, now());
  const { fingerprint } = offer;
  const former = offer.former.map((key) => key.fingerprint);
  const local = client.address.kind === 'socket' ? await localNames(locations.data) : null;
  if (local !== null) {
    checkPinned([local.fingerprint], fingerprint, address);
    return { ...local, former: former.filter((key) => local.pins.includes(key)), news: null };
  }
  const known = (await readKnownBrokers(locations.config)).get(address) ?? [];
  const pins = known.map((pin) => pin.fingerprint);
  const newest = pins.at(-1);
  const isFirst = newest === undefined;
  // The first use takes the whole chain; later the newest pinned key vouches for those after it.
  const chain = [...former, fingerprint];
  if (!isFirst && !chain.includes(newest)) throw changed(locations, address, offer, known);
  const fresh = isFirst ? chain : chain.slice(chain.indexOf(newest) + 1);
  if (fresh.length > 0) await pinBroker(locations.config, address, fresh);
  const all = [...pins, ...fresh];
  const news = isFirst ? 'pinned' : fresh.includes(fingerprint) ? 'followed' : null;
  return { fingerprint, former: former.filter((key) => all.includes(key)), pins: all, news };
}

/** Under which key to ask, where an approver's answer must fit doors that have not been told of a newer one. */
export const askingName = ({ fingerprint, former }: BrokerNames): Fingerprint => former[0] ?? fingerprint;

/** The names of a broker that has had one key only. */
export const soleName = (fingerprint: Fingerprint): BrokerNames => ({
  fingerprint,
  former: [],
  pins: [fingerprint],
});

/** The fingerprint of the key in the data directory, null where there is none. */
export async function localFingerprint(data: string): Promise<Fingerprint | null> {
  const line = await readIfThere(brokerPublicKeyPath(data));
  return line === null ? null : parsePublicKeyLine(line).fingerprint;
}

async function localNames(data: string): Promise<Omit<BrokerNames, 'former'> | null> {
  const fingerprint = await localFingerprint(data);
  if (fingerprint === null) return null;
  const text = (await readIfThere(join(data, 'broker.handovers'))) ?? '';
  const former = splitSignedTexts(text).map((handover) => verifyKeyHandover(handover).fingerprint);
  return { fingerprint, pins: [...former, fingerprint] };
}

async function askWhoItIs(client: HttpClient, now: EpochMs): Promise<Offer> {
  const reply = await client.call(brokerReply, { method: 'GET', path: '/v1/broker' });
  const { fingerprint, key, handovers } = reply;
  try {
    if (parsePublicKeyLine(key).fingerprint !== fingerprint) {
      throw new Problem('broker-reply', 'the broker shows a fingerprint that is not the one of its key');
    }
    return { fingerprint, former: formerKeys(handovers, fingerprint, now) };
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'broker-reply') throw cause;
    throw new Problem('broker-reply', 'the broker shows a key or a handover of its key that does not hold', {
      cause,
    });
  }
}

function changed(
  { config }: Locations,
  address: string,
  { fingerprint }: Offer,
  known: readonly Pin[],
): Problem {
  const lines = known.map(({ line }) => line).join(', ');
  const newest = known.at(-1)?.fingerprint;
  const isFormer = known.some((pin) => pin.fingerprint === fingerprint);
  const how = isFormer ? 'to which the one it shows has handed over' : 'which has not handed over to it';
  return new Problem(
    'broker-changed',
    `the broker at ${address} has the key ${fingerprint}; pinned is ${newest}, ${how}`,
    {
      hint:
        `pinned in line ${lines} of ${knownBrokersPath(config)}. Compare with \`countersign broker key show\` on the ` +
        `broker's machine; only where it says the same: countersign broker forget ${address}`,
    },
  );
}
