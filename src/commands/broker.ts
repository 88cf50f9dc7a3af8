import { formatAddress, parseAddress, socketAddress } from '../client/address.js';
import { HttpClient } from '../client/http-client.js';
import { forgetBroker, knownBrokersPath, readKnownBrokers } from '../client/known-brokers.js';
import { type Environment, locate, socketPath } from '../client/locations.js';
import { shownTime } from '../client/shown-time.js';
import { type BrokerReply, brokerReply, MAX_OVERLAP } from '../protocol/messages.js';
import type { Fingerprint } from '../protocol/names.js';
import { Problem } from '../protocol/problems.js';
import { type EpochMs, formatTime } from '../protocol/time.js';
import { formerKeys } from '../ssh/key-handover.js';
import { parseSeconds } from './duration.js';
import { hasDatabase } from './enrolled-directory.js';
import { exact, print, printJson, tell } from './output.js';
import { defineVerb, type VerbGroup } from './verb.js';

const DIR_HELP = `
  --dir DIR       data directory of the broker (COUNTERSIGN_DIR)`;
const DEFAULT_OVERLAP = 30 * 86_400;

/** The keys of a broker, as they are told on its own machine. */
interface Keys {
  readonly fingerprint: Fingerprint;
  readonly key: string;
  /** Former ones in force, newest first. */
  readonly former: readonly { readonly fingerprint: Fingerprint; readonly validUntil: EpochMs }[];
}

export const verb: VerbGroup = {
  help: `
The key that names a broker, and the brokers that are pinned here. The key signs no
decision: whoever stole it could only pass for the broker towards those who pinned it.

Usage
  countersign broker key show [--json]
  countersign broker key rotate [--overlap TIME]
  countersign broker known [--json]
  countersign broker forget ADDRESS

Examples
  countersign broker key show
  countersign broker key rotate --overlap 30d
  countersign broker forget https://approvals.example.com:7433
`,
  verbs: {
    key: {
      help: `
The key that names the broker of this data directory.

Usage
  countersign broker key show [--json]
  countersign broker key rotate [--overlap TIME]

Examples
  countersign broker key show
  countersign broker key rotate --overlap 30d
`,
      verbs: {
        show: defineVerb({
          help: `
Show the broker's key, the former keys that are still good, and the line that doors
pin in pam.conf. Run on the broker's machine: it is what others compare with.

Usage
  countersign broker key show [--json]

Flags${DIR_HELP}
  --json          as JSON

Examples
  countersign broker key show
`,
          arguments: [],
          flags: { dir: 'text', json: 'switch' },
          async run({ flags, env, display: { zone } }) {
            printKeys(await readKeys(dataOf(flags, env)), { json: flags.json, zone });
            return 0;
          },
        }),
        rotate: defineVerb({
          help: `
Give the broker a new key, at once, also while it runs. The old key stays good for the
overlap: consoles and commands follow by themselves, because the old key signs who
comes next; doors follow when you put the printed line into their pam.conf. With
--overlap 0, for a key that was stolen, nobody follows: everybody pins anew.

Usage
  countersign broker key rotate [--overlap TIME]

Flags
  --overlap TIME  how long the old key stays good: 12h, 30d, 0 (default 30d)${DIR_HELP}
  --json          as JSON

Examples
  countersign broker key rotate
  countersign broker key rotate --overlap 7d
`,
          arguments: [],
          flags: { dir: 'text', overlap: 'text', json: 'switch' },
          async run({ flags, env, display: { zone } }) {
            const keys = await rotate(dataOf(flags, env), overlapOf(flags.overlap));
            printKeys(keys, { json: flags.json, zone });
            const until = keys.former[0]?.validUntil;
            tell(
              until === undefined
                ? 'the old key is void: every console and door must be told of the new one'
                : `put that line into the pam.conf of every door before ${shownTime(until, { zone, now: Date.now() })}`,
            );
            return 0;
          },
        }),
      },
    },
    known: defineVerb({
      help: `
List the brokers that are pinned here, by address. An address has one line for each
key that its broker has had.

Usage
  countersign broker known [--json]

Flags
  --json          as JSON

Examples
  countersign broker known
`,
      arguments: [],
      flags: { json: 'switch' },
      async run({ flags, env }) {
        const { config } = locate({}, env);
        const rows = [...(await readKnownBrokers(config))].flatMap(([address, pins]) =>
          pins.map(({ fingerprint, line }) => ({ address, fingerprint, line })),
        );
        if (flags.json) printJson({ file: knownBrokersPath(config), brokers: rows });
        else if (rows.length === 0) print(`no broker is pinned in ${exact(knownBrokersPath(config))}`);
        else print(rows.map(({ address, fingerprint }) => `${exact(address)} ${fingerprint}`).join('\n'));
        return 0;
      },
    }),
    forget: defineVerb({
      help: `
Forget the keys under which a broker is pinned here: its next use pins the one that it
has then. Do this only after you compared that key on the broker's own machine.

Usage
  countersign broker forget ADDRESS

Examples
  countersign broker forget https://approvals.example.com:7433
`,
      arguments: ['ADDRESS'],
      flags: {},
      async run({ arguments: [text = ''], env }) {
        const { config } = locate({}, env);
        const address = formatAddress(parseAddress(text));
        if (!(await forgetBroker(config, address))) {
          throw new Problem('not-found', `${address} is not pinned`, {
            hint: 'see: countersign broker known',
          });
        }
        print(`forgot ${exact(address)}`);
        return 0;
      },
    }),
  },
};

