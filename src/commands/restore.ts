import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Restored } from '../../broker/restore.js';
import { locate } from '../client/locations.js';
import { shownTime } from '../client/shown-time.js';
import { shellQuote } from '../protocol/shell-quote.js';
import { formatTime } from '../protocol/time.js';
import { exact, print, printJson, tell } from './output.js';
import { formatTable } from './text-table.js';
import { defineVerb } from './verb.js';

export const verb = defineVerb({
  help: `
Put a back-up in the place of the broker's database. The broker must not run. The
back-up is checked as a whole first; the present database gets another name and is
kept. What was pending, or approved and not used, at the time of the back-up is
ended, everybody is signed out, and every console says so until an approver has
acknowledged it. Doors remember by themselves what they have spent.

Usage
  countersign restore FILE [--dir DIR]

Flags
  --dir DIR       data directory (COUNTERSIGN_DIR); made where it is missing
  --json          as JSON

Examples
  countersign restore /backup/countersign-2026-01-31.db
  countersign restore /backup/countersign-2026-01-31.db --dir /var/lib/countersign
`,
  arguments: ['FILE'],
  flags: { dir: 'text', json: 'switch' },
  async run({ arguments: [file = ''], flags, env, display: { zone } }) {
    const { data } = locate(flags, env);
    const { restore } = await import('../../broker/restore.js');
    const source = resolve(file);
    const restored = await restore({ file: source, directory: data, clock: Date.now, random: randomBytes });
    if (flags.json) printJson({ file: source, directory: data, ...onWire(restored) });
    else print(describe({ source, data, zone }, restored));
    if (!existsSync(join(data, 'broker.key'))) {
      tell(
        `warning: there is no broker.key in ${exact(data)}: without the old one every door and client refuses the broker`,
      );
      tell(`put the keys back before you start it: tar -xpf KEYS -C ${shellQuote(data)}`);
    }
    return 0;
  },
});

const onWire = ({ backup, backupAt, ended, epoch, aside }: Restored) => ({
  backupAt: formatTime(backupAt),
  requests: backup.requests,
  seq: backup.head.seq,
  head: backup.head.hash,
  ended,
  epoch,
  aside,
});

function describe(
  { source, data, zone }: { readonly source: string; readonly data: string; readonly zone: string },
  { backup, backupAt, ended, aside }: Restored,
): string {
  return formatTable([
    ['restored', exact(source)],
    ['into', exact(data)],
    ['made', shownTime(backupAt, { zone, now: Date.now() })],
    ['requests', `${backup.requests}, of them ${ended} ended now: they were pending or approved`],
    ['events', `${backup.head.seq}, the newest of ${shownTime(backup.headAt, { zone, now: Date.now() })}`],
    ['before it', aside === null ? 'nothing stood there' : `kept as ${exact(aside)}`],
    ['next', 'start the broker; an approver acknowledges the restore in the console'],
  ]);
}
