import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REQUIREMENT_KEYS, type Requirements, readRequirements } from '../door/requirements.js';
import { count, parseSettings, type Settings, setting } from '../door/settings.js';
import { sha256Digest } from '../protocol/canonical.js';
import { MAX_DURATION_SECONDS } from '../protocol/document.js';
import { type Digest, isName, type Name } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { parseRevokedKeys, type RevokedKeys } from '../ssh/revoked-keys.js';
import { parseSignersFile, type Signer } from '../ssh/signers-file.js';
import { checkWritableByOwnerOnly } from './own-file.js';

/** The user's own door: what `run` is told once instead of with each command. null where nothing is said. */
export interface RunSettings {
  readonly door: Name | null;
  readonly resource: string | null;
  readonly requester: Name | null;
  readonly submitter: Name | null;
  /** Path of the key that signs the asks of the submitter. */
  readonly key: string | null;
  /** Path of the signers file. */
  readonly signers: string | null;
  /** Path of the file of keys that count for nothing here. */
  readonly revokedKeys: string | null;
  /** Seconds to wait for an answer. */
  readonly wait: number | null;
  /** Seconds of work to ask for, from first use. */
  readonly duration: number;
  readonly requirements: Requirements;
}

const KEYS = [
  ...REQUIREMENT_KEYS,
  ...['door', 'resource', 'requester', 'submitter', 'key', 'signers', 'revoked-keys', 'wait', 'duration'],
] as const;

export const runSettingsPath = (config: string): string => join(config, 'run.conf');
export const signersPath = (config: string): string => join(config, 'signers');

/**
 * Reads the settings file; absent, it says nothing.
 *
 * @throws Problem `bad-config`, `unsafe-file`
 */
export async function readRunSettings(path: string): Promise<RunSettings> {
  const text = await readOwnFile(path);
  const settings: Settings = text === null ? new Map() : parseSettings(text, KEYS, path);
  const name = (key: string): Name | null =>
    setting(settings, key, (value) => (isName(value) ? value : undefined), null);
  const file = (key: string): string | null =>
    setting(settings, key, (value) => (value.startsWith('/') ? value : undefined), null);
  const requirements = readRequirements(settings);
  return {
    door: name('door'),
    resource: settings.get('resource') ?? null,
    requester: name('requester'),
    submitter: name('submitter'),
    key: file('key'),
    signers: file('signers'),
    revokedKeys: file('revoked-keys'),
    wait: setting(settings, 'wait', count(1, 86_400), null),
    duration: withinLongest(setting(settings, 'duration', count(0, MAX_DURATION_SECONDS), 0), requirements),
    requirements,
  };
}

/**
 * A length of work that the door would take.
 *
 * @param seconds what is to be asked for
 * @throws Problem `bad-config` where it is above the door's own `longest-duration`
 */
export function withinLongest(seconds: number, { longestDuration }: Requirements): number {
  if (seconds <= longestDuration) return seconds;
  throw new Problem('bad-config', `${seconds} s of work are above longest-duration=${longestDuration}`, {
    hint: 'this door would not take what it asks for: ask for less, or raise longest-duration in run.conf',
  });
}

/** Who may approve at this door, the digest of the file that says so, and the keys that count for nothing all the same. */
export interface OwnSigners {
  readonly signers: readonly Signer[];
  readonly digest: Digest;
  readonly revoked: RevokedKeys;
}

/** @throws Problem `signers-missing`, `malformed-signers-file`, `bad-revoked-keys`, `unsafe-file` */
export async function readSigners(path: string, revokedPath: string | null): Promise<OwnSigners> {
  const text = await readOwnFile(path);
  if (text === null) {
    throw new Problem('signers-missing', `there is no signers file ${JSON.stringify(path)}`, {
      hint: `it says whose signatures count here; make it on the broker: countersign roster export > ${path}`,
    });
  }
  return {
    signers: parseSignersFile(text),
    digest: sha256Digest(text),
    revoked: revokedPath === null ? new Set() : await readRevokedKeys(revokedPath),
  };
}

async function readRevokedKeys(path: string): Promise<RevokedKeys> {
  const text = await readOwnFile(path);
  if (text !== null) return parseRevokedKeys(text);
  throw new Problem('bad-revoked-keys', `there is no file of revoked keys ${JSON.stringify(path)}`, {
    hint: 'make it, empty if no key is revoked, or take revoked-keys out of the settings',
  });
}

/** The text of a file that nobody but its user or root can have written; null where there is none. */
async function readOwnFile(path: string): Promise<string | null> {
  if (!existsSync(path)) return null;
  await checkWritableByOwnerOnly(path, 'unsafe-file');
  // What is no UTF-8 becomes characters that neither file may hold.
  return readFile(path, 'utf8');
}