function dataOf(flags: { readonly dir: string | undefined }, env: Environment): string {
  const { data } = locate(flags, env);
  if (hasDatabase(data)) return data;
  throw new Problem('not-found', `there is no broker in ${JSON.stringify(data)}`, {
    hint: 'name its data directory with --dir, on the machine of the broker',
  });
}

function overlapOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_OVERLAP;
  const seconds = text === '0' ? 0 : parseSeconds(text, '--overlap');
  if (seconds > MAX_OVERLAP) throw new Problem('usage', '--overlap is longer than a year');
  return seconds;
}

/** Through the socket of a running broker, else from the files. */
const readKeys = (data: string): Promise<Keys> =>
  overSocketOr(
    data,
    async (client) => keysOf(await client.call(brokerReply, { method: 'GET', path: '/v1/broker' })),
    (keys) => keysAt(keys, Date.now()),
  );

/** In the running broker, where it has effect at once; else under the exclusive lock. */
const rotate = (data: string, overlap: number): Promise<Keys> =>
  overSocketOr(
    data,
    async (client) =>
      keysOf(await client.call(brokerReply, { method: 'POST', path: '/v1/broker/key', body: { overlap } })),
    async (keys) => {
      const now = Date.now();
      await keys.rotate(overlap * 1000, now);
      return keysAt(keys, now);
    },
  );

type FileKeys = Awaited<ReturnType<typeof import('../../broker/broker-keys.js')['BrokerKeys']['open']>>;

async function overSocketOr(
  data: string,
  overSocket: (client: HttpClient) => Promise<Keys>,
  inFiles: (keys: FileKeys) => Keys | Promise<Keys>,
): Promise<Keys> {
  const client = new HttpClient(socketAddress(socketPath(data)));
  try {
    return await overSocket(client);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'broker-unreachable') throw error;
  } finally {
    client.close();
  }
  const [{ BrokerKeys }, { lockDirectory }] = await Promise.all([
    import('../../broker/broker-keys.js'),
    import('../../broker/store/sqlite/lock.js'),
  ]);
  const lock = lockDirectory(data);
  try {
    return await inFiles(await BrokerKeys.open(data, Date.now()));
  } finally {
    lock.release();
  }
}

function keysAt(keys: FileKeys, now: EpochMs): Keys {
  const { current } = keys;
  return {
    fingerprint: current.fingerprint,
    key: `${current.type} ${current.base64}`,
    former: [...keys.formerAt(now)].reverse(),
  };
}

/** What the broker says over its own socket. */
function keysOf({ fingerprint, key, clock, handovers }: BrokerReply): Keys {
  return { fingerprint, key, former: [...formerKeys(handovers, fingerprint, clock)].reverse() };
}

function printKeys(
  { fingerprint, key, former }: Keys,
  { json, zone }: { readonly json: boolean; readonly zone: string },
): void {
  const line = `fingerprint=${[fingerprint, ...former.map((old) => old.fingerprint)].join(',')}`;
  if (json) {
    printJson({
      fingerprint,
      key,
      former: former.map((old) => ({
        fingerprint: old.fingerprint,
        validUntil: formatTime(old.validUntil),
      })),
      pam: line,
    });
    return;
  }
  print(
    [
      `key          ${fingerprint}`,
      ...former.map(
        (old) =>
          `former key   ${old.fingerprint}, good until ${shownTime(old.validUntil, { zone, now: Date.now() })}`,
      ),
      `public key   ${exact(key)}`,
      `pam.conf     ${line}`,
    ].join('\n'),
  );
}
