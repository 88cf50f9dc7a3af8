import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locations } from '../client/locations.js';
import type { Configuration } from './configuration.js';
import { checkWritableByOwnerOnly } from './own-file.js';

export const configurationPath = ({ config }: Pick<Locations, 'config'>): string =>
  join(config, 'config.yaml');

/**
 * Reads the configuration file; null where there is none. Whoever may write it decides which broker is asked and with
 * which key, so it must be the user's (or root's) and writable by nobody else, like the directory that it stands in.
 *
 * @throws Problem `malformed-configuration`
 */
export async function readConfiguration(path: string): Promise<Configuration | null> {
  if (!existsSync(path)) return null;
  await checkWritableByOwnerOnly(dirname(path), 'malformed-configuration');
  await checkWritableByOwnerOnly(path, 'malformed-configuration');
  const [text, { parseConfiguration }] = await Promise.all([
    readFile(path, 'utf8'),
    // The parser of YAML is not paid for by those who have no such file.
    import('./configuration.js'),
  ]);
  return parseConfiguration(text, path);
}
