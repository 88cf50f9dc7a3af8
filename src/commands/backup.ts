import { execFile } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Backup } from '../../broker/store/sqlite/backup.js';
import { locate } from '../client/locations.js';
import { shownTime } from '../client/shown-time.js';
import { Problem } from '../protocol/problems.js';
import { shellQuote } from '../protocol/shell-quote.js';
import { formatTime } from '../protocol/time.js';
import { hasDatabase } from './enrolled-directory.js';
import { exact, print, printJson, tell } from './output.js';
import { formatTable } from './text-table.js';
import { defineVerb } from './verb.js';

/** What in a data directory is not a key: the database with its companions and copies, the lock and the socket. */
const NO_KEY = /^(?:broker\.(?:db.*|lock.*|sock)|restoring)$/;

export const verb = defineVerb({
  help: `
Copy the database of the broker to a new file, while the broker runs or not. The copy
is checked before it is called done: everything acknowledged before the start is in
it. Keys are not: --keys writes them to a file of their own, a tar archive.

The copy holds everything that was asked and decided, and hashes of tokens. Who can
write it can change history up to the next restore; who has the keys can be this
broker. Neither opens a door.

Usage
  countersign backup FILE [--dir DIR]
  countersign backup --keys FILE [--dir DIR]

Flags
  --dir DIR       data directory (COUNTERSIGN_DIR)
  --keys FILE     the broker's key, and the other keys of the data directory
  --json          as JSON; the keys as {"keys":{"file","names"}}

Examples
  countersign backup /backup/countersign-$(date +%F).db
  countersign backup --keys /safe/countersign-keys.tar
`,
  arguments: ['FILE?'],
  flags: { dir: 'text', keys: 'text', json: 'switch' },
  async run({ arguments: [file], flags, env, display: { zone } }) {
    const { data } = locate(flags, env);
    if (file === undefined && flags.keys === undefined) {
      throw new Problem('usage', 'the name of the back-up is missing', { hint: 'countersign backup FILE' });
    }
    if (!hasDatabase(data))
      throw new Problem('usage', `there is no database in ${data}`, { hint: 'give --dir DIR' });
    const database = file === undefined ? null : await backUpDatabase(data, resolve(file));
    if (database !== null && !flags.json) print(describe(database, zone));
    const keys = flags.keys === undefined ? null : await backUpKeys(data, resolve(flags.keys));
    if (keys !== null && !flags.json)
      print(`wrote ${keys.names.map(exact).join(', ')} to ${exact(keys.file)}`);
    if (flags.json) printJson({ ...(database && onWire(database)), ...(keys && { keys }) });
    if (keys !== null) {
      tell(
        'warning: whoever has this file can be this broker; keep it apart from the back-up of the database',
      );
      tell(`put them back with: tar -xpf ${shellQuote(keys.file)} -C ${shellQuote(data)}`);
    }
    return 0;
  },
});

interface DatabaseCopy extends Backup {
  readonly file: string;
}

async function backUpDatabase(data: string, file: string): Promise<DatabaseCopy> {
  const { backUp } = await import('../../broker/store/sqlite/backup.js');
  return { file, ...backUp(join(data, 'broker.db'), file, Date.now()) };
}

const onWire = ({ file, requests, live, head, headAt, epoch, bytes }: DatabaseCopy) => ({
  file,
  requests,
  live,
  seq: head.seq,
  head: head.hash,
  headAt: formatTime(headAt),
  epoch,
  bytes,
});

function describe({ file, requests, live, head, headAt, bytes }: DatabaseCopy, zone: string): string {
  return formatTable([
    ['backed up to', exact(file)],
    ['size', `${(bytes / 1024 / 1024).toFixed(1)} MiB`],
    ['requests', `${requests}, of them ${live} pending or approved`],
    ['events', `${head.seq}, the newest of ${shownTime(headAt, { zone, now: Date.now() })}`],
    ['head', head.hash],
    ['keys', 'not in it: countersign backup --keys FILE'],
  ]);
}

/** A tar archive: what restores it is on every machine. */
async function backUpKeys(data: string, file: string) {
  const names = readdirSync(data).filter((name) => !NO_KEY.test(name));
  if (names.length === 0)
    throw new Problem('usage', `there are no keys in ${data}`, { hint: 'start the broker once' });
  if (existsSync(file)) {
    throw new Problem('usage', `${file} exists already`, {
      hint: 'choose another name: nothing is overwritten',
    });
  }
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    await promisify(execFile)('tar', ['-C', data, '-cf', file, '--', ...names]);
    fsyncSync(descriptor);
  } catch (cause) {
    rmSync(file, { force: true });
    throw new Problem('usage', `tar cannot write ${file}: ${(cause as Error).message.trim()}`, { cause });
  } finally {
    closeSync(descriptor);
  }
  return { file, names };
}
