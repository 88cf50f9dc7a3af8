import { join } from 'node:path';
import { type Fingerprint, isFingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { appendPrivately, readIfThere } from './private-file.js';

/** The brokers that were pinned at first use: one `ADDRESS FINGERPRINT` a line, blank lines and `#` comments. */
export type KnownBrokers = ReadonlyMap<string, Fingerprint>;

export const knownBrokersPath = (config: string): string => join(config, 'known_brokers');

/** @throws Problem `usage` that names the first bad line; an address with two fingerprints is one. */
export function parseKnownBrokers(text: string): KnownBrokers {
  const known = new Map<string, Fingerprint>();
  for (const [index, row] of text.split('\n').entries()) {
    const line = row.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [, address = '', fingerprint] = /^(.+) (\S+)$/.exec(line) ?? [];
    if (!isFingerprint(fingerprint)) throw badLine(index, 'is not ADDRESS FINGERPRINT');
    const other = known.get(address);
    if (other !== undefined && other !== fingerprint) throw badLine(index, `pins ${address} a second time`);
    known.set(address, fingerprint);
  }
  return known;
}

/** @throws Problem `usage` for a file that cannot be read as a whole. */
export async function readKnownBrokers(config: string): Promise<KnownBrokers> {
  return parseKnownBrokers((await readIfThere(knownBrokersPath(config))) ?? '');
}

/** Pins a broker for ever. */
export async function pinBroker(config: string, address: string, fingerprint: Fingerprint): Promise<void> {
  await appendPrivately(knownBrokersPath(config), `${address} ${fingerprint}`);
}

/** @throws Problem `broker-changed` where `offered` is another key than the one pinned. */
export function checkPinned(pinned: Fingerprint, offered: Fingerprint, address: string): void {
  if (pinned === offered) return;
  throw new Problem(
    'broker-changed',
    `the broker at ${address} has the key ${offered}, but ${pinned} is pinned`,
  );
}

function badLine(index: number, what: string): Problem {
  return new Problem('usage', `line ${index + 1} of known_brokers ${what}`, {
    hint: 'correct or remove that line; the broker is pinned again at its next use',
  });
}
