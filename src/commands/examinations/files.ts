import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { knownBrokersPath } from '../../client/known-brokers.js';
import type { Locations } from '../../client/locations.js';
import { shellQuote } from '../../protocol/shell-quote.js';
import { configurationPath } from '../configuration-file.js';
import { type Finding, good, note, wrong } from './finding.js';

/** A file or directory, and who else may do something with it. */
export interface FileFacts {
  readonly path: string;
  readonly what: string;
  /** `secret` may be read by its owner only, `trusted` may be read by all and written by its owner only. */
  readonly need: 'secret' | 'trusted';
  /** Permission bits; null where there is no such file. */
  readonly mode: number | null;
  readonly isOwn: boolean;
}

/** Modes and owners of the data directory, of what is in it, and of what a client keeps. */
export function examineFiles(
  files: readonly FileFacts[],
  { data, mustExist }: { readonly data: string; readonly mustExist: boolean },
): readonly Finding[] {
  const hasData = files.some(({ path, mode }) => path === data && mode !== null);
  const missing = mustExist
    ? wrong(`there is no data directory at ${data}`, 'make one: countersign up')
    : note(
        `there is no data directory at ${data}: this machine is only a client`,
        'none is needed, unless a broker should run here',
      );
  return [...(hasData ? [] : [missing]), ...files.flatMap(examineFile)];
}

function examineFile({ path, what, need, mode, isOwn }: FileFacts): readonly Finding[] {
  if (mode === null) return [];
  const quoted = shellQuote(path);
  if (!isOwn) return [wrong(`${what} ${path} belongs to another user`, `chown "$(id -un)" ${quoted}`)];
  if (need === 'secret' && (mode & 0o077) !== 0) {
    return [wrong(`${what} ${path} is open to others`, `chmod go= ${quoted}`)];
  }
  if ((mode & 0o022) !== 0)
    return [wrong(`${what} ${path} may be written by others`, `chmod go-w ${quoted}`)];
  return [good(`${what} ${path} is ${need === 'secret' ? 'closed to others' : 'written by nobody else'}`)];
}

/** @param key the file of the private key that signs, null where the agent holds it */
export async function fileFacts(locations: Locations, key: string | null): Promise<readonly FileFacts[]> {
  const { data, config } = locations;
  const file = (path: string, what: string, need: FileFacts['need']) => ({ path, what, need });
  const files = [
    file(data, 'the data directory', 'secret'),
    file(join(data, 'broker.key'), 'the key of the broker', 'secret'),
    file(join(data, 'broker.db'), 'the database', 'secret'),
    file(join(data, 'broker.sock'), 'the socket', 'secret'),
    file(dirname(configurationPath(locations)), 'the directory of the configuration', 'trusted'),
    file(configurationPath(locations), 'the configuration', 'trusted'),
    file(knownBrokersPath(config), 'the list of pinned brokers', 'trusted'),
    ...(key === null ? [] : [file(key, 'the key', 'secret')]),
  ];
  return Promise.all(files.map(async (one) => ({ ...one, ...(await standing(one.path)) })));
}

async function standing(path: string): Promise<Pick<FileFacts, 'mode' | 'isOwn'>> {
  try {
    const { mode, uid } = await lstat(path);
    return { mode: mode & 0o777, isOwn: uid === process.getuid?.() };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      return { mode: null, isOwn: false };
    }
    throw error;
  }
}
