import { join } from 'node:path';
import { type Fingerprint, isFingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { appendPrivately, readIfThere, writePrivately } from './private-file.js';

/**
 * The brokers that were pinned: one `ADDRESS FINGERPRINT` a line, blank lines and `#` comments. An address has one line
 * for each key that the broker has had since, oldest first.
 */
export type KnownBrokers = ReadonlyMap<string, readonly Pin[]>;

export interface Pin {
  readonly fingerprint: Fingerprint;
  /** Number of its line, from 1. */
  readonly line: number;
}

export const knownBrokersPath = (config: string): string => join(config, 'known_brokers');

/** @throws Problem `usage` that names the first bad line. */
export function parseKnownBrokers(text: string): KnownBrokers {
  const known = new Map<string, Pin[]>();
  for (const [index, row] of text.split('\n').entries()) {
    const parsed = parseLine(row);
    if (parsed === null) continue;
    if (parsed === 'bad') throw badLine(index);
    const { address, fingerprint } = parsed;
    const pins = known.get(address) ?? [];
    known.set(address, pins);
    if (pins.some((pin) => pin.fingerprint === fingerprint)) continue;
    pins.push({ fingerprint, line: index + 1 });
  }
  return known;
}

/** @throws Problem `usage` for a file that cannot be read as a whole. */
export async function readKnownBrokers(config: string): Promise<KnownBrokers> {
  return parseKnownBrokers((await readIfThere(knownBrokersPath(config))) ?? '');
}

/** Pins keys of a broker for ever. */
export async function pinBroker(
  config: string,
  address: string,
  fingerprints: readonly Fingerprint[],
): Promise<void> {
  const lines = fingerprints.map((fingerprint) => `${address} ${fingerprint}`);
  await appendPrivately(knownBrokersPath(config), lines.join('\n'));
}

/**
 * Removes all lines of an address; comments and other lines stay.
 *
 * @returns whether there was one
 */
export async function forgetBroker(config: string, address: string): Promise<boolean> {
  const path = knownBrokersPath(config);
  const rows = ((await readIfThere(path)) ?? '').split('\n');
  const kept = rows.filter((row) => {
    const parsed = parseLine(row);
    return parsed === null || parsed === 'bad' || parsed.address !== address;
  });
  if (kept.length === rows.length) return false;
  await writePrivately(path, kept.join('\n'));
  return true;
}

/** @throws Problem `broker-changed` where `offered` is none of the keys that are pinned. */
export function checkPinned(pinned: readonly Fingerprint[], offered: Fingerprint, address: string): void {
  if (pinned.includes(offered)) return;
  throw new Problem(
    'broker-changed',
    `the broker at ${address} has the key ${offered}, but ${pinned.join(' and ')} is pinned`,
  );
}

function parseLine(
  row: string,
): { readonly address: string; readonly fingerprint: Fingerprint } | 'bad' | null {
  const line = row.trim();
  if (line === '' || line.startsWith('#')) return null;
  const [, address = '', fingerprint] = /^(.+) (\S+)$/.exec(line) ?? [];
  return isFingerprint(fingerprint) ? { address, fingerprint } : 'bad';
}

function badLine(index: number): Problem {
  return new Problem('usage', `line ${index + 1} of known_brokers is not ADDRESS FINGERPRINT`, {
    hint: 'correct or remove that line; the broker is pinned again at its next use',
  });
}
